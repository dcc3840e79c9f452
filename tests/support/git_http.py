"""A Git host over HTTP on loopback: Git's own ``git http-backend`` behind a small server.

TLS and basic authentication as wanted. A *fault hook* sees each request before it is passed on and
may misbehave in the host's place: answer by itself, wait, or cut the connection.
"""

import base64
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.certificates import ServerCertificate
from support.loopback import LIMIT, Answer, Cut, LoopbackHandler, LoopbackServer, running
from support.minted import note_secret

__all__ = ["Answer", "Cut", "Fault", "FaultHook", "GitHost", "Request", "serve_git"]


@dataclass(frozen=True)
class Request:
    """What a client sent. `path` has the query; `body` is whole, perhaps still gzipped."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_push(self) -> bool:
        """Whether this is the request that moves refs, not the empty one that tries the way."""
        is_post = self.method == "POST" and self.path.endswith("/git-receive-pack")
        return is_post and self.body != b"0000"


@dataclass(frozen=True)
class Fault:
    """How the host misbehaves: it waits, answers by itself if it has an answer, cuts.

    `wait` comes before the request is passed on, `wait_after` before its answer is sent; seconds.
    """

    wait: float = 0
    answer: Answer | None = None
    cut: Cut | None = None
    wait_after: float = 0


FaultHook = Callable[[Request], Fault | None]


@dataclass
class GitHost:
    """The repositories below `root`, served. What is changed here counts from the next request.

    `users` maps names to passwords, None lets everybody in. `requests` holds all that came, in the
    order of their coming, those refused included.
    """

    root: Path
    tls: ServerCertificate | None = None
    users: Mapping[str, str] | None = None
    fault: FaultHook = lambda _: None
    requests: list[Request] = field(default_factory=list[Request])
    port: int = 0

    def url(self, repository: str, host: str = "127.0.0.1") -> str:
        """Return the address of the repository at this path below `root`."""
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://{host}:{self.port}/{repository}"

    def lets_in(self, authorization: str) -> bool:
        """Tell whether a request with this header may be served."""
        if self.users is None:
            return True
        good = (f"{user}:{password}".encode() for user, password in self.users.items())
        return authorization in {f"Basic {base64.b64encode(one).decode()}" for one in good}


@contextmanager
def serve_git(
    root: Path,
    *,
    tls: ServerCertificate | None = None,
    users: Mapping[str, str] | None = None,
    fault: FaultHook = lambda _: None,
) -> Iterator[GitHost]:
    """Serve the repositories below `root` on a free port of loopback until the end of the block."""
    for name, password in (users or {}).items():
        note_secret(f"the password of {name}", password)
    host = GitHost(root, tls, users, fault)
    with running(_Server(host)) as host.port:
        yield host


class _Server(LoopbackServer):
    def __init__(self, host: GitHost) -> None:
        self.host = host
        super().__init__(_Handler, host.tls)


class _Handler(LoopbackHandler):
    server: _Server

    def serve(self) -> None:
        host = self.server.host
        request = Request(self.command, self.path, dict(self.headers.items()), self._body())
        host.requests.append(request)
        if not host.lets_in(self.headers.get("Authorization", "")):
            self.send(Answer(401, {"WWW-Authenticate": 'Basic realm="git"'}))
            return
        fault = host.fault(request) or Fault()
        time.sleep(fault.wait)
        if fault.cut is Cut.BEFORE:
            self.hang_up()
            return
        answer = fault.answer or _backend(host, request)
        time.sleep(fault.wait_after)
        if fault.cut is Cut.AFTER:
            self.hang_up()
        else:
            self.send(answer, half=fault.cut is Cut.HALFWAY)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        chunks: list[bytes] = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(chunks)


def _backend(host: GitHost, request: Request) -> Answer:
    """Run ``git http-backend`` as CGI. Format: RFC 3875."""
    path, _, query = request.path.partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    variables = {
        "CONTENT_LENGTH": str(len(request.body)),
        "CONTENT_TYPE": headers.get("content-type", ""),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROJECT_ROOT": str(host.root),
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "PATH": os.environ["PATH"],
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_USER": "somebody",  # lets clients push
        "REQUEST_METHOD": request.method,
    }
    done = subprocess.run(
        ["git", "http-backend"],
        input=request.body,
        env=variables,
        capture_output=True,
        check=False,
        timeout=LIMIT,
    )
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
    status = int(fields.pop("Status", "200 OK").split()[0])
    return Answer(status, fields, body)

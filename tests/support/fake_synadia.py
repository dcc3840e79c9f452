"""A Control Plane of Synadia's on loopback: real HTTP, real JWTs, and bad manners on demand.

`plane` is what it holds, and where things happen behind a client's back. `faults` decides what the
next calls meet, and counts them by kind: ``create user``, ``issue creds``, and all the others of
support.synadia.routes.
"""

import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket

from support.certificates import ServerCertificate
from support.synadia.faults import Answer, Cut, Faults
from support.synadia.plane import Plane
from support.synadia.routes import find_route

__all__ = ["FakeSynadia", "serve_synadia"]

_LIMIT = 120.0  # seconds that a client that says nothing may take
_UNAUTHORIZED = Answer(401, b"unauthorized", {"Content-Type": "text/plain"})
_NOT_FOUND = Answer(404, b"404 page not found", {"Content-Type": "text/plain"})


@dataclass
class FakeSynadia:
    """The Control Plane, served.

    `token` is the one token that it takes; None takes any. `paths` are those that were asked for,
    in the order of their coming.
    """

    plane: Plane
    token: str | None
    tls: ServerCertificate | None = None
    faults: Faults = field(default_factory=Faults)
    paths: list[str] = field(default_factory=list[str])
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """The address, without ``/api``."""
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}"

    @property
    def calls(self) -> dict[str, int]:
        """How many calls came of each kind, those that met a fault included."""
        return dict(self.faults.calls)

    def called(self, *kinds: str) -> int:
        """Count the calls of these kinds; without any, all calls."""
        calls = self.faults.calls
        return sum(calls[kind] for kind in kinds) if kinds else calls.total()


@contextmanager
def serve_synadia(
    plane: Plane, token: str | None = None, *, tls: ServerCertificate | None = None
) -> Generator[FakeSynadia]:
    """Serve a Control Plane on a free port of loopback until the end of the block."""
    fake = FakeSynadia(plane, token, tls)
    with _Server(fake) as server:
        fake.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
            server.hang_up()


class _Server(ThreadingHTTPServer):
    """One thread a connection; all of them have ended when it is closed."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, fake: FakeSynadia) -> None:
        self.fake = fake
        self.closing = threading.Event()
        self._open: set[socket] = set()
        self._context: ssl.SSLContext | None = None
        if fake.tls is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(fake.tls.certificate, fake.tls.key)
        super().__init__(("127.0.0.1", 0), _Handler)

    def finish_request(self, request, client_address) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001  (as the base class)
        """Speak TLS in the connection's own thread, so that a slow or bad client stops nobody."""
        request.settimeout(_LIMIT)
        if self._context is not None:
            request = self._context.wrap_socket(request, server_side=True)
        self._open.add(request)
        try:
            super().finish_request(request, client_address)
        finally:
            self._open.discard(request)
            if self._context is not None:
                request.close()

    def hang_up(self) -> None:
        """End what is slow, and what clients keep open."""
        self.closing.set()
        for one in list(self._open):
            _cut(one)

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet about clients that go away or do not trust us: that is what tests provoke."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  (as the base class calls them)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (as the base class)
        pass

    def _serve(self) -> None:
        fake = self.server.fake
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        fake.paths.append(self.path)
        route = find_route(self.command, self.path)
        if fake.token is not None and self.headers.get("Authorization") != f"Bearer {fake.token}":
            self._send(_UNAUTHORIZED)
            return
        if route is None:
            self._send(_NOT_FOUND)
            return
        with fake.lock:
            fault = fake.faults.take(route.kind)
            works = fault.works and fault.cut is not Cut.BEFORE
            answer = route.serve(fake.plane, body) if works else _NOT_FOUND
        self.server.closing.wait(fault.wait)
        if fault.cut in {Cut.BEFORE, Cut.AFTER}:
            self._hang_up()
        else:
            self._send(fault.answer or answer, half=fault.cut is Cut.HALFWAY)

    def _send(self, answer: Answer, *, half: bool = False) -> None:
        with suppress(OSError):  # the client has gone
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: len(answer.body) // 2] if half else answer.body)
            self.wfile.flush()
        if half:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        _cut(self.connection)


def _cut(connection: socket) -> None:
    with suppress(OSError):  # the other side was faster
        connection.shutdown(SHUT_RDWR)

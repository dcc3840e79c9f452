"""An API server on loopback that says what a test wants, and keeps what it was asked."""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.certificates import ServerCertificate
from support.loopback import Answer, LoopbackHandler, LoopbackServer, running

__all__ = ["ApiServer", "Asked", "run_api_server", "said"]


@dataclass(frozen=True)
class Asked:
    """One thing that the server was asked for."""

    method: str
    path: str
    body: Any


def said(status: int, message: str = "") -> Answer:
    """Return an answer as the API server refuses: with a Status object."""
    spelled = {"kind": "Status", "status": "Failure", "message": message, "code": status}
    return Answer(status, body=json.dumps(spelled).encode())


@dataclass
class ApiServer:
    """What it says is `answer`; `kubeconfig` leads there."""

    answer: Callable[[Asked], Answer]
    kubeconfig: Path
    asked: list[Asked] = field(default_factory=list[Asked])


@contextmanager
def run_api_server(
    folder: Path, answer: Callable[[Asked], Answer], tls: ServerCertificate | None = None
) -> Generator[ApiServer]:
    """Run one until the end of the block; its kubeconfig trusts no certificate of ours."""
    found = ApiServer(answer, folder / "kubeconfig")

    class Handler(LoopbackHandler):
        def serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            asked = Asked(self.command, self.path.partition("?")[0], body)
            found.asked.append(asked)
            self.send(found.answer(asked))

    server = LoopbackServer(Handler, tls)
    address = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    found.kubeconfig.write_text(_kubeconfig(address), encoding="utf-8")
    with running(server):
        yield found


def _kubeconfig(server: str) -> str:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "one", "cluster": {"server": server}}],
            "users": [{"name": "one", "user": {"token": "a-token-of-a-test"}}],
            "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
            "current-context": "one",
        }
    )

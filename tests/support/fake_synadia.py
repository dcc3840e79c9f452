"""A Control Plane of Synadia's on loopback: real HTTP, real JWTs, and bad manners on demand.

`plane` is what it holds, and where things happen behind a client's back. `faults` decides what the
next calls meet, and counts them by kind: ``create user``, ``issue creds``, and all the others of
support.synadia.routes.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from support.certificates import ServerCertificate
from support.loopback import Answer, Cut, LoopbackHandler, LoopbackServer, running
from support.synadia.faults import Faults
from support.synadia.plane import Plane
from support.synadia.routes import find_route

__all__ = ["FakeSynadia", "serve_synadia"]

_UNAUTHORIZED = Answer(401, {"Content-Type": "text/plain"}, b"unauthorized")
_NOT_FOUND = Answer(404, {"Content-Type": "text/plain"}, b"404 page not found")


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
    with running(_Server(fake)) as fake.port:
        yield fake


class _Server(LoopbackServer):
    def __init__(self, fake: FakeSynadia) -> None:
        self.fake = fake
        super().__init__(_Handler, fake.tls)


class _Handler(LoopbackHandler):
    server: _Server

    def serve(self) -> None:
        fake = self.server.fake
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        fake.paths.append(self.path)
        route = find_route(self.command, self.path)
        if fake.token is not None and self.headers.get("Authorization") != f"Bearer {fake.token}":
            self.send(_UNAUTHORIZED)
            return
        if route is None:
            self.send(_NOT_FOUND)
            return
        with fake.lock:
            fault = fake.faults.take(route.kind)
            works = fault.works and fault.cut is not Cut.BEFORE
            answer = route.serve(fake.plane, body) if works else _NOT_FOUND
        self.server.closing.wait(fault.wait)
        if fault.cut in {Cut.BEFORE, Cut.AFTER}:
            self.hang_up()
        else:
            self.send(fault.answer or answer, half=fault.cut is Cut.HALFWAY)

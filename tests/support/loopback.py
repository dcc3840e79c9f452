"""HTTP on loopback for fakes: with TLS where wanted, and answers that break off."""

import ssl
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket

from support.certificates import ServerCertificate

__all__ = ["LIMIT", "Answer", "Cut", "LoopbackHandler", "LoopbackServer", "running"]

LIMIT = 120.0
"""Seconds that a client that says nothing may take."""


@dataclass(frozen=True)
class Answer:
    """An answer as it goes over the wire."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


class Cut(Enum):
    """When the connection is cut."""

    BEFORE = "before what was asked for is done: nothing happens"
    HALFWAY = "after half of the answer was sent: it happened"
    AFTER = "before the answer is sent: it happened"


class LoopbackServer(ThreadingHTTPServer):
    """One thread a connection; all of them have ended when it is closed.

    `closing` is set when the server ends: what waits in a handler waits for that, too.
    """

    daemon_threads = False
    request_queue_size = 64

    def __init__(
        self, handler: type[BaseHTTPRequestHandler], tls: ServerCertificate | None
    ) -> None:
        self.closing = threading.Event()
        self._open: set[socket] = set()
        self._context: ssl.SSLContext | None = None
        if tls is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(tls.certificate, tls.key)
        super().__init__(("127.0.0.1", 0), handler)

    def finish_request(self, request, client_address) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001  (as the base class)
        """Speak TLS in the connection's own thread, so that a slow or bad client stops nobody."""
        request.settimeout(LIMIT)
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


class LoopbackHandler(BaseHTTPRequestHandler):
    """Has every call served by `serve`; sends whole answers, or half of one."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  (as the base class calls them)

    def serve(self) -> None:
        """Answer the call at hand."""
        raise NotImplementedError

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (as the base class)
        pass

    def send(self, answer: Answer, *, half: bool = False) -> None:
        """Send an answer; with `half`, cut the connection in the middle of its body."""
        with suppress(OSError):  # the client has gone
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: len(answer.body) // 2] if half else answer.body)
            self.wfile.flush()
        if half:
            self.hang_up()

    def hang_up(self) -> None:
        """Cut the connection."""
        self.close_connection = True
        _cut(self.connection)


@contextmanager
def running(server: LoopbackServer) -> Generator[int]:
    """Serve until the end of the block; give the port."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
            server.hang_up()


def _cut(connection: socket) -> None:
    with suppress(OSError):  # the other side was faster
        connection.shutdown(SHUT_RDWR)

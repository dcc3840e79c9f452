"""Hosts on loopback that are not there, or that answer so slowly that nobody can wait for them."""

import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

__all__ = ["Door", "accepting", "counting", "dripping", "free_port"]


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@dataclass
class Door:
    """A port that somebody listens on, and how many have knocked."""

    url: str
    count: int = 0


@contextmanager
def counting() -> Generator[Door]:
    """Count who connects, and hang up at once."""
    door = Door("")

    def knock(connection: socket.socket) -> None:
        door.count += 1
        connection.close()

    with accepting(knock) as port:
        door.url = f"nats://127.0.0.1:{port}"
        yield door


@contextmanager
def accepting(serve: Callable[[socket.socket], None]) -> Generator[int]:
    """Give each connection to `serve`, one after the other, until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            with suppress(OSError):  # the end
                while True:
                    connection, _ = listening.accept()
                    serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def dripping(*, in_head: bool) -> Generator[str]:
    """Serve an answer that comes a byte at a time for ten seconds; give its URL."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):  # the client goes away
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\n" + (b"" if in_head else b"A: b\r\n\r\n"))
                for _ in range(500):  # longer than any test waits
                    if over.wait(0.02):
                        break
                    connection.sendall(b"a")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/c"
        finally:
            over.set()
            thread.join()

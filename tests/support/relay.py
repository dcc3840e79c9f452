"""A relay at an address of this machine that is not loopback, for who may not be sent to loopback.

API servers send nobody there, so what listens on loopback is reached through this.
"""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

import pytest

__all__ = ["relayed"]

_LIMIT = 60.0  # seconds that a connection may be silent


def _own_address() -> str:
    """Return an address of this machine that packets to elsewhere would have; none is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("203.0.113.1", 9))
            address: str = one.getsockname()[0]
        except OSError:
            address = "127.0.0.1"
    if address.startswith("127."):
        pytest.skip("platform: this machine has no address but loopback")
    return address


@contextmanager
def relayed(port: int) -> Generator[tuple[str, int]]:
    """Pass on what comes to a port of loopback until the end of the block; give where to."""
    with socket.create_server((_own_address(), 0)) as listening:
        thread = threading.Thread(target=_accept, args=(listening, port))
        thread.start()
        try:
            address: tuple[str, int] = listening.getsockname()
            yield address
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listening: socket.socket, port: int) -> None:
    serving: list[threading.Thread] = []
    with suppress(OSError):  # the end
        while True:
            client, _ = listening.accept()
            serving.append(threading.Thread(target=_serve, args=(client, port)))
            serving[-1].start()
    for one in serving:
        one.join()


def _serve(client: socket.socket, port: int) -> None:
    client.settimeout(_LIMIT)
    with client, socket.create_connection(("127.0.0.1", port), _LIMIT) as server:
        back = threading.Thread(target=_pass_on, args=(server, client))
        back.start()
        _pass_on(client, server)
        back.join()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):  # either side hangs up
        while part := one.recv(65536):
            other.sendall(part)
    with suppress(OSError):
        other.shutdown(socket.SHUT_RDWR)

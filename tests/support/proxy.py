"""A small HTTP proxy on loopback that serves CONNECT, with a login if wanted."""

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from support.web import accepting

__all__ = ["Proxy", "serve_proxy"]

_LIMIT = 60.0  # seconds that a connection may be silent


@dataclass
class Proxy:
    """What the proxy is, and the hosts that were asked for through it."""

    port: int
    login: str | None
    asked: list[str] = field(default_factory=list[str])


@contextmanager
def serve_proxy(login: str | None = None) -> Iterator[Proxy]:
    """Serve until the end of the block; `login` is ``user:password``."""
    serving: list[threading.Thread] = []
    proxy = Proxy(0, login)

    def serve(client: socket.socket) -> None:
        serving.append(threading.Thread(target=_serve, args=(client, proxy)))
        serving[-1].start()

    try:
        with accepting(serve) as proxy.port:
            yield proxy
    finally:
        for one in serving:
            one.join()


def _serve(client: socket.socket, proxy: Proxy) -> None:
    client.settimeout(_LIMIT)
    with client, suppress(OSError):
        head = b""
        while b"\r\n\r\n" not in head:
            part = client.recv(65536)
            if not part:
                return
            head += part
        lines = head.decode().split("\r\n")
        target = lines[0].split()[1]
        proxy.asked.append(target)
        good = proxy.login and base64.b64encode(proxy.login.encode()).decode()
        if good and f"Proxy-Authorization: Basic {good}" not in lines:
            client.sendall(
                b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n"
                b'Proxy-Authenticate: Basic realm="proxy"\r\nConnection: close\r\n\r\n'
            )
            return
        host, _, port = target.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=_LIMIT) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_carry, args=(server, client))
            back.start()
            _carry(client, server)
            back.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)

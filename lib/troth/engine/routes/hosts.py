"""Hosts: which names a hostname stands for, and which of two is the more specific.

Source: ``Hostname`` of gateway.networking.k8s.io/v1. ``*.example.com`` stands for every name below
``example.com``, however deep, and not for ``example.com`` itself; the empty text, a field that was
left out, stands for every name. So of two hostnames one covers the other, or they share no name.
"""

from collections.abc import Iterator

__all__ = ["ANY_HOST", "covers", "intersection", "wider"]

ANY_HOST = ""


def wider(host: str) -> Iterator[str]:
    """Return every hostname that covers `host` and more, the narrowest first."""
    rest = host.removeprefix("*.")
    while (dot := rest.find(".")) >= 0:
        rest = rest[dot + 1 :]
        yield f"*.{rest}"
    if host != ANY_HOST:
        yield ANY_HOST


def covers(wide: str, narrow: str) -> bool:
    """Tell whether `wide` stands for every name that `narrow` stands for."""
    if wide in {ANY_HOST, narrow}:
        return True
    return wide.startswith("*.") and narrow.removeprefix("*.").endswith(wide[1:])


def intersection(first: str, second: str) -> str | None:
    """Return the hostname of the names that both stand for, None when they share none."""
    if covers(first, second):
        return second
    return first if covers(second, first) else None

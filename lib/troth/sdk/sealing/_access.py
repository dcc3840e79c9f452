"""How a host is asked, apart from the asking: who only names it need not wait for httpx."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["HttpAccess", "without_query"]


@dataclass(frozen=True, slots=True)
class HttpAccess:
    """How a host is asked.

    Attributes:
        ca: who signs the host's certificate, instead of whom the machine trusts: a file, or PEM.
        token: a bearer token, for https only.
        limit: seconds for the whole of it.
    """

    ca: Path | bytes | None = None
    token: str | None = field(default=None, repr=False)
    limit: float = 10.0


def without_query(url: str) -> str:
    """Return a URL as messages name it: a query may hold a signature."""
    return urlsplit(url)._replace(query="", fragment="").geturl()

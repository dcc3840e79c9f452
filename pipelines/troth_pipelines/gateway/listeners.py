"""Names of listeners: one for each protocol and hostname, known to all who know these two.

A route of another request can therefore name the listener it means without having seen it.
"""

import hashlib
from typing import Literal

from troth_pipelines.gateway.hostnames import is_wildcard

__all__ = ["Protocol", "listener_name"]

Protocol = Literal["HTTP", "HTTPS"]

# The API allows 253 characters; implementations put the name into labels, which allow these.
_LIMIT = 63
_DIGEST = 12  # hex digits; enough to tell apart what one person writes


def listener_name(protocol: Protocol, hostname: str) -> str:
    """Name the listener: ``https-api.example.com``, ``wildcard-https-example.com``.

    No two pairs share a name: an exact host's never begins with ``wildcard``, and a name that had
    to be cut has a dot where the others have a hyphen.
    """
    scheme = protocol.lower()
    bare = hostname.removeprefix("*.")
    prefix = f"wildcard-{scheme}" if is_wildcard(hostname) else scheme
    name = f"{prefix}-{bare}"
    if len(name) <= _LIMIT:
        return name
    digest = hashlib.sha256(bare.encode()).hexdigest()[:_DIGEST]
    kept = bare[: _LIMIT - len(prefix) - len(digest) - 2].rstrip("-.")
    return f"{prefix}.{kept}-{digest}"

"""Hostnames as the Gateway API knows them: lower case, a wildcard only as the whole first label.

Source: ``Hostname`` and ``PreciseHostname`` of gateway.networking.k8s.io/v1. A wildcard stands for
one label or several: ``*.example.com`` matches ``a.b.example.com``, never ``example.com`` itself.
"""

import re
from typing import Annotated

from pydantic import Field

__all__ = ["Hostname", "PreciseHostname", "hostname_problem", "is_wildcard"]

_LIMIT = 253  # characters, RFC 1123
_LABEL_LIMIT = 63  # characters, RFC 1123
_PRECISE = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_WILDCARD = "*."

# A last label that is a number makes an address of the whole, whether a valid one or not, also in
# the older spellings. Source: url.spec.whatwg.org, "ends in a number checker".
_ADDRESS = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")

Hostname = Annotated[str, Field(min_length=1, max_length=_LIMIT, pattern=rf"^(\*\.)?{_PRECISE}$")]
"""A name of one host, or of all hosts below a domain."""

PreciseHostname = Annotated[str, Field(min_length=1, max_length=_LIMIT, pattern=f"^{_PRECISE}$")]
"""A name of one host."""


def is_wildcard(name: str) -> bool:
    """Tell whether a name stands for all hosts below a domain."""
    return name.startswith(_WILDCARD)


def hostname_problem(name: str) -> str | None:
    """Say what keeps a name of the right pattern from being a host's; None when nothing does."""
    if _ADDRESS.fullmatch(name):
        return f"{name!r} reads as an address, as its last label is a number; a hostname is needed"
    for label in name.split("."):
        if len(label) > _LABEL_LIMIT:
            return (
                f"{name!r} has a label of {len(label)} characters, at most {_LABEL_LIMIT} are "
                "allowed"
            )
    return None

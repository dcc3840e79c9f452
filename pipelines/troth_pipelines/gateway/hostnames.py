"""Hostnames as the Gateway API knows them: lower case, a wildcard only as the whole first label.

Source: ``Hostname`` and ``PreciseHostname`` of gateway.networking.k8s.io/v1. A wildcard stands for
one label or several: ``*.example.com`` matches ``a.b.example.com``, never ``example.com`` itself.
"""

from ipaddress import ip_address
from typing import Annotated

from pydantic import Field

__all__ = ["Hostname", "PreciseHostname", "covers", "hostname_problem", "is_wildcard", "overlap"]

_LIMIT = 253  # characters, RFC 1123
_LABEL_LIMIT = 63  # characters, RFC 1123
_PRECISE = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_WILDCARD = "*."

Hostname = Annotated[str, Field(min_length=1, max_length=_LIMIT, pattern=rf"^(\*\.)?{_PRECISE}$")]
"""A name of one host, or of all hosts below a domain."""

PreciseHostname = Annotated[str, Field(min_length=1, max_length=_LIMIT, pattern=f"^{_PRECISE}$")]
"""A name of one host."""


def is_wildcard(name: str) -> bool:
    """Tell whether a name stands for all hosts below a domain."""
    return name.startswith(_WILDCARD)


def covers(wider: str, narrower: str) -> bool:
    """Tell whether every host that `narrower` matches is matched by `wider` too."""
    if wider == narrower:
        return True
    return is_wildcard(wider) and narrower.removeprefix(_WILDCARD).endswith(wider[1:])


def overlap(first: str, second: str) -> bool:
    """Tell whether some host is matched by both.

    Of two names one covers the other, or they have no host in common.
    """
    return covers(first, second) or covers(second, first)


def hostname_problem(name: str) -> str | None:
    """Say what keeps a name of the right pattern from being a host's; None when nothing does."""
    try:
        ip_address(name)
    except ValueError:
        pass
    else:
        return f"{name!r} is an address; a hostname is needed"
    for label in name.split("."):
        if len(label) > _LABEL_LIMIT:
            return (
                f"{name!r} has a label of {len(label)} characters, at most {_LABEL_LIMIT} are "
                "allowed"
            )
    return None

"""Durations as the Gateway API spells them (GEP-2257): ``30s``, ``1h30m``, ``500ms``.

Narrower than Go's: whole numbers, up to four parts, no unit below the millisecond.
"""

import re
from typing import Annotated

from pydantic import Field

__all__ = ["GatewayDuration", "milliseconds", "nginx_duration"]

_PARTS = re.compile("([0-9]{1,5})(ms|h|m|s)")
_UNITS = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}  # in milliseconds, largest first
_NGINX_LIMIT = 9999

GatewayDuration = Annotated[
    str, Field(min_length=2, max_length=28, pattern="^([0-9]{1,5}(h|m|s|ms)){1,4}$")
]
"""A duration; ``0s`` is one, and most fields take it for no limit at all."""


def milliseconds(duration: str) -> int:
    """Return the length of a duration of the right pattern, for comparisons."""
    return sum(int(number) * _UNITS[unit] for number, unit in _PARTS.findall(duration))


def nginx_duration(length: int) -> str | None:
    """Spell milliseconds as NGINX Gateway Fabric wants them, ``90s``; None when it cannot.

    It takes one number of at most four digits, with one unit.
    """
    for unit, size in _UNITS.items():
        number, rest = divmod(length, size)
        if not rest and number <= _NGINX_LIMIT:
            return f"{number}{unit}"
    return None

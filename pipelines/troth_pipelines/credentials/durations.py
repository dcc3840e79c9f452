"""Durations as people write them in a request: ``30d``, ``1h30m``, ``90s``."""

import re
from datetime import timedelta

from troth.api import Fields

__all__ = ["DURATION_PATTERN", "read_duration"]

DURATION_PATTERN = "^([0-9]{1,6}(d|h|m|s))+$"
"""Of the field in a schema: whole numbers of days, hours, minutes and seconds."""

_PART = re.compile(r"([0-9]+)([dhms])")
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_LONGEST = timedelta(days=3_650)


def read_duration(text: str, *path: str) -> timedelta:
    """Read a duration.

    Args:
        text: such as ``30d``.
        path: the field it stands in, from the request's root.

    Raises:
        InvalidInputError: it does not fit the pattern, is nothing, or more than ten years.
    """
    parts = _PART.findall(text) if re.fullmatch(DURATION_PATTERN, text) else ()
    seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
    found = timedelta(seconds=min(seconds, 10**10))
    if not timedelta() < found <= _LONGEST:
        raise Fields({}, path[:-1]).error(
            path[-1], f"{text!r} is no duration between a second and ten years."
        )
    return found

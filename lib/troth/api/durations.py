"""Durations as Go spells them: ``30s``, ``5m``, ``1h30m``.

Source: ``time.ParseDuration``, but for signs, which nothing here has a use for.
"""

import re

__all__ = ["seconds_of"]

_PIECE = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float | None:
    """Return a duration in seconds, None when it is none (``1d`` is none)."""
    pieces: list[str] = _PIECE.findall(text)
    if not pieces or "".join(pieces) != text:
        return None
    seconds = 0.0
    for piece in pieces:
        unit = piece.lstrip("0123456789.")
        seconds += float(piece.removesuffix(unit)) * _SECONDS[unit]
    return seconds

"""Differences between two sets of files, in words and as a unified diff."""

import difflib
from collections.abc import Mapping

from troth.engine.secrets import redact

__all__ = ["differences"]

_LINES_LIMIT = 400  # of one message; who needs more has the files


def differences(
    before: Mapping[str, bytes], after: Mapping[str, bytes], *, show: bool = True
) -> str:
    """Return a unified diff of all files, empty when they are the same.

    Args:
        before: path → content.
        after: path → content.
        show: False where the content may hold what must not be printed: then files are only named.
    """
    lines: list[str] = []
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if old != new:
            lines += _diff(path, old, new) if show else [_named(path, old, new)]
    if len(lines) > _LINES_LIMIT:
        lines[_LINES_LIMIT:] = [f"… and {len(lines) - _LINES_LIMIT} lines more"]
    return redact("\n".join(lines))


def _named(path: str, old: bytes | None, new: bytes | None) -> str:
    if old is None:
        return f"{path} is new"
    return f"{path} is gone" if new is None else f"{path} differs"


def _diff(path: str, old: bytes | None, new: bytes | None) -> list[str]:
    before = "/dev/null" if old is None else f"a/{path}"
    after = "/dev/null" if new is None else f"b/{path}"
    found = list(difflib.unified_diff(_lines(old), _lines(new), before, after, lineterm=""))
    return found or [f"--- {before}", f"+++ {after}", "(line ends or bytes that are no text)"]


def _lines(content: bytes | None) -> list[str]:
    text = (content or b"").decode(errors="replace")
    lines = text.splitlines()
    if lines and not text.endswith("\n"):
        lines[-1] += "  (no line end)"
    return lines

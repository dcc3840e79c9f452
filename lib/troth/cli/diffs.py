"""Diffs of single files, for a terminal."""

import difflib
import re
from collections.abc import Iterable

from rich.text import Text

from troth.api import Json
from troth.cli.reports import console
from troth.engine import FileChange
from troth.engine.secrets import redact

__all__ = ["changed_json", "plain", "print_diffs", "unified"]

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}

# What a terminal would obey: foreign text must not move its cursor, or set its title.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def plain(text: str) -> str:
    """Return foreign text without what a terminal would obey or a pipe could not take."""
    return _CONTROL.sub("�", text)


def changed_json(change: FileChange) -> Json:
    """Return as JSON what becomes of a file: create, update or delete."""
    action = "delete" if change.after is None else "update"
    return {"path": str(change.spot), "action": "create" if change.before is None else action}


def unified(change: FileChange) -> str:
    """Return a file's change as a unified diff, without secrets that the gate knows."""
    before = "/dev/null" if change.before is None else f"a/{change.spot}"
    after = "/dev/null" if change.after is None else f"b/{change.spot}"
    lines = difflib.unified_diff(
        _lines(change.before), _lines(change.after), before, after, lineterm=""
    )
    return redact("\n".join(lines))


def _lines(content: bytes | None) -> list[str]:
    return (content or b"").decode(errors="replace").splitlines()


def print_diffs(changes: Iterable[FileChange]) -> None:
    """Print unified diffs, coloured on a terminal."""
    out = console()
    for change in changes:
        for line in plain(unified(change)).splitlines():
            out.print(Text(line, style=_COLOURS.get(line[:1], "")))

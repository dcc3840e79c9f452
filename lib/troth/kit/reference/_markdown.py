"""Markdown out: text, code and tables that every reader shows as they were meant.

Source of the rules: CommonMark 0.31, and GitHub's extension for tables, in which a pipe ends a cell
even within code; so code with a pipe is spelled with entities, in a tag.
"""

import html
import re
from collections.abc import Iterable, Sequence

__all__ = ["code", "fenced", "one_line", "paragraphs", "table"]

# A dollar begins a formula for some readers.
_ACTIVE = re.compile(r"([\\`*_\[\]|~$])")
# What makes a line something else than text when it stands at its beginning.
_BLOCK_START = re.compile(r"^([-+#=:]|\d+(?=[.)]))", re.MULTILINE)
_TICKS = re.compile(r"`+")
_ENTITIES = {ord(mark): f"&#{ord(mark)};" for mark in "\\`*_[]|~$"}


def one_line(text: str) -> str:
    """Return text as it can stand in a sentence or a cell; line ends become spaces."""
    return _ACTIVE.sub(r"\\\1", html.escape(" ".join(text.split()), quote=False))


def paragraphs(text: str) -> str:
    """Return text as paragraphs, which empty lines part."""
    parts = [one_line(part) for part in re.split(r"\n\s*\n", text.strip())]
    return "\n\n".join(_BLOCK_START.sub(_spelled_out, part) for part in parts if part)


def _spelled_out(match: re.Match[str]) -> str:
    first = match[0]
    return f"&#{ord(first[0])};{first[1:]}"


def code(text: str) -> str:
    """Return text as code within a line, or within a cell of a table."""
    text = " ".join(text.split("\n"))
    if "|" in text or not text.strip():
        return f"<code>{html.escape(text, quote=False).translate(_ENTITIES)}</code>"
    ticks = "`" * (1 + max((len(run) for run in _TICKS.findall(text)), default=0))
    padded = text.startswith(("`", " ")) or text.endswith(("`", " "))
    return f"{ticks} {text} {ticks}" if padded else f"{ticks}{text}{ticks}"


def fenced(text: str, language: str) -> str:
    """Return lines as a block of code."""
    fence = "`" * max(3, 1 + max((len(run) for run in _TICKS.findall(text)), default=0))
    return f"{fence}{language}\n{text.strip(chr(10))}\n{fence}"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; headings and cells are Markdown already."""
    lines = [_row(headings), "|" + "---|" * len(headings), *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)

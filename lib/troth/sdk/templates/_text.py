"""Texts with expressions in them: ``"{{ metadata.name }}-web"``, cut into their parts."""

import re
from dataclasses import dataclass

from troth.sdk.templates._values import ExpressionError

__all__ = ["Inset", "cut"]

_OPEN, _CLOSE = "{{", "}}"
_STATEMENT = "{%"

# What matters for finding the end of an expression: texts, in which braces mean nothing, and
# braces.
_TOKEN = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[{}]""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Inset:
    """An expression inside a text, without its braces; `line` counts from 1 within the text."""

    source: str
    line: int

    def __str__(self) -> str:
        """Spell it as it stands there."""
        return f"{_OPEN}{self.source}{_CLOSE}"


def cut(text: str) -> list[str | Inset]:
    """Cut a text into what stays as it is and what is to be evaluated.

    Raises:
        ExpressionError: an expression has no end, or something stands there that people know
            from other templates and that would do nothing here.
    """
    parts: list[str | Inset] = []
    start = 0
    while (opened := text.find(_OPEN, start)) >= 0:
        parts.append(_literal(text[start:opened]))
        end = _end(text, opened + len(_OPEN))
        source = text[opened + len(_OPEN) : end]
        if source[:1] in {"-", "+"} or source[-1:] in {"-", "+"}:
            raise ExpressionError(
                f"'{_OPEN}-' and '-{_CLOSE}' mean nothing here, since no white space comes of "
                f"expressions; write '{_OPEN} …' and '… {_CLOSE}'"
            )
        parts.append(Inset(source, text.count("\n", 0, opened) + 1))
        start = end + len(_CLOSE)
    parts.append(_literal(text[start:]))
    return [part for part in parts if part]


def _literal(text: str) -> str:
    if _STATEMENT in text:
        raise ExpressionError(
            "there are no statements; write `(if …):` or `(for … in …):` as a key, "
            "and `{{ '{%' }}` for the text itself"
        )
    return text


def _end(text: str, start: int) -> int:
    """Return where the braces that end an expression begin."""
    depth = 0
    for token in _TOKEN.finditer(text, start):
        if token[0] == "{":
            depth += 1
        elif token[0] == "}" and depth:
            depth -= 1
        elif token[0] == "}" and text.startswith(_CLOSE, token.start()):
            return token.start()
    raise ExpressionError(
        f"'{_OPEN}' has no '{_CLOSE}'; for the text itself write `{{{{ '{_OPEN}' }}}}`, "
        "or put the value under `(raw):`"
    )

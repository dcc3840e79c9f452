"""The keys in parentheses that give templates their structure: ``(if spec.public)`` and others."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from troth.api import Json, is_object
from troth.sdk.templates._expressions import near
from troth.sdk.templates._values import ExpressionError

__all__ = ["Form", "Word", "is_form", "is_raw", "only_forms", "read_form"]

Word: TypeAlias = Literal["if", "elif", "else", "for", "let", "raw"]

_WORDS: Mapping[str, Word] = MappingProxyType(
    {"if": "if", "elif": "elif", "else": "else", "for": "for", "let": "let", "raw": "raw"}
)
_FORM = re.compile(r"\(\s*(\w+)\b\s*(.*?)\s*\)", re.DOTALL)
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_FOR = re.compile(rf"({_NAME})(?:\s*,\s*({_NAME}))?\s+in\s+(.+)", re.DOTALL)
_RAW = "(raw)"

# Names that an expression could not read, and `loop`, which a loop brings itself.
_TAKEN = frozenset(
    {
        "False", "None", "True", "and", "elif", "else", "false", "if", "in", "is", "loop", "none",
        "not", "or", "range", "self", "true",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """What a key in parentheses says.

    Attributes:
        word: which of them it is.
        expression: the condition, or what is looped over; empty where there is none.
        names: what ``for`` and ``let`` bind.
    """

    word: Word
    expression: str = ""
    names: tuple[str, ...] = ()


def is_form(key: str) -> bool:
    """Tell whether a key is meant as one; a key of Kubernetes never begins like that."""
    return key.startswith("(")


def is_raw(value: Json) -> bool:
    """Tell whether a value is to be taken as it stands: ``{(raw): …}``."""
    return is_object(value) and _RAW in value and len(value) == 1


def only_forms(value: Json) -> bool:
    """Tell whether a value is a mapping of nothing but forms."""
    return is_object(value) and bool(value) and all(is_form(key) for key in value)


def read_form(key: str) -> Form:
    """Read a key in parentheses.

    Raises:
        ExpressionError: it is none of the forms, or not written as it should be.
    """
    found = _FORM.fullmatch(key)
    if found is None:
        raise ExpressionError(
            "a key that begins with '(' has to end with ')', such as `(if spec.public)`; for the "
            "text itself write `{{ '(' }}`"
        )
    word, rest = _WORDS.get(found[1]), found[2]
    match word:
        case "if" | "elif":
            if not rest:
                raise ExpressionError(f"`({word} …)` needs a condition")
            return Form(word, rest)
        case "for":
            return _read_for(rest)
        case "let":
            return Form("let", names=(_name(rest),))
        case "else" | "raw":
            if rest.startswith("if"):
                raise ExpressionError("write `(elif …)`")
            if rest:
                raise ExpressionError(f"`({word})` takes nothing")
            return Form(word)
        case None:
            raise ExpressionError(f"there is no form {found[1]!r}; {near(found[1], _WORDS)}")


def _read_for(text: str) -> Form:
    found = _FOR.fullmatch(text)
    if found is None:
        raise ExpressionError("write `(for NAME in LIST)` or `(for KEY, VALUE in MAPPING)`")
    names = tuple(_name(name) for name in found.groups()[:2] if name)
    if len(set(names)) < len(names):
        raise ExpressionError("the two names of a loop have to differ")
    return Form("for", found[3], names)


def _name(text: str) -> str:
    if not re.fullmatch(_NAME, text):
        raise ExpressionError(f"{text!r} is no name; use letters, digits and '_'")
    if text in _TAKEN:
        raise ExpressionError(f"{text!r} cannot be a name here; choose another")
    return text

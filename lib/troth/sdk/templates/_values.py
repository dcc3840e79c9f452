"""What templates and expressions are made of: values, their names in messages, their limits."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from troth.api import Json

__all__ = ["Budget", "ExpressionError", "as_json", "as_text", "describe", "in_order"]

# One rendering may make as many values (keys, items, loop turns) and characters: far more than
# the 20 MiB of output that may be written, little enough for a stage's memory.
_VALUES_LIMIT = 100_000
_TEXT_LIMIT = 20 * 1024 * 1024

_DEPTH_LIMIT = 100  # levels of one value; recursion over it must never run out
_NUMBER_LIMIT = 2**64  # whole numbers from here on lose digits in the Go libraries

# In this order: true is a number to Python.
_KINDS: tuple[tuple[type, str], ...] = (
    (type(None), "null"),
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number"),
    (str, "a text"),
    (Mapping, "a mapping"),
    (list, "a list"),
    (tuple, "a list"),
)


class ExpressionError(Exception):
    """What is wrong, in a sentence without its place, which whoever catches it adds."""


@dataclass(slots=True)
class Budget:
    """What one rendering has used up, so that no loop can fill the memory by accident."""

    values: int = 0
    characters: int = 0

    def spend(self, text: str = "") -> None:
        """Count one value, and its text.

        Raises:
            ExpressionError: it is one too many.
        """
        self.values += 1
        self.characters += len(text)
        if self.values > _VALUES_LIMIT:
            raise ExpressionError(f"the templates make more than {_VALUES_LIMIT} values; loop less")
        if self.characters > _TEXT_LIMIT:
            raise ExpressionError(f"the templates make more than {_TEXT_LIMIT} characters of text")


def describe(value: object) -> str:
    """Say what kind of value it is; never the value, which may be nobody's business.

    Raises:
        UndefinedError: it is not there.
    """
    for kind, words in _KINDS:
        if isinstance(value, kind):
            return words
    str(value)  # an undefined value says so here
    return "a function"


def as_text(value: object) -> str:
    """Return the text that a value is inside another text: ``true``, ``3``, ``1.5``.

    Raises:
        ExpressionError: it is null, a list or a mapping, which have no one spelling.
        UndefinedError: it is not there.
    """
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise ExpressionError(
        f"{describe(value)} cannot stand inside a text; use `| tojson`, `| join` or `| default`"
    )


def as_json(value: object, budget: Budget, depth: int = 0) -> Json:
    """Return a value as plain data, counted.

    Raises:
        ExpressionError: no manifest can hold it, or it is too large.
        UndefinedError: it, or something in it, is not there.
    """
    if depth > _DEPTH_LIMIT:
        raise ExpressionError(f"the result is nested deeper than {_DEPTH_LIMIT} levels")
    if isinstance(value, str):
        budget.spend(value)
        return _checked_text(str(value))
    budget.spend()
    match value:
        case None | bool():
            return value
        case int() if abs(value) >= _NUMBER_LIMIT:
            raise ExpressionError("the result is a whole number of more than 64 bits")
        case float() if not math.isfinite(value):
            raise ExpressionError(f"the result is {value}, which no manifest can hold")
        case int() | float():
            return value
        case list() | tuple():
            items = cast("list[object]", value)
            return [as_json(item, budget, depth + 1) for item in items]
        case Mapping():
            fields = cast("Mapping[object, object]", value)
            return {
                _checked_key(key): as_json(item, budget, depth + 1) for key, item in fields.items()
            }
        case _:
            raise ExpressionError(f"the result is {describe(value)}, which no manifest can hold")


def _checked_text(value: str) -> str:
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise ExpressionError("the result holds half a character (a surrogate)")
    return value


def _checked_key(key: object) -> str:
    if not isinstance(key, str):
        raise ExpressionError(f"a key has to be a text, found {describe(key)}; use `| string`")
    return _checked_text(str(key))


def in_order(value: Json) -> Json:
    """Return a value with the keys of every mapping sorted.

    Two requests that differ in the order of keys are one request; so is what comes of them.
    """
    if isinstance(value, Mapping):
        return {key: in_order(item) for key, item in sorted(value.items())}
    if isinstance(value, str) or value is None or isinstance(value, bool | int | float):
        return value
    return [in_order(item) for item in value]

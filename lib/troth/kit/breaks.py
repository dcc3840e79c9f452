"""The ways in which a valid value can be made to break one rule of its schema."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from troth.api import Fields, Json, JsonObject, is_object
from troth.api.schema import python_pattern

__all__ = ["Break", "breaks", "replaced"]

_LONGEST = 5000  # characters or items that are made to break an upper bound
_UNKNOWN = "fieldThatNobodyKnows"

# Values of another type, by the type that is needed; None is no value at all, and so not here.
_WRONG: Mapping[str, Sequence[Json]] = {
    "string": (7, True, [], {}),
    "integer": ("seven", 1.5, True, []),
    "number": ("seven", True, []),
    "boolean": ("yes", 1, []),
    "array": ("one, two", 7, {}),
    "object": ("text", 7, []),
    "int-or-string": (True, 1.5, [], {}),
}


class Break(NamedTuple):
    """A rule that can be broken.

    Attributes:
        rule: the keyword of the schema.
        path: where, as keys and indexes from the spec.
        bad: values to put there, each of which breaks it.
    """

    rule: str
    path: tuple[str | int, ...]
    bad: Sequence[Json]


def breaks(schema: JsonObject, value: Json, path: tuple[str | int, ...] = ()) -> Iterator[Break]:
    """Find every rule about a value, and what stands in it, that can be broken."""
    found = [*_of_type(schema, path), *_of_enum(schema, value)]
    if isinstance(value, str):
        found += _of_text(schema, value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found += _of_number(schema, value)
    elif is_object(value):
        found += _of_object(schema, value)
        yield from _inside_object(schema, value, path)
    elif isinstance(value, Sequence):
        found += _of_list(schema, value)
        items = schema.get("items")
        if is_object(items):
            for index, item in enumerate(value):
                yield from breaks(items, item, (*path, index))
    yield from (Break(rule, path, bad) for rule, bad in found if bad)


def replaced(value: Json, path: Sequence[str | int], new: Json) -> Json:
    """Return a value with another one at `path`."""
    if not path:
        return new
    first, *rest = path
    if is_object(value) and isinstance(first, str):
        return {**value, first: replaced(value[first], rest, new)}
    if isinstance(value, Sequence) and not isinstance(value, str) and isinstance(first, int):
        items = list(value)
        items[first] = replaced(items[first], rest, new)
        return items
    raise ValueError(f"there is no {first!r} in {type(value).__name__}")


_Found = list[tuple[str, Sequence[Json]]]


def _of_type(schema: JsonObject, path: Sequence[str | int]) -> _Found:
    if not path or "enum" in schema:
        return []  # a request whose spec is no mapping is none; an enum would be broken as well
    kind = "int-or-string" if schema.get("x-kubernetes-int-or-string") else schema.get("type")
    return [("type", _WRONG.get(str(kind), ()))]


def _of_enum(schema: JsonObject, value: Json) -> _Found:
    enum = schema.get("enum")
    if not isinstance(enum, Sequence) or not isinstance(value, str):
        return []
    return [("enum", [text for text in (f"{value}x", value.swapcase(), "") if text not in enum])]


def _of_text(schema: JsonObject, value: str) -> _Found:
    if "enum" in schema:
        return []
    least, most = schema.get("minLength"), schema.get("maxLength")
    pattern = schema.get("pattern")
    found: _Found = []
    if isinstance(most, int) and most < _LONGEST:
        found.append(("maxLength", [value + (value[-1:] or "a") * (most + 1 - len(value))]))
    if isinstance(least, int) and least > 0:
        found.append(("minLength", [value[: least - 1]]))
    if isinstance(pattern, str):
        fits = re.compile(python_pattern(pattern))
        tried = ("", " ", "\n", f"{value}\n", f"{value} ", f"!{value}", "é", "\N{BELL}")
        found.append(("pattern", [text for text in tried if not fits.search(text)]))
    return found


def _of_number(schema: JsonObject, value: float) -> _Found:
    if "enum" in schema:
        return []
    found: _Found = []
    step = schema.get("multipleOf")
    apart = step if isinstance(step, int | float) else 1
    least, most = schema.get("minimum"), schema.get("maximum")
    if isinstance(least, int | float):
        edge = [least] if schema.get("exclusiveMinimum") is True else []
        found.append(("minimum", [*edge, least - apart]))
    if isinstance(most, int | float):
        edge = [most] if schema.get("exclusiveMaximum") is True else []
        found.append(("maximum", [*edge, most + apart]))
    if isinstance(step, int) and step > 1:
        found.append(("multipleOf", [value + 1]))
    return found


def _of_list(schema: JsonObject, value: Sequence[Json]) -> _Found:
    least, most = schema.get("minItems"), schema.get("maxItems")
    found: _Found = []
    if isinstance(least, int) and least > 0:
        found.append(("minItems", [list(value[: least - 1])]))
    if isinstance(most, int) and most < _LONGEST and value:
        found.append(("maxItems", [[*value, *[value[0]] * (most + 1 - len(value))]]))
    return found


def _of_object(schema: JsonObject, value: JsonObject) -> _Found:
    known = Fields(schema).mapping("properties")
    found: _Found = []
    for name in Fields(schema).texts("required"):
        child = known.get(name)
        if name in value and not (is_object(child) and child.get("default") is not None):
            found.append(("required", [{k: v for k, v in value.items() if k != name}]))
    if _is_closed(schema):
        found.append(("additionalProperties", [{**value, _UNKNOWN: "text"}]))
    return found


def _is_closed(schema: JsonObject) -> bool:
    others = schema.get("additionalProperties")
    is_open = others is True or is_object(others)
    return not is_open and not schema.get("x-kubernetes-preserve-unknown-fields")


def _inside_object(
    schema: JsonObject, value: JsonObject, path: tuple[str | int, ...]
) -> Iterator[Break]:
    known, others = Fields(schema).mapping("properties"), schema.get("additionalProperties")
    for key, item in value.items():
        child = known.get(key, others)
        if is_object(child):
            yield from breaks(child, item, (*path, key))

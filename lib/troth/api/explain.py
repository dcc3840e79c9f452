"""What jsonschema found, in the words of the person who wrote the request.

A message names the field, what is needed and what was found; what was found is cut, since a
request may hold anything.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from jsonschema import ValidationError

from troth.api.json_values import Json, field_path, kind_of
from troth.errors import shorten

__all__ = ["PATTERN_AS_WRITTEN", "Violation", "explain"]

PATTERN_AS_WRITTEN = "$comment"
"""Keyword under which a converted schema keeps a pattern as its author wrote it."""

# How many names a message lists, and how long each may be.
_NAMES_LIMIT = 20
_NAME_LENGTH_LIMIT = 80

_TYPES = {
    "array": "a list", "boolean": "true or false", "integer": "a whole number", "null": "null",
    "number": "a number", "object": "a mapping", "string": "a text",
}  # fmt: skip

_COUNTS = {
    "minLength": ("characters", "at least", "needed"),
    "maxLength": ("characters", "at most", "allowed"),
    "minItems": ("items", "at least", "needed"),
    "maxItems": ("items", "at most", "allowed"),
    "minProperties": ("fields", "at least", "needed"),
    "maxProperties": ("fields", "at most", "allowed"),
}

_BOUNDS = {
    "minimum": "is below the minimum of",
    "exclusiveMinimum": "has to be more than",
    "maximum": "is above the maximum of",
    "exclusiveMaximum": "has to be less than",
    "multipleOf": "is no multiple of",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which an object is not as its schema wants it."""

    field: tuple[str | int, ...]
    message: str


def explain(error: ValidationError) -> list[Violation]:
    """Return what one error of a spec's validation says."""
    path = ("spec", *error.absolute_path)
    match error.validator:
        case "additionalProperties":
            return _unknown_fields(error, path)
        case "required":
            known = cast("Mapping[str, object]", error.instance)
            needed = cast("Sequence[str]", error.validator_value)
            missing = [name for name in needed if name not in known]
            return [Violation(path, f"{field_path((*path, name))} is missing") for name in missing]
        case _:
            return [Violation(path, f"{field_path(path)}: {_words(error)}")]


def _words(error: ValidationError) -> str:
    keyword, wanted = str(error.validator), cast("Json", error.validator_value)
    instance = cast("Json", error.instance)
    found = kind_of(instance)
    if keyword in _COUNTS:
        unit, bound, why = _COUNTS[keyword]
        size = len(cast("Sequence[Json]", instance))
        return f"it has {size} {unit}, {bound} {wanted} are {why}"
    if keyword in _BOUNDS:
        return f"{found} {_BOUNDS[keyword]} {wanted}"
    match keyword:
        case "type":
            types = [wanted] if isinstance(wanted, str) else cast("Sequence[str]", wanted)
            said = f"{' or '.join(_TYPES[one] for one in types)} is needed here, found {found}"
        case "enum":
            said = f"{found} is none of {_list(map(_spell, cast('Sequence[Json]', wanted)))}"
        case "pattern":
            written = cast("Mapping[str, str]", error.schema).get(PATTERN_AS_WRITTEN, wanted)
            said = f"{found} does not match the pattern {written}"
        case "uniqueItems":
            said = "an item stands twice"
        case "anyOf" | "oneOf" if error.context:
            said = f"none of the allowed forms fits: {_forms(error)}"
        case "oneOf":
            said = "more than one of the forms fits, of which only one may"
        case "not":
            said = "this is a form that the schema rules out"
        case _:
            said = shorten(error.message, _NAME_LENGTH_LIMIT)
    return said


def _forms(error: ValidationError) -> str:
    """Say of each form of an anyOf or oneOf what keeps it from fitting."""
    forms: dict[str | int, dict[str, None]] = {}
    for inner in error.context or ():
        said = dict.fromkeys(violation.message for violation in explain(inner))
        forms.setdefault(inner.relative_schema_path[0], {}).update(said)
    return _list((" and ".join(one) for one in forms.values()), "; or ")


def _unknown_fields(error: ValidationError, path: tuple[str | int, ...]) -> list[Violation]:
    schema = cast("Mapping[str, Mapping[str, object]]", error.schema)
    known = sorted(schema.get("properties", {}))
    found: list[Violation] = []
    for name in cast("Mapping[str, object]", error.instance):
        if name not in known:
            cut = name if len(name) <= _NAME_LENGTH_LIMIT else f"{name[:_NAME_LENGTH_LIMIT]}…"
            text = f"{field_path((*path, cut))}: unknown field; {_hint(cut, known)}"
            found.append(Violation((*path, name), text))
    return found


def _hint(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"known are {_list(known)}" if known else "no field is known here"


def _spell(value: Json) -> str:
    return repr(value) if isinstance(value, str) else kind_of(value)


def _list(names: Iterable[str], separator: str = ", ") -> str:
    listed = list(names)
    more = len(listed) - _NAMES_LIMIT
    tail = [f"{more} more"] if more > 0 else []
    return separator.join(listed[:_NAMES_LIMIT] + tail)

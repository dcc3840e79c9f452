"""The fields of a schema in words: a row for each, with all that is asked of it.

Cells are Markdown. Fields stand in the schema's own order. The dialect is that of structural
schemas; what this cannot put in words it says so of, and never leaves out.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from troth.api import Json, JsonObject, field_path, is_object
from troth.kit.reference._markdown import code, one_line

__all__ = ["FieldRow", "constraints", "field_rows"]

_TYPES = {
    "array": ("list", "lists"), "boolean": ("true or false", "true or false"),
    "integer": ("whole number", "whole numbers"), "number": ("number", "numbers"),
    "object": ("mapping", "mappings"), "string": ("text", "texts"),
}  # fmt: skip
_ANYTHING = ("anything", "anything")
_EITHER = ("whole number or text", "whole numbers or texts")

_COUNTS = (
    ("minLength", "maxLength", "character"),
    ("minItems", "maxItems", "item"),
    ("minProperties", "maxProperties", "field"),
)
_FORMS = {"allOf": "all of", "anyOf": "at least one of", "oneOf": "exactly one of"}


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field; all but `needed` are Markdown.

    `path` is dotted: ``[]`` is each item of a list, ``*`` each name of a mapping. `needed` says
    that the API server refuses an object, or the mapping around the field, without it.
    """

    path: str
    type: str
    needed: bool
    default: str
    constraints: str
    description: str


def field_rows(schema: JsonObject, path: str) -> list[FieldRow]:
    """Return the rows of all fields below a mapping.

    Args:
        schema: the mapping's.
        path: where the mapping stands, e.g. ``spec``.
    """
    return list(_below(schema, path))


def _below(schema: JsonObject, path: str) -> Iterator[FieldRow]:
    required = _texts(schema.get("required"))
    for name, child in _schemas(schema.get("properties")):
        part = field_path([name])
        at = f"{path}{part}" if part.startswith("[") else f"{path}.{part}"
        yield from _field(child, at, needed=name in required and child.get("default") is None)
    others = schema.get("additionalProperties")
    if is_object(others):
        yield from _each(others, f"{path}.*")
    items = schema.get("items")
    if is_object(items):
        yield from _each(items, f"{path}[]")


def _field(schema: JsonObject, path: str, *, needed: bool) -> Iterator[FieldRow]:
    said = constraints(schema)
    for inner, each in ((schema.get("items"), "each item"),
                        (schema.get("additionalProperties"), "each value")):  # fmt: skip
        if is_object(inner) and _is_plain(inner) and (words := constraints(inner)):
            said.append(f"{each}: {', '.join(words)}")
    yield _row(schema, path, said, needed=needed)
    yield from _below(schema, path)


def _each(schema: JsonObject, path: str) -> Iterator[FieldRow]:
    """Return the rows of what a list or mapping holds; none for what its own row has told."""
    if _is_plain(schema):
        return
    if constraints(schema) or schema.get("description") or not _has_fields(schema):
        yield from _field(schema, path, needed=False)
    else:
        yield from _below(schema, path)


def _is_plain(schema: JsonObject) -> bool:
    """Tell whether a row of its own would say nothing that the row around it does not."""
    nested = ("properties", "items", "additionalProperties", "description", "default")
    return not any(schema.get(name) for name in nested)


def _has_fields(schema: JsonObject) -> bool:
    return is_object(schema.get("properties"))


def _row(schema: JsonObject, path: str, said: Sequence[str], *, needed: bool) -> FieldRow:
    default = schema.get("default")
    return FieldRow(
        path=code(path),
        type=_type(schema),
        needed=needed,
        default="" if default is None else code(_spell(default)),
        constraints="; ".join(said),
        description=one_line(str(schema.get("description") or "")),
    )


def _type(schema: JsonObject) -> str:
    one, _ = _names(schema)
    inner = schema.get("items") if one == "list" else schema.get("additionalProperties")
    if is_object(inner):
        one = f"{one} of {_names(inner)[1]}"
    return f"{one}, or null" if schema.get("nullable") else one


def _names(schema: JsonObject) -> tuple[str, str]:
    """Return what one value of a schema is called, and several."""
    if schema.get("x-kubernetes-int-or-string"):
        return _EITHER
    kind = schema.get("type")
    if kind is None and _has_fields(schema):
        kind = "object"
    return _TYPES.get(str(kind), _ANYTHING)


def constraints(schema: JsonObject) -> list[str]:
    """Return what is asked of a value besides its type, each as Markdown."""
    said: list[str] = []
    if values := _values(schema.get("enum")):
        said.append(f"one of {', '.join(code(_spell(value)) for value in values)}")
    said += [words for low, high, unit in _COUNTS if (words := _count(schema, low, high, unit))]
    said += _bounds(schema)
    if isinstance(pattern := schema.get("pattern"), str):
        said.append(f"matches {code(pattern)}")
    if isinstance(form := schema.get("format"), str):
        said.append(f"format {code(form)}")
    said += _kubernetes(schema)
    said += _combined(schema)
    for rule in _mappings(schema.get("x-kubernetes-validations")):
        message = rule.get("message")
        words = one_line(message) if isinstance(message, str) else code(str(rule.get("rule")))
        said.append(f"rule: {words}")
    return said


def _count(schema: JsonObject, low: str, high: str, unit: str) -> str:
    least, most = schema.get(low), schema.get(high)
    if least == most and least is not None:
        return f"exactly {_amount(least, unit)}"
    if least and most is not None:
        return f"{_spell(least)} to {_amount(most, unit)}"
    if least:
        return f"at least {_amount(least, unit)}"
    return "" if most is None else f"at most {_amount(most, unit)}"


def _amount(number: Json, unit: str) -> str:
    return f"{_spell(number)} {unit}{'' if number == 1 else 's'}"


def _bounds(schema: JsonObject) -> Iterator[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum") is True, schema.get("exclusiveMaximum") is True
    if low is not None and high is not None and not above and not below:
        yield f"{_spell(low)} to {_spell(high)}"
    else:
        if low is not None:
            yield f"{'more than' if above else 'at least'} {_spell(low)}"
        if high is not None:
            yield f"{'less than' if below else 'at most'} {_spell(high)}"
    if (multiple := schema.get("multipleOf")) is not None:
        yield f"a multiple of {_spell(multiple)}"


def _kubernetes(schema: JsonObject) -> Iterator[str]:
    keys = _texts(schema.get("x-kubernetes-list-map-keys"))
    if schema.get("uniqueItems") is True or schema.get("x-kubernetes-list-type") == "set":
        yield "each once"
    if keys:
        yield f"each {' and '.join(map(code, keys))} once"
    if schema.get("x-kubernetes-embedded-resource"):
        yield "a Kubernetes object"
    further = schema.get("additionalProperties") is True
    if further or schema.get("x-kubernetes-preserve-unknown-fields"):
        yield "further fields of any name"


def _combined(schema: JsonObject) -> Iterator[str]:
    for keyword, words in _FORMS.items():
        told = keyword == "anyOf" and schema.get("x-kubernetes-int-or-string")
        forms = [] if told else [_form(one) for one in _mappings(schema.get(keyword))]
        if forms:
            yield f"{words}: {' / '.join(forms)}"
    if is_object(ruled_out := schema.get("not")):
        yield f"not: {_form(ruled_out)}"


def _form(schema: JsonObject) -> str:
    """Say what a branch of allOf and its like asks for."""
    said = [f"{code(name)} given" for name in _texts(schema.get("required"))]
    said += constraints(schema)
    for name, child in _schemas(schema.get("properties")):
        if child:
            said.append(f"{code(name)}: {_form(child)}")
    if is_object(items := schema.get("items")):
        said.append(f"each item: {_form(items)}")
    if not said and schema.get("type") is not None:
        said.append(_type(schema))
    return " and ".join(said) or code(json.dumps(schema, ensure_ascii=False))


def _spell(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _schemas(value: Json) -> Iterable[tuple[str, JsonObject]]:
    if not is_object(value):
        return []
    return [(name, child) for name, child in value.items() if is_object(child)]


def _values(value: Json) -> Sequence[Json]:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return cast("Sequence[Json]", value) if is_list else ()


def _mappings(value: Json) -> list[JsonObject]:
    return [item for item in _values(value) if is_object(item)]


def _texts(value: Json) -> list[str]:
    return [item for item in _values(value) if isinstance(item, str)]

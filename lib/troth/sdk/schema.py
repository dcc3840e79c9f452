"""From a stage's pydantic model to the structural schema of the Promise's API.

A stated subset, so that what is valid here is valid on every API server: objects, lists, maps of
text keys, text, numbers, booleans, enums, constants of Literal, Optional, and int-or-string.
Anything else is refused by name. Source of the rules: apiextensions-apiserver
``pkg/apiserver/schema/validation.go``.
"""

import re
from collections.abc import Mapping
from typing import cast

from pydantic import BaseModel

from troth.api import Fields, Json, JsonObject, field_path, is_object
from troth.errors import InvalidInputError, Reason

__all__ = ["structural_schema"]

_COPIED = (
    "description", "default", "enum", "pattern", "format", "minLength", "maxLength", "minimum",
    "maximum", "multipleOf", "minItems", "maxItems", "minProperties", "maxProperties",
)  # fmt: skip
# Levels; a model nested deeper refers to itself.
_DEPTH_LIMIT = 60
_SCALARS = frozenset({"string", "integer", "number", "boolean"})
# Look-around, back references, conditions and some escapes are not in RE2, which the API server
# compiles patterns with. The first alternative passes over the escapes that it knows.
_NOT_RE2 = re.compile(r"\\[^1-9ZuUN]|(?P<foreign>\\.|\(\?(?:[=!>(#]|<[=!]|P=))", re.DOTALL)
_FOREIGN = ("oneOf", "allOf", "not", "prefixItems", "patternProperties", "propertyNames")


def structural_schema(model: type[BaseModel]) -> dict[str, Json]:
    """Return the OpenAPI v3 schema of a spec described by `model`.

    Raises:
        InvalidInputError: the model uses something outside the subset; the field is named.
    """
    raw = cast("JsonObject", model.model_json_schema(by_alias=True))
    definitions = Fields(raw).mapping("$defs")
    return _convert(raw, definitions, ("spec",))


def _refuse(at: tuple[str | int, ...], what: str) -> InvalidInputError:
    message = f"{field_path(at)}: {what} has no place in a structural schema; model it otherwise."
    return InvalidInputError(Reason.INVALID_OBJECT, message, at)


def _convert(
    schema: JsonObject, definitions: JsonObject, at: tuple[str | int, ...]
) -> dict[str, Json]:
    reference = schema.get("$ref")
    if len(at) > _DEPTH_LIMIT:
        raise _refuse(at[: _DEPTH_LIMIT // 10], "a model that holds itself")
    if isinstance(reference, str):
        target = cast("JsonObject", definitions[reference.rpartition("/")[2]])
        return _convert(
            {**target, **{k: v for k, v in schema.items() if k != "$ref"}}, definitions, at
        )
    if "anyOf" in schema:
        return _convert_union(schema, definitions, at)
    for keyword in _FOREIGN:
        if keyword in schema:
            raise _refuse(at, keyword)
    converted: dict[str, Json] = {}
    if "const" in schema:
        schema = {**schema, "enum": [schema["const"]]}
    kind = schema.get("type")
    if kind == "object":
        converted = _convert_object(schema, definitions, at)
    elif kind == "array":
        converted = _convert_array(schema, definitions, at)
    elif kind in _SCALARS:
        converted = {"type": kind}
    else:
        raise _refuse(at, f"the type {kind!r}" if kind else "a field of any type or of several")
    return {**converted, **_copied(schema, at)}


def _copied(schema: JsonObject, at: tuple[str | int, ...]) -> dict[str, Json]:
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and any(m["foreign"] for m in _NOT_RE2.finditer(pattern)):
        raise _refuse(at, f"the pattern {pattern!r}, which RE2 does not know,")
    copied = {key: schema[key] for key in _COPIED if key in schema}
    if copied.get("default", ...) is None:
        del copied["default"]  # an absent optional field has no default in a structural schema
    elif "default" in copied:
        copied["default"] = _without_absent(copied["default"])
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if exclusive in schema:
            copied |= {bound: schema[exclusive], exclusive: True}
    return copied


def _without_absent(default: Json) -> Json:
    """Return a default without its optional fields that are absent: null is none of their types."""
    if is_object(default):
        present = {key: value for key, value in default.items() if value is not None}
        return {key: _without_absent(value) for key, value in present.items()}
    return default


def _convert_union(
    schema: JsonObject, definitions: JsonObject, at: tuple[str | int, ...]
) -> dict[str, Json]:
    options = [cast("JsonObject", o) for o in cast("list[Json]", schema["anyOf"])]
    kept = [option for option in options if option.get("type") != "null"]
    if kept in (
        [{"type": "integer"}, {"type": "string"}],
        [{"type": "string"}, {"type": "integer"}],
    ):
        return {"x-kubernetes-int-or-string": True, **_copied(schema, at)}
    if len(kept) != 1:
        raise _refuse(at, "a union")
    outer = {key: value for key, value in schema.items() if key != "anyOf"}
    return _convert({**kept[0], **outer}, definitions, at)


def _convert_array(
    schema: JsonObject, definitions: JsonObject, at: tuple[str | int, ...]
) -> dict[str, Json]:
    items = schema.get("items")
    if not is_object(items) or not items:
        raise _refuse(at, "a list without the type of its items")
    return {"type": "array", "items": _convert(items, definitions, (*at, 0))}


def _convert_object(
    schema: JsonObject, definitions: JsonObject, at: tuple[str | int, ...]
) -> dict[str, Json]:
    additional = schema.get("additionalProperties")
    if is_object(additional):
        if "properties" in schema:
            raise _refuse(at, "a mapping with fields of its own beside others")
        return {
            "type": "object",
            "additionalProperties": _convert(additional, definitions, (*at, "*")),
        }
    properties = cast("Mapping[str, JsonObject]", schema.get("properties", {}))
    if not properties:
        raise _refuse(at, "an object without fields")
    converted: dict[str, Json] = {"type": "object"}
    if "required" in schema:
        converted["required"] = schema["required"]
    converted["properties"] = {
        name: _convert(value, definitions, (*at, name)) for name, value in properties.items()
    }
    return converted

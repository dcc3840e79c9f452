"""From a stage's pydantic model to the structural schema of the Promise's API.

A stated subset, so that what is valid here is valid on every API server: objects, lists, maps of
text keys, text, numbers, booleans, enums, constants of Literal, Optional, and int-or-string.
Anything else is refused by name. Source of the rules: apiextensions-apiserver
``pkg/apiserver/schema/validation.go``.
"""

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
_SCALARS = frozenset({"string", "integer", "number", "boolean"})
# Look-around and back references are not in RE2, which the API server compiles patterns with.
_NOT_RE2 = ("(?=", "(?!", "(?<", "\\1", "\\2", "(?P=")


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
    if isinstance(reference, str):
        target = cast("JsonObject", definitions[reference.rpartition("/")[2]])
        return _convert(
            {**target, **{k: v for k, v in schema.items() if k != "$ref"}}, definitions, at
        )
    if "anyOf" in schema:
        return _convert_union(schema, definitions, at)
    for keyword in ("oneOf", "allOf", "not", "prefixItems", "patternProperties"):
        if keyword in schema:
            raise _refuse(at, keyword)
    converted: dict[str, Json] = {}
    if "const" in schema:
        schema = {**schema, "enum": [schema["const"]]}
    kind = schema.get("type")
    if kind == "object":
        converted = _convert_object(schema, definitions, at)
    elif kind == "array":
        items = schema.get("items")
        if not is_object(items) or not items:
            raise _refuse(at, "a list without the type of its items")
        converted = {"type": "array", "items": _convert(items, definitions, (*at, 0))}
    elif kind in _SCALARS:
        converted = {"type": kind}
    else:
        raise _refuse(at, f"the type {kind!r}")
    return {**converted, **_copied(schema, at)}


def _copied(schema: JsonObject, at: tuple[str | int, ...]) -> dict[str, Json]:
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and any(mark in pattern for mark in _NOT_RE2):
        raise _refuse(at, f"the pattern {pattern!r}, which RE2 does not know,")
    copied = {key: schema[key] for key in _COPIED if key in schema}
    if copied.get("default", ...) is None:
        del copied["default"]  # an absent optional field has no default in a structural schema
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if exclusive in schema:
            copied |= {bound: schema[exclusive], exclusive: True}
    return copied


def _convert_union(
    schema: JsonObject, definitions: JsonObject, at: tuple[str | int, ...]
) -> dict[str, Json]:
    options = [cast("JsonObject", o) for o in cast("list[Json]", schema["anyOf"])]
    kept = [option for option in options if option.get("type") != "null"]
    if [option.get("type") for option in kept] in (["integer", "string"], ["string", "integer"]):
        return {"x-kubernetes-int-or-string": True, **_copied(schema, at)}
    if len(kept) != 1:
        raise _refuse(at, "a union")
    outer = {key: value for key, value in schema.items() if key != "anyOf"}
    return _convert({**kept[0], **outer}, definitions, at)


def _convert_object(
    schema: JsonObject, definitions: JsonObject, at: tuple[str | int, ...]
) -> dict[str, Json]:
    additional = schema.get("additionalProperties")
    if is_object(additional):
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

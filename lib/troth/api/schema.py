"""Validation of requests against a Promise's OpenAPI schema, defaults filled.

CEL rules (x-kubernetes-validations) are not evaluated; `RequestSchema.ignored_rules` says whether
there are any. Unknown fields are refused, as kubectl does by default.
Source of the dialect: apiextensions-apiserver's structural schemas.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from jsonschema import Draft202012Validator, ValidationError

from troth.api.json_values import Json, JsonObject, canonical, field_path, is_object

__all__ = ["RequestSchema", "Violation"]

# JSON Schema keywords that structural schemas share with it and that we pass on as they are.
_KEYWORDS = frozenset(
    {
        "type", "enum", "minimum", "maximum", "multipleOf", "minLength", "maxLength", "pattern",
        "minItems", "maxItems", "uniqueItems", "required", "minProperties", "maxProperties",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which an object is not as its schema wants it."""

    field: tuple[str | int, ...]
    message: str


class RequestSchema:
    """A Promise's schema of one version, ready for many requests."""

    def __init__(self, schema: JsonObject) -> None:
        properties = schema.get("properties")
        spec = properties.get("spec") if is_object(properties) else None
        self._spec: JsonObject = spec if is_object(spec) else {}
        required = schema.get("required")
        self._needs_spec = isinstance(required, Sequence) and "spec" in required
        self._validator = Draft202012Validator(cast("Mapping[str, object]", _convert(self._spec)))

    @property
    def ignored_rules(self) -> bool:
        """Whether the schema holds CEL rules, which are not evaluated here."""
        return b'"x-kubernetes-validations"' in canonical(self._spec)

    def fill(self, spec: JsonObject) -> JsonObject:
        """Return the spec with the schema's defaults, in the schema's order where filled."""
        filled = _default(self._spec, spec)
        return filled if is_object(filled) else spec

    def violations(self, spec: JsonObject) -> list[Violation]:
        """List everything that is wrong with a (filled) spec, in the order of its fields."""
        if self._needs_spec and not spec and self._spec.get("required"):
            missing = cast("Sequence[str]", self._spec["required"])
            return [Violation(("spec",), f"spec is missing; it needs {', '.join(missing)}")]
        errors = cast("list[ValidationError]", list(self._validator.iter_errors(spec)))  # pyright: ignore[reportUnknownMemberType]  (jsonschema types it loosely)
        found = [violation for error in errors for violation in _explain(error)]
        unique = dict.fromkeys(found)  # jsonschema tells of each missing field by itself
        return sorted(unique, key=lambda item: ([str(p) for p in item.field], item.message))


def _convert(schema: JsonObject) -> dict[str, Json]:
    """Turn a structural schema into JSON Schema with unknown fields refused."""
    converted: dict[str, Json] = {k: v for k, v in schema.items() if k in _KEYWORDS}
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and pattern.endswith("$") and not pattern.endswith("\\$"):
        converted["pattern"] = pattern[:-1] + r"\Z"  # RE2's $ takes no newline before the end
    if schema.get("x-kubernetes-int-or-string"):
        converted["type"] = ["integer", "string"]
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if schema.get(exclusive) is True:  # OpenAPI 3.0 spells it as a flag beside the bound
            converted[exclusive] = converted.pop(bound)
    properties = schema.get("properties")
    if is_object(properties):
        converted["properties"] = {
            key: _convert(value) for key, value in properties.items() if is_object(value)
        }
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            converted["additionalProperties"] = False
    additional = schema.get("additionalProperties")
    if is_object(additional):
        converted["additionalProperties"] = _convert(additional)
    items = schema.get("items")
    if is_object(items):
        converted["items"] = _convert(items)
    _convert_combined(schema, converted)
    if schema.get("nullable"):
        return {"anyOf": [{"type": "null"}, converted]}
    return converted


def _convert_combined(schema: JsonObject, converted: dict[str, Json]) -> None:
    for keyword in ("allOf", "anyOf", "oneOf"):
        options = schema.get(keyword)
        if isinstance(options, Sequence) and not isinstance(options, str):
            converted[keyword] = [_without_closing(o) for o in options if is_object(o)]
    negated = schema.get("not")
    if is_object(negated):
        converted["not"] = _without_closing(negated)


def _without_closing(schema: JsonObject) -> dict[str, Json]:
    """Convert a branch of allOf and its like, which must not close the object to other fields."""
    return _convert({**schema, "x-kubernetes-preserve-unknown-fields": True})


def _default(schema: JsonObject, value: Json) -> Json:
    """Fill defaults as the API server does: only below objects and lists that are there."""
    properties, items = schema.get("properties"), schema.get("items")
    if is_object(value):
        filled: dict[str, Json] = dict(value)
        if is_object(properties):
            for key, child in properties.items():
                if not is_object(child):
                    continue
                null = filled.get(key) is None and not child.get("nullable")
                if "default" in child and (key not in filled or null):
                    filled[key] = child["default"]
                if key in filled:
                    filled[key] = _default(child, filled[key])
        additional = schema.get("additionalProperties")
        if is_object(additional):
            filled = {key: _default(additional, item) for key, item in filled.items()}
        return filled
    if isinstance(value, Sequence) and not isinstance(value, str) and is_object(items):
        return [_default(items, item) for item in value]
    return value


def _explain(error: ValidationError) -> list[Violation]:
    path = ("spec", *error.absolute_path)
    match error.validator:
        case "additionalProperties":
            return _unknown_fields(error, path)
        case "required":
            known = cast("Mapping[str, object]", error.instance)
            needed = cast("Sequence[str]", error.validator_value)
            missing = [name for name in needed if name not in known]
            return [Violation(path, f"{field_path((*path, name))} is missing") for name in missing]
        case "anyOf" if error.context:
            inner = [e for e in error.context if e.validator != "type" or len(error.context) == 1]
            return [v for e in (inner or error.context) for v in _explain(e)]
        case _:
            return [Violation(path, f"{field_path(path)}: {error.message}")]


def _unknown_fields(error: ValidationError, path: tuple[str | int, ...]) -> list[Violation]:
    schema = cast("Mapping[str, Mapping[str, object]]", error.schema)
    known = sorted(schema.get("properties", {}))
    found: list[Violation] = []
    for name in cast("Mapping[str, object]", error.instance):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            text = f"{field_path((*path, name))}: unknown field; {hint}"
            found.append(Violation((*path, name), text))
    return found

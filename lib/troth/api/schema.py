"""Validation of requests against a Promise's OpenAPI schema, defaults filled.

CEL rules (x-kubernetes-validations) are not evaluated; `RequestSchema.ignored_rules` says whether
there are any. Formats are not checked. Unknown fields are refused, as kubectl does by default.
Source of the dialect: apiextensions-apiserver's structural schemas; of nulls and defaults its
``pkg/apiserver/schema/defaulting``.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import cast

from jsonschema import Draft202012Validator, SchemaError, ValidationError

from troth.api.explain import PATTERN_AS_WRITTEN, Violation, explain
from troth.api.json_values import Json, JsonObject, canonical, field_path, is_object
from troth.errors import InvalidInputError, Reason, shorten

__all__ = ["RequestSchema", "Violation", "python_pattern"]

# JSON Schema keywords that structural schemas share with it and that we pass on as they are.
_KEYWORDS = frozenset(
    {
        "type", "enum", "minimum", "maximum", "multipleOf", "minLength", "maxLength", "minItems",
        "maxItems", "uniqueItems", "required", "minProperties", "maxProperties",
    }
)  # fmt: skip

_COMBINED = ("allOf", "anyOf", "oneOf", "not")

# What of RE2 Python spells otherwise: escapes and whole classes are passed over, so that what
# stands in them keeps its meaning.
_RE2 = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\$", re.DOTALL)
_POSIX_CLASSES = {
    "[:alnum:]": "0-9A-Za-z", "[:alpha:]": "A-Za-z", "[:blank:]": r"\t ", "[:digit:]": "0-9",
    "[:lower:]": "a-z", "[:space:]": r"\s", "[:upper:]": "A-Z", "[:word:]": r"\w",
    "[:xdigit:]": "0-9A-Fa-f",
}  # fmt: skip


class RequestSchema:
    """A Promise's schema of one version, ready for many requests."""

    def __init__(self, schema: JsonObject) -> None:
        properties = schema.get("properties")
        spec = properties.get("spec") if is_object(properties) else None
        if not is_object(spec):
            is_open = not schema or schema.get("x-kubernetes-preserve-unknown-fields")
            spec = {} if is_open else {"type": "object"}
        self._spec: JsonObject = spec
        required = schema.get("required")
        self._needs_spec = isinstance(required, Sequence) and "spec" in required

    @property
    def ignored_rules(self) -> bool:
        """Whether the schema holds CEL rules, which are not evaluated here."""
        return b'"x-kubernetes-validations":' in canonical(self._spec)

    def fill(self, spec: JsonObject) -> JsonObject:
        """Return the spec with the schema's defaults, in the schema's order where filled."""
        filled = _default(self._spec, spec)
        return filled if is_object(filled) else spec

    def violations(self, spec: JsonObject) -> list[Violation]:
        """List everything that is wrong with a (filled) spec, in the order of its fields.

        Raises:
            InvalidInputError: the schema itself is none.
        """
        validator = self._validator
        if self._needs_spec and not spec and self._spec.get("required"):
            missing = cast("Sequence[str]", self._spec["required"])
            return [Violation(("spec",), f"spec is missing; it needs {', '.join(missing)}")]
        errors = cast("list[ValidationError]", list(validator.iter_errors(spec)))  # pyright: ignore[reportUnknownMemberType]  (jsonschema types it loosely)
        found = [violation for error in errors for violation in explain(error)]
        unique = dict.fromkeys(found)  # jsonschema tells of each missing field by itself
        return sorted(unique, key=_place)

    @cached_property
    def _validator(self) -> Draft202012Validator:
        converted = cast("Mapping[str, object]", _convert(self._spec))
        try:
            Draft202012Validator.check_schema(converted)
        except SchemaError as error:
            at = field_path(("spec", *error.absolute_path))
            message = f"the Promise's schema cannot be used: {at}: {shorten(error.message, 200)}."
            raise InvalidInputError(Reason.PROMISE_INVALID, message) from error
        return Draft202012Validator(converted)


def _place(violation: Violation) -> tuple[list[tuple[int, str]], str]:
    """Return what violations are sorted by: items of a list by their number."""
    parts = [(p, "") if isinstance(p, int) else (-1, p) for p in violation.field]
    return parts, violation.message


def _convert(schema: JsonObject, *, closed: bool = True) -> dict[str, Json]:
    """Turn a structural schema into JSON Schema; `closed` says that unknown fields are refused."""
    converted: dict[str, Json] = {k: v for k, v in schema.items() if k in _KEYWORDS}
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        converted |= {"pattern": python_pattern(pattern), PATTERN_AS_WRITTEN: pattern}
    if schema.get("x-kubernetes-int-or-string"):
        converted["type"] = ["integer", "string"]
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if schema.get(exclusive) is True and bound in converted:
            converted[exclusive] = converted.pop(bound)  # OpenAPI 3.0 spells it as a flag
    _convert_object(schema, converted, closed=closed)
    items = schema.get("items")
    if is_object(items):
        converted["items"] = _convert(items, closed=closed)
    combined = _convert_combined(schema)
    kind = converted.get("type")
    if schema.get("nullable") and kind is not None:
        kinds = [kind] if isinstance(kind, str) else cast("Sequence[Json]", kind)
        converted["type"] = [*kinds, "null"]
        if combined:  # the API server applies to null nothing but type and enum
            combined = {"if": {"not": {"type": "null"}}, "then": combined}
    return {**converted, **combined}


def _convert_object(schema: JsonObject, converted: dict[str, Json], *, closed: bool) -> None:
    properties, additional = schema.get("properties"), schema.get("additionalProperties")
    if is_object(properties):
        own = {k: _convert(v, closed=closed) for k, v in properties.items() if is_object(v)}
        embedded = bool(schema.get("x-kubernetes-embedded-resource"))
        converted["properties"] = _embedded(own) if embedded else own
    if is_object(additional):
        converted["additionalProperties"] = _convert(additional, closed=closed)
    elif additional is True or not closed or schema.get("x-kubernetes-preserve-unknown-fields"):
        return
    elif is_object(properties) or schema.get("type") == "object":
        converted["additionalProperties"] = False


def _embedded(own: Mapping[str, dict[str, Json]]) -> dict[str, Json]:
    """Add what every embedded object has; of its metadata a schema names a part at most."""
    metadata = {k: v for k, v in own.get("metadata", {}).items() if k != "additionalProperties"}
    return {"apiVersion": {}, "kind": {}, **own, "metadata": metadata}


def _convert_combined(schema: JsonObject) -> dict[str, Json]:
    """Convert allOf and its like, whose branches do not close an object to other fields."""
    combined: dict[str, Json] = {}
    for keyword in _COMBINED:
        options = schema.get(keyword)
        if is_object(options):
            combined[keyword] = _convert(options, closed=False)
        elif isinstance(options, Sequence) and not isinstance(options, str):
            combined[keyword] = [_convert(o, closed=False) for o in options if is_object(o)]
    if schema.get("x-kubernetes-int-or-string"):
        combined.pop("anyOf", None)  # it may only say once more what the two types are
    return combined


def python_pattern(pattern: str) -> str:
    """Spell a pattern of RE2 for Python: ASCII classes, and ``$`` as the very end."""

    def respell(match: re.Match[str]) -> str:
        token = match[0]
        if token in {"$", r"\z"}:
            return r"\Z"
        for name, characters in _POSIX_CLASSES.items():
            token = token.replace(name, characters)
        return token

    return "(?a)" + (pattern if pattern.startswith("(?m") else _RE2.sub(respell, pattern))


def _default(schema: JsonObject, value: Json) -> Json:
    """Fill defaults as the API server does: only below objects and lists that are there.

    A null where the schema allows none is no value: the default takes its place, or it goes.
    """
    properties, items = schema.get("properties"), schema.get("items")
    if is_object(value):
        known: JsonObject = properties if is_object(properties) else {}
        others = schema.get("additionalProperties")
        filled: dict[str, Json] = {}
        for key, item in value.items():
            child = known.get(key, others)
            if not is_object(child):
                filled[key] = item
            elif not _is_no_value(child, item):
                filled[key] = _default(child, item)
            elif key not in known and child.get("default") is not None:
                filled[key] = _default(child, child["default"])
        for key, child in known.items():
            if key not in filled and is_object(child) and child.get("default") is not None:
                filled[key] = _default(child, child["default"])
        return filled
    if isinstance(value, Sequence) and not isinstance(value, str) and is_object(items):
        default = items.get("default")
        return [_default(items, default if _is_no_value(items, i) else i) for i in value]
    return value


def _is_no_value(schema: JsonObject, value: Json) -> bool:
    return value is None and not schema.get("nullable")

"""Pieces of structural schemas, as the CRDs here spell them."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from troth.api.json_values import Json, JsonObject

__all__ = [
    "OPEN",
    "Schema",
    "choice",
    "conditions",
    "flag",
    "listing",
    "mapping",
    "record",
    "rule",
    "secret_ref",
    "text",
    "whole",
]

Schema: TypeAlias = JsonObject

# For a record whose other fields the API server is to keep.
OPEN: Schema = {"x-kubernetes-preserve-unknown-fields": True}

_BY_TYPE: Schema = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}

# Kubernetes' own bounds of a condition (metav1.Condition).
_REASON_LENGTH = 1024
_MESSAGE_LENGTH = 32768


def text(description: str = "", *, rules: Sequence[Schema] = (), **more: Json) -> Schema:
    """Return the schema of a text; `more` are keywords such as ``maxLength``."""
    return {"type": "string", **_described(description), **more, **_ruled(rules)}


def choice(
    values: Sequence[str],
    description: str = "",
    *,
    rules: Sequence[Schema] = (),
    **more: Json,
) -> Schema:
    """Return the schema of a text that is one of `values`."""
    return text(description, rules=rules, enum=list(values), **more)


def whole(description: str = "") -> Schema:
    """Return the schema of a whole number of 64 bits."""
    return {"type": "integer", "format": "int64", **_described(description)}


def flag(description: str = "") -> Schema:
    """Return the schema of true or false."""
    return {"type": "boolean", **_described(description)}


def listing(
    items: Schema, description: str = "", *, rules: Sequence[Schema] = (), **more: Json
) -> Schema:
    """Return the schema of a list."""
    about = {**_described(description), **more, **_ruled(rules)}
    return {"type": "array", **about, "items": items}


def mapping(values: Schema, description: str = "", **more: Json) -> Schema:
    """Return the schema of a mapping with any keys."""
    return {"type": "object", **_described(description), "additionalProperties": values, **more}


def record(
    properties: Mapping[str, Schema],
    description: str = "",
    *,
    required: Sequence[str] = (),
    rules: Sequence[Schema] = (),
    more: Schema | None = None,
) -> Schema:
    """Return the schema of an object with fields; `more` are keywords that it has beside."""
    made: dict[str, Json] = {"type": "object", **_described(description), **(more or {})}
    if required:
        made["required"] = list(required)
    if properties:
        made["properties"] = dict(properties)
    return {**made, **_ruled(rules)}


def rule(expression: str, message: str, *, field: str = "", says: str = "") -> Schema:
    """Return a rule of CEL.

    Args:
        expression: what has to be true.
        message: what is said otherwise.
        field: where, below what the rule stands at; it has to be a field of the schema.
        says: an expression that makes the message, where it names what was found.
    """
    made: dict[str, Json] = {"rule": expression, "message": message}
    if field:
        made["fieldPath"] = field
    if says:
        made["messageExpression"] = says
    return made


def conditions(*, of_stages: bool = False) -> Schema:
    """Return the schema of conditions: one of each type, so that writers share the list.

    Only the type is required: what somebody wrote is not lost for a field. Where stages write
    conditions too (`of_stages`), their texts may be any, as on Kratix: one that Kubernetes would
    not call a condition does not keep the whole status from being written.
    """
    fields: dict[str, Schema] = {
        "type": text(maxLength=316),
        "status": choice(("True", "False", "Unknown")),
        "reason": text(maxLength=_REASON_LENGTH),
        "message": text(maxLength=_MESSAGE_LENGTH),
        "lastTransitionTime": text(format="date-time"),
    }
    if of_stages:
        fields = {name: text() for name in fields}
    item = record({**fields, "observedGeneration": whole()}, required=("type",))
    return {**listing(item, "What is known of it, one line of each type."), **_BY_TYPE}


def secret_ref(description: str) -> Schema:
    """Return the schema of a reference to a Secret."""
    fields = {"name": text("The Secret's name."), "namespace": text("The Secret's namespace.")}
    return record(fields, description, more={"x-kubernetes-map-type": "atomic"})


def _ruled(rules: Sequence[Schema]) -> Schema:
    return {"x-kubernetes-validations": list(rules)} if rules else {}


def _described(description: str) -> Schema:
    return {"description": description} if description else {}

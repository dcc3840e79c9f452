"""An example request, made from a schema where nobody has written one.

It holds what is required and what has a default. A text that nothing tells more of is its field's
name in angle brackets, for a person to replace.
"""

import math
from collections.abc import Sequence
from typing import cast

from troth.api import Api, Json, JsonObject, is_object

__all__ = ["example_request"]


def example_request(api: Api) -> JsonObject:
    """Return a request in the stored version, as far as its schema tells how one looks."""
    properties = api.schema.get("properties")
    spec = properties.get("spec") if is_object(properties) else None
    return {
        "apiVersion": f"{api.group}/{api.stored}",
        "kind": api.kind,
        "metadata": {"name": "example", "namespace": "default"},
        "spec": _mapping(spec) if is_object(spec) else {},
    }


def _sample(schema: JsonObject, name: str) -> Json:
    for known in ("default", "example"):
        if schema.get(known) is not None:
            return schema[known]
    if values := _list(schema.get("enum")):
        return values[0]
    kind = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        kind = "string" if schema.get("pattern") else "integer"
    match kind:
        case "string":
            return f"<{name}>"
        case "integer" | "number":
            return _number(schema, whole=kind == "integer")
        case "boolean":
            return False
        case _:
            return _items(schema, name) if kind == "array" else _mapping(schema)


def _mapping(schema: JsonObject) -> JsonObject:
    properties = schema.get("properties")
    known = {n: s for n, s in properties.items() if is_object(s)} if is_object(properties) else {}
    wanted = {str(name) for name in _list(schema.get("required"))}
    wanted |= {name for name, child in known.items() if child.get("default") is not None}
    for keyword in ("anyOf", "oneOf"):
        forms = _list(schema.get(keyword))
        if forms and is_object(form := forms[0]):
            wanted |= {str(name) for name in _list(form.get("required"))}
    least = schema.get("minProperties")
    missing = (least if isinstance(least, int) else 0) - len(wanted & known.keys())
    spare = [name for name in known if name not in wanted]
    wanted |= set(spare[: max(missing, 0)])
    sample = {name: _sample(child, name) for name, child in known.items() if name in wanted}
    others = schema.get("additionalProperties")
    if not known and missing > 0 and is_object(others):
        sample = {f"<name-{i}>": _sample(others, "value") for i in range(1, missing + 1)}
    return sample


def _items(schema: JsonObject, name: str) -> list[Json]:
    items, least = schema.get("items"), schema.get("minItems")
    if schema.get("maxItems") == 0 or not is_object(items):
        return []
    count = max(least if isinstance(least, int) else 1, 1)
    if count == 1:
        return [_sample(items, name)]
    return [_sample(items, f"{name}-{number}") for number in range(1, count + 1)]


def _number(schema: JsonObject, *, whole: bool) -> int | float:
    """Return a number within the bounds: the lowest, 1 where there is none."""
    low, high, step = (schema.get(key) for key in ("minimum", "maximum", "multipleOf"))
    unit = step if isinstance(step, int | float) and step > 0 else 1 if whole else 0.5
    found: int | float = 1
    if isinstance(low, int | float):
        found = low + unit if schema.get("exclusiveMinimum") is True else low
    if isinstance(high, int | float) and found > high:
        found = high
    if isinstance(high, int | float) and found == high and schema.get("exclusiveMaximum") is True:
        found = high - unit
    if isinstance(step, int | float) and step > 0:
        found = round(math.ceil(found / step) * step, 9)
    return math.ceil(found) if whole else found


def _list(value: Json) -> Sequence[Json]:
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return cast("Sequence[Json]", value) if is_list else ()

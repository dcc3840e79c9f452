"""Small valid objects of the Gateway API, to be spoiled in one place."""

from troth.api import Json, JsonObject

__all__ = ["gateway", "grant", "listener", "listener_set", "many_rules", "route", "rule", "set_at"]

_GROUP = "gateway.networking.k8s.io"


def _object(kind: str, spec: JsonObject) -> JsonObject:
    metadata: Json = {"name": "example", "namespace": "platform"}
    return {"apiVersion": f"{_GROUP}/v1", "kind": kind, "metadata": metadata, "spec": spec}


def listener(number: int = 0, **changes: Json) -> JsonObject:
    """Return an HTTP listener of its own name and host."""
    plain: dict[str, Json] = {
        "name": f"http-{number}",
        "hostname": f"h{number}.example.com",
        "port": 80,
        "protocol": "HTTP",
    }
    return {**plain, **changes}


def gateway(*listeners: JsonObject, **changes: Json) -> JsonObject:
    """Return a Gateway."""
    return _object("Gateway", {"gatewayClassName": "x", "listeners": list(listeners), **changes})


def listener_set(*listeners: JsonObject, **changes: Json) -> JsonObject:
    """Return a ListenerSet."""
    spec: JsonObject = {"parentRef": {"name": "edge"}, "listeners": list(listeners), **changes}
    return _object("ListenerSet", spec)


def rule(**changes: Json) -> JsonObject:
    """Return a rule of an HTTPRoute with one match and one backend."""
    matches: Json = [{"path": {"type": "PathPrefix", "value": "/v1"}}]
    return {"matches": matches, "backendRefs": [{"name": "api", "port": 80}], **changes}


def many_rules(*counts: int) -> list[Json]:
    """Return rules with so many matches each."""
    return [
        {"matches": [{"path": {"value": f"/{number}/{match}"}} for match in range(count)]}
        for number, count in enumerate(counts)
    ]


def route(*rules: Json, **changes: Json) -> JsonObject:
    """Return an HTTPRoute."""
    return _object("HTTPRoute", {"parentRefs": [{"name": "x"}], "rules": list(rules), **changes})


def grant(sources: int, targets: int) -> JsonObject:
    """Return a ReferenceGrant from so many namespaces to so many Services."""
    origins: Json = [
        {"group": _GROUP, "kind": "HTTPRoute", "namespace": f"n{n}"} for n in range(sources)
    ]
    services: Json = [{"group": "", "kind": "Service", "name": f"s{n}"} for n in range(targets)]
    return _object("ReferenceGrant", {"from": origins, "to": services})


def set_at(value: Json, *path: str | int, to: Json) -> Json:
    """Return a copy of a value in which the value at `path` is another; missing parts are made."""
    if not path:
        return to
    first, rest = path[0], path[1:]
    if isinstance(first, int):
        items = list(value) if isinstance(value, list) else [{}]
        items[first] = set_at(items[first], *rest, to=to)
        return items
    fields: dict[str, Json] = dict(value) if isinstance(value, dict) else {}
    fields[first] = set_at(fields.get(first), *rest, to=to)
    return fields

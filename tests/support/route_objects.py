"""Gateways, ListenerSets and routes as a stage renders them, with short hands for their fields."""

import json
from collections.abc import Sequence

from troth.api import Json, JsonObject, RequestKey
from troth.api.labels import DELEGATIONS
from troth.engine.routes import Traits, read_traits

API = "gateway.networking.k8s.io/v1"
ALL: JsonObject = {"namespaces": {"from": "All"}}


def key(namespace: str, name: str = "one") -> RequestKey:
    return RequestKey(namespace, "target", name)


def listener(
    name: str = "https",
    port: int = 443,
    hostname: str | None = None,
    allowed: JsonObject = ALL,
    protocol: str = "HTTPS",
) -> JsonObject:
    heard: JsonObject = {} if hostname is None else {"hostname": hostname}
    return {"name": name, "port": port, "protocol": protocol, **heard, "allowedRoutes": allowed}


def gateway(
    *listeners: JsonObject,
    name: str = "shared",
    namespace: str = "infra",
    delegations: Sequence[tuple[str, str]] = (),
    **spec: Json,
) -> JsonObject:
    metadata = _metadata(name, namespace, delegations)
    full: JsonObject = {"listeners": listeners or [listener()], **spec}
    return {"apiVersion": API, "kind": "Gateway", "metadata": metadata, "spec": full}


def listener_set(
    *listeners: JsonObject,
    name: str = "more",
    namespace: str = "team",
    delegations: Sequence[tuple[str, str]] = (),
) -> JsonObject:
    metadata = _metadata(name, namespace, delegations)
    parent: JsonObject = {"name": "shared", "namespace": "infra"}
    spec: JsonObject = {"parentRef": parent, "listeners": listeners}
    return {"apiVersion": API, "kind": "ListenerSet", "metadata": metadata, "spec": spec}


def _metadata(name: str, namespace: str, delegations: Sequence[tuple[str, str]]) -> JsonObject:
    listed = [{"path": path, "namespace": to} for path, to in delegations]
    annotations = {DELEGATIONS: json.dumps(listed)} if listed else {}
    return {"name": name, "namespace": namespace, "annotations": annotations}


def on(name: str = "shared", namespace: str = "infra", **more: Json) -> JsonObject:
    return {"name": name, "namespace": namespace, **more}


def path(value: str = "/", kind: str = "PathPrefix", **more: Json) -> JsonObject:
    return {"path": {"type": kind, "value": value}, **more}


def header(value: str, name: str = "X-Stage") -> Json:
    return [{"name": name, "value": value}]


def route(
    *matches: JsonObject,
    namespace: str = "team",
    name: str = "one",
    hosts: Sequence[str] = (),
    parents: Sequence[JsonObject] = (),
    kind: str = "HTTPRoute",
) -> JsonObject:
    spec: JsonObject = {
        "parentRefs": parents or [on()],
        "hostnames": hosts,
        "rules": [{"matches": matches}],
    }
    metadata: JsonObject = {"name": name, "namespace": namespace}
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec}


def traits(*objects: JsonObject) -> Traits:
    return read_traits(objects)

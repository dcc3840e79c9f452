"""Read the traits of rendered objects, with the defaults that the Gateway API fills in.

Source: Gateway, ListenerSet, HTTPRoute and GRPCRoute of gateway.networking.k8s.io/v1.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from troth.api import Fields, JsonObject
from troth.engine.routes.grants import read_delegations, read_namespaces
from troth.engine.routes.match import (
    ANY_METHOD,
    Condition,
    Match,
    PathType,
    normal_path,
    read_path_type,
)
from troth.engine.routes.parts import (
    GATEWAY_GROUP,
    ROUTE_KINDS,
    Listener,
    Namespaces,
    Parent,
    ParentRef,
    Route,
)
from troth.engine.routes.traits import Traits
from troth.engine.values import ObjectId
from troth.errors import InvalidInputError

__all__ = ["read_traits"]

_PARENT_KINDS = ("Gateway", "ListenerSet")
_KINDS = (*_PARENT_KINDS, *ROUTE_KINDS)
_PORT_LIMIT = 65535

# Protocols whose listeners take no HTTP; those of an implementation's own may.
_NOT_HTTP = frozenset({"TCP", "TLS", "UDP"})

_GRPC_METHOD = "POST"  # of every gRPC request


def read_traits(objects: Iterable[JsonObject]) -> Traits:
    """Return the traits of the objects of one request in one Destination.

    Args:
        objects: whatever was rendered; all but Gateways, ListenerSets and routes are passed over.

    Raises:
        InvalidInputError: one of these has a field that its API would not take, or an annotation
            ``troth.dev/delegations`` that is none. The object is named.
    """
    parents: list[Parent] = []
    routes: list[Route] = []
    for data in objects:
        root = Fields(data)
        if data.get("kind") not in _KINDS:
            continue
        if root.text("apiVersion", "").rpartition("/")[0] != GATEWAY_GROUP:
            continue
        metadata = root.section("metadata")
        identity = ObjectId(
            GATEWAY_GROUP, root.text("kind"), metadata.text("namespace", ""), metadata.text("name")
        )
        try:
            if identity.kind in _PARENT_KINDS:
                parents.append(_parent(root, identity))
            else:
                routes.append(_route(root.section("spec"), identity))
        except InvalidInputError as error:
            raise error.about(str(identity)) from error
    return Traits(
        tuple(sorted(parents, key=lambda one: one.identity)),
        tuple(sorted(routes, key=lambda one: one.identity)),
    )


def _parent(root: Fields, identity: ObjectId) -> Parent:
    spec = root.section("spec")
    is_set = identity.kind != "Gateway"
    allowed = spec.section("allowedListeners").section("namespaces")
    return Parent(
        identity=identity,
        gateway=_reference(spec.section("parentRef"), identity) if is_set else identity,
        listeners=tuple(_listener(item, identity.namespace) for item in spec.items("listeners")),
        delegations=read_delegations(root.section("metadata")),
        listener_sets=(
            Namespaces() if is_set else read_namespaces(allowed, identity.namespace, "None")
        ),
    )


def _listener(fields: Fields, namespace: str) -> Listener:
    protocol = fields.text("protocol")
    allowed = fields.section("allowedRoutes")
    kinds: tuple[str, ...] = ROUTE_KINDS if protocol not in _NOT_HTTP else ()
    if allowed.has("kinds"):
        listed = {
            item.text("kind")
            for item in allowed.items("kinds")
            if item.text("group", GATEWAY_GROUP) == GATEWAY_GROUP
        }
        kinds = tuple(kind for kind in kinds if kind in listed)
    return Listener(
        name=fields.text("name"),
        port=_port(fields),
        protocol=protocol,
        hostname=fields.text("hostname", "").lower(),
        namespaces=read_namespaces(allowed.section("namespaces"), namespace, "Same"),
        kinds=kinds,
    )


def _route(spec: Fields, identity: ObjectId) -> Route:
    read = _grpc_match if identity.kind == "GRPCRoute" else _http_match
    matches = dict.fromkeys(_matches(spec, read))
    hostnames = dict.fromkeys(name.lower() for name in spec.texts("hostnames"))
    parents = dict.fromkeys(_parent_ref(item, identity) for item in spec.items("parentRefs"))
    return Route(identity, tuple(parents), tuple(hostnames), tuple(matches))


def _matches(spec: Fields, read: Callable[[Fields], Match]) -> Iterator[Match]:
    """Return the matches of all rules; a rule without one matches everything."""
    for rule in spec.items("rules") or [Fields({})]:
        yield from map(read, rule.items("matches") or [Fields({})])


def _http_match(fields: Fields) -> Match:
    path = fields.section("path")
    kind, value = read_path_type(path), path.text("value", "/")
    if kind is not PathType.REGULAR_EXPRESSION and not value.startswith("/"):
        raise path.error("value", f"a path begins with '/', found {value[:60]!r}.")
    return Match(
        path_type=kind,
        path=normal_path(value, kind),
        method=fields.text("method", ANY_METHOD),
        headers=_headers(fields),
        query=_conditions(fields.items("queryParams"), str),
    )


def _grpc_match(fields: Fields) -> Match:
    """Read a match of a service and a method as the path ``/service/method`` that it is."""
    called = fields.section("method")
    service, method = called.text("service", ""), called.text("method", "")
    if not service and not method:
        kind, path = PathType.PREFIX, "/"
    elif called.text("type", "Exact") != "Exact":
        kind, path = PathType.REGULAR_EXPRESSION, f"/{service or '[^/]+'}/{method or '[^/]+'}"
    elif not service:
        kind, path = PathType.REGULAR_EXPRESSION, f"/[^/]+/{re.escape(method)}"
    elif not method:
        kind, path = PathType.PREFIX, f"/{service}"
    else:
        kind, path = PathType.EXACT, f"/{service}/{method}"
    return Match(kind, path, _GRPC_METHOD, _headers(fields))


def _headers(fields: Fields) -> tuple[Condition, ...]:
    return _conditions(fields.items("headers"), str.lower)


def _conditions(items: Iterable[Fields], spell: Callable[[str], str]) -> tuple[Condition, ...]:
    """Read what is asked of headers or parameters; of one name the first counts."""
    found: dict[str, Condition] = {}
    for item in items:
        name = spell(item.text("name"))
        condition = Condition(name, item.text("type", "Exact"), item.text("value"))
        found.setdefault(name, condition)
    return tuple(found[name] for name in sorted(found))


def _parent_ref(fields: Fields, route: ObjectId) -> ParentRef:
    port = _port(fields) if fields.has("port") else 0
    return ParentRef(_reference(fields, route), fields.text("sectionName", ""), port)


def _reference(fields: Fields, source: ObjectId) -> ObjectId:
    """Read a reference to a parent; without a namespace it is in that of its source."""
    return ObjectId(
        group=fields.text("group", GATEWAY_GROUP),
        kind=fields.text("kind", "Gateway"),
        namespace=fields.text("namespace", "") or source.namespace,
        name=fields.text("name"),
    )


def _port(fields: Fields) -> int:
    value = fields.value("port")
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _PORT_LIMIT:
        return value
    raise fields.error("port", f"a port is needed here, 1 to {_PORT_LIMIT}.")

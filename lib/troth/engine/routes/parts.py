"""Parts: Gateways, ListenerSets and routes, as far as claims are decided by them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from troth.api import Fields, Json
from troth.engine.routes.match import Match
from troth.engine.values import ObjectId

__all__ = [
    "GATEWAY_GROUP",
    "ROUTE_KINDS",
    "Delegation",
    "Listener",
    "Namespaces",
    "Parent",
    "ParentRef",
    "Route",
]

GATEWAY_GROUP = "gateway.networking.k8s.io"
ROUTE_KINDS = ("GRPCRoute", "HTTPRoute")

_GATEWAY = "Gateway"
_ALL = "*"


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Namespaces whose objects are taken; `names` is None where those of any may be."""

    names: tuple[str, ...] | None = ()

    def admits(self, namespace: str) -> bool:
        """Tell whether an object of a namespace may be taken."""
        return self.names is None or namespace in self.names

    def __str__(self) -> str:
        """Spell it as messages do."""
        if self.names is None:
            return "any namespace"
        return f"namespaces {', '.join(self.names)}" if self.names else "no namespace"

    def encode(self) -> Json:
        """Spell it for a record."""
        return _ALL if self.names is None else list(self.names)

    @classmethod
    def decode(cls, fields: Fields, name: str) -> "Namespaces":
        """Read it from a field of a record; nobody's when absent."""
        return cls(None if fields.value(name) == _ALL else fields.texts(name))


@dataclass(frozen=True, slots=True)
class Listener:
    """Where a Gateway listens.

    Attributes:
        hostname: empty when it listens for every host.
        namespaces: whose routes it takes.
        kinds: which kinds of routes it takes, of `ROUTE_KINDS`.
    """

    name: str
    port: int
    protocol: str
    hostname: str = ""
    namespaces: Namespaces = Namespaces()
    kinds: tuple[str, ...] = ROUTE_KINDS

    def encode(self) -> dict[str, Json]:
        """Spell it for a record."""
        spelled: dict[str, Json] = {
            "name": self.name, "port": self.port, "protocol": self.protocol,
        }  # fmt: skip
        optional: dict[str, Json] = {
            "hostname": self.hostname, "namespaces": self.namespaces.encode(),
        }  # fmt: skip
        kinds: dict[str, Json] = {} if self.kinds == ROUTE_KINDS else {"kinds": list(self.kinds)}
        return {**spelled, **_filled(optional), **kinds}

    @classmethod
    def decode(cls, fields: Fields) -> "Listener":
        """Read it from a record."""
        return cls(
            name=fields.text("name"),
            port=_number(fields, "port"),
            protocol=fields.text("protocol"),
            hostname=fields.text("hostname", ""),
            namespaces=Namespaces.decode(fields, "namespaces"),
            kinds=fields.texts("kinds") if fields.has("kinds") else ROUTE_KINDS,
        )


class Delegation(NamedTuple):
    """Consent that routes of a namespace may lie at or below a path, whoever holds paths above."""

    path: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Parent:
    """What routes attach to: a Gateway, or a ListenerSet of one.

    Attributes:
        gateway: the Gateway of a ListenerSet; its own identity for a Gateway.
        listener_sets: the namespaces whose ListenerSets a Gateway takes.
    """

    identity: ObjectId
    gateway: ObjectId
    listeners: tuple[Listener, ...] = ()
    delegations: tuple[Delegation, ...] = ()
    listener_sets: Namespaces = Namespaces()

    def encode(self) -> dict[str, Json]:
        """Spell it for a record."""
        optional: dict[str, Json] = {
            "gateway": _encode_id(self.gateway) if self.gateway != self.identity else None,
            "listeners": [listener.encode() for listener in self.listeners],
            "delegations": [one._asdict() for one in self.delegations],
            "listenerSets": self.listener_sets.encode(),
        }
        return {**_encode_id(self.identity), **_filled(optional)}

    @classmethod
    def decode(cls, fields: Fields) -> "Parent":
        """Read it from a record."""
        identity = _decode_id(fields)
        return cls(
            identity=identity,
            gateway=_decode_id(fields.section("gateway")) if fields.has("gateway") else identity,
            listeners=tuple(Listener.decode(item) for item in fields.items("listeners")),
            delegations=tuple(
                Delegation(item.text("path"), item.text("namespace"))
                for item in fields.items("delegations")
            ),
            listener_sets=Namespaces.decode(fields, "listenerSets"),
        )


class ParentRef(NamedTuple):
    """What a route asks to be attached to: all listeners of a parent, or those of a name or port.

    `section` is empty and `port` is 0 where the route does not say.
    """

    parent: ObjectId
    section: str = ""
    port: int = 0

    def encode(self) -> dict[str, Json]:
        """Spell it for a record."""
        optional = _filled({"section": self.section, "port": self.port})
        return {**_encode_id(self.parent), **optional}

    @classmethod
    def decode(cls, fields: Fields) -> "ParentRef":
        """Read it from a record."""
        port = _number(fields, "port") if fields.has("port") else 0
        return cls(_decode_id(fields), fields.text("section", ""), port)


@dataclass(frozen=True, slots=True)
class Route:
    """An HTTPRoute, or a GRPCRoute as the HTTP it is on the wire.

    `matches` are those of all its rules, each once; which backend serves one does not matter.
    """

    identity: ObjectId
    parents: tuple[ParentRef, ...]
    hostnames: tuple[str, ...]
    matches: tuple[Match, ...]

    def encode(self) -> dict[str, Json]:
        """Spell it for a record."""
        optional: dict[str, Json] = {
            "parents": [parent.encode() for parent in self.parents],
            "hostnames": list(self.hostnames),
            "matches": [match.encode() for match in self.matches],
        }
        return {**_encode_id(self.identity), **_filled(optional)}

    @classmethod
    def decode(cls, fields: Fields) -> "Route":
        """Read it from a record."""
        return cls(
            identity=_decode_id(fields),
            parents=tuple(ParentRef.decode(item) for item in fields.items("parents")),
            hostnames=fields.texts("hostnames"),
            matches=tuple(Match.decode(item) for item in fields.items("matches")),
        )


def _filled(optional: Mapping[str, Json]) -> dict[str, Json]:
    """Leave out what is empty, so that records stay small."""
    return {name: value for name, value in optional.items() if value}


def _encode_id(identity: ObjectId) -> dict[str, Json]:
    group: dict[str, Json] = {"group": identity.group} if identity.group != GATEWAY_GROUP else {}
    kind = _filled({"kind": identity.kind if identity.kind != _GATEWAY else ""})
    return {**group, **kind, **_filled({"namespace": identity.namespace}), "name": identity.name}


def _decode_id(fields: Fields) -> ObjectId:
    return ObjectId(
        group=fields.text("group", GATEWAY_GROUP),
        kind=fields.text("kind", _GATEWAY),
        namespace=fields.text("namespace", ""),
        name=fields.text("name"),
    )


def _number(fields: Fields, name: str) -> int:
    value = fields.value(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise fields.error(name, "a whole number is needed here.")
    return value

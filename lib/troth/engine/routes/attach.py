"""Attach: at which ports and hosts of a Gateway a route takes requests.

Listeners of one Gateway are told apart by their ports and hostnames, not by their names: a route
of one host takes the same requests whichever of two listeners on that port it is attached to. The
listeners of a ListenerSet are listeners of its Gateway.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from troth.engine.routes.hosts import ANY_HOST, intersection
from troth.engine.routes.parts import Listener, Parent, ParentRef, Route
from troth.engine.values import ObjectId

__all__ = ["Attachment", "Place", "Scope", "attach"]


class Scope(NamedTuple):
    """A port of a Gateway; of one whose listeners are unknown, what a route says of them.

    Port 0 and an empty section may be any.
    """

    port: int = 0
    section: str = ""

    def overlaps(self, other: "Scope") -> bool:
        """Tell whether both may be one port."""
        return (self.port == other.port or 0 in {self.port, other.port}) and (
            self.section == other.section or "" in {self.section, other.section}
        )


class Place(NamedTuple):
    """Where requests come in: a Gateway, a port of it, and the host they are for."""

    gateway: ObjectId
    scope: Scope
    host: str

    def __str__(self) -> str:
        """Spell it as messages do."""
        ports = f" port {self.scope.port}" if self.scope.port else ""
        return f"host {self.host or 'any'} of {self.gateway}{ports}"


@dataclass(frozen=True, slots=True)
class Attachment:
    """What came of attaching a route to one parent.

    Attributes:
        gateway: what its parent is, or is a part of; the parent itself when that is not known.
        places: each with the hostname of the route that leads there, in the order of listeners.
        led: the hostnames of the route that lead anywhere.
        narrowing: those of them that are for less than a listener that takes them.
        problem: why there is no place, None when there is one.
    """

    gateway: ObjectId
    places: Mapping[Place, str]
    led: frozenset[str] = frozenset()
    narrowing: frozenset[str] = frozenset()
    problem: str | None = None


def attach(route: Route, ref: ParentRef, parent: Parent | None, namespace: str) -> Attachment:
    """Attach a route as the Gateway will.

    Args:
        route: the route.
        ref: one of its references.
        parent: what that refers to; None when it is not known here.
        namespace: of the route.
    """
    written = route.hostnames or (ANY_HOST,)
    if parent is None:
        scope = Scope(ref.port, ref.section)
        places = {Place(ref.parent, scope, host): host for host in written}
        narrowing = frozenset(written) - {ANY_HOST}
        return Attachment(ref.parent, places, frozenset(written), narrowing)
    asked = [listener for listener in parent.listeners if _asked(listener, ref)]
    suited = [listener for listener in asked if route.identity.kind in listener.kinds]
    if not suited:
        problem = _unsuited(route, ref, parent, asked)
        return Attachment(parent.gateway, {}, problem=problem)
    open_to = [listener for listener in suited if listener.namespaces.admits(namespace)]
    if not open_to:
        allowed = "; ".join(dict.fromkeys(str(listener.namespaces) for listener in suited))
        problem = f"the listener allows routes of {allowed}, not of {namespace}"
        return Attachment(parent.gateway, {}, problem=problem)
    return _placed(parent.gateway, open_to, written)


def _placed(gateway: ObjectId, listeners: list[Listener], written: tuple[str, ...]) -> Attachment:
    """Attach hostnames to listeners that take the route."""
    places: dict[Place, str] = {}
    led: set[str] = set()
    narrowing: set[str] = set()
    for listener in listeners:
        for host in written:
            common = intersection(listener.hostname, host)
            if common is not None:
                places.setdefault(Place(gateway, Scope(listener.port), common), host)
                led.add(host)
                if common != listener.hostname:
                    narrowing.add(host)
    problem = None
    if not places:
        heard = ", ".join(dict.fromkeys(listener.hostname for listener in listeners))
        problem = f"its listeners are for {heard}, the route is for {', '.join(written)}"
    return Attachment(gateway, places, frozenset(led), frozenset(narrowing), problem)


def _asked(listener: Listener, ref: ParentRef) -> bool:
    return ref.section in {"", listener.name} and ref.port in {0, listener.port}


def _unsuited(route: Route, ref: ParentRef, parent: Parent, asked: list[Listener]) -> str:
    if asked:
        names = ", ".join(f"{listener.name} ({listener.protocol})" for listener in asked)
        return f"none of these listeners takes a {route.identity.kind}: {names}"
    section = f" {ref.section}" if ref.section else ""
    port = f" on port {ref.port}" if ref.port else ""
    names = ", ".join(f"{one.name} on port {one.port}" for one in parent.listeners)
    return f"it has no listener{section}{port}" + (f", only {names}" if names else "")

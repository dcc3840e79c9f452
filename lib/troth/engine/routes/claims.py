"""Claims: the single things that a route takes, each of which one request may hold.

Besides what it takes there is what it says, its *words*: the same by its own hostnames, before any
listener has narrowed them. A word by which it takes nothing now is *dormant*. It may come to take
something whenever the Gateway changes, and is held like a claim meanwhile.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from troth.api import RequestKey
from troth.engine.routes.attach import Attachment, Place, Scope, attach
from troth.engine.routes.hosts import ANY_HOST
from troth.engine.routes.match import Match
from troth.engine.routes.parts import Parent, ParentRef, Route
from troth.engine.routes.traits import Traits
from troth.engine.values import ObjectId

__all__ = [
    "Ask",
    "Claim",
    "Find",
    "Held",
    "asks",
    "claims_of",
    "namespace_of",
    "tried",
    "words_of",
]

Find = Callable[[ObjectId], Parent | None]
"""Looks up a parent; None when it is not known."""


class Claim(NamedTuple):
    """One match at one place, for routes of a namespace, by way of a parent.

    Of a word the place is any port of the Gateway, or the one that the route names, and the
    hostname of the route. Of words alone `narrows` tells whether they are for less than a listener
    that takes them (or may be), and `is_dormant` whether none does.
    """

    place: Place
    match: Match
    namespace: str
    parent: ObjectId
    narrows: bool = False
    is_dormant: bool = False

    def __str__(self) -> str:
        """Spell it as messages do."""
        return f"{self.match}, {self.place}"


class Held(NamedTuple):
    """A claim, and who holds it."""

    claim: Claim
    key: RequestKey


class Ask(NamedTuple):
    """What a route says, before anybody looks at the parent: by it a route is known again."""

    ref: ParentRef
    hostname: str
    match: Match
    namespace: str


def namespace_of(route: Route, key: RequestKey) -> str:
    """Return the namespace of a route, that of its request when it names none."""
    return route.identity.namespace or key.namespace


def asks(key: RequestKey, traits: Traits) -> frozenset[Ask]:
    """Return what all routes of a request say."""
    return frozenset(
        Ask(ref, hostname, match, namespace_of(route, key))
        for route in traits.routes
        for ref in route.parents
        for hostname in route.hostnames or (ANY_HOST,)
        for match in route.matches
    )


def tried(
    key: RequestKey, traits: Traits, find: Find
) -> Iterator[tuple[Route, ParentRef, Attachment]]:
    """Attach every route of a request to each of its parents."""
    for route in traits.routes:
        namespace = namespace_of(route, key)
        for ref in route.parents:
            yield route, ref, attach(route, ref, find(ref.parent), namespace)


def claims_of(
    key: RequestKey, route: Route, ref: ParentRef, attachment: Attachment
) -> Iterator[tuple[Ask, Claim]]:
    """Return what a route claims where it is attached, and which of its words lead there."""
    namespace = namespace_of(route, key)
    for place, hostname in attachment.places.items():
        for match in route.matches:
            ask = Ask(ref, hostname, match, namespace)
            yield ask, Claim(place, match, namespace, ref.parent)


def words_of(
    key: RequestKey, route: Route, ref: ParentRef, attachment: Attachment
) -> Iterator[tuple[Ask, Claim]]:
    """Return what a route says of one parent, whether it takes anything by it or not."""
    namespace = namespace_of(route, key)
    for hostname in route.hostnames or (ANY_HOST,):
        # Not the section: another listener may come to be for the same host.
        place = Place(attachment.gateway, Scope(ref.port), hostname)
        is_dormant = hostname not in attachment.led
        narrows = is_dormant or hostname in attachment.narrowing
        for match in route.matches:
            ask = Ask(ref, hostname, match, namespace)
            yield ask, Claim(place, match, namespace, ref.parent, narrows, is_dormant)

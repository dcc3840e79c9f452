"""The book of routes: who claims what in one Destination, and whether one more may.

A request that holds a claim keeps it, whatever others have come to since: only what is new to a
request is judged against others. Whether its listeners take it is judged always.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from troth.api import RequestKey
from troth.engine.routes.claims import Claim, Find, Held, asks, claims_of, tried
from troth.engine.routes.index import RouteIndex
from troth.engine.routes.listening import ParentIndex, sockets_of
from troth.engine.routes.match import Match, is_below
from troth.engine.routes.parts import Parent
from troth.engine.routes.traits import Traits
from troth.engine.routes.verdicts import (
    held,
    listener_held,
    not_attached,
    set_not_allowed,
    stands_twice,
    would_take,
)
from troth.engine.values import ObjectId

__all__ = ["RouteBook"]

_NOTHING = Traits()


class _Wish(NamedTuple):
    """A claim of a request that is being judged."""

    route: ObjectId
    claim: Claim
    is_new: bool


class RouteBook:
    """Who claims which routes in one Destination, through one run.

    Args:
        holders: the traits of all requests that the store holds there, in any order.
    """

    def __init__(self, holders: Mapping[RequestKey, Traits]) -> None:
        self._traits: dict[RequestKey, Traits] = {}
        self._claims: dict[RequestKey, frozenset[Claim]] = {}
        self._attached: dict[ObjectId, set[RequestKey]] = {}
        self._parents = ParentIndex()
        self._routes = RouteIndex()
        for key in sorted(holders):
            self._parents.put(key, holders[key].parents)
        for key in sorted(holders):
            self._enter(key, holders[key])

    def judge(self, key: RequestKey, traits: Traits) -> None:
        """Refuse what a request may not have; nothing is written down.

        That it may have its objects, its Gateways among them, has to be known already.

        Args:
            key: who asks; what it held before is in nobody's way, and stays its own.
            traits: all that it is to hold.

        Raises:
            HeldError: another request has the same route or listener (RouteHeld), or has to
                give its leave (RouteNotAllowed).
            OutputRefusedError: the request's own Gateway, or one that nobody here makes, does not
                take a route (RouteNotAllowed); two of its routes claim the same (DuplicateObject).
        """
        if not traits:
            return
        own = {parent.identity: parent for parent in traits.parents}

        def find(identity: ObjectId) -> Parent | None:
            return own.get(identity) or self._parents.find(identity, besides=key)

        self._judge_parents(key, traits, find)
        wishes = list(self._wishes(key, traits, find))
        _refuse_twice(wishes)
        for wish in wishes:
            if wish.is_new:
                self._judge_held(key, wish)
                self._judge_taken(key, wish, find)

    def take(self, key: RequestKey, traits: Traits) -> None:
        """Write down that a request holds this and nothing else, unjudged.

        No traits mean that it has let go of everything.
        """
        changed = self._parents.put(key, traits.parents)
        if changed or traits != self._traits.get(key, _NOTHING):
            self._enter(key, traits)
        waiting = {other for identity in changed for other in self._attached.get(identity, ())}
        for other in sorted(waiting - {key}):
            self._enter(other, self._traits[other])

    def _enter(self, key: RequestKey, traits: Traits) -> None:
        """Work out anew what a request claims, with the parents as they are now."""
        before = self._traits.get(key, _NOTHING)
        for identity in _referred(before):
            self._attached[identity].discard(key)
        for identity in _referred(traits):
            self._attached.setdefault(identity, set()).add(key)
        claims = dict.fromkeys(
            claim
            for route, ref, attachment in tried(key, traits, self._parents.find)
            for _, claim in claims_of(key, route, ref, attachment)
        )
        for claim in self._claims.get(key, ()):
            self._routes.remove(claim, key)
        for claim in claims:
            self._routes.add(claim, key)
        self._traits[key] = traits
        self._claims[key] = frozenset(claims)

    def _judge_parents(self, key: RequestKey, traits: Traits, find: Find) -> None:
        for parent in traits.parents:
            gateway = find(parent.gateway)
            if gateway is None or gateway is parent:
                continue
            if not gateway.listener_sets.admits(parent.identity.namespace or key.namespace):
                provider = self._parents.provider(gateway.identity, besides=key)
                raise set_not_allowed(parent, gateway, provider)
        had = self._parents.had(key)
        for socket, (parent, _) in sockets_of(traits.parents).items():
            other = self._parents.listening(socket, besides=key)
            if other is not None and socket not in had:
                raise listener_held(parent.identity, socket, other)

    def _wishes(self, key: RequestKey, traits: Traits, find: Find) -> Iterator[_Wish]:
        had = asks(key, self._traits.get(key, _NOTHING))
        for route, ref, attachment in tried(key, traits, find):
            if attachment.problem is not None:
                provider = self._parents.provider(ref.parent, besides=key)
                raise not_attached(route.identity, ref.parent, attachment.problem, provider)
            for ask, claim in claims_of(key, route, ref, attachment):
                yield _Wish(route.identity, claim, ask not in had)

    def _judge_held(self, key: RequestKey, wish: _Wish) -> None:
        others = {one.key for one in self._routes.holders(wish.claim)} - {key}
        if others:
            raise held(wish.route, wish.claim, min(others))

    def _judge_taken(self, key: RequestKey, wish: _Wish, find: Find) -> None:
        if _delegated(find(wish.claim.place.gateway), wish.claim):
            return
        for loser in self._routes.losers(wish.claim):
            if loser.key != key and not _settled_in_set(loser, wish.claim, find):
                raise would_take(wish.route, wish.claim, loser)


def _referred(traits: Traits) -> set[ObjectId]:
    return {ref.parent for route in traits.routes for ref in route.parents}


def _delegated(parent: Parent | None, claim: Claim) -> bool:
    """Tell whether a parent's owner lets a namespace claim this."""
    return parent is not None and any(
        one.namespace == claim.namespace and is_below(claim.match.anchor, one.path)
        for one in parent.delegations
    )


def _settled_in_set(loser: Held, claim: Claim, find: Find) -> bool:
    """Tell whether both routes are of one ListenerSet, whose owner has given consent.

    That owner has no say over routes of the Gateway, or of its other ListenerSets.
    """
    return loser.claim.parent == claim.parent and _delegated(find(claim.parent), claim)


def _refuse_twice(wishes: list[_Wish]) -> None:
    """Refuse two routes of one request that claim the same, unless they did so before."""
    seen: dict[tuple[ObjectId, str, Match], list[_Wish]] = {}
    for wish in wishes:
        place = wish.claim.place
        same = seen.setdefault((place.gateway, place.host, wish.claim.match), [])
        for other in same:
            if other.route == wish.route or not other.claim.place.scope.overlaps(place.scope):
                continue
            if wish.is_new or other.is_new:
                raise stands_twice(other.route, wish.route, wish.claim)
        same.append(wish)

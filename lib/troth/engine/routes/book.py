"""The book of routes: who claims what in one Destination, and whether one more may.

A request that holds a claim keeps it, whatever others have come to since: only what is new to a
request is judged against others. Whether its listeners take it is judged always. What they no
longer take is still the request's, so that it has it alone when they take it again.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from troth.api import RequestKey
from troth.engine.routes.claims import Claim, Find, Held, asks, claims_of, tried, words_of
from troth.engine.routes.index import RouteIndex, WordIndex
from troth.engine.routes.listening import ParentIndex, ParentView, sockets_of
from troth.engine.routes.match import Match, is_below
from troth.engine.routes.parts import Parent
from troth.engine.routes.traits import Traits
from troth.engine.routes.verdicts import (
    held,
    held_by_words,
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
    """A claim of a request that is being judged, or a word."""

    route: ObjectId
    claim: Claim
    is_new: bool


class _Wishes(NamedTuple):
    """All that a request asks for."""

    claims: list[_Wish]
    words: list[_Wish]


class _Entry(NamedTuple):
    """What a request holds with the parents as they are."""

    claims: frozenset[Claim] = frozenset()
    words: tuple[Claim, ...] = ()


class RouteBook:
    """Who claims which routes in one Destination, through one run.

    Args:
        holders: the traits of all requests that the stores hold there, in any order.
    """

    def __init__(self, holders: Mapping[RequestKey, Traits]) -> None:
        self._traits: dict[RequestKey, Traits] = {}
        self._entries: dict[RequestKey, _Entry] = {}
        self._attached: dict[ObjectId, set[RequestKey]] = {}
        self._parents = ParentIndex()
        self._routes = RouteIndex()
        self._dormant = WordIndex()
        # Made when it is first needed: few ask for a host that no listener takes.
        self._words: WordIndex | None = None
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
        seen = ParentView(self._parents, key, traits.parents)
        self._judge_parents(key, traits, seen.find)
        wishes = self._wishes(key, traits, seen.find)
        _refuse_twice(wishes.claims)
        for wish in wishes.claims:
            if wish.is_new:
                self._judge_held(key, wish)
                self._judge_taken(wish, seen, self._routes.losers(wish.claim))
        for wish in wishes.words:
            if wish.is_new:
                # Two that both lead somewhere meet where they lead, or not at all.
                index = self._all_words() if wish.claim.is_dormant else self._dormant
                self._judge_words(key, wish, index.holders(wish.claim))
                self._judge_taken(wish, seen, index.losers(wish.claim))

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

    def shared(self, key: RequestKey) -> Iterator[tuple[Claim, RequestKey]]:
        """Return what a request takes that others take too, and who does, in no order."""
        for claim in self._entries.get(key, _Entry()).claims:
            for other in self._routes.holders(claim):
                if other.key != key:
                    yield claim, other.key

    def _enter(self, key: RequestKey, traits: Traits) -> None:
        """Work out anew what a request claims, with the parents as they are now."""
        before = self._traits.get(key, _NOTHING)
        for identity in _referred(before):
            self._attached[identity].discard(key)
        for identity in _referred(traits):
            self._attached.setdefault(identity, set()).add(key)
        claims: dict[Claim, None] = {}
        words: dict[Claim, None] = {}
        for route, ref, attachment in tried(key, traits, self._parents.find):
            claims.update((claim, None) for _, claim in claims_of(key, route, ref, attachment))
            words.update((word, None) for _, word in words_of(key, route, ref, attachment))
        old = self._entries.get(key, _Entry())
        for claim in old.claims:
            self._routes.remove(claim, key)
        for word in old.words:
            for index in self._indexes_of(word):
                index.remove(word, key)
        for claim in claims:
            self._routes.add(claim, key)
        for word in words:
            for index in self._indexes_of(word):
                index.add(word, key)
        self._traits[key] = traits
        self._entries[key] = _Entry(frozenset(claims), tuple(words))

    def _indexes_of(self, word: Claim) -> Iterator[WordIndex]:
        if word.is_dormant:
            yield self._dormant
        if self._words is not None:
            yield self._words

    def _all_words(self) -> WordIndex:
        if self._words is None:
            self._words = WordIndex()
            for key in sorted(self._entries):
                for word in self._entries[key].words:
                    self._words.add(word, key)
        return self._words

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

    def _wishes(self, key: RequestKey, traits: Traits, find: Find) -> _Wishes:
        wishes = _Wishes([], [])
        had = asks(key, self._traits.get(key, _NOTHING))
        for route, ref, attachment in tried(key, traits, find):
            if attachment.problem is not None:
                provider = self._parents.provider(ref.parent, besides=key)
                raise not_attached(route.identity, ref.parent, attachment.problem, provider)
            for ask, claim in claims_of(key, route, ref, attachment):
                wishes.claims.append(_Wish(route.identity, claim, ask not in had))
            for ask, word in words_of(key, route, ref, attachment):
                wishes.words.append(_Wish(route.identity, word, ask not in had))
        return wishes

    def _judge_held(self, key: RequestKey, wish: _Wish) -> None:
        others = {one.key for one in self._routes.holders(wish.claim)} - {key}
        if others:
            raise held(wish.route, wish.claim, min(others))

    def _judge_words(self, key: RequestKey, wish: _Wish, holders: Iterable[Held]) -> None:
        others = [other for other in holders if other.key != key]
        if others:
            other = min(others, key=lambda one: (one.key, str(one.claim)))
            raise held_by_words(wish.route, wish.claim, other)

    def _judge_taken(self, wish: _Wish, seen: ParentView, losers: Iterable[Held]) -> None:
        claim = wish.claim
        if _delegated(seen.find(claim.place.gateway), claim):
            return
        for loser in losers:
            if loser.key == seen.key:
                continue
            # Where both hang on one ListenerSet, its owner can settle it as well; that owner has
            # no say over routes of the Gateway, or of its other ListenerSets.
            same = loser.claim.parent == claim.parent
            parent = claim.parent if same else claim.place.gateway
            if not _delegated(seen.find(parent), claim):
                raise would_take(wish.route, claim, loser, parent, seen.provider(parent))


def _referred(traits: Traits) -> set[ObjectId]:
    return {ref.parent for route in traits.routes for ref in route.parents}


def _delegated(parent: Parent | None, claim: Claim) -> bool:
    """Tell whether a parent's owner lets a namespace claim this."""
    return parent is not None and any(
        one.namespace == claim.namespace and is_below(claim.match.anchor, one.path)
        for one in parent.delegations
    )


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

"""Disputes: what two records hold that only one request can have.

A run lets nobody have what another holds. So a dispute tells of something that was edited or
restored by hand, or, with routes, of a Gateway that has changed since. Called by ``verify``.
"""

from collections.abc import Collection, Hashable, Iterable, Iterator
from typing import TypeVar

from troth.api import RequestKey
from troth.engine.ledger import Ledger
from troth.engine.proof import Flaw, Problem, few
from troth.engine.routes import Traits, rivals

__all__ = ["disputes"]

T = TypeVar("T", bound=Hashable)


def disputes(ledger: Ledger) -> dict[RequestKey, list[Problem]]:
    """Return by request what another, or another placement of its own, claims as well."""
    placements = [
        (key, placement)
        for key, entry in sorted(ledger.entries.items())
        for placement in entry.record.placements
    ]
    objects = (((p.destination, one), key) for key, p in placements for one in p.objects)
    files = ((spot, key) for key, p in placements for spot in p.spots)
    problems: dict[RequestKey, list[Problem]] = {}
    for (destination, identity), keys in _twice(objects).items():
        for key in set(keys):
            text = f"{identity} in Destination {destination} is held by {_others(key, keys)} too."
            problems.setdefault(key, []).append(Problem(Flaw.OBJECT_HELD_TWICE, text))
    for spot, keys in _twice(files).items():
        for key in set(keys):
            text = f"the file {spot} is held by {_others(key, keys)} too."
            problem = Problem.at(Flaw.FILE_HELD_TWICE, text, [spot])
            problems.setdefault(key, []).append(problem)
    for destination, claim, keys in _routes_held_twice(ledger):
        for key in keys:
            text = f"{claim} in Destination {destination} is held by {_others(key, keys)} too."
            problems.setdefault(key, []).append(Problem(Flaw.ROUTE_HELD_TWICE, text))
    return problems


def _routes_held_twice(ledger: Ledger) -> Iterator[tuple[str, str, list[RequestKey]]]:
    """Return Destinations, and the claims there that several requests hold, with all of them."""
    there: dict[str, dict[RequestKey, Traits]] = {}
    for key, entry in ledger.entries.items():
        for destination, traits in entry.record.traits.items():
            there.setdefault(destination, {})[key] = traits
    for destination, holders in sorted(there.items()):
        claims: dict[str, set[RequestKey]] = {}
        for key, other, claim in rivals(holders):
            claims.setdefault(claim, set()).update((key, other))
        for claim, keys in sorted(claims.items()):
            yield destination, claim, sorted(keys)


def _twice(claims: Iterable[tuple[T, RequestKey]]) -> dict[T, list[RequestKey]]:
    """Return what is claimed more than once, with everybody who does."""
    first: dict[T, RequestKey] = {}
    twice: dict[T, list[RequestKey]] = {}
    for thing, key in claims:
        if thing in first:
            twice.setdefault(thing, [first[thing]]).append(key)
        else:
            first[thing] = key
    return twice


def _others(key: RequestKey, keys: Collection[RequestKey]) -> str:
    return few(sorted(set(keys) - {key})) or "another of its own groups"

"""Moves: what was in one place and belongs in another, since its Destination has changed.

The new place is written first and the old one cleaned then. Within one store both go in one change
set. Of several stores the record's is the hinge: it remembers an old place elsewhere until that is
clean, so that a run that was cut off, or could not reach the store, loses nothing.
"""

from collections.abc import Collection, Iterable, Mapping

from troth.engine.draft import Draft
from troth.engine.record import Record
from troth.engine.values import Placement, Spot, World
from troth.engine.view import View

__all__ = ["how_moved", "left_elsewhere", "not_clean", "out_of_reach", "places_of", "stores_of"]


def stores_of(record: Record, world: World) -> set[str]:
    """Return the stores that a request has files in, without those that it moves out of."""
    return {
        one.store
        for one in record.placements
        if (destination := world.destinations.get(one.destination)) is None
        or world.store_of(destination) == one.store
    }


def out_of_reach(placements: Iterable[Placement], view: View) -> tuple[Placement, ...]:
    """Return those of some places that nothing can be removed from in this run."""
    return tuple(one for one in placements if one.store not in view.snapshots)


def not_clean(
    placements: Iterable[Placement], observed: Mapping[Spot, str], view: View
) -> tuple[Placement, ...]:
    """Return those of some old places where something stands, or may stand."""
    return tuple(
        one
        for one in placements
        if one.store not in view.snapshots or any(one.owns(spot) for spot in observed)
    )


def left_elsewhere(draft: Draft, stale: Collection[Spot]) -> list[Placement]:
    """Return the old places that are cleaned only after the record is written.

    These are in other stores than the record's: a place in its own goes with it, and what is
    written anew elsewhere goes before it.
    """
    if draft.record is None:
        return []
    now = {_group_of(placement): placement.store for placement in draft.placements}
    return [
        one
        for one in draft.record.placements
        if one.store != draft.home
        and now.get(_group_of(one), one.store) != one.store
        and any(one.owns(spot) for spot in stale)
    ]


def how_moved(now: Iterable[Placement], before: Iterable[Placement]) -> str | None:
    """Say from where to where groups have moved that were there before, None if none has."""
    old = {_group_of(one): Spot(one.store, one.path) for one in before}
    moves: list[str] = []
    for one in now:
        here = Spot(one.store, one.path)
        there = old.get(_group_of(one), here)
        if there != here:
            moves.append(f"from {str(there) or 'the root'} to {str(here) or 'the root'}")
    return f"its files move {', '.join(sorted(moves))}." if moves else None


def places_of(placements: Iterable[Placement]) -> list[tuple[str, Spot]]:
    """Return Destination and folder of each placement, sorted."""
    return sorted((one.destination, Spot(one.store, one.path)) for one in placements)


def _group_of(placement: Placement) -> tuple[str, str, str]:
    return placement.group.pipeline, placement.group.directory, placement.destination

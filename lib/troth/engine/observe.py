"""Observe: what a request's folders hold now, against what its record says they should."""

from collections.abc import Mapping
from enum import Enum, auto

from troth.api import RequestKey
from troth.engine.digest import output_digest
from troth.engine.place import file_of, folder_of
from troth.engine.record import Record
from troth.engine.values import Spot, World
from troth.engine.view import View

__all__ = ["NOWHERE", "Sight", "compare", "observe"]

NOWHERE = World({}, {})
"""No Destination at all, for those who look at what records name and nothing else."""


class Sight(Enum):
    """How the files of a request compare with its record."""

    INTACT = auto()
    """They are what was written last."""
    REVERTED = auto()
    """They are what was written earlier: somebody rolled the branch back."""
    DRIFTED = auto()
    """They are something else."""


def observe(key: RequestKey, record: Record | None, world: World, view: View) -> dict[Spot, str]:
    """Return the digest of every file that belongs to a request.

    Args:
        key: the request.
        record: what is remembered of it; its files and folders count wherever they are, those
            that it has moved out of included.
        world: in each of its Destinations there may be a folder that is the request's, whether it
            has been placed there or not, so that what was left behind there is found.
        view: the moment of the stores.
    """
    places = {
        Spot(world.store_of(destination), folder)
        for destination in world.destinations.values()
        if (folder := folder_of(destination, key)) is not None
    }
    shared = {
        Spot(world.store_of(one), file)
        for one in world.destinations.values()
        if (file := file_of(one)) is not None
    }
    found: dict[Spot, str] = {}
    for placement in (*record.placements, *record.leaving) if record is not None else ():
        if placement.owned is not None:
            places.add(Spot(placement.store, placement.owned))
            continue
        # One that is shared now is taken over document by document, and a folder of that name is
        # somebody else's.
        for spot in set(placement.spots) - shared:
            found |= {at: digest for at, digest in view.digests(spot).items() if at == spot}
    for place in sorted(places):
        found |= view.digests(place)
    return found


def compare(record: Record, observed: Mapping[Spot, str], home: str) -> Sight:
    """Tell how what was observed compares with the digests of the last outputs."""
    if not record.outputs:
        return Sight.INTACT if not observed else Sight.DRIFTED
    seen = output_digest(observed, home)
    if seen == record.outputs[0]:
        return Sight.INTACT
    return Sight.REVERTED if observed and seen in record.outputs else Sight.DRIFTED

"""Adopt: take over what Kratix wrote.

In the layout ``none`` Kratix keeps, for each of its placements, a file ``.kratix/<name>.yaml`` that
lists what it wrote. Who renders one of those files now may write it. What nobody renders any more
goes, and with it the list, since records take its place: in the change of the first who renders any
of it. What nobody renders any of stays, and is said. In ``aggregatedYAML`` there are no lists, see
``strays``; in ``nestedByMetadata`` a request's folder is its own, whoever wrote it, see
``job_folders`` for one that is elsewhere.
Source: Kratix's workplacement controller (``workplacement_controller.go``).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from troth.api import Layout
from troth.engine.change import Change
from troth.engine.draft import Draft
from troth.engine.kratix_lists import read_lists
from troth.engine.ledger import Ledger
from troth.engine.sites import given_sites
from troth.engine.strays import Strays
from troth.engine.values import Item, Placement, Spot, World
from troth.engine.view import View

__all__ = ["Adoptions"]


class Adoptions:
    """What Kratix left behind in the Destinations of a run.

    Args:
        world: the Destinations.
        ledger: what the stores hold.
    """

    def __init__(self, world: World, ledger: Ledger) -> None:
        self._lists: dict[Spot, Spot] = {}
        self._files: dict[Spot, dict[Spot, str]] = {}
        self._strays = Strays.at(given_sites(world), ledger.view)
        held = ledger.holdings.files
        for site in given_sites(world):
            if site.layout is Layout.NONE:
                self._read(site.root, ledger.view, held.keys())

    def _read(self, root: Spot, view: View, held: Collection[Spot]) -> None:
        for spot, files in read_lists(view, root, held).items():
            self._files[spot] = files
            self._lists |= dict.fromkeys(files.keys() - {spot}, spot)

    def own(self, placements: Iterable[Placement]) -> Mapping[Spot, str]:
        """Return the files, with their digests, that are rendered and that Kratix wrote."""
        placed = list(placements)
        listed = {
            spot: self._files[self._lists[spot]][spot]
            for placement in placed
            if placement.owned is None
            for spot in placement.spots
            if spot in self._lists
        }
        return {**listed, **self._strays.own(placed)}

    def bequeath(
        self, drafts: Sequence[tuple[Draft, Change | None]], written: Collection[Spot]
    ) -> list[tuple[Draft, Change | None]]:
        """Add to each change what it inherits that nobody writes any more.

        Args:
            drafts: with their changes, in the order in which they were decided.
            written: all that is held at the end of the run.
        """
        left, between = dict(self._files), self._strays.between(drafts)
        found: list[tuple[Draft, Change | None]] = []
        for draft, change in drafts:
            spots = {spot for one in draft.placements for spot in one.spots}
            mine = {self._lists[spot] for spot in spots & self._lists.keys()}
            orphans = {file for name in mine for file in left.pop(name, {}) if file not in written}
            orphans |= between.get(draft.key, set())
            found.append((draft, _removing(change, orphans) if change is not None else None))
        return found

    def left(self, drafts: Sequence[tuple[Draft, Change | None]]) -> list[Item]:
        """Report what stays since nobody who came through renders any of it.

        Args:
            drafts: as `bequeath` returned them.
        """
        return self._strays.left(drafts)


def _removing(change: Change, files: Collection[Spot]) -> Change:
    parts = {
        store: replace(part, delete=part.delete | {f.path for f in files if f.store == store})
        for store, part in change.parts.items()
    }
    return replace(change, parts=parts)

"""Adopt: take over what Kratix wrote in the layout ``none``.

There Kratix keeps, for each of its placements, a file ``.kratix/<name>.yaml`` that lists what it
wrote. Who renders one of those files now may write it. What nobody renders any more goes, and with
it the list, since records take its place: in the change of the first who renders any of it.
Source: Kratix's workplacement controller (``workplacement_controller.go``).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from troth.api import Destination, Fields, Layout, load_object
from troth.engine.change import Change
from troth.engine.draft import Draft
from troth.engine.ledger import Ledger
from troth.engine.values import Placement, Spot, World
from troth.errors import TrothError
from troth_statestore import flat_file

__all__ = ["LISTS", "Adoptions"]

LISTS = ".kratix"
"""The folder of the lists, below a Destination's path; no stage may write there."""


class Adoptions:
    """What Kratix left behind in the Destinations of a run.

    A list is believed only of files below its own Destination, and only of those that no record
    says the owner of.

    Args:
        world: the Destinations; only those of the layout ``none`` have such lists.
        ledger: what the stores hold.
    """

    def __init__(self, world: World, ledger: Ledger) -> None:
        self._lists: dict[Spot, Spot] = {}
        self._files: dict[Spot, dict[Spot, str]] = {}
        held = ledger.file_holders()
        for destination in world.destinations.values():
            if destination.layout is Layout.NONE:
                self._read(destination, world.store_of(destination), ledger, held.keys())

    def _read(
        self, destination: Destination, store: str, ledger: Ledger, held: Collection[Spot]
    ) -> None:
        view = ledger.view
        lists = view.digests(Spot(store, flat_file(destination.path, LISTS)))
        prefix = flat_file(destination.path, "x").removesuffix("x")
        for spot, content in sorted(view.read(lists).items()):
            if spot in held:
                continue
            found = {
                file: digest
                for path in _listed(content, spot)
                if path.startswith(prefix)
                for file, digest in view.digests(Spot(store, path)).items()
                if file.path == path and file not in held
            }
            self._files[spot] = {**found, spot: lists[spot]}
            self._lists |= dict.fromkeys(found, spot)

    def own(self, placements: Iterable[Placement]) -> Mapping[Spot, str]:
        """Return the files, with their digests, that are rendered and that Kratix wrote."""
        return {
            spot: self._files[self._lists[spot]][spot]
            for placement in placements
            if placement.owned is None
            for spot in placement.spots
            if spot in self._lists
        }

    def bequeath(
        self, drafts: Iterable[tuple[Draft, Change | None]], written: Collection[Spot]
    ) -> list[tuple[Draft, Change | None]]:
        """Add to each change what it inherits that nobody writes any more.

        Args:
            drafts: with their changes, in the order in which they were decided.
            written: all that is held at the end of the run.
        """
        left = dict(self._files)
        found: list[tuple[Draft, Change | None]] = []
        for draft, change in drafts:
            mine = {self._lists[spot] for spot in self.own(draft.placements)}
            orphans = {file for name in mine for file in left.pop(name, {}) if file not in written}
            found.append((draft, _removing(change, orphans) if change is not None else None))
        return found


def _removing(change: Change, files: Collection[Spot]) -> Change:
    parts = {
        store: replace(part, delete=part.delete | {f.path for f in files if f.store == store})
        for store, part in change.parts.items()
    }
    return replace(change, parts=parts)


def _listed(content: bytes, spot: Spot) -> tuple[str, ...]:
    """Return the files that a list names; none when it is no list of Kratix's."""
    try:
        text = content.decode("utf-8", errors="replace")
        return Fields(load_object(text, str(spot))).texts("files")
    except TrothError:
        return ()  # not Kratix's, so it stays where it is, and what it names is nobody's

"""Adopt: take over what Kratix wrote.

In the layout ``none`` Kratix keeps, for each of its placements, a file ``.kratix/<name>.yaml`` that
lists what it wrote. Who renders one of those files now may write it. What nobody renders any more
goes, and with it the list, since records take its place: in the change of the first who renders any
of it. What nobody renders any of stays, and is said. In ``aggregatedYAML`` there are no lists, see
``strays``; in ``nestedByMetadata`` a request's folder is its own, whoever wrote it.
Source: Kratix's workplacement controller (``workplacement_controller.go``).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from troth.api import Destination, Fields, Layout, load_object
from troth.engine.change import Change
from troth.engine.draft import Draft
from troth.engine.ledger import Ledger
from troth.engine.report import of_destination
from troth.engine.strays import Strays
from troth.engine.values import Item, Placement, Spot, World
from troth.errors import TrothError
from troth_statestore import flat_file

__all__ = ["LISTS", "Adoptions"]

LISTS = ".kratix"
"""The folder of the lists, below a Destination's path; no stage may write there."""

# Lists that a message names before it only counts them.
_NAMED = 5


class Adoptions:
    """What Kratix left behind in the Destinations of a run.

    A list is believed only of files below its own Destination, and only of those that no record
    says the owner of.

    Args:
        world: the Destinations.
        ledger: what the stores hold.
    """

    def __init__(self, world: World, ledger: Ledger) -> None:
        self._lists: dict[Spot, Spot] = {}
        self._files: dict[Spot, dict[Spot, str]] = {}
        self._destinations: dict[Spot, str] = {}
        self._strays = Strays.of(world, ledger)
        held = ledger.file_holders()
        for destination in world.destinations.values():
            if destination.layout is Layout.NONE:
                self._read(destination, world.store_of(destination), ledger, held.keys())

    def _read(
        self, destination: Destination, store: str, ledger: Ledger, held: Collection[Spot]
    ) -> None:
        view = ledger.view
        lists = view.digests(Spot(store, flat_file(destination.path, LISTS)))
        for spot, content in sorted(view.read(lists).items()):
            if spot in held:
                continue
            names = (Spot(store, path) for path in _listed(content, spot, destination.path))
            there = {file: view.digests(file).get(file) for file in names if file not in held}
            found = {file: digest for file, digest in there.items() if digest is not None}
            self._files[spot] = {**found, spot: lists[spot]}
            self._destinations[spot] = destination.name
            self._lists |= dict.fromkeys(found, spot)

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
        taken = {spot for _, change in drafts if change is not None for spot in change.delete}
        left: dict[str, list[Spot]] = {}
        for spot in sorted(self._files.keys() - taken):
            left.setdefault(self._destinations[spot], []).append(spot)
        items = [of_destination(name, spots[0], _kept(spots)) for name, spots in left.items()]
        return [*items, *self._strays.left(drafts)]


def _kept(lists: Sequence[Spot]) -> str:
    return (
        f"nobody rendered what Kratix's lists name: {', '.join(str(one) for one in lists[:_NAMED])}"
        f"{f' and {len(lists) - _NAMED} more' if len(lists) > _NAMED else ''}; they and their "
        "files are kept. Remove them by hand if nobody needs them."
    )


def _removing(change: Change, files: Collection[Spot]) -> Change:
    parts = {
        store: replace(part, delete=part.delete | {f.path for f in files if f.store == store})
        for store, part in change.parts.items()
    }
    return replace(change, parts=parts)


def _listed(content: bytes, spot: Spot, root: str) -> list[str]:
    """Return the files below a Destination's path that a list names; none when it is no list."""
    try:
        text = content.decode("utf-8", errors="replace")
        names = Fields(load_object(text, str(spot))).texts("files")
    except TrothError:
        return []  # not Kratix's, so it stays where it is, and what it names is nobody's
    paths = [name.lstrip("/") for name in names]
    below = flat_file(root, "x").removesuffix("x")
    if all(path.startswith(below) for path in paths):
        return paths
    # Older versions of Kratix left the Destination's path out, of all files of a list.
    return [flat_file(root, path) for path in paths]

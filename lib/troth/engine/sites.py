"""Sites: where Destinations are, and where records say that they were."""

from collections.abc import Sequence
from typing import NamedTuple

from troth.api import Destination, Layout, RequestKey
from troth.engine.canary import CANARY_FILES
from troth.engine.ledger import Ledger
from troth.engine.place import root_of
from troth.engine.proof import destination_root
from troth.engine.values import Placement, Spot, World
from troth_statestore import KEPT, flat_file

__all__ = ["MANAGED", "Site", "folder_in", "given_sites", "recorded_sites"]

MANAGED = ("resources", "dependencies")
"""The folders below a root in which requests and Promises have folders of their own."""


class Site(NamedTuple):
    """Where a Destination is, or was.

    `root` is the folder in which requests have folders of their own, in the layout
    ``aggregatedYAML`` inside its one file; in the layout ``none`` it is the Destination's path.
    """

    destination: str
    layout: Layout
    root: Spot

    @property
    def file(self) -> Spot:
        """Its one file, in the layout ``aggregatedYAML``."""
        return Spot(self.root.store, self.root.path.removesuffix("/"))

    @property
    def kept(self) -> Spot:
        """Where the documents of its one file are that nobody has taken over."""
        return Spot(self.root.store, f"{self.prefix}{KEPT}")

    @property
    def folder(self) -> Spot:
        """The Destination's path."""
        if self.layout is Layout.AGGREGATED:
            return Spot(self.root.store, self.file.path.rpartition("/")[0])
        return self.root

    @property
    def canaries(self) -> list[Spot]:
        """Where Kratix writes its canaries."""
        nested = self.layout is Layout.NESTED
        names = (path if nested else path.rpartition("/")[2] for path in CANARY_FILES)
        return [Spot(self.root.store, flat_file(self.folder.path, name)) for name in names]

    @property
    def managed(self) -> Sequence[str]:
        """The folders below its root in which nothing is but what requests own, or ought to."""
        return (*MANAGED, KEPT) if self.layout is Layout.AGGREGATED else MANAGED

    def manages(self, spot: Spot) -> bool:
        """Tell whether a file or folder is where requests have folders, or documents, here."""
        if spot.store != self.root.store or self.layout is Layout.NONE:
            return False
        return any(f"{spot.path}/".startswith(f"{self.prefix}{kind}/") for kind in self.managed)

    @property
    def prefix(self) -> str:
        """What the paths of all files below its root begin with."""
        return f"{self.root.path}/" if self.root.path else ""


def given_sites(world: World) -> list[Site]:
    """Return where the Destinations are that are given, by name."""
    return [_given(one, world) for _, one in sorted(world.destinations.items())]


def _given(destination: Destination, world: World) -> Site:
    root = root_of(destination)
    path = destination.path if root is None else root
    return Site(destination.name, destination.layout, Spot(world.store_of(destination), path))


def recorded_sites(ledger: Ledger) -> dict[Site, set[RequestKey]]:
    """Return where records say that Destinations are, and who has files there."""
    found: dict[Site, set[RequestKey]] = {}
    for key, entry in ledger.entries.items():
        for placement in entry.record.placements:
            site = _recorded(placement, key)
            if site is not None:
                found.setdefault(site, set()).add(key)
    return found


def _recorded(placement: Placement, key: RequestKey) -> Site | None:
    """Return where a Destination was when it was given a group; None when nobody can tell."""
    name, store = placement.destination, placement.store
    if placement.owned is None:
        return Site(name, Layout.NONE, Spot(store, placement.path))
    root = destination_root(placement.owned, key)
    if root is None:
        return None
    layout = Layout.AGGREGATED if root.endswith("/") else Layout.NESTED
    return Site(name, layout, Spot(store, root))


def folder_in(path: str) -> tuple[RequestKey, str] | None:
    """Return whose a file below a root would be by its folder, and the folder; None of a loose one.

    Args:
        path: below the root, e.g. ``resources/team/thing/one/configure/5058f/objects.yaml``.
    """
    match path.split("/", 4):
        case ["resources", namespace, promise, name, _]:
            key = RequestKey(namespace, promise, name)
            return key, f"resources/{namespace}/{promise}/{name}"
        case ["dependencies", promise, _, *_]:
            return RequestKey.of_promise(promise), f"dependencies/{promise}"
        case _:
            return None

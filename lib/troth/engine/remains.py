"""Remains: what stands where Destinations are, or were, and is nobody's.

Kratix leaves folders of requests that nobody hands in, and a Destination that moves leaves what no
request could take along. Nobody can prove whose that is, so it is never removed: it is kept, and
said in one line for each Destination. What is left at an old place is written down in the record of
the Destination, for nothing else would tell of that place again.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from troth.api import Layout, RequestKey
from troth.engine.canary import CANARY_FILES
from troth.engine.change import Change
from troth.engine.destination_record import known_destinations
from troth.engine.draft import Draft
from troth.engine.kratix_lists import read_lists
from troth.engine.ledger import Ledger, names_in
from troth.engine.proof import few
from troth.engine.report import of_destination
from troth.engine.sites import MANAGED, Site, folder_in, given_sites, recorded_sites
from troth.engine.values import Item, Spot, World
from troth_statestore import KEPT, split_place

__all__ = ["NO_REMAINS", "Remains", "find_remains", "remains_on_record"]

# How Kratix lays files out in ``nestedByMetadata``: the id of a workload group stands before the
# file. Source: Kratix's workplacement controller (``workplacement_controller.go``).
_NESTED = re.compile(r"(?:resources(?:/[^/]+){4}|dependencies(?:/[^/]+){1,2})/[0-9a-f]{5}/")


@dataclass(frozen=True, slots=True)
class Remains:
    """What is nobody's, by Destination: folders, and files that lie in none.

    Attributes:
        here: where the Destination is, and laid out as it is.
        others: where it is, and laid out as in another layout.
        behind: where it was.
    """

    here: Mapping[str, Sequence[Spot]]
    others: Mapping[str, Sequence[Spot]]
    behind: Mapping[str, Sequence[Spot]]

    @property
    def items(self) -> list[Item]:
        """Lines for Destinations; those on one are to be put together."""
        return [
            *_lines(self.here, "nobody's, and kept", "Hand in what brought it, or remove"),
            *_lines(self.others, "of another layout, nobody's, and kept", "Remove"),
            *_lines(self.behind, "where it was before it moved, nobody's, and kept", "Remove"),
        ]


NO_REMAINS = Remains({}, {}, {})


def _lines(found: Mapping[str, Sequence[Spot]], what: str, advice: str) -> Iterator[Item]:
    for name, spots in found.items():
        if spots:
            told = few(dict.fromkeys(_told(spot) for spot in spots))
            yield of_destination(
                name, spots, f"{what}: {told}. {advice} it by hand if nobody needs it."
            )


def _told(spot: Spot) -> str:
    """Return what people are told a place by: of a part of a file, which part it is."""
    path, piece = split_place(spot.path)
    file = str(spot._replace(path=path))
    if not piece:
        return file
    return f"{'documents' if piece == KEPT else piece} in {file}"


def find_remains(
    world: World,
    ledger: Ledger,
    present: Iterable[RequestKey | None],
    drafts: Iterable[tuple[Draft, Change | None]],
    held: Iterable[Spot],
) -> Remains:
    """Find what is nobody's in the places of the Destinations that are given.

    Args:
        world: the Destinations.
        ledger: what the stores hold.
        present: who was handed in, whatever became of it.
        drafts: those that came through, with their changes: what these remove goes.
        held: files that are somebody's at the end of the run, of those in no folder of their own.
    """
    taken = (spot for _, change in drafts if change is not None for spot in change.delete)
    search = _Search(ledger, present, (*held, *taken))
    sites = given_sites(world)
    here = {site.destination: search.here([site]) for site in sites}
    now = {site.destination: site for site in sites}
    former: dict[str, dict[Site, set[RequestKey]]] = {name: {} for name in now}
    for site, owners in recorded_sites(ledger).items():
        if site.destination in now and site != now[site.destination]:
            former[site.destination][site] = owners
    others = {site.destination: search.of_other_layouts([site]) for site in sites}
    seen = {spot for spots in (*here.values(), *others.values()) for spot in spots}
    seen |= {spot for site in sites for spot in site.canaries}
    behind = {
        name: [
            spot
            for spot in search.behind(name, places)
            if spot not in seen and not search.is_taken(spot, sites)
        ]
        for name, places in former.items()
    }
    return Remains(here, others, behind)


def remains_on_record(ledger: Ledger) -> Remains:
    """Find what is nobody's where records tell of places, with no Destination at hand."""
    search = _Search(ledger, (), ())
    sites: dict[str, list[Site]] = {}
    for site in recorded_sites(ledger):
        sites.setdefault(site.destination, []).append(site)
    here = {name: search.here(found) for name, found in sorted(sites.items())}
    others = {name: search.of_other_layouts(found) for name, found in sorted(sites.items())}
    behind = {name: search.behind(name, {}) for name in sorted(search.noted)}
    # One that has not moved with all its requests yet is in several places, and layouts.
    others = {name: _but(spots, here[name]) for name, spots in others.items()}
    behind = {name: _but(spots, here.get(name, ())) for name, spots in behind.items()}
    return Remains(here, others, behind)


def _but(spots: Iterable[Spot], others: Container[Spot]) -> list[Spot]:
    return [spot for spot in spots if spot not in others]


class _Search:
    """Looks through places of Destinations.

    Args:
        ledger: what the stores hold.
        present: requests and Promises that are known beside those that have records.
        accounted: files that are somebody's beside those that records name.
    """

    def __init__(
        self, ledger: Ledger, present: Iterable[RequestKey | None], accounted: Iterable[Spot]
    ) -> None:
        self._view = ledger.view
        unreadable = (names_in(spot.path) for spot in ledger.unreadable)
        self._known = {*present, *ledger.entries, *unreadable}
        self._accounted = {*accounted, *ledger.holdings.files}
        self._owned = {
            Spot(one.store, one.owned)
            for entry in ledger.entries.values()
            for one in (*entry.record.placements, *entry.record.leaving)
            if one.owned is not None
        }
        self._canaries: set[Spot] = set()
        self.noted: dict[str, list[Spot]] = {}
        for spot, record in known_destinations(ledger):
            self._canaries.update(Spot(spot.store, path) for path in record.canaries)
            noted = (Spot(spot.store, path) for path in record.left)
            self.noted.setdefault(record.name, []).extend(noted)

    def here(self, sites: Iterable[Site]) -> list[Spot]:
        """Return what is nobody's where a Destination is."""
        found: set[Spot] = set()
        for site in sites:
            if site.layout is Layout.NONE:
                found.update(self._lists(site.folder))
            else:
                found.update(self._folders(site, self._known))
        return sorted(found)

    def of_other_layouts(self, sites: Iterable[Site]) -> list[Spot]:
        """Return what Kratix, or a move, left where a Destination has another layout now."""
        found: set[Spot] = set()
        for site in sites:
            if site.layout is not Layout.NONE:
                found.update(self._lists(site.folder))
            if site.layout is not Layout.NESTED:
                found.update(self._nested(site.folder))
        return sorted(found)

    def behind(self, name: str, former: Mapping[Site, Container[RequestKey | None]]) -> list[Spot]:
        """Return what is nobody's where a Destination was.

        Args:
            name: of the Destination.
            former: where it was, with those whose files there are known.
        """
        found = {spot for spot in self.noted.get(name, ()) if self._view.digests(spot)}
        for site, owners in former.items():
            found.update(self._canaries_in(site))
            if site.layout is Layout.NONE:
                found.update(self._lists(site.folder))
                continue
            found.update(self._folders(site, owners))
            if site.layout is Layout.AGGREGATED and self._view.digests(site.kept):
                found.add(site.kept)
        return sorted(found)

    def is_taken(self, spot: Spot, sites: Iterable[Site]) -> bool:
        """Tell whether something is somebody's now, or for those to judge who are there now."""
        return (
            spot in self._accounted
            or spot in self._owned
            or any(site.manages(spot) for site in sites)
        )

    def _folders(self, site: Site, known: Container[RequestKey | None]) -> Iterator[Spot]:
        """Return the folders of requests, and the files beside them, that are none of `known`."""
        store, prefix = site.root.store, site.prefix
        for kind in MANAGED:
            judged = "/"  # a folder of which nothing more is to be said; no path begins so
            for path in self._view.paths(Spot(store, f"{prefix}{kind}")):
                if path.startswith(judged) or path.removeprefix(prefix) in CANARY_FILES:
                    continue
                owner, folder = folder_in(path.removeprefix(prefix)) or (None, "")
                if owner is not None and owner in known:
                    judged = f"{prefix}{folder}/"
                elif Spot(store, path) not in self._accounted:
                    judged = f"{prefix}{folder}/" if owner is not None else judged
                    yield Spot(store, f"{prefix}{folder}" if owner is not None else path)

    def _nested(self, folder: Spot) -> Iterator[Spot]:
        """Return what lies as in the layout ``nestedByMetadata`` where that is not the layout."""
        prefix = f"{folder.path}/" if folder.path else ""
        for kind in MANAGED:
            for path in self._view.paths(Spot(folder.store, f"{prefix}{kind}")):
                below = path.removeprefix(prefix)
                if Spot(folder.store, path) in self._accounted or not _NESTED.match(below):
                    continue
                owner = folder_in(below)
                spot = Spot(folder.store, f"{prefix}{owner[1]}" if owner is not None else path)
                if spot not in self._owned:
                    yield spot

    def _lists(self, folder: Spot) -> Iterator[Spot]:
        for files in read_lists(self._view, folder, self._accounted).values():
            yield from files

    def _canaries_in(self, site: Site) -> Iterator[Spot]:
        """Return Kratix's canaries in a place, but for those that are known and go."""
        for spot in site.canaries:
            if spot not in self._canaries and self._view.digests(spot):
                yield spot

"""Foreign: objects in files of people, beside those of requests in the folder of a Destination.

An agent reads the whole folder. Two files with one object make Flux fail the whole build, and have
Argo CD take one of them; so nobody is given an object that a person's file holds. Which files may
hold it is told by the names that stand in them; only such a file is parsed.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from troth.api import Fields, JsonObject, Layout, Reader, load_documents
from troth.engine.kratix_lists import read_lists
from troth.engine.ledger import Ledger
from troth.engine.never_back import objects_in
from troth.engine.objects import is_cluster_scoped
from troth.engine.sites import MANAGED, Site, given_sites, recorded_sites
from troth.engine.values import ObjectId, Spot, World
from troth.errors import OutputRefusedError, Reason, TrothError

__all__ = ["FILES", "LARGEST", "Foreign"]

FILES = 5_000
"""Files of people in a Destination's folder that are looked at; the first, by their paths."""

LARGEST = 1024 * 1024
"""Bytes of a file that is looked at; no object of a cluster is larger."""

_AT_ONCE = 500  # files that are in memory together
_READ_BY_AGENTS = (".yaml", ".yml", ".json")

# A name, in YAML or JSON, behind an anchor or a tag perhaps.
_NAME = re.compile(rb"""\bname["']?\s*:\s*(?:[&!]\S*\s+)*["']?([^\s"',}\]]+)""")


@dataclass(slots=True)
class Foreign:
    """What files of people hold, worked out for each Destination when it is first asked for.

    Args:
        ledger: what the stores hold.
        world: the Destinations.
        files: how many of a Destination are looked at, see `FILES`.
    """

    ledger: Ledger
    world: World
    files: int = FILES
    _named: dict[str, dict[bytes, list[Spot]]] = field(
        default_factory=dict[str, dict[bytes, list[Spot]]]
    )
    _objects: dict[Spot, frozenset[ObjectId]] = field(
        default_factory=dict[Spot, frozenset[ObjectId]]
    )
    _sites: list[Site] | None = None

    def refuse(self, objects: Iterable[tuple[str, ObjectId]], own: Collection[Spot]) -> None:
        """Refuse an object that a person's file holds in the same Destination.

        Args:
            objects: by Destination, those that a request comes to hold.
            own: its own files, which a run that was cut off may have left.

        Raises:
            OutputRefusedError: there is one; object and file are named.
        """
        for destination, identity in objects:
            spot = self.holder(destination, identity, own)
            if spot is not None:
                message = (
                    f"{identity} stands in the file {spot}, which no request owns; the agent of "
                    f"Destination {destination} would be given it twice. Take it out there, or "
                    "give one of them another name."
                )
                raise OutputRefusedError(Reason.OBJECT_HELD, message)

    def holder(
        self, destination: str, identity: ObjectId, own: Collection[Spot] = ()
    ) -> Spot | None:
        """Return the file of a person that holds an object, None where none does."""
        if destination not in self._named:
            self._named[destination] = self._names(destination)
        candidates = self._named[destination].get(identity.name.encode(), ())
        return next(
            (spot for spot in candidates if spot not in own and identity in self._held(spot)), None
        )

    def _names(self, destination: str) -> dict[bytes, list[Spot]]:
        """Return by name the files in which it stands."""
        found: dict[bytes, list[Spot]] = {}
        spots = list(islice(self._spots(destination), self.files))
        for start in range(0, len(spots), _AT_ONCE):
            for spot, content in self.ledger.view.read(spots[start : start + _AT_ONCE]).items():
                if len(content) <= LARGEST:
                    for name in set(_NAME.findall(content)):
                        found.setdefault(name, []).append(spot)
        return found

    def _spots(self, destination: str) -> Iterator[Spot]:
        """Return the files in a Destination's folder that are people's, and that agents read."""
        given = self.world.destinations.get(destination)
        if given is not None and given.reader is Reader.FILES:
            return
        if self._sites is None:
            self._sites = [*given_sites(self.world), *recorded_sites(self.ledger)]
        here = next((one for one in self._sites if one.destination == destination), None)
        if here is None:
            return
        beside = [site for site in self._sites if site.root.store == here.root.store]
        folders = tuple(
            f"{site.prefix}{kind}/"
            for site in beside
            if site.layout is Layout.NESTED
            for kind in MANAGED
        )
        known = {site.file for site in beside if site.layout is Layout.AGGREGATED}
        known.update(spot for site in beside for spot in site.canaries)
        held = self.ledger.holdings.files
        for files in read_lists(self.ledger.view, here.folder, held).values():
            known.update(files)
        for path in self.ledger.view.paths(here.folder):
            if path.endswith(_READ_BY_AGENTS) and not path.startswith(folders):
                spot = Spot(here.root.store, path)
                if spot not in known and spot not in held:
                    yield spot

    def _held(self, spot: Spot) -> frozenset[ObjectId]:
        """Return the objects of a file, none where no agent could read it."""
        if spot not in self._objects:
            content = self.ledger.view.read([spot]).get(spot, b"")
            self._objects[spot] = frozenset(_objects_of(content))
        return self._objects[spot]


def _objects_of(content: bytes) -> Iterator[ObjectId]:
    try:
        documents = load_documents(content.decode(), "")
    except (TrothError, UnicodeDecodeError):
        return  # a template, say: an agent that is pointed at it has more to tell than we have
    for document in documents:
        yield from filter(None, map(_identity, objects_in(document.data)))


def _identity(manifest: JsonObject) -> ObjectId | None:
    root = Fields(manifest)
    try:
        metadata = root.section("metadata")
        group = root.text("apiVersion").rpartition("/")[0]
        found = ObjectId(group, root.text("kind"), metadata.text("namespace", ""),
                         metadata.text("name"))  # fmt: skip
    except TrothError:
        return None  # no object of a cluster
    return found._replace(namespace="") if is_cluster_scoped(found) else found

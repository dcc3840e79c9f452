"""Strays: documents of an aggregated file that nobody has taken over.

Kratix keeps all of a Destination in one file and writes nowhere whose a document is. Who renders an
object that stands there takes its document over. Kratix puts the documents of one workload one
after another, so what lies between two of them belongs to it as well, and goes when it is no longer
rendered. Of all else nobody can tell whose it is: it is kept, and said.
Source: Kratix's workplacement controller (``workplacement_controller.go``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from troth.api import Layout, Reader, RequestKey
from troth.engine.change import Change
from troth.engine.draft import Draft
from troth.engine.objects import identify
from troth.engine.report import of_destination
from troth.engine.sites import Site
from troth.engine.values import Item, ObjectId, Placement, Spot
from troth.engine.view import View
from troth.errors import OutputRefusedError
from troth_statestore import KEPT, documents_in, flat_file

__all__ = ["Strays"]

# Documents that a message names before it only counts them.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class _Stray:
    """One document: where it is, its digest, and what it holds (nothing if that is no object)."""

    spot: Spot
    digest: str
    content: bytes
    objects: frozenset[ObjectId]

    def is_rendered_by(self, placement: Placement) -> bool:
        if self.objects:
            return self.objects <= set(placement.objects) or (
                not placement.objects and self._stands_in(placement)
            )
        return self._stands_in(placement)

    def _stands_in(self, placement: Placement) -> bool:
        contents = (placement.contents or {}).values()
        return any(self.content in documents_in(content) for content in contents)

    def __str__(self) -> str:
        names = ", ".join(str(one) for one in sorted(self.objects))
        return names or self.spot.path.rpartition("/")[2]


@dataclass(slots=True)
class Strays:
    """The strays of a run, by Destination, in the order in which they stand."""

    _found: dict[str, list[_Stray]] = field(default_factory=dict[str, list[_Stray]])
    _files: dict[str, Spot] = field(default_factory=dict[str, Spot])

    @classmethod
    def at(cls, sites: Iterable[Site], view: View) -> "Strays":
        """Look for them where a Destination has one file for all."""
        strays = cls()
        for site in sites:
            if site.layout is Layout.AGGREGATED:
                strays._read(site, view)
        return strays

    def _read(self, site: Site, view: View) -> None:
        digests = view.digests(Spot(site.root.store, flat_file(site.root.path, KEPT)))
        contents = view.read(digests)
        found = [
            _Stray(spot, digests[spot], contents[spot], _objects(contents[spot]))
            for spot in sorted(contents)
        ]
        if found:
            self._found[site.destination] = found
            self._files[site.destination] = site.file

    def own(self, placements: Iterable[Placement]) -> dict[Spot, str]:
        """Return the documents, with their digests, that placements render anew."""
        return {
            stray.spot: stray.digest
            for placement in placements
            for stray in self._found.get(placement.destination, ())
            if stray.is_rendered_by(placement)
        }

    def between(
        self, drafts: Sequence[tuple[Draft, Change | None]]
    ) -> Mapping[RequestKey, set[Spot]]:
        """Return by request the documents that lie among its own and that nobody renders."""
        found: dict[RequestKey, set[Spot]] = {}
        if not self._found:
            return found
        owners = self._owners(drafts)
        for strays in self._found.values():
            enclosed = _enclosed([owners.get(one.spot) for one in strays])
            for stray, owner in zip(strays, enclosed, strict=True):
                if owner is not None:
                    found.setdefault(owner.key, set()).add(stray.spot)
        return found

    def left(self, drafts: Sequence[tuple[Draft, Change | None]]) -> list[Item]:
        """Report by Destination what stays because nobody can tell whose it is."""
        taken = {spot for _, change in drafts if change is not None for spot in change.delete}
        items: list[Item] = []
        for name, strays in sorted(self._found.items()):
            left = [str(stray) for stray in strays if stray.spot not in taken]
            if left:
                more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
                message = (
                    f"{self._files[name]} holds what no request rendered so far: "
                    f"{', '.join(left[:_NAMED])}{more}; it is kept. Take it out of the file by "
                    "hand if nobody needs it."
                )
                items.append(of_destination(name, [self._files[name]], message))
        return items

    def _owners(self, drafts: Iterable[tuple[Draft, Change | None]]) -> dict[Spot, "_Owner"]:
        return {
            spot: _Owner(draft.key, placement.group.pipeline, placement.group.directory)
            for draft, change in drafts
            if change is not None
            for placement in draft.placements
            for spot in self.own([placement])
        }


@dataclass(frozen=True, slots=True)
class _Owner:
    """What Kratix writes the documents of one after another: one group of a request."""

    key: RequestKey
    pipeline: str
    directory: str


def _enclosed(owners: Sequence[_Owner | None]) -> list[_Owner | None]:
    """Return for each place that nobody owns who owns the next places on both sides."""
    before: list[_Owner | None] = []
    for owner in owners:
        before.append(owner or (before[-1] if before else None))
    after: list[_Owner | None] = []
    for owner in reversed(owners):
        after.append(owner or (after[-1] if after else None))
    return [
        left if owner is None and left == right else None
        for owner, left, right in zip(owners, before, reversed(after), strict=True)
    ]


def _objects(document: bytes) -> frozenset[ObjectId]:
    """Return the objects of a document; none when it holds what no agent would take."""
    try:
        found = identify({"document.yaml": document}, Reader.ARGOCD, allow_secrets=True)
    except OutputRefusedError:
        return frozenset()
    return frozenset(identity for items in found.values() for identity in items)

"""Holdings: who holds which object and which file, by the records.

Worked out once for a moment of the stores, and carried on to the next one at the cost of what
changed between them: what serves a cluster looks again after every change.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from troth.api import RequestKey
from troth.engine.record import Record
from troth.engine.routes import GATEWAY_GROUP
from troth.engine.values import ObjectId, Spot

__all__ = ["Holdings"]

_Held: TypeAlias = tuple[str, ObjectId]


@dataclass(frozen=True, slots=True)
class Holdings:
    """What requests hold; nobody may change these maps.

    Attributes:
        objects: Destination and object → who holds it.
        parents: those of them that routes may hang on.
        files: → who holds it, of files that lie in no folder of their own.
        disputed: whether two records name the same.
    """

    objects: Mapping[_Held, RequestKey]
    parents: frozenset[_Held]
    files: Mapping[Spot, RequestKey]
    disputed: bool

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Holdings":
        """Work out who holds what; of two who hold the same, the last counts."""
        return _Growing({}, set(), {}).with_all(records)

    def after(self, old: Iterable[Record], new: Iterable[Record]) -> "Holdings | None":
        """Return these with the holdings of some records in the place of others.

        Args:
            old: records that are no more, or are others now.
            new: records that have come, or what those are now.

        Returns:
            None where two records name the same: then one alone does not tell who is left.
        """
        if self.disputed:
            return None
        growing = _Growing(dict(self.objects), set(self.parents), dict(self.files))
        for record in old:
            growing.let_go(record)
        return growing.with_all(new)


@dataclass(slots=True)
class _Growing:
    """Holdings that are being worked out."""

    objects: dict[_Held, RequestKey]
    parents: set[_Held]
    files: dict[Spot, RequestKey]
    disputed: bool = False

    def let_go(self, record: Record) -> None:
        for held in _objects(record):
            self.objects.pop(held, None)
            self.parents.discard(held)
        for spot in _files(record):
            self.files.pop(spot, None)

    def with_all(self, records: Iterable[Record]) -> Holdings:
        for record in records:
            objects, files = set(_objects(record)), set(_files(record))
            before = len(self.objects) + len(self.files)
            self.objects.update(dict.fromkeys(objects, record.key))
            self.files.update(dict.fromkeys(files, record.key))
            self.parents.update(held for held in objects if held[1].group == GATEWAY_GROUP)
            added = len(self.objects) + len(self.files) - before
            self.disputed |= added != len(objects) + len(files)
        return Holdings(self.objects, frozenset(self.parents), self.files, self.disputed)


def _objects(record: Record) -> Iterable[_Held]:
    return (
        (placement.destination, identity)
        for placement in record.placements
        for identity in placement.objects
    )


def _files(record: Record) -> Iterable[Spot]:
    return (
        spot
        for placement in (*record.placements, *record.leaving)
        if placement.owned is None
        for spot in placement.spots
    )

"""Upkeep: what has to change for Destinations themselves, whoever asks for anything in them.

Their canaries, and what is nobody's where they were before they moved. A small record of each says
that the canaries are ours, so that they are accounted for, and go when they are switched off or the
Destination is given no more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from troth.api import Destination, RequestKey
from troth.engine.absence import Intake
from troth.engine.canary import canaries_of
from troth.engine.change import Change
from troth.engine.destination_record import DestinationRecord, known_destinations
from troth.engine.ledger import Ledger
from troth.engine.values import Item, Spot, State, World
from troth.errors import Reason
from troth_statestore import ChangeSet, Deed, destination_key, digest_bytes

__all__ = ["Upkeep", "upkeep"]


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What a Destination itself needs written; its line in reports, should that succeed."""

    change: Change
    item: Item

    @property
    def key(self) -> RequestKey:
        """What the line is known by: only a Destination's has a name without a Promise."""
        return RequestKey("", "", self.item.name)


def upkeep(
    world: World,
    ledger: Ledger,
    intake: Intake,
    inventory: str,
    behind: Mapping[str, Sequence[Spot]],
) -> list[Upkeep]:
    """Return what has to change for Destinations themselves, by their names.

    Where nothing is said of canaries, those that somebody else wrote are left as they are.

    Args:
        world: the Destinations.
        ledger: what the stores hold.
        intake: what was handed in.
        inventory: whose Destinations these are.
        behind: by Destination, what is nobody's where it was.
    """
    known: dict[str, list[tuple[Spot, DestinationRecord]]] = {}
    for spot, record in known_destinations(ledger):
        known.setdefault(record.name, []).append((spot, record))
    roots = tuple(sorted({one.root for one in (*intake.submissions, *intake.promises)}))
    found: list[Upkeep] = []
    for name in sorted(world.destinations.keys() | known.keys()):
        records = known.get(name, [])
        if any(record.inventory != inventory for _, record in records):
            continue
        bare = DestinationRecord(name, inventory, records[0][1].roots if records else roots)
        task = _Task(ledger, bare, records, behind.get(name, ()))
        destination = world.destinations.get(name)
        if destination is not None:
            task.keep(destination, world.store_of(destination))
        elif _may_go(name, records, ledger, intake):
            task.drop()
        found += task.upkeep()
    return found


def _may_go(
    name: str, records: Iterable[tuple[Spot, DestinationRecord]], ledger: Ledger, intake: Intake
) -> bool:
    """Tell whether a Destination that is not given is gone, and nobody has anything in it."""
    if not intake.complete or ledger.view.unreached or ledger.unreadable:
        return False
    if not all(intake.was_read(root) for _, record in records for root in record.roots):
        return False
    placements = (one for e in ledger.entries.values() for one in e.record.placements)
    return all(one.destination != name for one in placements)


class _Task:
    """Finds out what has to change for one Destination.

    Args:
        ledger: what the stores hold.
        bare: its record, of a store in which it has nothing.
        records: those that it has, with where they stand.
        behind: what is nobody's where it was.
    """

    def __init__(
        self,
        ledger: Ledger,
        bare: DestinationRecord,
        records: Sequence[tuple[Spot, DestinationRecord]],
        behind: Iterable[Spot],
    ) -> None:
        self._ledger = ledger
        self._bare = bare
        self._old = {spot.store: record for spot, record in records}
        self._left: dict[str, list[str]] = {}
        for spot in behind:
            self._left.setdefault(spot.store, []).append(spot.path)
        self._parts: dict[str, ChangeSet] = {}

    def keep(self, destination: Destination, store: str) -> None:
        """Bring the canaries to what a Destination asks for, and note what it has left."""
        if store not in self._ledger.view.snapshots:
            return  # a canary in a store out of reach tells nobody anything
        files = canaries_of(destination)
        # Where they are switched off, those go that Kratix wrote as well.
        gone = files if destination.canaries is False else ()
        self._put(store, files if destination.canaries else {}, gone)
        for other in sorted((self._old.keys() | self._left.keys()) - {store}):
            self._put(other, {})

    def drop(self) -> None:
        """Remove all that is its own."""
        for store in sorted(self._old):
            self._put(store, {})

    def _put(self, store: str, files: Mapping[str, bytes], gone: Iterable[str] = ()) -> None:
        name, old = self._bare.name, self._old.get(store)
        left = tuple(sorted(self._left.get(store, ())))
        record = replace(self._bare, canaries=tuple(sorted(files)), left=left)
        there = self._ledger.view.snapshots[store]
        listed = {*gone, *(old.canaries if old is not None else ())} - files.keys()
        delete = frozenset(path for path in listed if path in there.digests(path))
        same = all(
            there.digests(path).get(path) == digest_bytes(content)
            for path, content in files.items()
        )
        kept = record if files or left else None
        if same and not delete and kept == old:
            return
        key = destination_key(name)
        _, version = self._ledger.destinations.get(Spot(store, key), (b"", None))
        verb = "Write" if files else "Remove"
        self._parts[store] = ChangeSet(
            key=key,
            expected_version=version,
            files=files,
            delete=delete,
            record=kept.encode() if kept is not None else None,
            title=f"{verb} the canaries of Destination {name}",
            deed=Deed(f"{verb} the canaries of", "Destination"),
            trailers=(("Troth-Destination", name),),
        )

    def upkeep(self) -> list[Upkeep]:
        """Return what has to change, nothing where all is as it should be."""
        if not self._parts:
            return []
        writes = [store for store, part in self._parts.items() if part.files]
        home = writes[0] if writes else min(self._parts)
        after = {store: part for store, part in self._parts.items() if store != home}
        part = self._parts[home]
        places = tuple((self._bare.name, path) for path in sorted({*part.files, *part.delete}))
        item = Item("", "", self._bare.name, *self._outcome(), places)
        return [Upkeep(Change(home, {home: part}, after), item)]

    def _outcome(self) -> tuple[State, Reason, str]:
        parts = self._parts.values()
        if any(part.files for part in parts):
            reason = Reason.UPDATED if self._old else Reason.CREATED
            return State.WRITTEN, reason, "its canaries are written."
        if any(part.delete for part in parts) or self._had_canaries():
            return State.REMOVED, Reason.REMOVED, "its canaries are removed."
        if any(self._left.values()):
            return State.ORPHANED, Reason.UNOWNED, ""  # another line says what
        return State.UNCHANGED, Reason.UP_TO_DATE, "nothing is left where it was before it moved."

    def _had_canaries(self) -> bool:
        return any(old.canaries for store, old in self._old.items() if store in self._parts)

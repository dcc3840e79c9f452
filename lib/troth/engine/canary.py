"""Canaries: two small files in a Destination by which people see that its agent is at work.

They are Kratix's, to the byte, and are written where a Destination asks for them
(``spec.initWorkloads.enabled``). A small record of the Destination says that they are ours, so that
they are accounted for, and go when they are switched off or the Destination is given no more.
Source: Kratix's destination controller (``destination_controller.go``).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from troth.api import Destination, Fields, Layout, RequestKey, load_object
from troth.engine.absence import Intake
from troth.engine.change import Change
from troth.engine.ledger import Ledger
from troth.engine.values import Item, ObjectId, Spot, State, World
from troth.errors import InvalidInputError, Reason
from troth_statestore import ChangeSet, Deed, destination_key, digest_bytes, flat_file

__all__ = ["CANARY_FILES", "CANARY_OBJECTS", "CanaryRecord", "Upkeep", "canaries_of", "upkeep"]

_NAMESPACE = b"""\
apiVersion: v1
kind: Namespace
metadata:
  creationTimestamp: null
  name: kratix-worker-system
spec: {}
status: {}
"""
_CONFIG_MAP = b"""\
apiVersion: v1
data:
  canary: this confirms your infrastructure is reading from Kratix state stores
kind: ConfigMap
metadata:
  creationTimestamp: null
  name: kratix-info
  namespace: kratix-worker-system
"""
_FILES = {
    "dependencies/kratix-canary-namespace.yaml": _NAMESPACE,
    "resources/kratix-canary-configmap.yaml": _CONFIG_MAP,
}

CANARY_OBJECTS = frozenset(
    {
        ObjectId("", "Namespace", "", "kratix-worker-system"),
        ObjectId("", "ConfigMap", "kratix-worker-system", "kratix-info"),
    }
)
"""What stands in a Destination with canaries, and no request may render there."""

CANARY_FILES = {path: digest_bytes(content) for path, content in _FILES.items()}
"""Where they lie below a Destination's path in the layout ``nestedByMetadata`` → digest."""

_API_VERSION = "troth.dev/v1alpha1"
_KIND = "DestinationRecord"


def canaries_of(destination: Destination) -> dict[str, bytes]:
    """Return the canaries by path; only where requests have folders do they lie in folders."""
    nested = destination.layout is Layout.NESTED
    return {
        flat_file(destination.path, path if nested else path.rpartition("/")[2]): content
        for path, content in _FILES.items()
    }


@dataclass(frozen=True, slots=True)
class CanaryRecord:
    """What a store remembers of a Destination: its canaries there, and who may remove them.

    `roots` is what the run read that wrote them.
    """

    name: str
    inventory: str
    roots: tuple[str, ...]
    files: tuple[str, ...]

    def encode(self) -> bytes:
        """Spell the record: the same record, the same bytes."""
        spelled = {
            "apiVersion": _API_VERSION,
            "kind": _KIND,
            "name": self.name,
            "inventory": self.inventory,
            "roots": list(self.roots),
            "canaries": list(self.files),
        }
        return (json.dumps(spelled, indent=1, ensure_ascii=False) + "\n").encode()

    @classmethod
    def decode(cls, content: bytes, key: str) -> "CanaryRecord":
        """Read a record.

        Raises:
            InvalidInputError: it is none.
        """
        text = content.decode("utf-8", errors="replace")
        fields = Fields(load_object(text, key), reason=Reason.RECORD_UNREADABLE)
        name = fields.text("name")
        if fields.text("kind") != _KIND or destination_key(name) != key:
            raise fields.error("kind", f"this is not the {_KIND} that belongs here.")
        return cls(name, fields.text("inventory"), fields.texts("roots"), fields.texts("canaries"))


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What a Destination itself needs written; its line in reports, should that succeed."""

    change: Change
    item: Item

    @property
    def key(self) -> RequestKey:
        """What the line is known by: only a Destination's has a name without a Promise."""
        return RequestKey("", "", self.item.name)


def upkeep(world: World, ledger: Ledger, intake: Intake, inventory: str) -> list[Upkeep]:
    """Return what has to change for the canaries of all Destinations, by their names.

    Where nothing is said of them, those that somebody else wrote are left as they are.
    """
    known: dict[str, list[tuple[Spot, CanaryRecord]]] = {}
    for spot, (content, _) in sorted(ledger.destinations.items()):
        try:
            record = CanaryRecord.decode(content, spot.path)
        except InvalidInputError:
            continue  # ``troth verify`` names it
        known.setdefault(record.name, []).append((spot, record))
    roots = tuple(sorted({one.root for one in (*intake.submissions, *intake.promises)}))
    found: list[Upkeep] = []
    for name in sorted(world.destinations.keys() | known.keys()):
        records = known.get(name, [])
        if any(record.inventory != inventory for _, record in records):
            continue
        task = _Task(ledger, name, records)
        destination = world.destinations.get(name)
        if destination is not None:
            mine = records[0][1].roots if records else roots
            task.keep(destination, world.store_of(destination), inventory, mine)
        elif _may_go(name, records, ledger, intake):
            task.drop()
        found += task.upkeep()
    return found


def _may_go(
    name: str, records: Iterable[tuple[Spot, CanaryRecord]], ledger: Ledger, intake: Intake
) -> bool:
    """Tell whether a Destination that is not given is gone, and nobody has anything in it."""
    if not intake.complete or ledger.view.unreached or ledger.unreadable:
        return False
    if not all(intake.was_read(root) for _, record in records for root in record.roots):
        return False
    placements = (one for e in ledger.entries.values() for one in e.record.placements)
    return all(one.destination != name for one in placements)


class _Task:
    """Finds out what has to change for one Destination."""

    def __init__(
        self, ledger: Ledger, name: str, records: Sequence[tuple[Spot, CanaryRecord]]
    ) -> None:
        self._ledger = ledger
        self._name = name
        self._old = {spot.store: record for spot, record in records}
        self._parts: dict[str, ChangeSet] = {}
        self._home: str | None = None

    def keep(
        self, destination: Destination, store: str, inventory: str, roots: tuple[str, ...]
    ) -> None:
        """Bring the canaries to what a Destination asks for."""
        if store not in self._ledger.view.snapshots:
            return  # a canary in a store out of reach tells nobody anything
        files = canaries_of(destination)
        if destination.canaries:
            record = CanaryRecord(self._name, inventory, roots, tuple(sorted(files)))
            self._put(store, files, record)
            self._home = store
        elif destination.canaries is False:
            self._put(store, {}, None, gone=files)  # those that Kratix wrote as well
        self.drop()

    def drop(self) -> None:
        """Remove all canaries that are ours, but those that were brought up to date."""
        for store in self._old.keys() - self._parts.keys() - {self._home}:
            self._put(store, {}, None)

    def _put(
        self,
        store: str,
        files: Mapping[str, bytes],
        record: CanaryRecord | None,
        gone: Iterable[str] = (),
    ) -> None:
        old, key = self._old.get(store), destination_key(self._name)
        _, version = self._ledger.destinations.get(Spot(store, key), (b"", None))
        there = self._ledger.view.snapshots[store]
        listed = {*gone, *(old.files if old is not None else ())} - files.keys()
        delete = frozenset(path for path in listed if path in there.digests(path))
        same = all(
            there.digests(path).get(path) == digest_bytes(content)
            for path, content in files.items()
        )
        if same and not delete and record == old:
            return
        verb = "Write" if files else "Remove"
        self._parts[store] = ChangeSet(
            key=key,
            expected_version=version,
            files=files,
            delete=delete,
            record=record.encode() if record is not None else None,
            title=f"{verb} the canaries of Destination {self._name}",
            deed=Deed(f"{verb} the canaries of", "Destination"),
            trailers=(("Troth-Destination", self._name),),
        )

    def upkeep(self) -> list[Upkeep]:
        """Return what has to change, nothing where all is as it should be."""
        if not self._parts:
            return []
        writes = [store for store, part in self._parts.items() if part.files]
        home = writes[0] if writes else min(self._parts)
        after = {store: part for store, part in self._parts.items() if store != home}
        part = self._parts[home]
        places = tuple((self._name, path) for path in sorted({*part.files, *part.delete}))
        words = "its canaries are written." if writes else "its canaries are removed."
        state, reason = State.REMOVED, Reason.REMOVED
        if writes:
            state, reason = State.WRITTEN, Reason.UPDATED if self._old else Reason.CREATED
        item = Item("", "", self._name, state, reason, words, places)
        return [Upkeep(Change(home, {home: part}, after), item)]

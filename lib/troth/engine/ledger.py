"""What the state stores know at one moment, read once for a whole run."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from troth.api import Fields, JsonObject, RequestKey, load_object
from troth.api.labels import PROMISE_VERSION
from troth.engine.holdings import Holdings
from troth.engine.record import Record
from troth.engine.values import Spot
from troth.engine.view import View
from troth.errors import InvalidInputError, Reason, TrothError
from troth_statestore import Snapshot, revision_key

__all__ = ["Entry", "Ledger", "names_in"]


def names_in(key: str) -> RequestKey | None:
    """Return whose record a path is, None when it tells nobody.

    The path is ``requests/<hh>/<namespace>/<promise>/<name>.yaml``, or ``promises/<name>.yaml``.
    """
    match key.removesuffix(".yaml").split("/"):
        case ["requests", _, namespace, promise, name]:
            return RequestKey(namespace, promise, name)
        case ["promises", promise]:
            return RequestKey.of_promise(promise)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Entry:
    """A record, its version, and the store that keeps it."""

    record: Record
    version: str
    home: str


@dataclass(slots=True)
class Ledger:
    """Records by request, and what follows from them.

    Attributes:
        view: the moment of the stores it was read from.
        entries: by request.
        unreadable: where a record stands that cannot be trusted → what is wrong with it.
        revisions: where the Promise revisions stand that are kept → version.
        destinations: where the records of Destinations stand → (bytes, version).
    """

    view: View
    entries: dict[RequestKey, Entry] = field(default_factory=dict[RequestKey, Entry])
    unreadable: dict[Spot, InvalidInputError] = field(default_factory=dict[Spot, InvalidInputError])
    revisions: dict[Spot, str] = field(default_factory=dict[Spot, str])
    destinations: dict[Spot, tuple[bytes, str]] = field(
        default_factory=dict[Spot, tuple[bytes, str]]
    )
    _revision_bytes: dict[str, bytes] = field(default_factory=dict[str, bytes], repr=False)
    _wrong: dict[RequestKey, InvalidInputError] = field(
        default_factory=dict[RequestKey, InvalidInputError], repr=False
    )
    _holdings: Holdings | None = field(default=None, repr=False)

    @classmethod
    def read(cls, view: View) -> "Ledger":
        """Read every record of every store; those that cannot be read are kept apart."""
        ledger = cls(view)
        for store in sorted(view.snapshots):
            for key, (content, version) in view.snapshots[store].records().items():
                ledger._take(Spot(store, key), content, version)
        return ledger

    def after(self, view: View) -> "Ledger":
        """Return what stores know at a later moment; what has not changed is not read again.

        Where a record cannot be trusted, or another store is looked at than before, all is read.
        """
        if self.unreadable or view.snapshots.keys() != self.view.snapshots.keys():
            return Ledger.read(view)
        later = Ledger(
            view,
            dict(self.entries),
            revisions=dict(self.revisions),
            destinations=dict(self.destinations),
            _revision_bytes=dict(self._revision_bytes),
        )
        moved = {
            store: _moved(one, view.snapshots[store]) for store, one in self.view.snapshots.items()
        }
        # All is forgotten before anything is taken: a record may have gone from one to another.
        old = later._forget(Spot(store, key) for store, keys in moved.items() for key in keys)
        new = later._take_all(moved)
        if later.unreadable:
            return Ledger.read(view)  # it may be a second one of somebody known already
        later._holdings = self._holdings.after(old, new) if self._holdings is not None else None
        return later

    def _take_all(self, wanted: Mapping[str, Collection[str]]) -> list[Record]:
        """Take what stands at these places, by store; return the records of requests among it."""
        found: list[Record] = []
        for store, keys in sorted(wanted.items()):
            snapshot = self.view.snapshots[store]
            versions = snapshot.record_versions()
            for key, content in sorted(snapshot.read_records(keys).items()):
                self._take(Spot(store, key), content, versions[key])
                owner = names_in(key)
                if owner is not None and owner in self.entries:
                    found.append(self.entries[owner].record)
        return found

    def _forget(self, spots: Iterable[Spot]) -> list[Record]:
        """Forget what stood at these places; return the records of requests among that."""
        found: list[Record] = []
        for spot in spots:
            self.revisions.pop(spot, None)
            if not any(other.path == spot.path for other in self.revisions):
                self._revision_bytes.pop(spot.path, None)
            self.destinations.pop(spot, None)
            owner = names_in(spot.path)
            entry = self.entries.pop(owner, None) if owner is not None else None
            if entry is not None:
                found.append(entry.record)
        return found

    def _take(self, spot: Spot, content: bytes, version: str) -> None:
        if spot.path.startswith("revisions/"):
            self.revisions[spot] = version
            self._revision_bytes[spot.path] = content
            return
        if spot.path.startswith("destinations/"):
            self.destinations[spot] = content, version
            return
        if not spot.path.startswith(("requests/", "promises/")):
            return  # written by a newer Troth, or by somebody else: not ours to judge
        try:
            record = Record.decode(content, spot.path, spot.store)
            self._refuse_second(record.key, spot)
        except InvalidInputError as error:
            self.unreadable[spot] = error
            owner = names_in(spot.path)
            if owner is not None:
                self._wrong[owner] = error
            return
        self.entries[record.key] = Entry(record, version, spot.store)

    def _refuse_second(self, key: RequestKey, spot: Spot) -> None:
        first = self.entries.pop(key, None)  # none of them is to be trusted
        if first is not None or key in self._wrong:
            message = (
                f"{key} has another record besides the one in the state store {spot.store}; nobody "
                f"can tell which holds. Take {spot.path} out of the records branches but one."
            )
            raise InvalidInputError(Reason.RECORD_UNREADABLE, message)

    def find(self, key: RequestKey) -> Entry | None:
        """Return what is kept of a request, None where there is nothing.

        Raises:
            InvalidInputError: there is a record, and it cannot be read.
            TransientError: it may stand in a store that could not be reached.
        """
        if key in self._wrong:
            raise self._wrong[key]
        found = self.entries.get(key)
        if found is None:
            self.view.require(self.view.unreached)
        return found

    def knows(self, key: RequestKey) -> bool:
        """Tell whether there is a record of a request, readable or not."""
        return key in self.entries or key in self._wrong

    def revision(self, digest: str) -> JsonObject | None:
        """Return a kept revision of a Promise, None when it is not there."""
        content = self._revision_bytes.get(revision_key(digest))
        return None if content is None else _promise_in(content, revision_key(digest))

    def kept_promises(self) -> dict[str, list[str]]:
        """Return the versions of every Promise of which the stores keep a revision."""
        versions: dict[str, list[str]] = {}
        for key in sorted(self._revision_bytes):
            try:
                metadata = Fields(_promise_in(self._revision_bytes[key], key)).section("metadata")
                labels = metadata.mapping("labels")
                name, version = metadata.text("name"), str(labels.get(PROMISE_VERSION, "not-set"))
            except TrothError:
                continue  # whoever needs that very revision is told so
            versions.setdefault(name, []).append(version)
        return versions

    @property
    def holdings(self) -> Holdings:
        """Who holds what."""
        if self._holdings is None:
            self._holdings = Holdings.of(entry.record for entry in self.entries.values())
        return self._holdings


def _moved(earlier: Snapshot, later: Snapshot) -> set[str]:
    """Return the keys of records that are not what they were."""
    return {key for key, _ in earlier.record_versions().items() ^ later.record_versions().items()}


def _promise_in(content: bytes, source: str) -> JsonObject:
    text = content.decode("utf-8", errors="replace")
    return Fields(load_object(text, source)).mapping("promise")

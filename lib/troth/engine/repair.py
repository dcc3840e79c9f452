"""Repair: records that cannot be read, put back from the history of the records.

The newest version that can be read is believed without being asked only where the files are what it
says they are. Else somebody has to ask for it by name: what was written since would be taken for an
edit, and put right from that version. Nothing here writes or removes a file.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from troth.api import RequestKey
from troth.engine.change import Change
from troth.engine.history import Past
from troth.engine.kept_state import AS_OF_THEN, LOST, why_state_differs
from troth.engine.ledger import names_in
from troth.engine.observe import Sight, compare, observe
from troth.engine.record import API_VERSION, Record, version_of
from troth.engine.values import Item, Spot, State
from troth.engine.view import View
from troth.errors import InvalidInputError, Reason, TrothError
from troth_statestore import ChangeSet, Snapshot

__all__ = ["Repair", "Repairs", "find_repairs"]


@dataclass(frozen=True, slots=True)
class Repair:
    """One record that is put right.

    Attributes:
        key: whose it is.
        spot: where it stands.
        content: what is to stand there, None for nothing: then the request starts anew.
        message: what is done, and why that may be, for people.
        version: of what stands there and cannot be read.
    """

    key: RequestKey
    spot: Spot
    content: bytes | None
    message: str
    version: str = ""

    @property
    def change(self) -> Change:
        """What its store is to be given: no file is touched."""
        part = ChangeSet(
            key=self.spot.path,
            expected_version=self.version,
            record=self.content,
            title=f"Repair the record of {self.key}",
        )
        return Change(self.spot.store, {self.spot.store: part})


@dataclass(frozen=True, slots=True)
class Repairs:
    """What can be done about records that cannot be read.

    Attributes:
        found: those that can be put right.
        hints: of others, what there is to do.
    """

    found: tuple[Repair, ...] = ()
    hints: Mapping[RequestKey, str] = field(default_factory=dict[RequestKey, str])

    def after(self, view: View) -> View:
        """Return the view as it will be when all of them are written."""
        snapshots = dict(view.snapshots)
        for store in {one.spot.store for one in self.found}:
            mended = {one.spot.path: one.content for one in self.found if one.spot.store == store}
            snapshots[store] = _Mended(snapshots[store], mended)
        return replace(view, snapshots=snapshots)

    def without(self, failed: Mapping[RequestKey, str]) -> "Repairs":
        """Return them without those that could not be written, for which there is a hint now."""
        found = tuple(one for one in self.found if one.key not in failed)
        return Repairs(found, {**self.hints, **failed})

    def told(self, items: Sequence[Item]) -> list[Item]:
        """Return the lines of a report with what was put right in them, and beside them."""
        return [*map(self.tell, items), *self.beside(items)]

    def tell(self, item: Item) -> Item:
        """Return a line with what was put right of its record, or what there is to do."""
        key = item.key
        done = next((one.message for one in self.found if one.key == key), None)
        if done is not None:
            item = replace(item, message=f"{done} {item.message}".strip())
            if item.state is State.UNCHANGED and item.reason == Reason.UP_TO_DATE:
                item = replace(item, state=State.WRITTEN, reason=Reason.RECORD_REPAIRED)
        elif key in self.hints and item.reason == Reason.RECORD_UNREADABLE:
            item = replace(item, message=f"{item.message} {self.hints[key]}")
        return item

    def beside(self, items: Sequence[Item]) -> list[Item]:
        """Return lines for those of which a report says nothing."""
        known = {item.key for item in items}
        return [
            Item(*one.key, State.WRITTEN, Reason.RECORD_REPAIRED, one.message)
            for one in self.found
            if one.key not in known
        ]


def find_repairs(past: Past, inventory: str, asked: Sequence[str] = ()) -> Repairs:
    """Find what can be done about every record that cannot be read.

    Args:
        past: what the stores hold, and held.
        inventory: whose records may be put right.
        asked: requests whose records are to be put right whatever the files are, spelled
            ``[[NAMESPACE/]PROMISE/]NAME``.

    Raises:
        InvalidInputError: one that is asked for can be read, is not known, or is not the only one.
    """
    if not past.ledger.unreadable and not asked:
        return Repairs()
    held = {name: one.records() for name, one in past.ledger.view.snapshots.items()}
    broken = _broken(past, held)
    wanted = {_meant(name, broken) for name in asked}
    found: list[Repair] = []
    hints: dict[RequestKey, str] = {}
    for key, spot in sorted(broken.items()):
        try:
            _refuse_newer(held[spot.store][spot.path][0])
            repair = _repair(past, key, spot, inventory, asked=key in wanted)
            found.append(replace(repair, version=held[spot.store][spot.path][1]))
        except TrothError as error:  # it costs that request alone
            hints[key] = error.message
    return Repairs(tuple(found), hints)


def _broken(
    past: Past, records: Mapping[str, Mapping[str, tuple[bytes, str]]]
) -> dict[RequestKey, Spot]:
    """Return where the only record of a request stands, where that cannot be read."""
    broken: dict[RequestKey, Spot] = {}
    for spot in past.ledger.unreadable:
        key = names_in(spot.path)
        held = [store for store, keys in records.items() if spot.path in keys]
        if key is not None and len(held) == 1:  # of two, nobody can tell which holds
            broken[key] = spot
    return broken


def _meant(name: str, broken: Mapping[RequestKey, Spot]) -> RequestKey:
    found = [key for key in sorted(broken) if name in _spellings(key)]
    if len(found) == 1:
        return found[0]
    many = f"several such records cannot be read ({', '.join(map(str, found))})"
    none = "no record of that name is one that cannot be read"
    message = (
        f"--repair {name}: {many if found else none}; give it as NAMESPACE/PROMISE/NAME, or as "
        "PROMISE for the record of a Promise itself."
    )
    raise InvalidInputError(Reason.INVALID_OBJECT, message)


def _spellings(key: RequestKey) -> set[str]:
    if key.is_promise:
        return {key.promise}
    return {key.name, f"{key.promise}/{key.name}", "/".join(key)}


def _repair(past: Past, key: RequestKey, spot: Spot, inventory: str, *, asked: bool) -> Repair:
    """Return what is to be done about one record.

    Raises:
        TrothError: nothing is; the message says why, and what to do.
    """
    newest = _newest(past, spot)
    if newest is None:
        if not asked:
            raise _left(f"No earlier version can be read; `--repair {_spelled(key)}` starts anew.")
        text = f"no version of its record could be read, so it started anew: {LOST}"
        return Repair(key, spot, None, text)
    (commit, content, record), older = newest
    if record.inventory != inventory:
        raise _left(f"It belongs to the inventory {record.inventory!r}, which can repair it.")
    past.ledger.view.require(sorted({one.store for one in record.placements}))
    which = f"the newest version that can be read (commit {commit[:12]} of the records branch)"
    broken = past.ledger.view.snapshots[spot.store].records()[spot.path][0]
    differs = why_state_differs(record, broken, older)
    if differs is not None and not asked:
        raise _left(
            f"{differs} `--repair {_spelled(key)}` takes {which} all the same; what its stages "
            "have made outside since, a credential for one, may then be made anew."
        )
    if _fits(past, record, spot.store):
        text = f"its record could not be read and was put back: {which} fits its files."
    elif asked:
        text = f"its record was put back to {which}, which did not fit its files."
    else:
        raise _left(
            f"Its files are not those of {which}; `--repair {_spelled(key)}` takes it all the "
            "same, and the files are put right from it."
        )
    if record.status or record.due is not None or differs is not None:
        text = f"{text} {AS_OF_THEN}"
    return Repair(key, spot, content, text)


def _refuse_newer(content: bytes) -> None:
    """Refuse to put an old version over what another version of Troth can read."""
    version = version_of(content)
    if version is not None and version != API_VERSION:
        raise _left(f"It is of {version}: run the version of Troth that wrote it.")


def _left(hint: str) -> InvalidInputError:
    return InvalidInputError(Reason.RECORD_UNREADABLE, hint)


def _spelled(key: RequestKey) -> str:
    return key.promise if key.is_promise else "/".join(key)


_Version: TypeAlias = tuple[str, bytes, Record]
"""Commit, bytes and meaning of a version of a record."""


def _newest(past: Past, spot: Spot) -> tuple[_Version, Iterator[Record]] | None:
    """Return a record's newest version that can be read, and those before it."""
    versions = _readable(past, spot)
    newest = next(versions, None)
    return None if newest is None else (newest, (record for _, _, record in versions))


def _readable(past: Past, spot: Spot) -> Iterator[_Version]:
    history = past.histories.get(spot.store)
    for commit, content in history.record_versions(spot.path) if history is not None else ():
        try:
            yield commit, content, Record.decode(content, spot.path, spot.store)
        except InvalidInputError:
            continue  # that is why an older one is looked for


def _fits(past: Past, record: Record, home: str) -> bool:
    """Tell whether the files are what a record says that they are."""
    observed = observe(record.key, record, past.world, past.ledger.view)
    return compare(record, observed, home) is not Sight.DRIFTED


class _Mended:
    """A snapshot in which some records are others, and have the versions they had."""

    def __init__(self, snapshot: Snapshot, mended: Mapping[str, bytes | None]) -> None:
        self._snapshot = snapshot
        self._mended = mended

    @property
    def revision(self) -> str | None:
        return self._snapshot.revision

    def records(self) -> Mapping[str, tuple[bytes, str]]:
        held = self._snapshot.records()
        put = {
            path: (content, held[path][1])
            for path, content in self._mended.items()
            if content is not None
        }
        return {path: one for path, one in held.items() if path not in self._mended} | put

    def record_versions(self) -> Mapping[str, str]:
        return {key: version for key, (_, version) in self.records().items()}

    def read_records(self, keys: Collection[str]) -> Mapping[str, bytes]:
        held = self.records()
        return {key: held[key][0] for key in keys if key in held}

    def digests(self, prefix: str) -> Mapping[str, str]:
        return self._snapshot.digests(prefix)

    def read(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        return self._snapshot.read(paths)

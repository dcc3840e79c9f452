"""The twin that keeps files in a plain folder: for previews, for agents that read a disk.

A folder has no transactions. Each file appears whole or not at all, and a change set's record is
written last, so that one that was cut short is seen to be unfinished and is done again.
"""

import fcntl
import os
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from troth.errors import Reason, StoreError, TransientError
from troth_statestore._checks import check_together
from troth_statestore._disk import Disk, Found
from troth_statestore._index import Index
from troth_statestore._plan import Landing, Step, next_revision, plan, receipts, together
from troth_statestore._seen import Seen
from troth_statestore.memory import MemorySnapshot
from troth_statestore.paths import RESERVED_FOLDER, ancestors
from troth_statestore.protocol import ChangeSet, Probe, Receipt, digest_bytes

__all__ = ["DirectoryStore"]

_RECORDS = f"{RESERVED_FOLDER}/records"
_REVISION = f"{RESERVED_FOLDER}/revision"

# Seconds between two looks at a lock that somebody else holds.
_LOCK_PAUSE = 0.02


class DirectoryStore:
    """A `StateStore` in the folder `root`; records and its own files lie in ``root/.troth``.

    Symbolic links below the root are never followed: one in the way of a file is refused, one in
    a file's place is replaced. Processes and threads may share the folder.

    Args:
        root: the folder, made by the first `commit` if it is not there.
        patience: seconds to wait for another writer.
    """

    def __init__(self, root: Path, patience: float = 10.0) -> None:
        self._root = root.absolute()
        self._patience = patience
        self._disk = Disk(self._root, RESERVED_FOLDER)
        self._seen = Seen()

    def probe(self) -> Probe:
        """Look at the folder; nothing is made."""
        if self._root.exists() and not self._root.is_dir():
            raise StoreError(
                Reason.STATE_STORE_UNSUPPORTED,
                f"State store {self._root} is not a folder. Give the path of one.",
            )
        with self._locked(fcntl.LOCK_SH, create=False):
            return Probe(str(self._root), self._revision(), self._refusal())

    def _refusal(self) -> StoreError | None:
        there = next(one for one in (self._root, *self._root.parents) if one.exists())
        if os.access(there, os.W_OK | os.X_OK):
            return None
        return StoreError(
            Reason.STATE_STORE_REFUSED,
            f"State store {self._root}: this user may not write to {there}.",
        )

    def snapshot(self) -> MemorySnapshot:
        """Read all there is into memory: a folder keeps no moment but the present one."""
        with self._locked(fcntl.LOCK_SH, create=False):
            found = dict(self._disk.walk())
            records = {key: (one.content, _digest(one)) for key, one in self._disk.walk(_RECORDS)}
            self._seen.look({key: version for key, (_, version) in records.items()})
            return MemorySnapshot(
                {path: one.content for path, one in found.items() if not one.is_link},
                records,
                Index({path: _digest(one) for path, one in found.items()}),
                self._revision(),
            )

    def commit(self, changes: Sequence[ChangeSet]) -> Sequence[Receipt]:
        """Apply change sets, each with its record last; one receipt each, in the order given."""
        check_together(changes)
        if not changes:
            return []
        with self._locked(fcntl.LOCK_EX, create=True):
            places = _Place(self._disk, ""), _Place(self._disk, f"{_RECORDS}/")
            steps = plan(changes, *places, places[0].read, self._refused(changes))
            landings: dict[str, Landing] = {}
            for group in together(steps):
                landing = Landing(self._write(group))
                landings |= dict.fromkeys([one.change.key for one in group], landing)
                self._write_records(group)
            self._write_records([step for step in steps if not step.changed])
            self._seen.wrote(steps)
            return receipts(changes, steps, landings)

    def close(self) -> None:
        """Do nothing: no file is held open."""

    def _refused(self, changes: Sequence[ChangeSet]) -> frozenset[str]:
        if all(change.guard is None for change in changes):
            return frozenset()  # to read all records is not cheap here
        found = dict(self._disk.walk(_RECORDS))
        versions = {key: _digest(one) for key, one in found.items()}
        return self._seen.refused(
            changes, versions, lambda keys: {key: found[key].content for key in keys}
        )

    def _write(self, group: Sequence[Step]) -> str:
        """Write files that differ; return the new revision."""
        revision = next_revision(self._revision(), group)
        for path in (path for step in group for path in step.remove):
            self._disk.remove(path)
        for path, content in (pair for step in group for pair in step.write.items()):
            self._disk.write(path, content)
        self._disk.write(_REVISION, f"{revision}\n".encode())
        return revision

    def _write_records(self, steps: Sequence[Step]) -> None:
        for step in (one for one in steps if one.record_differs):
            path = f"{_RECORDS}/{step.change.key}"
            if step.change.record is None:
                self._disk.remove(path)
            else:
                self._disk.write(path, step.change.record)

    def _revision(self) -> str | None:
        found = self._disk.find(_REVISION)
        return None if found is None else found.content.decode(errors="replace").strip()

    @contextmanager
    def _locked(self, kind: int, *, create: bool) -> Generator[None, None, None]:
        """Hold the folder's lock, and make a `StoreError` of what the system refuses."""
        until = time.monotonic() + self._patience
        try:
            with ExitStack() as held:
                while True:
                    try:
                        held.enter_context(self._disk.locked(kind | fcntl.LOCK_NB, create=create))
                        break
                    except BlockingIOError as exc:
                        self._give_up_after(until, exc)
                yield
        except OSError as exc:
            raise StoreError(
                Reason.STATE_STORE_REFUSED,
                f"State store {self._root}: {exc.strerror}: {exc.filename}. Look at who owns it, "
                "at the space left, and for symbolic links, which are not followed.",
            ) from exc

    def _give_up_after(self, until: float, exc: BlockingIOError) -> None:
        if time.monotonic() >= until:
            raise TransientError(
                Reason.STATE_STORE_BUSY,
                f"State store {self._root} was held by another writer for {self._patience:g} "
                "seconds.",
            ) from exc
        time.sleep(_LOCK_PAUSE)


@dataclass(frozen=True, slots=True)
class _Place:
    """The part of a folder where files lie, or records: what `plan` compares with."""

    disk: Disk
    prefix: str

    def digest(self, path: str) -> str | None:
        found = self.disk.find(self.prefix + path)
        return None if found is None else _digest(found)

    def read(self, path: str) -> bytes | None:
        found = self.disk.find(self.prefix + path)
        return None if found is None or found.is_link else found.content

    def obstacles(self, path: str) -> list[str]:
        above = [folder for folder in ancestors(path) if self.disk.find(self.prefix + folder)]
        below = (f"{path}/{inside}" for inside, _ in self.disk.walk(self.prefix + path))
        return [*above, *sorted(below)]


def _digest(found: Found) -> str:
    digest = digest_bytes(found.content)
    return f"120000:{digest}" if found.is_link else digest

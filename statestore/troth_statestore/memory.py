"""The twin that keeps everything in memory: for tests, previews and trying things out."""

from collections.abc import Collection, Mapping, Sequence
from threading import Lock

from troth_statestore._checks import check_together
from troth_statestore._index import Index
from troth_statestore._plan import Landing, Step, next_revision, plan, receipts, together
from troth_statestore._seen import Seen
from troth_statestore.pieces import PieceReader, is_piece
from troth_statestore.protocol import ChangeSet, Probe, Receipt, digest_bytes

__all__ = ["MemorySnapshot", "MemoryStore"]


class MemorySnapshot:
    """Files and records that are held as bytes."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        records: Mapping[str, tuple[bytes, str]],
        index: Index,
        revision: str | None,
    ) -> None:
        """Take over all maps, which nobody may change afterwards; `index` is that of the files."""
        self._files = files
        self._records = records
        self._index = index
        self._revision = revision
        self._pieces = PieceReader(self._read)

    @property
    def revision(self) -> str | None:
        """The tip of the files at that moment, None in an empty store."""
        return self._revision

    def records(self) -> Mapping[str, tuple[bytes, str]]:
        """Return every record: key → (bytes, version)."""
        return self._records

    def record_versions(self) -> Mapping[str, str]:
        """Return the version of every record by key."""
        return {key: version for key, (_, version) in self._records.items()}

    def read_records(self, keys: Collection[str]) -> Mapping[str, bytes]:
        """Return the bytes of the given records; those that are not there are left out."""
        return {key: self._records[key][0] for key in keys if key in self._records}

    def digests(self, prefix: str) -> Mapping[str, str]:
        """Return path → digest of every file at or below the folder `prefix` ("" for all)."""
        return self._pieces.below(prefix) if is_piece(prefix) else self._index.below(prefix)

    def read(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Return the content of the given files; paths that are not there are left out."""
        pieces = self._pieces.read([path for path in paths if is_piece(path)])
        return {**self._read(paths), **pieces}

    def _read(self, paths: Sequence[str]) -> dict[str, bytes]:
        return {path: self._files[path] for path in paths if path in self._files}


class MemoryStore:
    """A `StateStore` that is gone with the process. Threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._files: dict[str, bytes] = {}
        self._records: dict[str, bytes] = {}
        self._file_index = Index({})
        self._record_index = Index({})
        self._revision: str | None = None
        self._seen = Seen()

    def probe(self) -> Probe:
        """Say that it is there."""
        return Probe("memory", self._revision)

    def snapshot(self) -> MemorySnapshot:
        """Copy the newest state."""
        with self._lock:
            versions = self._record_index.digests
            self._seen.look(versions)
            records = {key: (content, versions[key]) for key, content in self._records.items()}
            return MemorySnapshot(dict(self._files), records, self._file_index, self._revision)

    def commit(self, changes: Sequence[ChangeSet]) -> Sequence[Receipt]:
        """Apply change sets, each whole or not at all; one receipt each, in the order given."""
        check_together(changes)
        with self._lock:
            versions = self._record_index.digests
            refused = self._seen.refused(changes, versions, self._read_records)
            steps = plan(changes, self._file_index, self._record_index, self._files.get, refused)
            landings = self._apply(steps)
            self._seen.wrote(steps)
            return receipts(changes, steps, landings)

    def _read_records(self, keys: Sequence[str]) -> dict[str, bytes]:
        return {key: self._records[key] for key in keys}

    def _apply(self, steps: Sequence[Step]) -> dict[str, Landing]:
        landings: dict[str, Landing] = {}
        moved_files: dict[str, str | None] = {}
        moved_records: dict[str, str | None] = {}
        for step in steps:
            key, record = step.change.key, step.change.record
            moved_files |= _replace(self._files, step.write, step.remove)
            if step.record_differs:
                put = {} if record is None else {key: record}
                moved_records |= _replace(self._records, put, () if put else (key,))
        for group in together(steps):
            self._revision = next_revision(self._revision, group)
            landing = Landing(self._revision)
            landings |= {step.change.key: landing for step in group}
        self._file_index = self._file_index.changed(moved_files)
        self._record_index = self._record_index.changed(moved_records)
        return landings

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""


def _replace(
    held: dict[str, bytes], write: Mapping[str, bytes], remove: Sequence[str]
) -> dict[str, str | None]:
    """Change `held` in place; return path → new digest, None for removed."""
    for path in remove:
        del held[path]
    held.update(write)
    return dict.fromkeys(remove) | {path: digest_bytes(content) for path, content in write.items()}

"""One moment of a Git store: names of objects, and a way to read them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from troth.errors import Reason, TransientError
from troth_statestore.git._cache import CacheDamagedError
from troth_statestore.git._command import GitCommand
from troth_statestore.git._mirror import Moment
from troth_statestore.git._objects import read_blobs
from troth_statestore.pieces import PieceReader, is_piece

__all__ = ["GitSnapshot"]

_SUBMODULE = "160000:"
_LINK = "120000:"


class GitSnapshot:
    """A `Snapshot` that holds object ids; objects do not change, so neither does it."""

    def __init__(self, git: GitCommand, moment: Moment, mend: Callable[[], object]) -> None:
        """Hold a moment; `mend` is called when the cache that keeps its objects is damaged."""
        self._moment = moment
        self._plain = _Plain(git, moment, mend)
        # Not a method of this object: in a cycle it would outlive its use, and with it a list of
        # everything in the store, which the cache has to keep readable.
        self._pieces = PieceReader(self._plain.files)

    @property
    def revision(self) -> str | None:
        """The tip of the files at that moment, None where the branch does not exist."""
        return self._moment.files.tip

    def records(self) -> Mapping[str, tuple[bytes, str]]:
        """Return every record: key → (bytes, version)."""
        versions = self._moment.records.index.digests
        contents = self.read_records(versions)
        return {key: (content, versions[key]) for key, content in contents.items()}

    def record_versions(self) -> Mapping[str, str]:
        """Return the version of every record by key; what is no file is left out."""
        versions = self._moment.records.index.digests
        return {key: one for key, one in versions.items() if not one.startswith(_SUBMODULE)}

    def read_records(self, keys: Collection[str]) -> dict[str, bytes]:
        """Return the bytes of records that are there; what is no file is left out."""
        versions = self._moment.records.index.digests
        ids = {
            key: _object_id(versions[key])
            for key in keys
            if key in versions and not versions[key].startswith(_SUBMODULE)
        }
        blobs = self._plain.blobs(ids.values())
        return {key: blobs[object_id] for key, object_id in ids.items()}

    def digests(self, prefix: str) -> Mapping[str, str]:
        """Return path → digest of every file at or below the folder `prefix` ("" for all)."""
        if is_piece(prefix):
            return self._pieces.below(prefix)
        return self._moment.files.index.below(prefix)

    def read(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Return the content of the given files; paths that are not there are left out."""
        pieces = self._pieces.read([path for path in paths if is_piece(path)])
        return {**self._plain.files([path for path in paths if path not in pieces]), **pieces}

    def read_file(self, path: str) -> bytes | None:
        """Return the content of a file, None where there is none."""
        return self._plain.files([path]).get(path)


class _Plain:
    """Reads plain files, and whatever has an object id, at one moment."""

    def __init__(self, git: GitCommand, moment: Moment, mend: Callable[[], object]) -> None:
        self._git = git
        self._moment = moment
        self._mend = mend

    def files(self, paths: Sequence[str]) -> dict[str, bytes]:
        """Return the content of files that are there."""
        held = {path: self._moment.files.index.digest(path) for path in paths}
        wanted = {
            path: _object_id(digest)
            for path, digest in held.items()
            if digest is not None and not digest.startswith((_LINK, _SUBMODULE))
        }
        blobs = self.blobs(wanted.values())
        return {path: blobs[object_id] for path, object_id in wanted.items()}

    def blobs(self, object_ids: Iterable[str]) -> dict[str, bytes]:
        """Return the content of objects.

        Raises:
            TransientError: they can no longer be read.
        """
        wanted = set(object_ids)
        try:
            try:
                return read_blobs(self._git, wanted)
            except CacheDamagedError:
                self._mend()
            return read_blobs(self._git, wanted)
        except CacheDamagedError as exc:
            raise TransientError(
                Reason.STATE_STORE_BUSY,
                f"The snapshot at {self._moment.files.tip} can no longer be read: {exc}. "
                "Take a new one.",
            ) from exc


def _object_id(digest: str) -> str:
    return digest.rpartition(":")[2]

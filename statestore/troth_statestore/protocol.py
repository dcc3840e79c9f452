"""The seam between the engine and whatever keeps the files: one protocol and its values.

Nothing here speaks Git. A store keeps two things side by side and changes them together: *files*,
which agents read, and *records*, opaque bytes by key, in which the engine keeps what it knows.
The twins in ``git``, ``directory`` and ``memory`` pass the same tests.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeAlias

from troth.errors import TrothError

__all__ = [
    "ChangeSet",
    "Deed",
    "Guard",
    "Outcome",
    "Probe",
    "Receipt",
    "Snapshot",
    "StateStore",
    "digest_bytes",
]


def digest_bytes(content: bytes) -> str:
    """Return the digest by which stores name content: Git's blob id, 40 hex digits.

    Every twin uses it, so that a Git store answers `Snapshot.digests` without reading a file and
    output digests mean the same in every store. It guards against accidents, not attackers.
    Format: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
    """
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


class Outcome(StrEnum):
    """What became of a change set."""

    WRITTEN = "written"
    """It changed the store, and the store is known to have it."""
    UNCHANGED = "unchanged"
    """The store held all of it already; nothing was written."""
    STALE = "stale"
    """The record had moved since it was read, or another that mattered; nothing was written."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a store says of itself when it is tried.

    `description` is safe to show (no user-info, no secrets); `revision` is the tip that agents
    read, or None while there is none. `refusal` is why writing would be refused, as far as a store
    says so without being written to; None when nothing speaks against it.
    """

    description: str
    revision: str | None
    refusal: TrothError | None = None


class Deed(NamedTuple):
    """What a change set does, told so that several can be counted: ``Create``, ``request``.

    `noun` is what one of them is called; of several an s stands at its end.
    """

    verb: str
    noun: str


_SOME_CHANGE = Deed("Make", "change")


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """All that one key wants changed, applied whole or not at all.

    Attributes:
        key: path of the record below the records' root, e.g. ``requests/0a/ns/promise/name.yaml``.
        expected_version: version of the record this was computed from, None where there was none.
        files: path below the store's root → content to write. A path ``<file>//<piece>`` names a
            piece of a file that others have pieces in as well, see `troth_statestore.pieces`.
        delete: paths to remove; a path that is not there is no error.
        record: the record's new bytes, None to remove it.
        title: subject of the commit, where the store has such a thing.
        trailers: ``(name, value)`` pairs for the foot of the commit message, in order.
        guard: asked before it is written, should others have written records since this store's
            last snapshot: what does not pass is stale. None where no record but its own matters.
        deed: what it is counted as in the subject of a commit that it shares with others.
    """

    key: str
    expected_version: str | None
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    delete: frozenset[str] = frozenset()
    record: bytes | None = None
    title: str = ""
    trailers: tuple[tuple[str, str], ...] = ()
    guard: "Guard | None" = field(default=None, compare=False)
    deed: Deed = _SOME_CHANGE


Guard: TypeAlias = Callable[[Mapping[str, bytes | None]], bool]
"""Told which records others have written, key → bytes, None for one that is gone, says whether a
change set may still be written. All change sets of one commit are told by the same map."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one change set.

    Attributes:
        key: of the change set.
        outcome: what became of it.
        revision: the state of the files that carries it (for Git a commit of the files branch);
            None when it changed no file.
        changed: the paths of files written or removed, sorted.
        tree: digest of all files of the store in that state, for stores that keep one for every
            state (Git: the id of the tree of the store's folder); None where `revision` is, and in
            a store without a history, which would have to read all it holds to tell.
        guarded: whether it is stale for its guard alone: its own record is as it was.
    """

    key: str
    outcome: Outcome
    revision: str | None = None
    changed: tuple[str, ...] = ()
    tree: str | None = None
    guarded: bool = False


class Snapshot(Protocol):
    """One moment of a store; later writes do not show in it."""

    @property
    def revision(self) -> str | None:
        """The tip of the files at that moment, None in an empty store."""
        ...

    def records(self) -> Mapping[str, tuple[bytes, str]]:
        """Return every record: key → (bytes, version)."""
        ...

    def record_versions(self) -> Mapping[str, str]:
        """Return the version of every record by key; no record is read for it."""
        ...

    def read_records(self, keys: Collection[str]) -> Mapping[str, bytes]:
        """Return the bytes of the given records; those that are not there are left out."""
        ...

    def digests(self, prefix: str) -> Mapping[str, str]:
        """Return path → digest of every file at or below the folder `prefix` ("" for all).

        Below ``<file>//`` the answer is about the pieces of that file. Asked once for each request,
        so its cost must follow the answer, not the store.
        """
        ...

    def read(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Return the content of the given files; paths that are not there are left out."""
        ...


class StateStore(Protocol):
    """Where rendered files and records are kept."""

    def probe(self) -> Probe:
        """Try whether the store can be read, and as far as can be told whether it can be written.

        Raises:
            StoreError: it refuses us, is of a kind that cannot be used, or was set back.
            TransientError: it cannot be reached now.
        """
        ...

    def snapshot(self) -> Snapshot:
        """Read the newest state. Raises as `probe` does."""
        ...

    def commit(self, changes: Sequence[ChangeSet]) -> Sequence[Receipt]:
        """Apply change sets, each whole or not at all; one receipt each, in the order given.

        A receipt is given only for what has landed. Change sets that share a key or a path are a
        programmer's mistake.

        Raises:
            StoreError: the store refuses all of it, with its own words; nothing was written.
            TransientError: it cannot be reached, or others wrote faster than we could.
            ValueError: two change sets share a key, or a path is not a safe relative path.
        """
        ...

    def close(self) -> None:
        """Let go of connections and caches; the store is not used afterwards."""
        ...

"""What a change set would do to a store: the part of `commit` that all twins share.

Pure: a store hands in what it holds, and gets back what is to be written.
"""

import hashlib
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from troth.errors import Reason, StoreError
from troth_statestore.protocol import ChangeSet, Outcome, Receipt, digest_bytes

__all__ = ["Landing", "Step", "View", "next_revision", "plan", "receipts"]


class View(Protocol):
    """What stands in a store now; `Index` is one."""

    def digest(self, path: str) -> str | None:
        """Return the digest at `path`, None where there is no file."""
        ...

    def obstacles(self, path: str) -> Sequence[str]:
        """Return the files that must be gone before `path` can be one."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """A change set, and what of it differs from the store."""

    change: ChangeSet
    outcome: Outcome
    write: Mapping[str, bytes]
    remove: tuple[str, ...]
    record_differs: bool

    @property
    def changed(self) -> tuple[str, ...]:
        """Paths of the files that it writes or removes, sorted."""
        return tuple(sorted((*self.write, *self.remove)))


@dataclass(frozen=True, slots=True)
class Landing:
    """The state of the files after a step, and the digest of all of them where there is one."""

    revision: str
    tree: str | None = None


def plan(
    changes: Iterable[ChangeSet], files: View, records: View, refused: Container[str] = ()
) -> list[Step]:
    """Compare change sets with a store; in order of key, which is the order to write them in.

    Args:
        changes: what is asked for.
        files: what stands there.
        records: what stands there.
        refused: keys of those whose guards let them through no more.

    Raises:
        StoreError: a file that nobody asked to delete is in the way of another.
    """
    return [
        _stale(change) if change.key in refused else _step(change, files, records)
        for change in sorted(changes, key=lambda change: change.key)
    ]


def _stale(change: ChangeSet) -> Step:
    return Step(change, Outcome.STALE, {}, (), record_differs=False)


def _step(change: ChangeSet, files: View, records: View) -> Step:
    held = records.digest(change.key)
    if held != change.expected_version:
        return _stale(change)
    write = {
        path: content
        for path, content in sorted(change.files.items())
        if files.digest(path) != digest_bytes(content)
    }
    remove = tuple(path for path in sorted(change.delete) if files.digest(path) is not None)
    differs = held != (None if change.record is None else digest_bytes(change.record))
    for path in write:
        if files.digest(path) is None:
            _refuse_obstacles(change, path, files.obstacles(path))
    if change.record is not None and held is None:
        _refuse_obstacles(change, change.key, records.obstacles(change.key))
    outcome = Outcome.WRITTEN if write or remove or differs else Outcome.UNCHANGED
    return Step(change, outcome, write, remove, differs)


def _refuse_obstacles(change: ChangeSet, path: str, obstacles: Sequence[str]) -> None:
    foreign = next((found for found in obstacles if found not in change.delete), None)
    if foreign is not None:
        raise StoreError(
            Reason.UNSAFE_PATH,
            f"{change.key}: {path} cannot be written, since {foreign} is in its way in the state "
            "store and is not its own to remove. Move it, or change what is rendered.",
        )


def receipts(
    changes: Sequence[ChangeSet], steps: Iterable[Step], landings: Mapping[str, Landing]
) -> list[Receipt]:
    """Return the receipts of written `steps`, in the order of `changes`; `landings` by key."""
    by_key = {step.change.key: _receipt(step, landings.get(step.change.key)) for step in steps}
    return [by_key[change.key] for change in changes]


def _receipt(step: Step, landing: Landing | None) -> Receipt:
    key = step.change.key
    if landing is None:
        return Receipt(key, step.outcome, changed=step.changed)
    return Receipt(key, step.outcome, landing.revision, step.changed, landing.tree)


def next_revision(previous: str | None, step: Step) -> str:
    """Return a name for the state after `step`, for stores that have none of their own.

    A hash over the one before and the change, as a commit id is, so that it needs neither a clock
    nor a look at the whole store.
    """
    digest = hashlib.sha256((previous or "").encode())
    for path in step.changed:
        content = step.write.get(path)
        digest.update(f"\n{path} {'-' if content is None else digest_bytes(content)}".encode())
    return digest.hexdigest()[:40]

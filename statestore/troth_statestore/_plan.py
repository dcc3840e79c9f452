"""What a change set would do to a store: the part of `commit` that all twins share.

Pure: a store hands in what it holds, and gets back what is to be written.
"""

import hashlib
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from troth.errors import Reason, StoreError
from troth_statestore.pieces import compose, is_piece, parse, split_place
from troth_statestore.protocol import ChangeSet, Outcome, Receipt, digest_bytes

__all__ = ["Landing", "Step", "View", "next_revision", "plan", "receipts", "together"]


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
    """A change set, and what of it differs from the store.

    Attributes:
        write: plain files to write; a file that several steps have pieces in is written whole,
            once, by the first of them.
        remove: plain files to remove.
        changed: the paths of files and pieces that it writes or removes, sorted.
        guarded: whether nothing but its guard makes it stale.
    """

    change: ChangeSet
    outcome: Outcome
    write: Mapping[str, bytes]
    remove: tuple[str, ...]
    record_differs: bool
    changed: tuple[str, ...] = ()
    guarded: bool = False

    @property
    def shared(self) -> set[str]:
        """The files that it changes its pieces of."""
        return {split_place(path)[0] for path in self.changed if is_piece(path)}


@dataclass(frozen=True, slots=True)
class Landing:
    """The state of the files after a step, and the digest of all of them where there is one."""

    revision: str
    tree: str | None = None


def plan(
    changes: Iterable[ChangeSet],
    files: View,
    records: View,
    read: Callable[[str], bytes | None],
    refused: Container[str] = (),
) -> list[Step]:
    """Compare change sets with a store; in order of key, which is the order to write them in.

    Args:
        changes: what is asked for.
        files: what stands there.
        records: what stands there.
        read: returns the content of a file, None where there is none.
        refused: keys of those whose guards let them through no more.

    Raises:
        StoreError: a file that nobody asked to delete is in the way of another.
    """
    shelf = _Shelf(files, read)
    steps = [
        _step(change, files, records, shelf)
        if change.key not in refused
        else _stale(change, guarded=records.digest(change.key) == change.expected_version)
        for change in sorted(changes, key=lambda change: change.key)
    ]
    return shelf.put_together(steps)


class _Shelf:
    """The files that are put together from pieces, as they stand and as a flush makes them."""

    def __init__(self, files: View, read: Callable[[str], bytes | None]) -> None:
        self._files = files
        self._read = read
        self._pieces: dict[str, dict[str, bytes]] = {}

    def take(self, change: ChangeSet) -> list[str]:
        """Make the pieces what a change asks for; return the paths of those that differ."""
        changed: list[str] = []
        for path in (*change.files, *change.delete):
            file, piece = split_place(path)
            if not piece:
                continue
            pieces = self._pieces_of(file)
            wanted = change.files.get(path)
            if pieces.get(piece) == wanted:
                continue
            changed.append(path)
            if wanted is None:
                del pieces[piece]
            else:
                pieces[piece] = wanted
        return changed

    def _pieces_of(self, file: str) -> dict[str, bytes]:
        if file not in self._pieces:
            self._pieces[file] = parse(self._read(file) or b"")
        return self._pieces[file]

    def put_together(self, steps: Iterable[Step]) -> list[Step]:
        """Give each file that changes to the first step that has a piece in it."""
        found: list[Step] = []
        done: set[str] = set()
        for step in steps:
            mine = step
            for file in sorted(step.shared - done):
                done.add(file)
                pieces = self._pieces[file]
                if pieces:
                    if self._files.digest(file) is None:
                        _refuse_obstacles(step.change, file, self._files.obstacles(file))
                    mine = replace(mine, write={**mine.write, file: compose(pieces)})
                elif self._files.digest(file) is not None:
                    mine = replace(mine, remove=(*mine.remove, file))
            found.append(mine)
        return found


def together(steps: Iterable[Step]) -> list[list[Step]]:
    """Return the steps that change files, those that share one in a group, in order.

    A group is one commit: no state of the files has a part of it.
    """
    groups: list[list[Step]] = []
    places: dict[str, int] = {}  # file → the group of those that share it
    for step in (one for one in steps if one.changed):
        shared = step.shared
        joined = sorted({places[file] for file in shared if file in places})
        first = joined[0] if joined else len(groups)
        if not joined:
            groups.append([])
        for number in joined[1:]:
            groups[first] += groups[number]
            groups[number] = []
            places |= {file: first for file, place in places.items() if place == number}
        groups[first].append(step)
        places |= dict.fromkeys(shared, first)
    return [sorted(group, key=lambda one: one.change.key) for group in groups if group]


def _stale(change: ChangeSet, *, guarded: bool = False) -> Step:
    return Step(change, Outcome.STALE, {}, (), record_differs=False, guarded=guarded)


def _step(change: ChangeSet, files: View, records: View, shelf: _Shelf) -> Step:
    held = records.digest(change.key)
    if held != change.expected_version:
        return _stale(change)
    write = {
        path: content
        for path, content in sorted(change.files.items())
        if not is_piece(path) and files.digest(path) != digest_bytes(content)
    }
    remove = tuple(path for path in sorted(change.delete) if files.digest(path) is not None)
    differs = held != (None if change.record is None else digest_bytes(change.record))
    for path in write:
        if files.digest(path) is None:
            obstacles = (one for one in files.obstacles(path) if one not in change.delete)
            _refuse_obstacles(change, path, obstacles)
    if change.record is not None and held is None:
        _refuse_obstacles(change, change.key, records.obstacles(change.key))
    changed = tuple(sorted((*write, *remove, *shelf.take(change))))
    outcome = Outcome.WRITTEN if changed or differs else Outcome.UNCHANGED
    return Step(change, outcome, write, remove, differs, changed)


def _refuse_obstacles(change: ChangeSet, path: str, obstacles: Iterable[str]) -> None:
    foreign = next(iter(obstacles), None)
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
        return Receipt(key, step.outcome, changed=step.changed, guarded=step.guarded)
    return Receipt(key, step.outcome, landing.revision, step.changed, landing.tree)


def next_revision(previous: str | None, steps: Iterable[Step]) -> str:
    """Return a name for the state after `steps`, for stores that have none of their own.

    A hash over the one before and the change, as a commit id is, so that it needs neither a clock
    nor a look at the whole store.
    """
    digest = hashlib.sha256((previous or "").encode())
    changes: dict[str, str] = {}
    for step in steps:
        changes |= dict.fromkeys(step.remove, "-")
        changes |= {path: digest_bytes(content) for path, content in step.write.items()}
    for path, name in sorted(changes.items()):
        digest.update(f"\n{path} {name}".encode())
    return digest.hexdigest()[:40]

"""Rollback: a request's files as they were at a commit, judged as the next sync will judge them.

What is written is files and nothing else: the record stays as it is, so the state of the stages and
all that they made outside is never rolled back. The next sync takes the files for an earlier output
and keeps them, until the request changes; what it would put back is refused here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from troth.api import Reader, RequestKey
from troth.engine.change import Change, deed_of, spread
from troth.engine.digest import output_digest
from troth.engine.history import Past, Step, receipt_in
from troth.engine.ledger import Entry
from troth.engine.never_back import SEALED_STAYS, sealed_digest
from troth.engine.objects import identify
from troth.engine.observe import observe
from troth.engine.preview import FileChange
from troth.engine.record import OUTPUTS_KEPT, Record
from troth.engine.values import ObjectId, Spot
from troth.errors import (
    HeldError,
    InvalidInputError,
    OutputRefusedError,
    PermanentError,
    Reason,
)
from troth_statestore import ChangeSet, Owner, digest_bytes, record_key

__all__ = ["Rollback", "roll_back"]


# Trailers that say what files are; they hold again when these come back.
_CARRIED = ("Troth-Request", "Troth-Generation", "Troth-Promise", "Troth-Input", "Troth-Output")


@dataclass(frozen=True, slots=True)
class Rollback:
    """What a rollback would write.

    Attributes:
        record: of the request.
        steps: the commits whose files it takes, a store at most once.
        files: how the files change; none when they are so already.
        change: what the stores are to be given.
    """

    record: Record
    steps: tuple[Step, ...]
    files: tuple[FileChange, ...]
    change: Change


def roll_back(past: Past, key: RequestKey, commits: Sequence[str]) -> Rollback:
    """Work out what brings the files of a request back to what they were.

    Args:
        past: what the stores hold, and held.
        key: the request or Promise.
        commits: where to: one of its commits in each store of which the files are to change.

    Raises:
        HeldError: an object or file that would come back is another's now.
        InvalidInputError: a commit is not known, or none of this request; or there is no record.
        PermanentError: the next sync would not keep it, and why.
    """
    entry = past.ledger.find(key)
    if entry is None:
        message = f"the state store holds no record of {key}, so nothing tells what it wrote."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    _refuse_idle(entry.record)
    past.require(key)
    steps = _steps(past, key, commits)
    judged = _Judge(past, entry)
    now = judged.standing()
    then = judged.at(steps)
    judged.refuse(then, steps)
    before = past.ledger.view.read(now)
    touched = [spot for spot in sorted(now.keys() | then) if _differs(now, then, spot)]
    files = tuple(FileChange(spot, before.get(spot), then.get(spot)) for spot in touched)
    return Rollback(entry.record, steps, files, _change(past, entry, steps, files))


def _refuse_idle(record: Record) -> None:
    """Refuse what sync would not look at, or not keep."""
    key = record.key
    if record.paused:
        text = f"{key} is paused by its label, so no sync would notice; take the label off first."
        raise PermanentError(Reason.PAUSED, text)
    if record.suspension is not None:
        text = (
            f"{key} is suspended: {record.suspension.words} When that is over it is rendered anew, "
            "which would undo a rollback."
        )
        raise PermanentError(Reason.WORKFLOW_SUSPENDED, text)
    if not record.outputs:
        text = f"{key} was never written, so there is nothing to go back to."
        raise PermanentError(Reason.UNKNOWN_OUTPUT, text)


def _steps(past: Past, key: RequestKey, commits: Sequence[str]) -> tuple[Step, ...]:
    steps = tuple(past.step(key, commit) for commit in commits)
    stores = [step.store for step in steps]
    if len(set(stores)) < len(stores):
        message = f"{', '.join(commits)}: give one commit for each state store."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    return steps


def _differs(now: Mapping[Spot, str], then: Mapping[Spot, bytes], spot: Spot) -> bool:
    content = then.get(spot)
    return now.get(spot) != (None if content is None else digest_bytes(content))


@dataclass(frozen=True, slots=True)
class _Judge:
    """Finds what stood in a request's places, and says whether it may stand there again."""

    past: Past
    entry: Entry

    def standing(self) -> dict[Spot, str]:
        """Return the digest of each of its files that is there now."""
        past, record = self.past, self.entry.record
        return observe(record.key, record, past.world, past.ledger.view)

    def at(self, steps: Sequence[Step]) -> dict[Spot, bytes]:
        """Return its files as they were; in stores of which no commit is given, as they are."""
        stores = {step.store for step in steps}
        here = [spot for spot in self.standing() if spot.store not in stores]
        found = self.past.ledger.view.read(here)
        for step in steps:
            found |= self._at(step)
        return found

    def _at(self, step: Step) -> dict[Spot, bytes]:
        record, history = self.entry.record, self.past.histories[step.store]
        mine = [one for one in record.placements if one.store == step.store]
        folders = sorted({one.owned for one in mine if one.owned is not None})
        read = history.read_at(step.commit.revision, folders)
        found = {Spot(step.store, path): content for path, content in read.items()}
        if len(folders) < len(mine):
            found |= self._flat_at(step, found)
        return found

    def _flat_at(self, step: Step, nested: Mapping[Spot, bytes]) -> dict[Spot, bytes]:
        """Return its files that lie in no folder, by the newest record that they agree with."""
        for record in self.past.records(self.entry.record.key):
            named = [
                path
                for one in record.placements
                if one.store == step.store and one.owned is None
                for path in one.files
            ]
            read = self.past.histories[step.store].read_at(step.commit.revision, sorted(named))
            found = {Spot(step.store, path): read[path] for path in named if path in read}
            if self._output({**nested, **found}) in self.entry.record.outputs:
                return found
        return {}

    def _output(self, files: Mapping[Spot, bytes]) -> str:
        digests = {spot: digest_bytes(content) for spot, content in files.items()}
        return output_digest(digests, self.entry.home)

    def refuse(self, files: Mapping[Spot, bytes], steps: Sequence[Step]) -> None:
        """Refuse what the next sync would put back. Raises as `roll_back`."""
        record = self.entry.record
        named = ", ".join(step.commit.revision[:12] for step in steps)
        if self._output(files) not in record.outputs:
            others = {one.store for one in record.placements} - {step.store for step in steps}
            more = (
                f" It has files in {', '.join(sorted(others))} too: give a commit of that as well."
                if others
                else ""
            )
            text = (
                f"what {record.key} had at {named} is none of the outputs that its record "
                f"remembers (the last {OUTPUTS_KEPT} at most), or lay in other folders than now; "
                f"the next sync would put it back like any edit.{more}"
            )
            raise PermanentError(Reason.UNKNOWN_OUTPUT, text)
        if sealed_digest(files) != record.sealed:
            text = f"{record.key} cannot go back to {named}: {SEALED_STAYS} Change the request."
            raise PermanentError(Reason.SEALED_VALUE, text)
        self._refuse_held(files)

    def _refuse_held(self, files: Mapping[Spot, bytes]) -> None:
        """Refuse objects and files of others; what routes take is left to the sync."""
        ledger, key = self.past.ledger, self.entry.record.key
        standing, holders = self.standing(), ledger.holdings.files
        for spot in sorted(files.keys() - standing):
            holder = holders.get(spot)
            if holder is not None or ledger.view.digests(spot).get(spot) is not None:
                who = f"is held by {holder}" if holder else "was put there by somebody else"
                raise HeldError(Reason.PATH_HELD, f"the file {spot} {who} now.", holder)
        taken = ledger.holdings.objects
        for destination, identity in self._objects(files):
            holder = taken.get((destination, identity), key)
            if holder != key:
                message = f"{identity} in Destination {destination} is held by {holder} now."
                raise HeldError(Reason.OBJECT_HELD, message, holder)

    def _objects(self, files: Mapping[Spot, bytes]) -> Iterable[tuple[str, ObjectId]]:
        for placement in self.entry.record.placements:
            destination = self.past.world.destinations.get(placement.destination)
            reader = destination.reader if destination is not None else Reader.ARGOCD
            mine = {spot.path: content for spot, content in files.items() if placement.owns(spot)}
            try:
                found = identify(mine, reader, allow_secrets=True)
            except OutputRefusedError:
                continue  # not read as objects there; what does, judges
            for identities in found.values():
                yield from ((placement.destination, identity) for identity in identities)


def _change(past: Past, entry: Entry, steps: Sequence[Step], files: Iterable[FileChange]) -> Change:
    key = entry.record.key
    path = record_key(Owner(*key))
    content, version = past.ledger.view.snapshots[entry.home].records()[path]
    home = ChangeSet(
        key=path,
        expected_version=version,
        record=content,  # as it stands: a rollback is noticed, and kept, by the next sync
        title=f"Roll back {key}",
        deed=deed_of("Roll back", key),
        trailers=_trailers(entry.record, steps),
    )
    changed = list(files)
    return spread(
        home,
        entry.home,
        {one.spot: one.after for one in changed if one.after is not None},
        [one.spot for one in changed if one.after is None],
    )


def _trailers(record: Record, steps: Sequence[Step]) -> tuple[tuple[str, str], ...]:
    """Return the receipt of what is brought back, and where from."""
    key = record.key
    own = ("Troth-Promise", key.promise) if key.is_promise else ("Troth-Request", "/".join(key))
    earlier = receipt_in(steps[-1].commit.message, key)
    # Not all: what a store writes of its own there is about the earlier commit, not this one.
    carried = {own[0]: own[1], **{k: v for k, v in earlier.items() if k in _CARRIED}}
    carried |= {"Troth-Rollback": " ".join(step.commit.revision for step in steps)}
    return tuple(carried.items())

"""Turning change sets into commits: their messages, and where in the repository they lie.

The two branches speak of each other, so that a later run can tell when one of them was set back:
each commit of the records names the tip of the files that it was pushed with, and a commit of the
files, the record that went with it. Where no record changed, a commit that changes nothing says it.
"""

from collections.abc import Sequence

from troth_statestore._plan import Step
from troth_statestore.git._fast_import import Commit
from troth_statestore.git._told import Told
from troth_statestore.protocol import ChangeSet, digest_bytes

__all__ = [
    "BASE",
    "FILES",
    "NO_FILES",
    "RECORD",
    "commit_of_all",
    "commit_of_note",
    "commit_of_records",
    "commit_of_word",
]

FILES = "Troth-Files"
"""Trailer on the records: the tip of the files that they go with, or `NO_FILES`."""
NO_FILES = "none"
BASE = "Troth-Base"
"""Trailer on records that were pushed before their files: where the files were then."""
RECORD = "Troth-Record"
"""Trailer on the files: the version of the record that was pushed with them, or `_REMOVED`."""
_REMOVED = "removed"

_SHORT = 12  # hex digits that tell a commit from all others, for people


def _commit_of_each(steps: Sequence[Step], prefix: str) -> list[Commit]:
    """Return a commit for each change set: its title, and its trailers at the foot."""
    return [
        Commit(
            _message(step),
            {_placed(prefix, path): content for path, content in step.write.items()},
            [_placed(prefix, path) for path in step.remove],
        )
        for step in steps
    ]


def commit_of_all(steps: Sequence[Step], prefix: str) -> Commit:
    """Return one commit for all change sets; its message tells what each alone would have said.

    Above that a short list, where they are many: who reads it wants to know what was done, the
    receipts are for programs, and none may be left out.
    """
    single = _commit_of_each(steps, prefix)
    if len(single) == 1:
        return single[0]
    write: dict[str, bytes] = {}
    remove: list[str] = []
    for commit in single:
        write |= commit.write
        remove += commit.remove
    told = Told([(step.change.deed, _title(step.change)) for step in steps])
    parts = [f"{told.subject}\n", *([told.listing] if told.listing else [])]
    messages = "\n".join([*parts, *(commit.message for commit in single)])
    return Commit(messages, write, remove)


def commit_of_records(
    steps: Sequence[Step], prefix: str, trailers: Sequence[tuple[str, str]]
) -> Commit:
    """Return the one commit of the records branch."""
    write = {
        _placed(prefix, step.change.key): step.change.record
        for step in steps
        if step.change.record is not None
    }
    remove = [_placed(prefix, step.change.key) for step in steps if step.change.record is None]
    number = len(steps)
    subject = f"Record {number} {'change' if number == 1 else 'changes'}"
    return Commit(_spelled(subject, trailers), write, remove)


def commit_of_note(told: Sequence[tuple[str, str]]) -> Commit:
    """Return a commit of the records for files that moved while no record changed."""
    return commit_of_word(f"Note {dict(told)[FILES][:_SHORT]}", told)


def commit_of_word(subject: str, trailers: Sequence[tuple[str, str]]) -> Commit:
    """Return a commit that changes nothing and only says something."""
    return Commit(_spelled(subject, trailers), {}, [])


def _message(step: Step) -> str:
    change = step.change
    trailers = change.trailers
    if step.record_differs:
        trailers = (*trailers, (RECORD, _version(change)))
    return _spelled(_title(change), trailers)


def _title(change: ChangeSet) -> str:
    return change.title or change.key


def _version(change: ChangeSet) -> str:
    return _REMOVED if change.record is None else digest_bytes(change.record)


def _spelled(subject: str, trailers: Sequence[tuple[str, str]]) -> str:
    foot = "".join(f"{name}: {value}\n" for name, value in trailers)
    return f"{subject}\n\n{foot}" if foot else f"{subject}\n"


def _placed(prefix: str, path: str) -> str:
    return f"{prefix}/{path}" if prefix else path

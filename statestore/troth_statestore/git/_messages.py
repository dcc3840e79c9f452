"""Turning change sets into commits: their messages, and where in the repository they lie."""

from collections.abc import Sequence

from troth_statestore._plan import Step
from troth_statestore.git._fast_import import Commit
from troth_statestore.protocol import ChangeSet

__all__ = ["commit_of_all", "commit_of_each", "commit_of_records"]


def commit_of_each(steps: Sequence[Step], prefix: str) -> list[Commit]:
    """Return a commit for each change set: its title, and its trailers at the foot."""
    return [
        Commit(
            _message(step.change),
            {_placed(prefix, path): content for path, content in step.write.items()},
            [_placed(prefix, path) for path in step.remove],
        )
        for step in steps
    ]


def commit_of_all(steps: Sequence[Step], prefix: str) -> Commit:
    """Return one commit for all change sets; its message tells what each alone would have said."""
    single = commit_of_each(steps, prefix)
    if len(single) == 1:
        return single[0]
    write: dict[str, bytes] = {}
    remove: list[str] = []
    for commit in single:
        write |= commit.write
        remove += commit.remove
    messages = "\n".join(commit.message for commit in single)
    return Commit(f"Update {len(single)} requests\n\n{messages}", write, remove)


def commit_of_records(steps: Sequence[Step], prefix: str) -> Commit:
    """Return the one commit of the records branch."""
    write = {
        _placed(prefix, step.change.key): step.change.record
        for step in steps
        if step.change.record is not None
    }
    remove = [_placed(prefix, step.change.key) for step in steps if step.change.record is None]
    number = len(steps)
    return Commit(f"Record {number} {'change' if number == 1 else 'changes'}\n", write, remove)


def _message(change: ChangeSet) -> str:
    trailers = "".join(f"{name}: {value}\n" for name, value in change.trailers)
    subject = f"{change.title or change.key}\n"
    return f"{subject}\n{trailers}" if trailers else subject


def _placed(prefix: str, path: str) -> str:
    return f"{prefix}/{path}" if prefix else path

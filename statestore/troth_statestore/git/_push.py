"""Handing commits to the remote: over nobody's work, and both branches or neither where it can."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from shutil import which

from troth.errors import Reason, StoreError, TransientError, TrothError, WriteRefusedError
from troth_statestore.git._cache import CacheDamagedError
from troth_statestore.git._command import Finished, GitCommand
from troth_statestore.git._errors import error_of, remote_text
from troth_statestore.git._location import Location
from troth_statestore.git._mirror import descends

__all__ = ["MovedError", "NotAtomicError", "UnsureError", "Update", "push"]

# Why a ref was not updated, in the words of `git push --porcelain`, when it is because others
# were faster. The lease says `stale info`; two pushes at the same moment meet at the ref's lock.
_MOVED = re.compile(
    r"\[rejected\] \((stale info|fetch first|non-fast-forward|already exists)\)"
    r"|\[remote rejected\] \((incorrect old value provided|failed to (update ref|lock)"
    r"|cannot lock ref.*|reference already exists|(atomic )?transaction failed.*)\)"
)

# A branch that is called like a folder of another: no wait helps.
_IN_THE_WAY = re.compile(r"exists; cannot create")

# The remote took it all and went away before it said what it did with it.
_SILENT = re.compile(r"\[remote failure\]")

_NOT_ATOMIC = re.compile(r"does not support --atomic")

# Refusals that are not about what was written: with less of it they would be the same.
_WHATEVER = re.compile(
    r"protected branch hook declined|branch is currently checked out"
    r"|No space left on device|Out of diskspace|[Dd]isk quota exceeded|exists; cannot create"
)

# On this machine the other side is a child of ours. In a session of its own it is not killed with
# us, so that no lock of its is left behind; it sees that nobody is there any more, and ends.
_OWN_SESSION = "--receive-pack=setsid git-receive-pack"


class MovedError(Exception):
    """The remote is not where it was; its words are the message."""


class NotAtomicError(Exception):
    """The remote takes no two branches at once; nothing was sent."""


class UnsureError(Exception):
    """No answer came, so it may have landed or not, or may land yet.

    Attributes:
        error: what is to be told if nothing better is found out.
        again: whether it is of use to ask, and to push, once more.
    """

    def __init__(self, error: TransientError, *, again: bool) -> None:
        super().__init__(error.message)
        self.error = error
        self.again = again


@dataclass(frozen=True, slots=True)
class Update:
    """A ref of the remote, from where it is expected (None: nowhere) to where it shall be."""

    ref: str
    old: str | None
    new: str


def push(git: GitCommand, location: Location, updates: Sequence[Update]) -> None:
    """Move all refs of `updates`, or none.

    Raises:
        CacheDamagedError: a new commit does not descend from the old one.
        MovedError: a ref was not where it was expected.
        NotAtomicError: the remote takes only one ref at a time.
        UnsureError: the remote did not say what it did.
        StoreError: the remote refuses; its own words are in the message.
        TransientError: the remote takes nothing now; nothing was sent.
    """
    for update in updates:
        # A push with a lease is a forced one: this check is what keeps history whole.
        if update.old is not None and not descends(git, update.new, update.old):
            raise CacheDamagedError(f"{update.new} was not built on {update.old}")
    try:
        pushed = git.run(
            *("push", "--porcelain"),
            *(("--atomic",) if len(updates) > 1 else ()),
            *_receiver(location),
            *(f"--force-with-lease={update.ref}:{update.old or ''}" for update in updates),
            location.url,
            *(f"{update.new}:{update.ref}" for update in updates),
        )
    except TransientError as exc:  # it took too long, and was killed
        raise UnsureError(exc, again=False) from exc
    if pushed.status != 0:
        raise _refusal(location, pushed)


def _receiver(location: Location) -> tuple[str, ...]:
    # Not every system has the program; without it a kill may leave a lock: see `_locks`.
    return (_OWN_SESSION,) if location.folder is not None and which("setsid") else ()


def _refusal(location: Location, pushed: Finished) -> Exception:
    # Porcelain: `!\t<from>:<to>\t[rejected] (<why>)`; nothing of the kind when no remote answered.
    rejected = [line for line in pushed.text.splitlines() if line.startswith("!\t")]
    if not rejected and _NOT_ATOMIC.search(pushed.stderr):
        return NotAtomicError(location.description)
    if not rejected or any(map(_SILENT.search, rejected)):
        return _unsure(error_of(location, pushed.stderr))
    text = remote_text(pushed.stderr)
    if any(map(_MOVED.search, rejected)) and not _IN_THE_WAY.search(pushed.stderr):
        return MovedError(text)
    why = "; ".join(sorted({line.rpartition("\t")[2] for line in rejected}))
    whatever = _WHATEVER.search(f"{why}\n{pushed.stderr}")
    return (StoreError if whatever else WriteRefusedError)(
        Reason.STATE_STORE_REFUSED,
        f"State store {location.description} refused the push: {text} ({why})",
    )


def _unsure(error: TrothError) -> Exception:
    # A host that says when to come back has looked at nothing yet.
    if isinstance(error, TransientError) and error.retry_after is None:
        return UnsureError(error, again=True)
    return error

"""Handing commits to the remote: both branches or neither, and over nobody's work."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from troth.errors import Reason, StoreError
from troth_statestore.git._cache import CacheDamagedError
from troth_statestore.git._command import Finished, GitCommand
from troth_statestore.git._errors import error_of, remote_text
from troth_statestore.git._location import Location
from troth_statestore.git._mirror import descends

__all__ = ["MovedError", "Update", "push"]

# Why a ref was not updated, in the words of `git push --porcelain`, when it is because others
# were faster. The lease says `stale info`; two pushes at the same moment meet at the ref's lock.
_MOVED = re.compile(
    r"\[rejected\] \((stale info|fetch first|non-fast-forward|already exists)\)"
    r"|\[remote rejected\] \((incorrect old value provided|failed to (update ref|lock)"
    r"|cannot lock ref.*|reference already exists|(atomic )?transaction failed.*)\)"
)

# A branch that is called like a folder of another: no wait helps.
_IN_THE_WAY = re.compile(r"exists; cannot create")


class MovedError(Exception):
    """The remote is not where it was; its words are the message."""


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
        StoreError: the remote refuses; its own words are in the message.
        TransientError: the remote cannot be reached, or did not answer.
    """
    for update in updates:
        # A push with a lease is a forced one: this check is what keeps history whole.
        if update.old is not None and not descends(git, update.new, update.old):
            raise CacheDamagedError(f"{update.new} was not built on {update.old}")
    pushed = git.run(
        *("push", "--porcelain", "--atomic"),
        *(f"--force-with-lease={update.ref}:{update.old or ''}" for update in updates),
        location.url,
        *(f"{update.new}:{update.ref}" for update in updates),
    )
    if pushed.status != 0:
        raise _refusal(location, pushed)


def _refusal(location: Location, pushed: Finished) -> Exception:
    # Porcelain: `!\t<from>:<to>\t[rejected] (<why>)`; nothing of the kind when no remote answered.
    rejected = [line for line in pushed.text.splitlines() if line.startswith("!\t")]
    if not rejected:
        return error_of(location, pushed.stderr)
    text = remote_text(pushed.stderr)
    if any(map(_MOVED.search, rejected)) and not _IN_THE_WAY.search(pushed.stderr):
        return MovedError(text)
    why = "; ".join(sorted({line.rpartition("\t")[2] for line in rejected}))
    return StoreError(
        Reason.STATE_STORE_REFUSED,
        f"State store {location.description} refused the push: {text} ({why})",
    )

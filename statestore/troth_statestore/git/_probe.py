"""Asking whether a push would be taken, without pushing anything."""

import os
from pathlib import Path

from troth.errors import Reason, StoreError, TrothError
from troth_statestore.git._command import GitCommand
from troth_statestore.git._errors import error_of
from troth_statestore.git._location import Location

__all__ = ["why_no_push"]

# A pattern that no ref fits: git goes the whole way of a push, to find that there is nothing to do.
_NOTHING = "refs/troth/nothing/*:refs/troth/nothing/*"

# What git says, and over ssh fails for, when the remote has no branch: we were let in all the same.
_EMPTY = "No refs in common and none specified"


def why_no_push(git: GitCommand, location: Location) -> TrothError | None:
    """Return why a push would be refused, None when nothing speaks against it.

    A push begins with asking the host for leave, and there hosts judge who may write; `git push
    --dry-run` does that and no more. A protected branch, a hook or a full disk shows only in a push
    that has something in it.
    """
    asked = git.run("push", "--quiet", "--dry-run", location.url, _NOTHING)
    if asked.status != 0 and _EMPTY not in asked.stderr:
        return error_of(location, asked.stderr)
    objects = location.objects()
    closed = [] if objects is None else _closed([objects, objects.parent / "refs"])
    if closed:
        return StoreError(
            Reason.STATE_STORE_REFUSED,
            f"State store {location.description}: this user may not write to {closed[0]}.",
        )
    return None


def _closed(folders: list[Path]) -> list[Path]:
    return [folder for folder in folders if not os.access(folder, os.W_OK | os.X_OK)]

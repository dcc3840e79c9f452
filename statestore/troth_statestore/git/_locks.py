"""Locks that a git process left behind in a repository of this machine when the machine died.

Git takes a branch's lock for milliseconds, as a file, and nobody can tell whose it is. One that is
an hour old is nobody's any more.
"""

import logging
import re
import time
from collections.abc import Iterable

from troth_statestore.git._location import Location

__all__ = ["locked", "remove_old_locks"]

_log = logging.getLogger(__name__)

_OLD = 3600.0  # seconds

_LOCKED = re.compile(r"Unable to create '([^'\n]*\.lock)': File exists")


def remove_old_locks(location: Location, refs: Iterable[str]) -> None:
    """Remove locks of `refs` that nobody holds any more.

    Raises:
        OSError: one of them cannot be removed.
    """
    objects = location.objects()
    if objects is None:
        return
    now = time.time()
    for name in (*refs, "HEAD", "packed-refs"):
        lock = objects.parent / f"{name}.lock"
        if lock.is_file() and now - lock.stat().st_mtime > _OLD:
            lock.unlink(missing_ok=True)
            _log.warning(
                "State store %s: removed %s, which was left behind.",
                location.description, lock,
            )  # fmt: skip


def locked(said: str) -> str | None:
    """Return what to do about the lock that git names, None when it names none."""
    found = _LOCKED.search(said)
    if found is None:
        return None
    return (
        f"the lock {found[1]} is in the way; a git process that was killed may have left it. If no "
        "git runs in that repository, remove it. On this machine the next run does so when it is "
        "an hour old."
    )

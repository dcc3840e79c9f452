"""Leftovers: temporary folders of runners that were killed, and removed nothing any more.

Whoever has a folder holds a lock on a file in it, which the kernel lets go with its last process:
neither a process id that is given again, nor another container, can be mistaken for it.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Generator

__all__ = ["hold", "sweep"]

_LOCK = ".held"
_NEW = ".held.new"


def hold(folder: str) -> int:
    """Hold a folder for as long as this process lives, or until the descriptor is closed."""
    descriptor = os.open(f"{folder}/{_NEW}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    # Under its name it is locked from the first moment on.
    os.rename(f"{folder}/{_NEW}", f"{folder}/{_LOCK}")  # noqa: PTH104  (as in _folders)
    return descriptor


def sweep(parent: str, prefix: str, remove: Callable[[str], None]) -> None:
    """Remove the folders below `parent` that nobody holds any more; ours alone.

    A folder that was never held is left alone: it may be somebody else's, or just being made.
    """
    if not os.access(parent, os.R_OK):
        return  # a folder that one may only make folders in, as some hosts' for all users
    with os.scandir(parent) as entries:
        folders = [
            entry.path
            for entry in entries
            if entry.name.startswith(prefix) and entry.is_dir(follow_symlinks=False)
        ]
    for folder in folders:
        # Gone meanwhile, held, or another user's: then it is none of ours.
        with contextlib.suppress(OSError), _taken(folder):
            remove(folder)


@contextlib.contextmanager
def _taken(folder: str) -> Generator[None]:
    """Hold a folder that nobody holds. Raises OSError when somebody does."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(f"{folder}/{_LOCK}", flags)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise PermissionError
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)

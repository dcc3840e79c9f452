"""Temporary folders that nobody has to clear away, even where a process that made one was killed.

A folder is locked as long as its process lives; the kernel lets go of the lock however that ends.
So whoever makes the next one can tell those that were left behind, and removes them.
"""

import fcntl
import os
import shutil
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

__all__ = ["scratch_folder"]

# Others' temporary folders hold no lock, and must not be taken for what was left behind.
_PREFIX = "troth-cache-"

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def scratch_folder(held: ExitStack) -> Path:
    """Make a folder that is there as long as `held`, and no longer than this process.

    Raises:
        OSError: it cannot be made.
    """
    _remove_left_behind(Path(tempfile.gettempdir()))
    while True:
        made = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
        with suppress(FileNotFoundError):  # another found it before it was locked
            lock = os.open(made.name, _FOLDER)
            held.callback(os.close, lock)
            with suppress(OSError):  # where nothing can be locked, nothing is taken for left behind
                fcntl.flock(lock, fcntl.LOCK_EX)
            if Path(made.name).exists():
                return Path(held.enter_context(made))
        made.cleanup()


def _remove_left_behind(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # in use, another user's, gone meanwhile, or no folder
            lock = os.open(folder, _FOLDER)
            try:
                if os.fstat(lock).st_uid == os.geteuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)

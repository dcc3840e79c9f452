"""Reading and changing files below a root without ever following a symbolic link there.

Every step down is taken from the folder before it (``openat`` with ``O_NOFOLLOW``), so that a link
put in the way meanwhile is met as a link. The root itself may be one: it is the user's choice.
"""

import fcntl
import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from troth_statestore.paths import why_unsafe

__all__ = ["Disk", "Found"]

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Found:
    """What is at a path.

    Attributes:
        content: bytes of a plain file, target of a symbolic link.
        is_link: whether it is a symbolic link.
    """

    content: bytes
    is_link: bool


class Disk:
    """The files below `root`; all paths are safe relative ones.

    Methods raise ``OSError`` as the system does.
    """

    def __init__(self, root: Path, scratch: str) -> None:
        """Work below `root`, with the folder `scratch` in it for files that are being written."""
        self._root = root
        self._scratch = scratch

    @contextmanager
    def locked(self, kind: int, *, create: bool) -> Generator[None, None, None]:
        """Hold the lock file in the scratch folder, if there is one.

        Args:
            kind: an operation of ``fcntl.flock``.
            create: whether to make root, folder and file, should they not be there.
        """
        if create:
            self._root.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT if create else os.O_RDONLY
        try:
            with self._folder([self._scratch], create=create) as scratch:
                lock = os.open("lock", flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644, dir_fd=scratch)
        except FileNotFoundError:
            yield
            return
        try:
            fcntl.flock(lock, kind)
            yield
        finally:
            os.close(lock)

    def find(self, path: str) -> Found | None:
        """Return what is at `path`; None for nothing, a folder, or neither file nor link."""
        *folders, name = path.split("/")
        try:
            with self._folder(folders) as above:
                return _read(name, above)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def walk(self, prefix: str = "") -> Iterator[tuple[str, Found]]:
        """Yield path and content of files and links below the folder `prefix`, seen from there.

        Folders that no store would take, such as ``.git``, are passed over.
        """
        try:
            with self._folder(prefix.split("/") if prefix else []) as top:
                yield from _walk(top, "")
        except (FileNotFoundError, NotADirectoryError):
            return

    def write(self, path: str, content: bytes) -> None:
        """Put a file at `path`, whole or not at all; a link or an empty folder gives way."""
        *folders, name = path.split("/")
        with self._folder([self._scratch], create=True) as scratch:
            # One writer at a time: a file of that name is left over from one that was killed.
            with suppress(FileNotFoundError):
                os.unlink("new", dir_fd=scratch)
            with os.fdopen(os.open("new", _NEW, 0o644, dir_fd=scratch), "wb") as file:
                file.write(content)
            with self._folder(folders, create=True) as above:
                with suppress(FileNotFoundError, NotADirectoryError):
                    os.rmdir(name, dir_fd=above)
                os.replace("new", name, src_dir_fd=scratch, dst_dir_fd=above)

    def remove(self, path: str) -> None:
        """Remove the file or link at `path`, and the folders that are empty then."""
        *folders, name = path.split("/")
        with self._folder(folders) as above:
            os.unlink(name, dir_fd=above)
        while folders:
            name = folders.pop()
            with self._folder(folders) as above:
                try:
                    os.rmdir(name, dir_fd=above)
                except OSError:
                    # Not empty, which only the system can tell without a race.
                    return

    @contextmanager
    def _folder(self, names: list[str], *, create: bool = False) -> Generator[int, None, None]:
        """Open the folder at `names`; a link on the way is no folder (``NotADirectoryError``)."""
        here = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in names:
                if create:
                    with suppress(FileExistsError):
                        os.mkdir(name, 0o755, dir_fd=here)
                below = os.open(name, _FOLDER, dir_fd=here)
                os.close(here)
                here = below
            yield here
        finally:
            os.close(here)


def _walk(here: int, prefix: str) -> Iterator[tuple[str, Found]]:
    for name in os.listdir(here):
        path = prefix + name
        # Others may remove things while we look: those are not there, then.
        with suppress(FileNotFoundError, NotADirectoryError):
            if found := _read(name, here):
                yield path, found
            elif not why_unsafe(path):
                below = os.open(name, _FOLDER, dir_fd=here)
                try:
                    yield from _walk(below, f"{path}/")
                finally:
                    os.close(below)


def _read(name: str, above: int) -> Found | None:
    mode = os.stat(name, dir_fd=above, follow_symlinks=False).st_mode
    if stat.S_ISLNK(mode):
        return Found(os.fsencode(os.readlink(name, dir_fd=above)), is_link=True)
    if not stat.S_ISREG(mode):
        return None
    with os.fdopen(os.open(name, _READ, dir_fd=above), "rb") as file:
        return Found(file.read(), is_link=False)

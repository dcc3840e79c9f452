"""Find the files a command means: folders recursively, bundles by their rule.

A folder that holds ``promise.yaml`` is a bundle, of which only ``promise.yaml`` and
``resource-request*.yaml`` are read: the rest is documentation and golden output.
"""

import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from troth.errors import InvalidInputError, Reason

__all__ = ["Found", "Walk", "root_of", "walk"]

_SUFFIXES = (".yaml", ".yml", ".json")
_BUNDLE = "promise.yaml"
_BUNDLE_FILES = (_BUNDLE, "resource-request*.yaml")


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read.

    `named` says that the command named it, or that its name in a bundle says it holds a request;
    then what it holds has to be understood.
    """

    path: Path
    root: str
    named: bool


@dataclass(frozen=True, slots=True)
class Walk:
    """What a root holds: files in the order of their paths, and what could not be looked into.

    `folders` are the names, as roots have them, of the folders whose every file was taken;
    `passed_over` the YAML files in bundles that are none of a bundle's.
    """

    root: str
    files: tuple[Found, ...]
    problems: tuple[InvalidInputError, ...]
    folders: frozenset[str] = frozenset()
    passed_over: tuple[str, ...] = ()

    def was_read(self, root: str) -> bool:
        """Tell whether all that a root, as records name it, may hold was read here."""
        if root == self.root or root in self.folders:
            return True
        folder, _, name = root.rpartition("/")
        return folder in self.folders and _is_taken(name)


def _is_taken(name: str) -> bool:
    return name.endswith(_SUFFIXES) and not name.startswith(".")


def root_of(path: Path, source: str | None) -> str:
    """Return the name under which a PATH is remembered as read.

    Args:
        path: as the command was given it.
        source: a name for the folder the command runs in, where that folder's own name changes
            from run to run; without one the absolute path is the name, which no other folder has.
    """
    if source is None:
        return os.path.realpath(path)
    if not source.strip("/. "):
        raise InvalidInputError(Reason.INVALID_OBJECT, "--source needs a name.")
    relative = posixpath.normpath(path)
    if relative.startswith(("/", "..")):
        message = f"{path}: with --source every path has to lie in the folder the command runs in."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    return posixpath.normpath(f"{source}/{relative}")


def walk(path: Path, source: str | None = None) -> Walk:
    """Look through one PATH of a command.

    Raises:
        InvalidInputError: there is nothing at that path.
    """
    root = root_of(path, source)
    if path.is_file():
        return Walk(root, (Found(path, root, named=True),), ())
    if not path.is_dir():
        message = f"{path}: there is no such file or folder, or it is neither of the two."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    if (path / _BUNDLE).exists():
        root = f"{root}/{_BUNDLE}"  # a folder that becomes a bundle is another root
    walker = _Walker(path, root)
    files = tuple(walker.files())
    problems, folders = tuple(walker.problems), frozenset(walker.folders)
    return Walk(root, files, problems, folders, tuple(walker.passed_over))


class _Walker:
    """Goes through one folder, and remembers what it did not take."""

    def __init__(self, path: Path, root: str) -> None:
        self._path = path
        self._root = root
        self.problems: list[InvalidInputError] = []
        self.folders: list[str] = []
        self.passed_over: list[str] = []

    def files(self) -> Iterator[Found]:
        """Find the files, folder by folder, sorted."""
        for folder, subfolders, names in os.walk(self._path, onerror=self._unreadable):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            if _BUNDLE in names:
                subfolders.clear()
            self._refuse_links(folder, subfolders)
            for name in sorted(self._chosen(folder, names)):
                yield Found(Path(folder) / name, self._root, named=fnmatch(name, _BUNDLE_FILES[1]))

    def _chosen(self, folder: str, names: list[str]) -> list[str]:
        taken = [name for name in names if _is_taken(name)]
        if _BUNDLE not in names:
            below = os.path.relpath(folder, self._path)
            self.folders.append(posixpath.normpath(f"{self._root}/{below}"))
            return taken
        chosen = [n for n in names if any(fnmatch(n, pattern) for pattern in _BUNDLE_FILES)]
        self.passed_over += [f"{folder}/{name}" for name in taken if name not in chosen]
        return chosen

    def _refuse_links(self, folder: str, subfolders: list[str]) -> None:
        for name in subfolders:  # links are not followed; in silence they would look absent
            path_of = os.path.join(folder, name)  # noqa: PTH118  (paths too long for pathlib)
            if os.path.islink(path_of):  # noqa: PTH114  (as above)
                self._refuse(path_of, "it is a symlink; give its target to the command")

    def _unreadable(self, error: OSError) -> None:
        self._refuse(str(error.filename), error.strerror or "no reason given")

    def _refuse(self, folder: str, why: str) -> None:
        message = f"{folder}: this folder cannot be read: {why}."
        self.problems.append(InvalidInputError(Reason.INVALID_OBJECT, message))

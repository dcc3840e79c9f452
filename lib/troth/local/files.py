"""Find the files a command means: folders recursively, bundles by their rule.

A folder that holds ``promise.yaml`` is a bundle, of which only ``promise.yaml`` and
``resource-request*.yaml`` are read: the rest is documentation and golden output.
"""

import os
import posixpath
from collections.abc import Callable, Iterator
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
    """What a root holds: files in the order of their paths, and what could not be looked into."""

    root: str
    files: tuple[Found, ...]
    problems: tuple[InvalidInputError, ...]


def root_of(path: Path, source: str | None) -> str:
    """Return the name under which a PATH is remembered as read.

    Args:
        path: as the command was given it.
        source: a name for the folder the command runs in, where that folder's own name changes
            from run to run; without one the absolute path is the name, which no other folder has.
    """
    if source is None:
        return os.path.realpath(path)
    return posixpath.normpath(f"{source}/{path}")


def walk(path: Path, source: str | None = None) -> Walk:
    """Look through one PATH of a command.

    Raises:
        InvalidInputError: there is nothing at that path.
    """
    root = root_of(path, source)
    if path.is_file():
        return Walk(root, (Found(path, root, named=True),), ())
    if not path.is_dir():
        message = f"{path}: there is no such file or folder."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    problems: list[InvalidInputError] = []

    def refuse(folder: str, why: str) -> None:
        message = f"{folder}: this folder cannot be read: {why}."
        problems.append(InvalidInputError(Reason.INVALID_OBJECT, message))

    files = tuple(_files(path, root, refuse))
    return Walk(root, files, tuple(problems))


def _files(path: Path, root: str, refuse: Callable[[str, str], None]) -> Iterator[Found]:
    def unreadable(error: OSError) -> None:
        refuse(str(error.filename), error.strerror or "no reason given")

    for folder, subfolders, names in os.walk(path, onerror=unreadable):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        if _BUNDLE in names:
            subfolders.clear()
            chosen = [n for n in names if any(fnmatch(n, pattern) for pattern in _BUNDLE_FILES)]
        else:
            chosen = [n for n in names if n.endswith(_SUFFIXES) and not n.startswith(".")]
        for name in subfolders:  # links are not followed; in silence they would look absent
            path_of = os.path.join(folder, name)  # noqa: PTH118  (paths too long for pathlib)
            if os.path.islink(path_of):  # noqa: PTH114  (as above)
                refuse(path_of, "it is a symlink; give its target to the command")
        for name in sorted(chosen):
            yield Found(Path(folder) / name, root, named=fnmatch(name, _BUNDLE_FILES[1]))

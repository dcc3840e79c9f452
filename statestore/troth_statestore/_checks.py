"""What a change set must be before a store looks at it: all misuse, so all ``ValueError``."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from troth_statestore.paths import ancestors, why_unsafe
from troth_statestore.pieces import is_piece, why_no_piece, why_unsafe_place
from troth_statestore.protocol import ChangeSet

__all__ = ["Claims", "check_alone", "check_together", "touched"]

_TRAILER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


class Claims:
    """What some change sets touch, so that another can be told to be apart from them.

    Two change sets are apart when they share no key, no path, and none makes a file of what is a
    folder to the other.
    """

    def __init__(self) -> None:
        self._touched: set[str] = set()
        self._folders: set[str] = set()

    def clash(self, change: ChangeSet) -> str | None:
        """Return a path of `change` that is taken already, None when it is apart."""
        return next((path[2:] for path in touched(change) if self._taken(path)), None)

    def add(self, change: ChangeSet) -> None:
        """Take all that `change` touches."""
        for path in touched(change):
            self._touched.add(path)
            self._folders.update(ancestors(path))

    def _taken(self, path: str) -> bool:
        return (
            path in self._touched
            or path in self._folders
            or any(folder in self._touched for folder in ancestors(path))
        )


def touched(change: ChangeSet) -> Iterable[str]:
    """Return what a change set touches, its key included, as paths.

    Records and files are apart in every store: a letter before each keeps them apart here.
    """
    yield f"r/{change.key}"
    yield from (f"f/{path}" for path in change.files)
    yield from (f"f/{path}" for path in change.delete)


def check_alone(change: ChangeSet) -> None:
    """Check one change set by itself.

    Raises:
        ValueError: a path is unsafe, is both written and deleted or both file and folder, or the
            commit message would not be what it seems.
    """
    if reason := why_unsafe(change.key):
        raise ValueError(f"change set {change.key!r}: unsafe key: {reason}")
    for path in (*change.files, *change.delete):
        if reason := why_unsafe_place(path):
            raise ValueError(f"change set {change.key!r}: unsafe path {path!r}: {reason}")
    for path, content in change.files.items():
        if is_piece(path) and (reason := why_no_piece(content)):
            raise ValueError(f"change set {change.key!r}: {path!r} is no piece: {reason}")
    if both := sorted(change.delete & change.files.keys()):
        raise ValueError(f"change set {change.key!r} writes and deletes {both[0]!r}")
    for path in change.files:
        if inside := next((folder for folder in ancestors(path) if folder in change.files), None):
            raise ValueError(f"change set {change.key!r} writes {inside!r} and, below it, {path!r}")
    _check_message(change)


def _check_message(change: ChangeSet) -> None:
    for text in (change.title, *change.deed, *(value for _, value in change.trailers)):
        if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text):
            raise ValueError(f"change set {change.key!r}: {text!r} is no single line of text")
    for name, _ in change.trailers:
        if not _TRAILER_NAME.fullmatch(name):
            raise ValueError(f"change set {change.key!r}: {name!r} is no name of a trailer")


def check_together(changes: Sequence[ChangeSet]) -> None:
    """Check change sets that are to be applied by one call.

    Raises:
        ValueError: one of them fails `check_alone`, or two are not apart.
    """
    claims = Claims()
    for change in changes:
        check_alone(change)
        if path := claims.clash(change):
            raise ValueError(f"change set {change.key!r}: another one touches {path!r} as well")
        claims.add(change)

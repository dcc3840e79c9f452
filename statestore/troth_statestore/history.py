"""The past of a store: a second, small protocol beside `StateStore`, for stores that have one.

Only the Git twin does. A folder and the memory hold the present and nothing else.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Commit", "FileStep", "History"]


@dataclass(frozen=True, slots=True)
class FileStep:
    """What a commit did to one file: the digests before and after, None where it was not there."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Commit:
    """One state of the files, and how it differs from the one before.

    Attributes:
        revision: its name.
        author: who it is by, as ``Name <address>``: foreign text.
        seconds: since 1970, when its author made it.
        message: all of it: foreign text.
        files: what became of the files that were asked about, in order of path.
    """

    revision: str
    author: str
    seconds: int
    message: str
    files: tuple[FileStep, ...] = ()

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return next(iter(self.message.splitlines()), "")


class History(Protocol):
    """What a store held before, by path as `StateStore` knows them.

    Every method reads the newest state first, so that it answers for all that is written by then;
    each may raise as `StateStore.snapshot` does.
    """

    def log(
        self, paths: Sequence[str], *, limit: int | None = None, until: str | None = None
    ) -> Sequence[Commit]:
        """Return the commits that changed a file at or below one of `paths`, the newest first.

        Args:
            paths: files and folders; for none there is no commit.
            limit: how many at most.
            until: a revision, or how its name begins: it and what came before it.

        Raises:
            InvalidInputError: there is no such revision.
        """
        ...

    def touched(self, line: str) -> frozenset[str]:
        """Return the paths of files changed by commits in whose message `line` stands by itself."""
        ...

    def contents(self, digests: Iterable[str]) -> Mapping[str, bytes]:
        """Return digest → content, of digests that `log` told of; of a submodule there is none."""
        ...

    def read_at(self, revision: str, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Return path → content of the plain files at or below `paths` at a revision.

        Raises:
            InvalidInputError: there is no such revision.
        """
        ...

    def record_versions(self, key: str) -> Iterator[tuple[str, bytes]]:
        """Return what a record was, the newest first: revision of the records, and its bytes.

        The one that stands now comes first. Whoever stops early saves reading the others.
        """
        ...

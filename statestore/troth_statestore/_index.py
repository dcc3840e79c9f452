"""Names and digests of one moment: what every twin's snapshot answers from."""

from bisect import bisect_left
from collections.abc import Mapping

from troth_statestore.paths import ancestors, why_unsafe

__all__ = ["Index"]

# The character after "/": the end of a folder's range in a sorted list of paths.
_AFTER_SLASH = chr(ord("/") + 1)


class Index:
    """A frozen map path → digest that can be asked for one folder at the cost of its answer.

    A digest is `digest_bytes` of the content; for what is no plain file (a symbolic link, a
    submodule, an executable) it is ``<mode>:<object id>``, which no content has.
    """

    __slots__ = ("_digests", "_sorted")

    def __init__(self, digests: Mapping[str, str]) -> None:
        """Take over `digests`, which nobody may change afterwards."""
        self._digests = digests
        self._sorted: list[str] | None = None

    @property
    def digests(self) -> Mapping[str, str]:
        """Everything, path → digest."""
        return self._digests

    def digest(self, path: str) -> str | None:
        """Return the digest at `path`, None where there is no file (a folder is none)."""
        return self._digests.get(path)

    def below(self, prefix: str) -> dict[str, str]:
        """Return path → digest at or below `prefix` ("" for all), sorted.

        Foreign paths that no store would take are left out: nobody could ask to remove them.
        """
        return {
            path: self._digests[path] for path in self._range(prefix) if why_unsafe(path) is None
        }

    def obstacles(self, path: str) -> list[str]:
        """Return the files that must be gone before `path` can be one.

        These are a file where `path` needs a folder, and files below `path` itself.
        """
        return [
            *(folder for folder in ancestors(path) if folder in self._digests),
            *(found for found in self._range(path) if found != path),
        ]

    def changed(self, changes: Mapping[str, str | None]) -> "Index":
        """Return this index with `changes` applied: path → new digest, None for removed."""
        digests = dict(self._digests)
        for path, digest in changes.items():
            if digest is None:
                digests.pop(path, None)
            else:
                digests[path] = digest
        return Index(digests)

    def _range(self, prefix: str) -> list[str]:
        # Sorted late, since many moments are never asked. Two threads may both sort: to the same.
        if self._sorted is None:
            self._sorted = sorted(self._digests)
        if not prefix:
            return self._sorted
        first = bisect_left(self._sorted, prefix + "/")
        last = bisect_left(self._sorted, prefix + _AFTER_SLASH, lo=first)
        own = [prefix] if prefix in self._digests else []
        return own + self._sorted[first:last]

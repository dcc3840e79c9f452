"""Reading the remote: where its two branches are, and getting their objects."""

from dataclasses import dataclass

from troth_statestore.git._cache import Cache, CacheDamagedError, must
from troth_statestore.git._errors import error_of, known_error, sha256_refused
from troth_statestore.git._location import Location

__all__ = ["Branches", "Remote", "Tips"]

_SHA1_DIGITS = 40

# Commits by which a shallow history is made deeper while something is looked for in it; then all.
_STEPS = ("--deepen=32", "--deepen=512", "--deepen=8192", "--unshallow")


@dataclass(frozen=True, slots=True)
class Tips:
    """The commits that the two branches point to; None for a branch that does not exist."""

    files: str | None
    records: str | None


@dataclass(frozen=True, slots=True)
class Branches:
    """Full names of the two refs on the remote."""

    files: str
    records: str

    @classmethod
    def of(cls, branch: str) -> "Branches":
        """Return the refs for the branch that agents read."""
        return cls(f"refs/heads/{branch}", f"refs/heads/troth/records/{branch}")


class Remote:
    """The two branches of one repository, as seen from a cache."""

    # Where the cache remembers what it fetched, so that it is not fetched again.
    _SEEN = Branches("refs/troth/remote/files", "refs/troth/remote/records")

    def __init__(self, location: Location, branches: Branches, cache: Cache) -> None:
        self.location = location
        self.branches = branches
        self._cache = cache

    def tips(self) -> Tips:
        """Ask where the branches are.

        Raises:
            CacheDamagedError: nobody can be asked from a cache like this.
            StoreError: the remote refuses, or is none that can be used.
            TransientError: it cannot be reached now.
        """
        asked = self._cache.git.run(
            "ls-remote", "--heads", self.location.url, self.branches.files, self.branches.records
        )
        if asked.status != 0:
            # This is the first command of whatever is done, so it meets a broken cache as well.
            must(self._cache.git.run("rev-parse", "--git-dir"))
            raise error_of(self.location, asked.stderr)
        found = {
            name: object_id
            for object_id, name in (line.split("\t") for line in asked.text.splitlines())
        }
        if any(len(object_id) != _SHA1_DIGITS for object_id in found.values()):
            raise sha256_refused(self.location)
        return Tips(found.get(self.branches.files), found.get(self.branches.records))

    def remember(self, tips: Tips) -> None:
        """Take note of tips that the cache has in full, so that they are not fetched again."""
        if self._cache.borrows:
            return
        for _, ours, tip in self._pairs(tips):
            if tip is not None:
                must(self._cache.git.run("update-ref", ours, tip))

    def fetch(self, tips: Tips, *, whole: bool) -> Tips:
        """Get what the branches hold; return where they were then, which may be newer.

        Args:
            tips: where the branches were a moment ago.
            whole: whether the history of an empty cache is wanted too.

        Raises:
            CacheDamagedError: the remote could be asked a moment ago, yet this failed.
            StoreError: the remote refuses.
            TransientError: the remote can no longer be reached.
        """
        if self._cache.borrows or tips == Tips(None, None):
            return tips
        self._fetch(tips, *(["--depth=1"] if self._cache.is_empty and not whole else []))
        self._cache.is_empty = False
        files, records = [
            None if tip is None else must(self._cache.git.run("rev-parse", ours)).text.strip()
            for _, ours, tip in self._pairs(tips)
        ]
        return Tips(files, records)

    def follows(self, tips: Tips, tip: str, ancestor: str) -> bool:
        """Tell whether `tip` is `ancestor` or came after it, at the cost of the way between them.

        Args:
            tips: where the branches are, which have been fetched.
            tip: a commit of theirs.
            ancestor: any commit, known or not.

        Raises:
            CacheDamagedError, StoreError, TransientError: as `fetch`.
        """
        git = self._cache.git
        steps = iter(_STEPS)
        while git.run("merge-base", "--is-ancestor", ancestor, tip).status != 0:
            if not self.deepen(tips, next(steps, _STEPS[-1])):
                must(git.run("cat-file", "-e", f"{tip}^{{commit}}"))
                return False
        return True

    def deepen(self, tips: Tips, step: str = _STEPS[0]) -> bool:
        """Fetch more of the history, if it was not whole; tell whether it was not.

        Raises:
            CacheDamagedError, StoreError, TransientError: as `fetch`.
        """
        asked = must(self._cache.git.run("rev-parse", "--is-shallow-repository"))
        if self._cache.borrows or asked.text.strip() != "true":
            return False
        self._fetch(tips, step)
        return True

    def _fetch(self, tips: Tips, *options: str) -> None:
        fetched = self._cache.git.run(
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--atomic", *options),
            self.location.url,
            *(f"+{theirs}:{ours}" for theirs, ours, tip in self._pairs(tips) if tip is not None),
        )
        if fetched.status != 0:
            raise known_error(self.location, fetched.stderr) or CacheDamagedError(fetched.stderr)

    def _pairs(self, tips: Tips) -> list[tuple[str, str, str | None]]:
        return [
            (self.branches.files, self._SEEN.files, tips.files),
            (self.branches.records, self._SEEN.records, tips.records),
        ]

"""What a store knows of its remote: one moment, brought up to date before each use."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakSet

from troth_statestore.git._cache import Cache, CacheDamagedError, must
from troth_statestore.git._command import GitCommand
from troth_statestore.git._lineage import doubt_about, rewritten
from troth_statestore.git._remote import Remote, Tips
from troth_statestore.git._tree import NO_TREE, Tree, advanced
from troth_statestore.git._upkeep import Upkeep

if TYPE_CHECKING:
    from troth.errors import StoreError

__all__ = ["Mirror", "Moment", "descends", "has"]


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Moment:
    """Both branches at one time."""

    files: Tree
    records: Tree


class Mirror:
    """The remote's two branches, listed; it moves forward only.

    Whether a later tip descends from an earlier one is asked of tips that this object has seen;
    the first are held against each other (`doubt_about`).

    Attributes:
        moment: what was known last; None before the first look.
        doubt: what was wrong at first sight, where that is accepted.
    """

    def __init__(self, remote: Remote, cache: Cache, prefix: str, *, accept: bool = False) -> None:
        self._remote = remote
        self._cache = cache
        self._prefix = prefix
        self._upkeep = Upkeep(cache)
        self._shown = WeakSet[Moment]()
        self._accept = accept
        self.moment: Moment | None = None
        self._seen = Tips(None, None)
        self._looked = False
        self._is_new = cache.is_empty
        self.doubt: StoreError | None = None

    def refresh(self) -> Moment:
        """Return the newest state of the remote.

        Raises:
            CacheDamagedError: it can be reached, but the cache cannot follow.
            StoreError: it refuses, or its history was rewritten since it was seen last.
            TransientError: it cannot be reached now.
        """
        tips = self.look()
        if self.moment is not None and tips == self._seen:
            return self.moment
        moment = self._moment_at(tips)
        self.settle(moment)
        return moment

    def look(self) -> Tips:
        """Fetch, and return where the branches are, if they belong together and went forward.

        What is known stays as it was: the next `refresh` asks all of it again. Raises as that does.
        """
        tips = self._remote.tips()
        if self.moment is not None and tips == self._seen:
            return tips
        if self.moment is not None:
            self._remote.remember(self._seen)
        tips = self._remote.fetch(tips, whole=self._seen != Tips(None, None))
        if not self._looked:
            tips = self._first_look(tips)
        self._refuse_rewritten(self._remote.branches.files, self._seen.files, tips.files)
        self._refuse_rewritten(self._remote.branches.records, self._seen.records, tips.records)
        return tips

    def _moment_at(self, tips: Tips) -> Moment:
        """List what stands at tips whose objects are in the cache."""
        known = self.moment or Moment(NO_TREE, NO_TREE)
        return Moment(
            advanced(self._cache.git, known.files, tips.files, self._prefix),
            advanced(self._cache.git, known.records, tips.records, self._prefix),
        )

    def settle(self, moment: Moment) -> None:
        """Take `moment` for the state of the remote, which is known to have it."""
        self.moment = moment
        self._shown.add(moment)
        self._looked = True
        self._is_new = False
        self._seen = Tips(moment.files.tip, moment.records.tip)

    def tidy(self) -> None:
        """Keep the cache small; what stands at the tips and what snapshots show stays in it.

        Raises:
            CacheDamagedError: git could not.
        """
        if self.moment is None or not self._upkeep.is_due:
            return
        self._remote.remember(self._seen)
        shown = [tip for one in self._shown for tip in (one.files.tip, one.records.tip)]
        self._upkeep.tidy({tip for tip in shown if tip is not None})

    def begin_again(self) -> None:
        """Make the cache anew. What was seen is remembered: history may not change for that."""
        self.moment = None
        self._is_new = True
        self._cache.rebuild()

    def _first_look(self, tips: Tips) -> Tips:
        """Refuse branches that do not belong together; return where they are."""
        while (doubt := doubt_about(self._cache.git, self._remote, tips)) is not None:
            # Two branches are not read at one moment: perhaps one has just moved, and now the
            # other has too.
            again = self._remote.tips()
            if again == tips:
                break
            tips = self._remote.fetch(again, whole=True)
        if doubt is not None and not self._accept:
            self._make_sure()
            raise doubt
        self.doubt = doubt
        return tips

    def _refuse_rewritten(self, ref: str, seen: str | None, tip: str | None) -> None:
        if seen is None or seen == tip:
            return
        if tip is not None and has(self._cache.git, tip, seen):
            return
        self._make_sure()
        raise rewritten(self._remote.location, ref, seen, tip)

    def _make_sure(self) -> None:
        """Have the cache made anew before its word is taken for what others did to the remote.

        Raises:
            CacheDamagedError: it was not made anew for this.
        """
        if not self._is_new:
            raise CacheDamagedError("it does not hold what was seen before")


def has(git: GitCommand, tip: str, commit: str) -> bool:
    """Tell whether `commit` is known to be in the history of `tip`; an unknown one is not."""
    return git.run("merge-base", "--is-ancestor", commit, tip).status == 0


def descends(git: GitCommand, tip: str, ancestor: str) -> bool:
    """Tell whether `tip` is `ancestor` or came after it.

    Raises:
        CacheDamagedError: one of them is not there, so there is no telling.
    """
    asked = git.run("merge-base", "--is-ancestor", ancestor, tip)
    if asked.status == 1:
        return False
    must(asked)
    return True

"""Making the commits of one flush: what is to be pushed, and what it means once it has landed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from troth.errors import Reason, StoreError
from troth_statestore._plan import Landing, Step, together
from troth_statestore.git._cache import Cache
from troth_statestore.git._commits import Maker, make_commits
from troth_statestore.git._fast_import import Commit, Growth
from troth_statestore.git._location import Location
from troth_statestore.git._messages import (
    BASE,
    FILES,
    NO_FILES,
    commit_of_all,
    commit_of_note,
    commit_of_records,
)
from troth_statestore.git._mirror import Moment
from troth_statestore.git._objects import tree_ids
from troth_statestore.git._push import Update
from troth_statestore.git._remote import Branches, Tips
from troth_statestore.git._settings import GitSettings
from troth_statestore.git._signing import Signer
from troth_statestore.git._tree import Tree, foreign_file_at
from troth_statestore.protocol import ChangeSet, digest_bytes

__all__ = ["Flush", "Press", "Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a store lies: a repository, two branches, and a folder in both ("" for the root)."""

    location: Location
    branches: Branches
    prefix: str

    def __str__(self) -> str:
        """Return what people are shown; it holds no secret."""
        inside = f", folder {self.prefix}" if self.prefix else ""
        branch = self.branches.files.removeprefix("refs/heads/")
        return f"{self.location.description} (branch {branch}{inside})"


@dataclass(frozen=True, slots=True)
class Flush:
    """Commits that stand in the cache.

    Attributes:
        changes: what was asked for.
        steps: what of it differed, which they are made of.
        before: where the branches have to be for them.
        after: where the branches are with them.
        landings: key → where its files land.
    """

    changes: Sequence[ChangeSet]
    steps: Sequence[Step]
    before: Tips
    after: Tips
    landings: Mapping[str, Landing]

    def updates(self, branches: Branches, *, all_of_them: bool = False) -> list[Update]:
        """Return the refs that move, or all that have to be where they were; the records' first."""
        moves = (
            (branches.records, self.before.records, self.after.records),
            (branches.files, self.before.files, self.after.files),
        )
        return [
            Update(ref, old, new)
            for ref, old, new in moves
            if new is not None and (all_of_them or new != old)
        ]

    def moment_after(self, before: Moment) -> Moment:
        """Return what the branches hold with these commits, which were made on top of `before`."""
        files: dict[str, str | None] = {}
        records: dict[str, str | None] = {}
        for step in self.steps:
            files |= dict.fromkeys(step.remove)
            files |= {path: digest_bytes(content) for path, content in step.write.items()}
            if step.record_differs:
                record = step.change.record
                records[step.change.key] = None if record is None else digest_bytes(record)
        return Moment(
            Tree(self.after.files, before.files.index.changed(files)),
            Tree(self.after.records, before.records.index.changed(records)),
        )


class Press:
    """Makes commits for one target, in a cache."""

    def __init__(self, target: Target, settings: GitSettings, cache: Cache) -> None:
        self._target = target
        self._settings = settings
        self._cache = cache
        key = settings.signing_key
        self._signer = None if key is None else Signer(key, str(target))

    def probe(self) -> None:
        """Try whether commits can be made. Raises StoreError when there is no key to sign with."""
        if self._signer is not None:
            self._signer.key()

    def make(
        self, changes: Sequence[ChangeSet], moment: Moment, steps: Sequence[Step], *, apart: bool
    ) -> Flush:
        """Make commits of what differs.

        Args:
            changes: what is asked for.
            moment: what to build on.
            steps: what of it differs.
            apart: whether the branches will be pushed one after the other.

        Raises:
            CacheDamagedError: git could not.
            StoreError: a file stands where the store's folder should be.
        """
        before = Tips(moment.files.tip, moment.records.tip)
        if not any(step.changed or step.record_differs for step in steps):
            return Flush(changes, steps, before, before, {})
        seconds = self._settings.clock()
        groups = self._groups(steps)
        ids = self._import(Growth(before.files, self._file_commits(moment.files, groups)), seconds)
        files = ids[-1] if ids else before.files
        follow = files if apart and ids else None
        told = [(FILES, files or NO_FILES)]
        if follow is not None:
            told.append((BASE, before.files or NO_FILES))
        commits = self._record_commits(moment.records, steps, told) or [commit_of_note(told)]
        record_ids = self._import(Growth(before.records, commits, follow), seconds)
        after = Tips(files, record_ids[-1] if record_ids else before.records)
        trees = tree_ids(self._cache.git, ids, self._target.prefix)
        landings = {
            step.change.key: Landing(commit, trees[commit])
            for group, commit in zip(groups, ids, strict=True)
            for step in group
        }
        return Flush(changes, steps, before, after, landings)

    def make_one(self, parent: str | None, commit: Commit) -> str:
        """Make one commit on top of another; return its id. Raises as `make`."""
        [made] = self._import(Growth(parent, [commit]), self._settings.clock())
        return made

    def _groups(self, steps: Sequence[Step]) -> list[list[Step]]:
        """Return the steps that change files, those of one commit together."""
        groups = together(steps)
        if self._settings.one_commit_a_flush and groups:
            return [[step for step in steps if step.changed]]
        return groups

    def _file_commits(self, tree: Tree, groups: Sequence[Sequence[Step]]) -> list[Commit]:
        if not groups:
            return []
        self._refuse_foreign_prefix(tree)
        return [commit_of_all(steps, self._target.prefix) for steps in groups]

    def _record_commits(
        self, tree: Tree, steps: Sequence[Step], told: Sequence[tuple[str, str]]
    ) -> list[Commit]:
        differing = [step for step in steps if step.record_differs]
        if not differing:
            return []
        self._refuse_foreign_prefix(tree)
        return [commit_of_records(differing, self._target.prefix, told)]

    def _import(self, growth: Growth, seconds: int) -> list[str]:
        if not growth.commits:
            return []
        key = None if self._signer is None else self._signer.key()
        maker = Maker(self._settings.author, seconds, key)
        [made] = make_commits(self._cache.git, (growth,), maker)
        return made

    def _refuse_foreign_prefix(self, tree: Tree) -> None:
        if not self._target.prefix or tree.tip is None or tree.index.digests:
            return
        if foreign := foreign_file_at(self._cache.git, tree.tip, self._target.prefix):
            raise StoreError(
                Reason.STATE_STORE_REFUSED,
                f"State store {self._target}: {foreign} is a file in the repository, so nothing "
                f"can be written below {self._target.prefix}. Choose another path.",
            )

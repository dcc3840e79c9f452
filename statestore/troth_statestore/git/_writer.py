"""A flush, step by step: bring up to date, compare, make commits, push; again if others moved."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from troth.errors import Reason, StoreError, TransientError, TrothError
from troth_statestore._plan import Landing, Step, plan, receipts
from troth_statestore._seen import Seen
from troth_statestore.git._cache import Cache
from troth_statestore.git._commits import Maker, make_commits
from troth_statestore.git._fast_import import Commit, Growth
from troth_statestore.git._history import Past
from troth_statestore.git._location import Location
from troth_statestore.git._messages import commit_of_all, commit_of_each, commit_of_records
from troth_statestore.git._mirror import Mirror, Moment
from troth_statestore.git._objects import tree_ids
from troth_statestore.git._probe import why_no_push
from troth_statestore.git._push import MovedError, Update, push
from troth_statestore.git._remote import Branches, Remote, Tips
from troth_statestore.git._settings import GitSettings
from troth_statestore.git._signing import Signer
from troth_statestore.git._snapshot import GitSnapshot
from troth_statestore.git._tree import Tree, foreign_file_at
from troth_statestore.protocol import ChangeSet, Receipt

__all__ = ["Target", "Writer"]

# Seconds to wait, at most, before a push is tried again; doubled each time, so that several
# writers come apart.
_FIRST_PAUSE = 0.05


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


class Writer:
    """One store's cache, what is known of the remote, and the way from change sets to commits.

    Every method but `close` may raise `CacheDamagedError`; then nothing was pushed, and the same
    call may be made again after `begin_again`.
    """

    def __init__(self, target: Target, settings: GitSettings) -> None:
        self._target = target
        self._settings = settings
        self._cache = Cache(target.location, settings)
        self._remote = Remote(target.location, target.branches, self._cache)
        self._mirror = Mirror(self._remote, self._cache, target.prefix)
        self._seen = Seen()
        key = settings.signing_key
        self._signer = None if key is None else Signer(key, str(target))

    def probe(self) -> Tips:
        """Try what a write needs; return where the branches are."""
        if self._signer is not None:
            self._signer.key()
        return self._remote.tips()

    def why_no_push(self) -> TrothError | None:
        """Tell why the remote takes no push of ours, None when nothing speaks against one."""
        return why_no_push(self._cache.git, self._target.location)

    def snapshot(self) -> GitSnapshot:
        """Bring what is known up to date, and hold it fast."""
        moment = self._mirror.refresh()
        self._seen.look(moment.records.index.digests)
        return GitSnapshot(self._cache.git, moment)

    def past(self) -> Past:
        """Bring what is known up to date, for whoever wants to look back from there."""
        moment = self._mirror.refresh()
        target, tips = self._target, Tips(moment.files.tip, moment.records.tip)
        return Past(self._cache.git, target.location, target.branches, target.prefix, tips)

    def begin_again(self) -> None:
        """Throw the cache away and make it anew."""
        self._mirror.begin_again()

    def close(self) -> None:
        """Let go of the cache."""
        self._cache.close()

    def commit(self, changes: Sequence[ChangeSet]) -> list[Receipt]:
        """Apply change sets that were checked; one receipt each, in the order given."""
        self._mirror.tidy()
        said = ""
        for attempt in range(self._settings.attempts):
            if attempt:
                time.sleep(random.SystemRandom().uniform(0, _FIRST_PAUSE * 2**attempt))
            moment = self._mirror.refresh()
            now = GitSnapshot(self._cache.git, moment)
            refused = self._seen.refused(changes, moment.records.index.digests, now.read_records)
            steps = plan(changes, moment.files.index, moment.records.index, refused)
            try:
                landings = self._write(moment, steps)
            except MovedError as exc:
                said = str(exc)
            else:
                self._seen.wrote(steps)
                return receipts(changes, steps, landings)
        raise TransientError(
            Reason.STATE_STORE_BUSY,
            f"State store {self._target}: others pushed in between each of "
            f"{self._settings.attempts} attempts. Nothing was written. The last answer: {said}",
        )

    def _write(self, moment: Moment, steps: Sequence[Step]) -> dict[str, Landing]:
        """Make commits of what differs and push them; return key → where its files landed."""
        on_files = [step for step in steps if step.changed]
        file_ids, record_ids = self._import(
            Growth(moment.files.tip, self._file_commits(moment.files, on_files)),
            Growth(moment.records.tip, self._record_commits(moment.records, steps)),
        )
        if not file_ids and not record_ids:
            return {}
        reached = Tips(
            file_ids[-1] if file_ids else moment.files.tip,
            record_ids[-1] if record_ids else moment.records.tip,
        )
        # Listed before the push, since after it nothing may fail any more.
        next_moment = self._mirror.moment_at(reached)
        trees = tree_ids(self._cache.git, file_ids, self._target.prefix)
        push(self._cache.git, self._target.location, self._updates(moment, reached))
        self._mirror.settle(next_moment)
        ids = file_ids * len(on_files) if self._settings.one_commit_a_flush else file_ids
        return {
            step.change.key: Landing(commit, trees[commit])
            for step, commit in zip(on_files, ids, strict=True)
        }

    def _file_commits(self, tree: Tree, steps: Sequence[Step]) -> list[Commit]:
        if not steps:
            return []
        self._refuse_foreign_prefix(tree)
        if self._settings.one_commit_a_flush:
            return [commit_of_all(steps, self._target.prefix)]
        return commit_of_each(steps, self._target.prefix)

    def _record_commits(self, tree: Tree, steps: Sequence[Step]) -> list[Commit]:
        differing = [step for step in steps if step.record_differs]
        if not differing:
            return []
        self._refuse_foreign_prefix(tree)
        return [commit_of_records(differing, self._target.prefix)]

    def _import(self, files: Growth, records: Growth) -> tuple[list[str], list[str]]:
        if not files.commits and not records.commits:
            return [], []
        key = None if self._signer is None else self._signer.key()
        maker = Maker(self._settings.author, self._settings.clock(), key)
        on_files, on_records = make_commits(self._cache.git, (files, records), maker)
        return on_files, on_records

    def _updates(self, moment: Moment, reached: Tips) -> list[Update]:
        branches = self._target.branches
        moves = (
            (branches.files, moment.files.tip, reached.files),
            (branches.records, moment.records.tip, reached.records),
        )
        return [Update(ref, old, new) for ref, old, new in moves if new is not None and new != old]

    def _refuse_foreign_prefix(self, tree: Tree) -> None:
        if not self._target.prefix or tree.tip is None or tree.index.digests:
            return
        if foreign := foreign_file_at(self._cache.git, tree.tip, self._target.prefix):
            raise StoreError(
                Reason.STATE_STORE_REFUSED,
                f"State store {self._target}: {foreign} is a file in the repository, so nothing "
                f"can be written below {self._target.prefix}. Choose another path.",
            )

"""A flush, step by step: bring up to date, compare, make commits, push; again if others moved."""

import random
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from troth.errors import Reason, TransientError, TrothError
from troth_statestore._plan import plan, receipts
from troth_statestore._seen import Seen
from troth_statestore.git._cache import Cache
from troth_statestore.git._flush import Flush, Press, Target
from troth_statestore.git._halves import Halves
from troth_statestore.git._history import Past
from troth_statestore.git._locks import locked, remove_old_locks
from troth_statestore.git._messages import FILES, NO_FILES, commit_of_word
from troth_statestore.git._mirror import Mirror, Moment, has
from troth_statestore.git._probe import why_no_push
from troth_statestore.git._push import MovedError, NotAtomicError, UnsureError, Update, push
from troth_statestore.git._remote import Remote, Tips
from troth_statestore.git._settings import GitSettings
from troth_statestore.git._snapshot import GitSnapshot
from troth_statestore.protocol import ChangeSet, Receipt

__all__ = ["Writer"]

# Seconds to wait, at most, before a push is tried again; doubled each time, up to a limit, so that
# several writers come apart, and a host that is down is not asked too often.
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0


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
        self._mirror = Mirror(
            self._remote, self._cache, target.prefix, accept=settings.accept_remote
        )
        self._press = Press(target, settings, self._cache)
        self._halves = Halves(self._remote, self._mirror, self._cache, self._press.make_one)
        self._apart = False
        self._sent: list[Flush] = []
        self._outrun = False
        self._seen = Seen()

    def probe(self) -> Tips:
        """Try what a write needs; return where the branches are, if nobody set them back."""
        self._press.probe()
        return self._mirror.look()

    def why_no_push(self) -> TrothError | None:
        """Tell why the remote takes no push of ours, None when nothing speaks against one."""
        return why_no_push(self._cache.git, self._target.location)

    def snapshot(self, mend: Callable[[], object]) -> GitSnapshot:
        """Bring what is known up to date, and hold it fast; `mend` as `GitSnapshot` has it."""
        moment = self._newest()
        self._seen.look(moment.records.index.digests)
        return GitSnapshot(self._cache.git, moment, mend)

    def mend(self) -> None:
        """Make the cache anew, with all that the remote has."""
        self.begin_again()
        self._mirror.refresh()

    def past(self) -> Past:
        """Bring what is known up to date, for whoever wants to look back from there."""
        moment = self._newest()
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
        # What was sent for the very same and never answered may have landed since.
        self._sent = [flush for flush in self._sent if list(flush.changes) == list(changes)]
        flush = self._landed_or_sent(changes)
        self._sent = []
        self._seen.wrote(flush.steps)
        return receipts(changes, flush.steps, flush.landings)

    def _landed_or_sent(self, changes: Sequence[ChangeSet]) -> Flush:
        trouble: MovedError | UnsureError = MovedError("")
        known = self._known()
        self._outrun = False
        attempt = 0
        while attempt < self._settings.attempts:
            self._pause(attempt)
            try:
                if known is not None:
                    return self._send_unasked(changes, known)
                moment = self._newest()
                return self._landed(moment) or self._send(changes, moment)
            except (MovedError, UnsureError) as exc:
                trouble = exc.with_traceback(None)  # else it would hold on to what is known here
                self._outrun = True
            except TransientError as exc:
                if not self._sent:
                    raise
                trouble = UnsureError(exc, again=exc.retry_after is None)
            if isinstance(trouble, UnsureError) and not trouble.again:
                break
            attempt += known is None  # the guess is no attempt
            known = None
        return self._landed_at_last() or self._give_up(trouble)

    def _known(self) -> Moment | None:
        """Return what the remote held when it was last heard of, if that may be built on.

        Asking first costs as much as the push itself where a host is far away, and the push asks
        too: its lease is on both branches. Where others push as well, asking comes first.
        """
        moment = self._mirror.moment
        if self._outrun or self._apart or self._sent or moment is None:
            return None
        # A branch that does not exist can have no lease without being pushed.
        return None if None in {moment.files.tip, moment.records.tip} else moment

    def _send_unasked(self, changes: Sequence[ChangeSet], known: Moment) -> Flush:
        """Send on top of what was known last; that it still is so, the remote's answer says."""
        flush = self._send(changes, known, sure=False)
        if flush.after != flush.before:
            return flush
        # Nothing to push: so nothing was asked, and what is said to be there may not be.
        moment = self._newest()
        return flush if moment is known else self._send(changes, moment)

    def _send(self, changes: Sequence[ChangeSet], moment: Moment, *, sure: bool = True) -> Flush:
        """Make commits of what differs and push them; unless it is sure, where the rest is too."""
        now = GitSnapshot(self._cache.git, moment, self.mend)
        refused = self._seen.refused(changes, moment.records.index.digests, now.read_records)
        steps = plan(changes, moment.files.index, moment.records.index, now.read_file, refused)
        flush = self._press.make(changes, moment, steps, apart=self._apart)
        updates = flush.updates(self._target.branches, all_of_them=not sure)
        if flush.after != flush.before:
            next_moment = flush.moment_after(moment)
            self._sent.append(flush)
            self._cache.is_empty = False  # so what is fetched next reaches back to this
            try:
                self._push(updates)
            except NotAtomicError:
                self._sent.remove(flush)
                self._apart = True  # for good: it is the host's way
                return self._send(changes, moment if sure else self._newest())
            self._mirror.settle(next_moment)
            self._halves.is_whole(flush.after.records)
        return flush

    def _push(self, updates: Sequence[Update]) -> None:
        if self._apart and len(updates) > 1:
            records, files = updates
            self._halves.push(records, files)
        else:
            push(self._cache.git, self._target.location, updates)

    def _landed(self, moment: Moment) -> Flush | None:
        """Return what was sent and not answered, if it is there."""
        tips = Tips(moment.files.tip, moment.records.tip)
        there = {
            self._target.branches.files: tips.files,
            self._target.branches.records: tips.records,
        }

        def landed(update: Update) -> bool:
            tip = there[update.ref]
            return tip is not None and has(self._cache.git, tip, update.new)

        branches = self._target.branches
        return next((f for f in self._sent if all(map(landed, f.updates(branches)))), None)

    def _pause(self, attempt: int) -> None:
        if attempt:
            branches = self._target.branches
            remove_old_locks(self._target.location, (branches.files, branches.records))
            longest = min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE)
            time.sleep(random.SystemRandom().uniform(0, longest))

    def _landed_at_last(self) -> Flush | None:
        try:
            return self._landed(self._newest()) if self._sent else None
        except TransientError:
            return None  # what is told is why it was not answered in the first place

    def _give_up(self, trouble: MovedError | UnsureError) -> NoReturn:
        if isinstance(trouble, UnsureError):
            error = trouble.error
            message = f"{error.message} What was sent was not seen to land."
            raise TransientError(error.reason, message, error.retry_after) from trouble
        if (lock := locked(str(trouble))) is not None:
            message = f"State store {self._target}: {lock} Nothing was written."
            raise TransientError(Reason.STATE_STORE_BUSY, message) from trouble
        raise TransientError(
            Reason.STATE_STORE_BUSY,
            f"State store {self._target}: others pushed in between each of "
            f"{self._settings.attempts} attempts. Nothing was written. The last answer: {trouble}",
        ) from trouble

    def _newest(self) -> Moment:
        """Bring what is known up to date, and the branches to agree."""
        moment = self._mirror.refresh()
        if self._settings.read_only:
            return moment
        moment = self._halves.mend(moment)
        if self._mirror.doubt is not None:
            moment = self._accept(moment)
        return moment

    def _accept(self, moment: Moment) -> Moment:
        """Write down that the branches are taken as they are."""
        word = commit_of_word(
            "Accept the files as they are", [(FILES, moment.files.tip or NO_FILES)]
        )
        made = self._press.make_one(moment.records.tip, word)
        update = Update(self._target.branches.records, moment.records.tip, made)
        try:
            push(self._cache.git, self._target.location, [update])
        except (MovedError, UnsureError) as exc:
            self._give_up(exc)
        self._mirror.doubt = None
        return self._mirror.refresh()

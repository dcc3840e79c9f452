"""Group commit: many callers hand in change sets, one thread writes all that wait at once."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Condition, Thread

from troth.errors import Reason, StoreError
from troth_statestore._checks import check_alone
from troth_statestore._lanes import Entry, Lanes
from troth_statestore._patience import Patience
from troth_statestore.budget import Pace
from troth_statestore.layout import namespace_of
from troth_statestore.protocol import ChangeSet, Outcome, Receipt, StateStore

__all__ = ["Backlog", "Flusher"]

_log = logging.getLogger(__name__)

_AT_ONCE = Pace()


@dataclass(frozen=True, slots=True)
class Backlog:
    """How a flusher is doing at one moment.

    Attributes:
        waiting: change sets that are not being written yet.
        writing: change sets that are being written.
        oldest: seconds since the oldest of those that wait was handed in; None when none waits.
        next_push: seconds until the push budget allows a push; 0 when it does now.
    """

    waiting: int
    writing: int
    oldest: float | None
    next_push: float


class Flusher:
    """Hands what waits to a store's `commit`, one flush after the other.

    An idle store flushes at once; while it is busy, or its push budget is used up, change sets
    gather for the next flush. Namespaces take turns, so a flush that cannot hold all that waits
    holds something of each. What touches the same key or paths as something handed in earlier goes
    in a later flush than that. Use one for each store and branch; closing it does not close the
    store.

    What counts against the budget is a push: a flush that found nothing to write costs nothing.

    Args:
        store: where to write.
        max_batch: change sets in one flush, at most.
        lane_of: tells by its key whose a change set is; None for what is everybody's and goes
            first, such as the records of Promises, which those of requests refer to.
        pace: how fast it may go.
    """

    def __init__(
        self,
        store: StateStore,
        max_batch: int = 1000,
        lane_of: Callable[[str], str | None] = namespace_of,
        pace: Pace = _AT_ONCE,
    ) -> None:
        if max_batch < 1:
            raise ValueError(f"a flush of at most {max_batch} change sets never ends")
        self._store = store
        self._max_batch = max_batch
        self._lane_of = lane_of
        self._pace = pace
        self._lanes = Lanes()
        self._writing = 0
        self._changed = Condition()
        self._closing = False
        # A daemon, so that a caller who forgets to close does not keep the process from ending.
        self._thread = Thread(target=self._run, name="troth-flusher", daemon=True)
        self._thread.start()

    def submit(self, change: ChangeSet) -> Future[Receipt]:
        """Hand in one change set; its future holds the receipt, or why there is none.

        Raises:
            ValueError: the change set can be in no store (an unsafe path, say), or this is closed.
        """
        return self.submit_all([change])[0]

    def submit_all(self, changes: Sequence[ChangeSet]) -> list[Future[Receipt]]:
        """Hand in change sets that go in one flush, as far as they fit and are apart.

        Raises as `submit` does; then none of them was taken.
        """
        for change in changes:
            check_alone(change)
        now = self._pace.clock.now()
        entries = [Entry(change, self._lane_of(change.key), now) for change in changes]
        with self._changed:
            if self._closing:
                raise ValueError("change sets were handed in to a flusher that is closed")
            for entry in entries:
                self._lanes.add(entry)
            self._changed.notify()
        return [entry.receipt for entry in entries]

    def backlog(self) -> Backlog:
        """Tell how much waits, and for how long."""
        budget = self._pace.budget
        with self._changed:
            oldest = self._lanes.oldest
            return Backlog(
                waiting=len(self._lanes),
                writing=self._writing,
                oldest=None if oldest is None else self._pace.clock.now() - oldest.since,
                next_push=0.0 if budget is None else budget.next_in(),
            )

    def close(self) -> None:
        """Write what waits, and end; what is handed in later is refused.

        The push budget does not count any more: nobody may be there to write it later.
        """
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next_batch():
            self._flush(sorted(batch, key=lambda one: one.change.key))
            with self._changed:
                self._lanes.done(batch)
                self._writing = 0

    def _next_batch(self) -> list[Entry]:
        """Wait for something to write and for a token; nothing means that there will be no more."""
        told = False
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lanes or self._closing)
                if not self._lanes:
                    return []
                seconds = self._seconds_to_wait()
                if not seconds:
                    batch = self._lanes.take(self._max_batch)
                    self._writing = len(batch)
                    if batch:
                        return batch
                    continue  # all that waited had been cancelled
                if told:
                    self._pace.clock.wait(self._changed, seconds)
                    continue
            told = True
            self._tell(seconds)  # not under the lock: whoever listens may take its time

    def _seconds_to_wait(self) -> float:
        budget = self._pace.budget
        return 0.0 if budget is None or self._closing else budget.next_in()

    def _tell(self, seconds: float) -> None:
        try:
            self._pace.on_wait(seconds)
        except Exception:  # noqa: BLE001  (who listens badly must not stop the writing)
            _log.exception("Nobody could be told that a push has to wait.")

    def _flush(self, batch: Sequence[Entry], patience: Patience | None = None) -> None:
        patience = patience or Patience()
        if patience.ended_by is not None:
            _fail(batch, patience.ended_by)
            return
        try:
            receipts = self._commit([one.change for one in batch])
            answers = list(zip(batch, receipts, strict=True))
        except StoreError as exc:
            if patience.refused(exc, len(batch)):
                # It may be about one of them; the others shall not wait for it.
                middle = len(batch) // 2
                self._flush(batch[:middle], patience)
                self._flush(batch[middle:], patience)
            else:
                _fail(batch, exc)
        except BaseException as exc:  # noqa: BLE001  (whatever it is, somebody waits to hear it)
            _fail(batch, exc)
        else:
            patience.landed()
            for one, receipt in answers:
                one.receipt.set_result(receipt)

    def _commit(self, changes: Sequence[ChangeSet]) -> Sequence[Receipt]:
        """Write for a token, which is given back when it turns out that nothing was pushed."""
        budget = self._pace.budget
        if budget is None or not self._take_token():
            return self._store.commit(changes)
        try:
            receipts = self._store.commit(changes)
        except StoreError as exc:
            if exc.reason is Reason.UNSAFE_PATH:  # judged before anything is sent
                budget.give_back()
            raise
        if all(receipt.outcome is not Outcome.WRITTEN for receipt in receipts):
            budget.give_back()
        return receipts

    def _take_token(self) -> bool:
        """Wait for a token and take it; False when closing, for then it takes none."""
        budget = self._pace.budget
        told = False
        while budget is not None:
            with self._changed:
                if self._closing:
                    break
                seconds = budget.take()
                if not seconds:
                    return True
                if told:
                    self._pace.clock.wait(self._changed, seconds)
                    continue
            told = True
            self._tell(seconds)
        return False


def _fail(batch: Sequence[Entry], exc: BaseException) -> None:
    for one in batch:
        one.receipt.set_exception(exc)

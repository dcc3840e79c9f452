"""Group commit: many callers hand in change sets, one thread writes all that wait at once."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Thread

from troth.errors import Reason, StoreError
from troth_statestore._checks import Claims, check_alone
from troth_statestore.protocol import ChangeSet, Receipt, StateStore

__all__ = ["Flusher"]


@dataclass(frozen=True, slots=True)
class _Waiting:
    change: ChangeSet
    receipt: Future[Receipt] = field(default_factory=Future[Receipt])


class Flusher:
    """Hands what waits to a store's `commit`, one flush after the other.

    An idle store flushes at once; while it is busy, change sets gather for the next flush. What
    touches the same key or paths as something handed in earlier goes in a later flush than that.
    Use one for each store and branch; closing it does not close the store.

    Args:
        store: where to write.
        max_batch: change sets in one flush, at most.
    """

    def __init__(self, store: StateStore, max_batch: int = 1000) -> None:
        if max_batch < 1:
            raise ValueError(f"a flush of at most {max_batch} change sets never ends")
        self._store = store
        self._max_batch = max_batch
        self._queue: deque[_Waiting] = deque()
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
        waiting = [_Waiting(change) for change in changes]
        with self._changed:
            if self._closing:
                raise ValueError("change sets were handed in to a flusher that is closed")
            self._queue.extend(waiting)
            self._changed.notify()
        return [one.receipt for one in waiting]

    def close(self) -> None:
        """Write what waits, and end; what is handed in later is refused."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next_batch():
            alive = [one for one in batch if one.receipt.set_running_or_notify_cancel()]
            self._flush(sorted(alive, key=lambda one: one.change.key))

    def _next_batch(self) -> list[_Waiting]:
        """Wait for something to write; nothing means that there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            claims = Claims()
            batch: list[_Waiting] = []
            postponed: list[_Waiting] = []
            while self._queue and len(batch) < self._max_batch:
                one = self._queue.popleft()
                (postponed if claims.clash(one.change) else batch).append(one)
                # What was postponed claims as well, or a later one would overtake it.
                claims.add(one.change)
            self._queue.extendleft(reversed(postponed))
            return batch

    def _flush(self, batch: Sequence[_Waiting]) -> None:
        if not batch:
            return
        try:
            receipts = self._store.commit([one.change for one in batch])
            answers = list(zip(batch, receipts, strict=True))
        except StoreError as exc:
            if exc.reason is Reason.UNSAFE_PATH and len(batch) > 1:
                # One of them is in the way of a foreign file; the others shall not wait for it.
                middle = len(batch) // 2
                self._flush(batch[:middle])
                self._flush(batch[middle:])
            else:
                _fail(batch, exc)
        except BaseException as exc:  # noqa: BLE001  (whatever it is, somebody waits to hear it)
            _fail(batch, exc)
        else:
            for one, receipt in answers:
                one.receipt.set_result(receipt)


def _fail(batch: Sequence[_Waiting], exc: BaseException) -> None:
    for one in batch:
        one.receipt.set_exception(exc)

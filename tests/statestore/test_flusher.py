"""Group commit: what is written together, what waits, and who hears of a failure."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Event

import pytest

from troth.errors import Reason, StoreError, TransientError
from troth_statestore import ChangeSet, Outcome, Receipt
from troth_statestore.flusher import Flusher
from troth_statestore.memory import MemoryStore

PATIENCE = 30  # seconds until a test that hangs fails


class Gated(MemoryStore):
    """A store in memory whose commits wait at a gate, and are remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.flushes: list[list[str]] = []
        self.entered = Event()
        self.gate = Event()
        self.gate.set()

    def commit(self, changes: Sequence[ChangeSet]) -> Sequence[Receipt]:
        self.flushes.append([change.key for change in changes])
        self.entered.set()
        assert self.gate.wait(PATIENCE)
        return super().commit(changes)

    @contextmanager
    def held(self, flusher: Flusher) -> Iterator[None]:
        """Keep a first flush at the gate meanwhile."""
        self.gate.clear()
        self.entered.clear()
        flusher.submit(ChangeSet("first", None))
        assert self.entered.wait(PATIENCE)
        yield
        self.gate.set()


@pytest.fixture
def store() -> Gated:
    return Gated()


@pytest.fixture
def flusher(store: Gated) -> Iterator[Flusher]:
    flusher = Flusher(store)
    yield flusher
    store.gate.set()
    flusher.close()


def outcome(receipt: Future[Receipt]) -> Outcome:
    return receipt.result(PATIENCE).outcome


def one(key: str, path: str | None = None) -> ChangeSet:
    return ChangeSet(key, None, {path or f"files/{key}": b"1"})


def test_an_idle_store_flushes_at_once(store: Gated, flusher: Flusher) -> None:
    assert outcome(flusher.submit(one("a"))) is Outcome.WRITTEN
    assert store.flushes == [["a"]]


def test_what_waits_goes_in_one_flush_in_order_of_key(store: Gated, flusher: Flusher) -> None:
    with store.held(flusher):
        receipts = [flusher.submit(one(key)) for key in "cab"]

    assert [receipt.result(PATIENCE).key for receipt in receipts] == ["c", "a", "b"]
    assert store.flushes == [["first"], ["a", "b", "c"]]


def test_what_is_handed_in_together_is_written_together(store: Gated, flusher: Flusher) -> None:
    receipts = flusher.submit_all([one(key) for key in "cab"])

    assert [outcome(receipt) for receipt in receipts] == [Outcome.WRITTEN] * 3
    assert store.flushes == [["a", "b", "c"]]


def test_a_flush_takes_no_more_than_its_limit(store: Gated) -> None:
    flusher = Flusher(store, max_batch=2)
    with store.held(flusher):
        flusher.submit_all([one(key) for key in "abcde"])
    flusher.close()

    assert store.flushes == [["first"], ["a", "b"], ["c", "d"], ["e"]]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (one("same", "f"), one("same", "g")),
        (one("a", "f"), one("b", "f")),
        (one("a", "f"), ChangeSet("b", None, delete=frozenset({"f"}))),
        (one("a", "f/g"), ChangeSet("b", None, delete=frozenset({"f"}))),
        (ChangeSet("a", None, delete=frozenset({"f"})), one("b", "f/g")),
    ],
)
def test_what_touches_the_same_waits_for_the_next_flush(
    store: Gated, flusher: Flusher, earlier: ChangeSet, later: ChangeSet
) -> None:
    with store.held(flusher):
        receipts = flusher.submit_all([earlier, later, one("other")])
    for receipt in receipts:
        receipt.result(PATIENCE)

    assert store.flushes == [["first"], sorted([earlier.key, "other"]), [later.key]]


def test_what_waits_for_something_that_waits_does_not_overtake_it(
    store: Gated, flusher: Flusher
) -> None:
    chain = [one("a", "f"), ChangeSet("b", None, {"f": b"2", "g": b"2"}), one("c", "g")]
    with store.held(flusher):
        receipts = flusher.submit_all(chain)
    for receipt in receipts:
        receipt.result(PATIENCE)

    assert store.flushes == [["first"], ["a"], ["b"], ["c"]]
    assert store.snapshot().read(["f", "g"]) == {"f": b"2", "g": b"1"}


def test_a_failure_is_heard_by_all_of_its_flush_and_by_no_other() -> None:
    error = TransientError(Reason.STATE_STORE_BUSY, "busy")

    class Failing(Gated):
        def commit(self, changes: Sequence[ChangeSet]) -> Sequence[Receipt]:
            receipts = super().commit(changes)
            if any(change.key == "bad" for change in changes):
                raise error
            return receipts

    store = Failing()
    flusher = Flusher(store)
    receipts = flusher.submit_all([one("bad"), one("beside")])
    assert [receipt.exception(PATIENCE) for receipt in receipts] == [error, error]

    assert outcome(flusher.submit(one("later"))) is Outcome.WRITTEN
    flusher.close()


def test_a_mistake_in_the_store_is_heard_as_well() -> None:
    class Broken(MemoryStore):
        def commit(self, changes: Sequence[ChangeSet]) -> Sequence[Receipt]:
            raise ZeroDivisionError(changes)

    flusher = Flusher(Broken())
    assert isinstance(flusher.submit(one("a")).exception(PATIENCE), ZeroDivisionError)
    flusher.close()


def test_receipts_that_are_missing_are_a_failure_of_everybody() -> None:
    class Forgetful(MemoryStore):
        def commit(self, changes: Sequence[ChangeSet]) -> Sequence[Receipt]:
            return list(super().commit(changes))[1:]

    flusher = Flusher(Forgetful())
    receipts = flusher.submit_all([one("a"), one("b")])
    assert all(isinstance(receipt.exception(PATIENCE), ValueError) for receipt in receipts)
    flusher.close()


def test_one_that_is_in_the_way_of_a_foreign_file_does_not_stop_the_others(
    store: Gated, flusher: Flusher
) -> None:
    outcome(flusher.submit(one("foreign", "d/f")))

    receipts = flusher.submit_all([one("a"), one("bad", "d"), one("c"), one("e")])

    error = receipts[1].exception(PATIENCE)
    assert isinstance(error, StoreError)
    assert error.reason is Reason.UNSAFE_PATH
    assert [outcome(receipts[index]) for index in (0, 2, 3)] == [Outcome.WRITTEN] * 3


def test_a_change_set_that_fits_no_store_is_refused_when_it_is_handed_in(
    store: Gated, flusher: Flusher
) -> None:
    with pytest.raises(ValueError, match="unsafe path"):
        flusher.submit_all([one("a"), one("b", "../x")])

    assert outcome(flusher.submit(one("c"))) is Outcome.WRITTEN
    assert store.flushes == [["c"]]


def test_what_was_cancelled_before_its_flush_is_not_written(store: Gated, flusher: Flusher) -> None:
    with store.held(flusher):
        cancelled, kept = flusher.submit_all([one("a"), one("b")])
        assert cancelled.cancel()

    assert outcome(kept) is Outcome.WRITTEN
    assert store.flushes == [["first"], ["b"]]


def test_a_flush_of_nothing_but_cancelled_ones_does_not_end_it(
    store: Gated, flusher: Flusher
) -> None:
    with store.held(flusher):
        flusher.submit(one("a")).cancel()

    assert outcome(flusher.submit(one("b"))) is Outcome.WRITTEN


def test_closing_writes_what_waits(store: Gated) -> None:
    flusher = Flusher(store, max_batch=1)
    with store.held(flusher):
        receipts = flusher.submit_all([one(key) for key in "abc"])
    flusher.close()

    assert all(receipt.done() for receipt in receipts)


def test_nothing_is_taken_after_closing(store: Gated) -> None:
    flusher = Flusher(store)
    flusher.close()
    flusher.close()

    with pytest.raises(ValueError, match="closed"):
        flusher.submit(one("a"))


def test_a_flush_must_hold_something(store: Gated) -> None:
    with pytest.raises(ValueError, match="at most 0"):
        Flusher(store, max_batch=0)

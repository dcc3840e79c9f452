"""A flusher under a push budget: when it pushes, what a push costs, and what it says of itself."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.clock import PATIENCE, HandClock

from troth.errors import Reason, StoreError, TransientError, WriteRefusedError
from troth_statestore import ChangeSet, Outcome, Receipt, digest_bytes
from troth_statestore.budget import Pace, PushBudget
from troth_statestore.flusher import Backlog, Flusher
from troth_statestore.memory import MemoryStore


class Told(MemoryStore):
    """A store in memory that remembers its flushes, and may be told to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.flushes: list[list[str]] = []
        self.errors: list[Exception] = []

    def commit(self, changes: Sequence[ChangeSet]) -> Sequence[Receipt]:
        self.flushes.append([change.key for change in changes])
        if self.errors:
            raise self.errors.pop()
        return super().commit(changes)


class Paced:
    """A flusher of six pushes a minute on a clock that stands still."""

    def __init__(self, exits: ExitStack) -> None:
        self._exits = exits
        self.clock = HandClock()
        self.store = Told()
        self.waits: list[float] = []

    def flusher(
        self, *, burst: int = 1, max_batch: int = 1000, on_wait: Callable[[float], None] = print
    ) -> Flusher:
        budget = PushBudget(6, burst, self.clock)

        def told(seconds: float) -> None:
            self.waits.append(seconds)
            on_wait(seconds)

        flusher = Flusher(self.store, max_batch, pace=Pace(budget, self.clock, told))
        self._exits.callback(flusher.close)
        return flusher


@pytest.fixture
def paced() -> Iterator[Paced]:
    with ExitStack() as exits:
        yield Paced(exits)


def one(key: str, version: str | None = None, content: bytes = b"1") -> ChangeSet:
    return ChangeSet(key, version, {f"files/{key}": content}, record=b"{}")


def request(namespace: str, name: str) -> ChangeSet:
    return one(f"requests/00/{namespace}/promise/{name}.yaml")


def outcome(receipt: Future[Receipt]) -> Outcome:
    return receipt.result(PATIENCE).outcome


def test_an_idle_store_pushes_at_once(paced: Paced) -> None:
    assert outcome(paced.flusher().submit(one("a"))) is Outcome.WRITTEN
    assert paced.waits == []


def test_what_comes_while_the_bucket_is_empty_goes_in_one_push(paced: Paced) -> None:
    flusher = paced.flusher()
    outcome(flusher.submit(one("a")))
    receipts = [flusher.submit(one("b"))]
    assert paced.clock.next_wait() == 10
    receipts += [flusher.submit(one("c")), flusher.submit(one("d"))]

    paced.clock.advance(10)

    assert [outcome(receipt) for receipt in receipts] == [Outcome.WRITTEN] * 3
    assert paced.store.flushes == [["a"], ["b", "c", "d"]]


def test_nothing_is_pushed_before_the_token_is_there(paced: Paced) -> None:
    flusher = paced.flusher()
    outcome(flusher.submit(one("a")))
    receipt = flusher.submit(one("b"))
    paced.clock.next_wait()

    paced.clock.advance(9)

    assert paced.clock.next_wait() == 1
    assert not receipt.done()


def test_a_wait_is_told_once_with_its_seconds(paced: Paced) -> None:
    flusher = paced.flusher()
    outcome(flusher.submit(one("a")))
    receipt = flusher.submit(one("b"))
    paced.clock.next_wait()
    paced.clock.advance(4)
    paced.clock.next_wait()
    paced.clock.advance(6)

    assert outcome(receipt) is Outcome.WRITTEN
    assert paced.waits == [10]


def test_the_wait_for_a_part_of_a_refused_flush_is_told_too(paced: Paced) -> None:
    flusher = paced.flusher()
    paced.store.errors.append(WriteRefusedError(Reason.STATE_STORE_REFUSED, "a hook says no."))

    receipts = flusher.submit_all([one("a"), one("b")])
    for _ in range(2):
        paced.clock.next_wait()
        paced.clock.advance(10)

    assert [outcome(receipt) for receipt in receipts] == [Outcome.WRITTEN] * 2
    assert paced.waits == [10, 10]


def test_a_listener_that_fails_stops_nobody(paced: Paced, caplog: pytest.LogCaptureFixture) -> None:
    def fails(seconds: float) -> None:
        raise OSError(seconds)

    flusher = paced.flusher(on_wait=fails)
    outcome(flusher.submit(one("a")))
    receipt = flusher.submit(one("b"))
    paced.clock.next_wait()
    paced.clock.advance(10)

    assert outcome(receipt) is Outcome.WRITTEN
    assert "Nobody could be told" in caplog.text


@pytest.mark.parametrize(
    "free",
    [
        ChangeSet("a", digest_bytes(b"{}"), {"files/a": b"1"}, record=b"{}"),
        ChangeSet("a", "another", {"files/a": b"2"}),
    ],
    ids=["unchanged", "stale"],
)
def test_a_flush_that_pushes_nothing_costs_nothing(paced: Paced, free: ChangeSet) -> None:
    paced.store.commit([one("a")])
    flusher = paced.flusher()

    assert outcome(flusher.submit(free)) is not Outcome.WRITTEN
    assert flusher.backlog().next_push == 0
    assert outcome(flusher.submit(one("b"))) is Outcome.WRITTEN


def test_a_flush_that_is_refused_before_it_is_sent_costs_nothing(paced: Paced) -> None:
    paced.store.commit([ChangeSet("foreign", None, {"d/f": b""})])
    flusher = paced.flusher()

    error = flusher.submit(ChangeSet("bad", None, {"d": b""})).exception(PATIENCE)

    assert isinstance(error, StoreError)
    assert flusher.backlog().next_push == 0


@pytest.mark.parametrize(
    "error",
    [
        StoreError(Reason.STATE_STORE_REFUSED, "a hook says no"),
        TransientError(Reason.STATE_STORE_BUSY, "busy"),
    ],
)
def test_a_push_that_failed_costs_like_any_other(paced: Paced, error: Exception) -> None:
    flusher = paced.flusher()
    paced.store.errors = [error]

    assert flusher.submit(one("a")).exception(PATIENCE) is error
    assert flusher.backlog().next_push == 10


def test_the_parts_of_a_flush_that_had_to_be_split_cost_a_token_each(paced: Paced) -> None:
    paced.store.commit([ChangeSet("foreign", None, {"d/f": b""})])
    flusher = paced.flusher()

    good, bad, other = flusher.submit_all([one("a"), ChangeSet("b", None, {"d": b""}), one("c")])
    assert outcome(good) is Outcome.WRITTEN
    assert paced.clock.next_wait() == 10
    assert not other.done()
    paced.clock.advance(10)

    assert outcome(other) is Outcome.WRITTEN
    assert isinstance(bad.exception(PATIENCE), StoreError)


def test_closing_writes_what_waits_for_a_token(paced: Paced) -> None:
    flusher = paced.flusher(max_batch=2)
    outcome(flusher.submit(one("a")))
    receipts = flusher.submit_all([one(key) for key in "bcdef"])
    paced.clock.next_wait()

    flusher.close()

    assert [outcome(receipt) for receipt in receipts] == [Outcome.WRITTEN] * 5
    assert paced.store.flushes == [["a"], ["b", "c"], ["d", "e"], ["f"]]


def test_what_is_cancelled_while_it_waits_for_a_token_is_not_written(paced: Paced) -> None:
    flusher = paced.flusher()
    outcome(flusher.submit(one("a")))
    cancelled, kept = flusher.submit_all([one("b"), one("c")])
    paced.clock.next_wait()
    assert cancelled.cancel()
    paced.clock.advance(10)

    assert outcome(kept) is Outcome.WRITTEN
    assert paced.store.flushes == [["a"], ["c"]]


def test_when_all_that_waited_was_cancelled_the_token_is_there_for_the_next(paced: Paced) -> None:
    flusher = paced.flusher()
    outcome(flusher.submit(one("a")))
    flusher.submit(one("b")).cancel()
    paced.clock.next_wait()
    paced.clock.advance(10)

    assert outcome(flusher.submit(one("c"))) is Outcome.WRITTEN
    assert paced.store.flushes == [["a"], ["c"]]


def test_two_flushers_that_share_a_budget_push_no_more_than_it_allows(paced: Paced) -> None:
    budget = PushBudget(6, 1, paced.clock)
    pace = Pace(budget, paced.clock)
    first, second = Flusher(MemoryStore(), pace=pace), Flusher(MemoryStore(), pace=pace)
    outcome(first.submit(one("a")))

    receipt = second.submit(one("b"))

    assert paced.clock.next_wait() == 10
    assert not receipt.done()
    first.close()
    second.close()


def test_one_request_of_a_team_does_not_wait_for_a_thousand_of_another(paced: Paced) -> None:
    flusher = paced.flusher(max_batch=100)
    outcome(flusher.submit(one("first")))
    thousand = [request("many", f"r{index:04}") for index in range(1000)]
    flusher.submit_all(thousand)
    receipt = flusher.submit(request("single", "one"))
    paced.clock.next_wait()

    paced.clock.advance(10)

    assert outcome(receipt) is Outcome.WRITTEN
    assert len(paced.store.flushes) == 2


def test_what_requests_refer_to_is_written_with_the_first_of_them(paced: Paced) -> None:
    flusher = paced.flusher(max_batch=3)
    outcome(flusher.submit(one("first")))
    flusher.submit_all([request(space, "one") for space in "abc"])
    last = flusher.submit(one("revisions/0123.yaml"))
    paced.clock.next_wait()
    paced.clock.advance(10)

    assert outcome(last) is Outcome.WRITTEN
    assert "revisions/0123.yaml" in paced.store.flushes[1]


def test_the_backlog_tells_how_much_waits_how_long_and_until_when(paced: Paced) -> None:
    flusher = paced.flusher()
    assert flusher.backlog() == Backlog(waiting=0, writing=0, oldest=None, next_push=0)
    outcome(flusher.submit(one("a")))
    flusher.submit(one("b"))
    paced.clock.next_wait()
    paced.clock.advance(4)
    flusher.submit(one("c"))

    assert flusher.backlog() == Backlog(waiting=2, writing=0, oldest=4, next_push=6)


def test_the_backlog_tells_what_is_being_written() -> None:
    entered, gate = Event(), Event()

    class Slow(MemoryStore):
        def commit(self, changes: Sequence[ChangeSet]) -> Sequence[Receipt]:
            entered.set()
            assert gate.wait(PATIENCE)
            return super().commit(changes)

    flusher = Flusher(Slow())
    flusher.submit(one("a"))
    assert entered.wait(PATIENCE)
    flusher.submit(one("b"))
    seen = flusher.backlog()
    gate.set()
    flusher.close()

    assert (seen.writing, seen.waiting) == (1, 1)
    assert flusher.backlog().writing == 0


CHANGES = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["x", "y", "z"])), max_size=30
)


@settings(max_examples=50)
@given(CHANGES, st.integers(1, 5), st.integers(1, 4))
def test_whatever_is_handed_in_is_written_once_and_in_the_order_of_its_key(
    asked: list[tuple[str, str]], max_batch: int, burst: int
) -> None:
    clock, store = HandClock(), Told()
    budget = PushBudget(6, burst, clock)
    flusher = Flusher(store, max_batch, pace=Pace(budget, clock))
    versions: dict[str, str | None] = {}
    receipts: list[Future[Receipt]] = []
    for index, (space, name) in enumerate(asked):
        key, record = f"requests/00/{space}/promise/{name}.yaml", b"%d" % index
        receipts.append(
            flusher.submit(
                ChangeSet(key, versions.get(key), {f"{space}/{name}": record}, record=record)
            )
        )
        versions[key] = digest_bytes(record)
        clock.advance(3)
    flusher.close()

    # Each was computed from the one before it: had one overtaken another, it would be stale.
    assert [outcome(receipt) for receipt in receipts] == [Outcome.WRITTEN] * len(asked)
    assert sorted(key for flush in store.flushes for key in flush) == sorted(
        f"requests/00/{space}/promise/{name}.yaml" for space, name in asked
    )
    assert all(len(flush) <= max_batch for flush in store.flushes)

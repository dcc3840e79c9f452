"""A push budget: tokens that come back with time, for whoever asks."""

from threading import Condition, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clock import HandClock

from troth_statestore.budget import MachineClock, PushBudget


def budget(per_minute: float = 6, burst: int = 1) -> tuple[PushBudget, HandClock]:
    clock = HandClock()
    return PushBudget(per_minute, burst, clock), clock


def test_an_idle_budget_gives_its_burst_at_once_and_no_more() -> None:
    tokens, _ = budget(burst=3)

    assert [tokens.take() for _ in range(4)] == [0, 0, 0, 10]


def test_a_token_comes_back_after_its_part_of_a_minute() -> None:
    tokens, clock = budget()
    tokens.take()

    clock.advance(9.5)
    assert tokens.next_in() == 0.5
    clock.advance(0.5)
    assert tokens.take() == 0


def test_a_fraction_of_a_push_a_minute_is_a_push_every_few_minutes() -> None:
    tokens, _ = budget(per_minute=0.25)
    tokens.take()

    assert tokens.next_in() == 240


def test_asking_when_costs_nothing() -> None:
    tokens, _ = budget()

    assert [tokens.next_in(), tokens.next_in(), tokens.take()] == [0, 0, 0]


def test_being_told_to_wait_costs_nothing() -> None:
    tokens, _ = budget()
    tokens.take()

    assert [tokens.take(), tokens.take()] == [10, 10]


def test_a_token_that_is_given_back_can_be_taken_again() -> None:
    tokens, _ = budget()
    tokens.take()
    tokens.give_back()

    assert [tokens.take(), tokens.take()] == [0, 10]


def test_giving_back_late_makes_no_more_tokens_than_the_burst() -> None:
    tokens, clock = budget()
    tokens.take()
    clock.advance(1000)
    tokens.give_back()

    assert [tokens.take(), tokens.take()] == [0, 10]


@given(
    st.floats(0.1, 600),
    st.integers(1, 20),
    st.lists(st.floats(0, 100, allow_nan=False), min_size=1, max_size=60),
)
def test_no_span_of_time_sees_more_pushes_than_burst_and_rate_allow(
    per_minute: float, burst: int, pauses: list[float]
) -> None:
    tokens, clock = budget(per_minute, burst)
    pushed: list[float] = []
    for pause in pauses:
        clock.advance(pause)
        while not tokens.take():
            pushed.append(clock.now())

    for first, start in enumerate(pushed):
        for last in range(first, len(pushed)):
            allowed = burst + (pushed[last] - start) * per_minute / 60
            assert last - first + 1 <= allowed + 1e-6


@given(st.floats(0.1, 600), st.integers(1, 20))
def test_whoever_waits_as_long_as_was_said_gets_a_token(per_minute: float, burst: int) -> None:
    tokens, clock = budget(per_minute, burst)
    for _ in range(30):
        waited = 0
        while seconds := tokens.take():
            clock.advance(seconds)
            waited += 1
        assert waited <= 2  # rounding may ask for another moment


def test_threads_that_share_a_budget_get_each_token_once() -> None:
    tokens, _ = budget(burst=50)
    got: list[float] = []
    threads = [
        Thread(target=lambda: got.extend(tokens.take() for _ in range(20))) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert got.count(0) == 50


@pytest.mark.parametrize(
    ("per_minute", "burst"), [(0, 1), (-1, 1), (float("inf"), 1), (float("nan"), 1), (6, 0)]
)
def test_what_would_never_give_a_token_is_no_budget(per_minute: float, burst: int) -> None:
    with pytest.raises(ValueError, match="is no budget"):
        PushBudget(per_minute, burst)


def test_the_clock_of_the_machine_goes_forward_and_waits_no_longer_than_told() -> None:
    clock, changed = MachineClock(), Condition()
    before = clock.now()

    with changed:
        clock.wait(changed, 0.01)

    assert clock.now() >= before

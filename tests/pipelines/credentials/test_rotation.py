"""Rotation: the next credential is there in time, and the one before it is good long enough."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth_pipelines.credentials import Generation, Policy, next_steps

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WEEKLY = Policy(lifetime=7 * DAY, renew_before=2 * DAY, overlap=DAY)
FIRST = Generation(1, START, START + 7 * DAY)
SECOND = Generation(2, START + 5 * DAY, START + 12 * DAY)


def test_the_first_one_is_made_at_once() -> None:
    steps = next_steps(WEEKLY, [], START)

    assert (steps.mint, steps.retire, steps.due) == (1, (), START + 5 * DAY)


def test_nothing_is_done_before_its_time() -> None:
    steps = next_steps(WEEKLY, [FIRST], START + 5 * DAY - timedelta(seconds=1))

    assert (steps.mint, steps.retire, steps.due) == (None, (), START + 5 * DAY)


def test_the_next_one_is_made_while_the_first_is_good() -> None:
    steps = next_steps(WEEKLY, [FIRST], START + 5 * DAY)

    assert (steps.mint, steps.retire) == (2, ())
    assert steps.due == START + 5 * DAY + HOUR + DAY


@pytest.mark.parametrize(
    ("delivered", "allowance", "end"),
    [
        (None, HOUR, START + 6 * DAY + HOUR),
        (START + 5 * DAY + timedelta(minutes=2), HOUR, START + 6 * DAY + timedelta(minutes=2)),
        (None, None, START + 7 * DAY),  # nobody can tell, so it ends by itself
        (START + 6 * DAY + 5 * HOUR, HOUR, START + 7 * DAY),  # it was delivered late
    ],
)
def test_the_one_before_ends_when_the_overlap_is_over(
    delivered: datetime | None, allowance: timedelta | None, end: datetime
) -> None:
    policy = replace(WEEKLY, allowance=allowance)
    known = [FIRST, replace(SECOND, delivered=delivered)]

    before = next_steps(policy, known, end - timedelta(seconds=1))
    after = next_steps(policy, known, end)

    assert (before.retire, before.due) == ((), end)
    assert after.retire == (FIRST,)
    assert after.due == START + 10 * DAY


def test_one_that_never_ends_is_renewed_only_when_somebody_asks() -> None:
    policy = Policy(lifetime=None, renew_before=timedelta(), overlap=DAY)
    known = [Generation(1, START)]

    assert next_steps(policy, known, START + 9999 * DAY).mint is None
    assert next_steps(policy, known, START + 9999 * DAY).due is None
    assert next_steps(policy, known, START + DAY, renew=True).mint == 2
    assert next_steps(policy, known, START + DAY, renew=True).due == START + 2 * DAY + HOUR


def test_one_that_never_ends_and_is_never_delivered_stays() -> None:
    policy = Policy(lifetime=None, renew_before=timedelta(), overlap=DAY, allowance=None)

    steps = next_steps(policy, [Generation(1, START), Generation(2, START)], START + 99 * DAY)

    assert (steps.mint, steps.retire, steps.due) == (None, (), None)


def test_after_a_long_silence_one_is_made_and_all_that_ended_is_retired() -> None:
    steps = next_steps(WEEKLY, [FIRST, SECOND], START + 99 * DAY)

    assert steps.mint == 3
    assert steps.retire == (FIRST, SECOND)


@pytest.mark.parametrize("lives", [HOUR, DAY, 2 * DAY])
def test_one_that_was_given_a_short_life_is_renewed_in_the_middle_of_it(lives: timedelta) -> None:
    """It would be renewed two days before its end, which is before it was made."""
    known = [Generation(1, START, START + lives)]

    assert next_steps(WEEKLY, known, START).mint is None
    assert next_steps(WEEKLY, known, START).due == START + lives / 2
    assert next_steps(WEEKLY, known, START + lives / 2).mint == 2


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (replace(WEEKLY, renew_before=DAY), "less than the overlap and the time allowed"),
        (replace(WEEKLY, lifetime=2 * DAY), "make it longer"),
    ],
)
def test_a_policy_that_cannot_be_kept_says_why(policy: Policy, words: str) -> None:
    assert words in (policy.problem() or "")


@pytest.mark.parametrize("policy", [WEEKLY, replace(WEEKLY, lifetime=None)])
def test_a_policy_that_can_be_kept_has_no_problem(policy: Policy) -> None:
    assert policy.problem() is None


HOURS = st.integers(0, 400).map(lambda hours: timedelta(hours=hours))


@given(HOURS, HOURS, HOURS, HOURS, st.lists(st.integers(1, 50), min_size=1, max_size=40))
def test_whoever_looks_on_time_always_finds_one_that_is_good(
    lifetime: timedelta,
    renew_before: timedelta,
    overlap: timedelta,
    allowance: timedelta,
    waits: list[int],
) -> None:
    """A life of some weeks: looked at when it is due, and at other moments as well."""
    policy = Policy(lifetime + HOUR, renew_before, overlap, allowance)
    if policy.problem() is not None:
        return
    known: list[Generation] = []
    now, minted = START, 0
    for wait in waits:
        steps = next_steps(policy, known, now)
        if steps.mint is not None:
            minted += 1
            assert steps.mint == minted
            known.append(Generation(minted, now, now + (policy.lifetime or HOUR)))
        published = known[-1]
        assert published.expires is not None
        assert published.expires > now
        assert published not in steps.retire
        for old in steps.retire:
            successor = next(one for one in known if one.number == old.number + 1)
            ended = successor.issued + allowance + overlap <= now
            assert ended or (old.expires is not None and old.expires <= now)
        known = [one for one in known if one not in steps.retire]
        again = next_steps(policy, known, now)
        assert (again.mint, again.retire) == (None, ())
        assert steps.due is not None
        assert steps.due > now
        now = min(steps.due, now + timedelta(hours=wait))

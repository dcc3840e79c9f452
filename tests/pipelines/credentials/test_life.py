"""The life of a credential: made when due, sealed once, kept to the byte, and never lost."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.credentials import DAY, DOWN, HOUR, KEY, START, FakeMaker, Life, sealing
from support.sealing import certificate_pem, private_key

from troth.errors import (
    InvalidInputError,
    NotServedError,
    PermanentError,
    Reason,
    TransientError,
)
from troth.sdk import SealingInput
from troth.sdk.sealing import Target
from troth_pipelines.credentials import Lived, Made, State

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def lived() -> tuple[Life, Lived]:
    """Return a life after its first run."""
    life = Life()
    return life, life.run()


def numbers(outcome: Lived) -> list[int]:
    return [one.number for one in outcome.state.generations]


def test_the_first_run_makes_one_and_seals_it() -> None:
    life, first = lived()

    assert life.maker.calls == ["make 1"]
    assert life.opened(first) == {"user": b"the same user", "password": life.maker.value(1)}
    assert (first.destination, first.due, first.problem) == ("west", START + 5 * DAY, None)


def test_later_runs_do_nothing_and_give_the_same_bytes() -> None:
    life, first = lived()
    runs = [life.run(after) for after in (timedelta(), HOUR, 4 * DAY)]

    assert life.maker.calls == ["make 1"]
    assert [one.ciphertexts for one in runs] == [first.ciphertexts] * 3
    assert {one.due for one in runs} == {first.due}


def test_a_plan_makes_nothing_and_says_what_would_be_done() -> None:
    life = Life()
    planned, wanted = life.look()

    assert life.maker.calls == []
    assert wanted == ("make the user orders-g1",)
    assert planned.ciphertexts == dict.fromkeys(life.wish.keys, "(known after apply)")
    assert planned.state.newest is None


def test_a_plan_while_nothing_is_due_is_what_stands_there() -> None:
    life, first = lived()
    planned, wanted = life.look(HOUR)

    assert wanted == ()
    assert planned == first


def test_the_next_is_made_when_it_is_due_and_the_one_before_ends_after_the_overlap() -> None:
    life, first = lived()
    second = life.run(5 * DAY)
    before = life.run(DAY + HOUR - SECOND)
    after = life.run(SECOND)

    assert life.opened(second)["password"] == life.maker.value(2)
    assert second.ciphertexts["user"] == first.ciphertexts["user"]  # it is the same value
    assert (numbers(second), numbers(before), numbers(after)) == ([1, 2], [1, 2], [2])
    assert life.maker.calls == ["make 1", "make 2", "end 1 U1"]
    assert second.ciphertexts == before.ciphertexts == after.ciphertexts
    assert (second.due, after.due) == (START + 6 * DAY + HOUR, START + 10 * DAY)


def test_a_plan_of_a_rotation_shows_what_is_not_known_yet() -> None:
    life, _ = lived()
    planned, wanted = life.look(8 * DAY)

    assert planned.state == State.load(life.status)
    assert wanted == ("make the user orders-g2", "end the user orders-g1")
    assert set(planned.ciphertexts.values()) == {"(known after apply)"}
    assert numbers(planned) == [1]


@pytest.mark.parametrize(
    ("renewal", "wanted"), [("now", "as asked"), ("", "something else"), ("now", "something else")]
)
def test_another_wish_rotates_once(renewal: str, wanted: str) -> None:
    life, _ = lived()
    life.wish = replace(life.wish, renewal=renewal, wanted=wanted)
    life.run(HOUR)
    life.run(HOUR)

    assert life.maker.calls == ["make 1", "make 2"]


def test_another_policy_alone_makes_nothing_new() -> None:
    life, first = lived()
    life.wish = replace(life.wish, policy=replace(life.wish.policy, overlap=HOUR))

    assert life.run(HOUR).ciphertexts == first.ciphertexts
    assert life.maker.calls == ["make 1"]


def test_a_rebuilt_cluster_rotates_once() -> None:
    life, _ = lived()
    life.sealing = sealing(epoch="rebuilt", key="new")
    second = life.run(HOUR)
    third = life.run(HOUR)

    assert life.maker.calls == ["make 1", "make 2"]
    assert life.opened(second, "new")["password"] == life.maker.value(2)
    assert third.ciphertexts == second.ciphertexts
    assert second.lost is None


def test_a_renewed_certificate_changes_nothing_and_seals_the_next() -> None:
    life, first = lived()
    life.sealing = sealing(key="renewed")
    kept = life.run(HOUR)
    following = life.run(5 * DAY)

    assert kept.ciphertexts == first.ciphertexts
    assert life.maker.calls == ["make 1", "make 2"]
    assert life.opened(following, "ours", "renewed")["password"] == life.maker.value(2)
    assert following.ciphertexts["user"] == first.ciphertexts["user"]  # old keys are kept


@pytest.mark.parametrize("environ", [{}, {"TROTH_SEALING_KEY": KEY[::-1]}])
def test_a_lost_or_other_sealing_key_keeps_what_was_sealed_and_every_word(
    environ: dict[str, str],
) -> None:
    life, first = lived()
    before = dict(life.status)
    life.environ = environ
    kept = life.run(HOUR)

    assert kept.ciphertexts == first.ciphertexts
    assert life.status == before  # the engine would refuse a run that says something else
    assert life.maker.calls == ["make 1"]


def test_without_its_sealing_key_the_next_generation_is_sealed_whole() -> None:
    life, first = lived()
    life.environ = {}
    second = life.run(5 * DAY)

    assert second.ciphertexts["user"] != first.ciphertexts["user"]
    assert life.opened(second) == {"user": b"the same user", "password": life.maker.value(2)}
    assert "sealed without a sealing key" in str(life.status["message"])


def test_another_secret_gets_another_generation() -> None:
    life, _ = lived()
    life.wish = replace(life.wish, target=Target("shop", "renamed"))
    second = life.run(HOUR)

    assert life.maker.calls == ["make 1", "make 2"]
    assert life.opened(second)["password"] == life.maker.value(2)


def test_a_key_that_is_no_longer_wanted_goes_and_the_rest_stays() -> None:
    life, first = lived()
    life.wish = replace(life.wish, keys=("password",))
    second = life.run(HOUR)

    assert dict(second.ciphertexts) == {"password": first.ciphertexts["password"]}
    assert life.maker.calls == ["make 1"]


def test_a_key_that_is_wanted_besides_needs_another_generation() -> None:
    life = Life()
    life.wish = replace(life.wish, keys=("password",))
    life.run()
    life.wish = replace(life.wish, keys=("password", "user"))
    second = life.run(HOUR)
    life.run(HOUR)

    assert life.maker.calls == ["make 1", "make 2"]
    assert life.opened(second) == {"user": b"the same user", "password": life.maker.value(2)}


# What cannot be done now.


def test_while_nothing_can_be_made_what_is_published_stays_and_is_tried_again() -> None:
    life, first = lived()
    life.maker.broken = DOWN
    failing = [life.run(after) for after in (5 * DAY, MINUTE, MINUTE, 2 * MINUTE, DAY)]
    life.maker.broken = None
    healed = life.run(HOUR)

    assert [one.ciphertexts for one in failing] == [first.ciphertexts] * 5
    assert {one.problem for one in failing} == {DOWN.message}
    assert {one.state.since for one in failing} == {START + 5 * DAY}
    waits = [one.due - at for one, at in zip(failing, _moments(failing), strict=True) if one.due]
    assert waits == [MINUTE, MINUTE, 2 * MINUTE, 4 * MINUTE, HOUR]
    assert (healed.problem, healed.state.since) == (None, None)
    assert life.opened(healed)["password"] == life.maker.value(2)


def _moments(failing: list[Lived]) -> list[datetime]:
    start = START + 5 * DAY
    return [start + one for one in (0 * DAY, MINUTE, 2 * MINUTE, 4 * MINUTE, DAY + 4 * MINUTE)]


def test_one_that_expires_while_nothing_can_be_made_is_not_forgotten() -> None:
    life, first = lived()
    life.maker.broken = DOWN
    failing = life.run(9 * DAY)
    life.maker.broken = None
    healed = life.run(HOUR)

    assert numbers(failing) == [1]
    assert failing.ciphertexts == first.ciphertexts
    assert failing.expired
    assert numbers(healed)[-1] == 2


@pytest.mark.parametrize("allowance", [HOUR, None])
def test_the_moment_in_which_what_is_published_ends_is_one_to_run_in(
    allowance: timedelta | None,
) -> None:
    life = Life()
    life.wish = replace(life.wish, policy=replace(life.wish.policy, allowance=allowance))
    life.run()
    life.maker.broken = DOWN
    failing = life.run(5 * DAY)
    late = life.run(2 * DAY - 10 * MINUTE)
    ended = life.run(10 * MINUTE)

    assert failing.due == START + 5 * DAY + MINUTE
    assert late.due == START + 7 * DAY  # sooner than the hour after which it would be tried again
    assert (late.expired, ended.expired) == (False, True)


def test_what_does_not_overlap_is_not_ended_before_the_next_is_there() -> None:
    life = Life()
    life.wish = replace(
        life.wish, policy=replace(life.wish.policy, overlap=timedelta(), allowance=timedelta())
    )
    life.run()
    life.maker.broken = DOWN
    failing = life.run(5 * DAY)

    assert numbers(failing) == [1]
    assert life.maker.ended == []


def _rename(life: Life) -> None:
    life.wish = replace(life.wish, target=Target("shop", "renamed"))


def _move(life: Life) -> None:
    life.sealing = sealing("east")


def _wipe(life: Life) -> None:
    life.status.clear()


@pytest.mark.parametrize(
    "change",
    [
        _rename,
        _move,
        _wipe,
    ],
)
def test_where_nothing_can_stay_meanwhile_the_run_fails_instead(
    change: Callable[[Life], None],
) -> None:
    """An output without the Secret, or with one that nobody can open, would take it away."""
    life, _ = lived()
    life.maker.broken = DOWN
    change(life)

    with pytest.raises(TransientError, match=DOWN.message):
        life.run(HOUR)


def test_a_cluster_that_was_rebuilt_while_nothing_can_be_made_keeps_what_there_is() -> None:
    life, first = lived()
    life.sealing, life.maker.broken = sealing(epoch="2"), DOWN
    failing = life.run(HOUR)
    life.maker.broken = None
    healed = life.run(HOUR)

    assert failing.ciphertexts == first.ciphertexts
    assert failing.lost is not None
    assert failing.lost.reason is Reason.KEY_REPLACED
    assert numbers(healed) == [1, 2]
    assert healed.lost is None


@pytest.mark.parametrize(
    "error", [DOWN, PermanentError(Reason.STAGE_FAILED, "the provider refuses.")]
)
def test_one_that_cannot_be_ended_holds_nothing_up_and_is_tried_again(
    error: TransientError,
) -> None:
    life, _ = lived()
    life.run(5 * DAY)
    life.maker.stuck = error
    stuck = life.run(2 * DAY)
    following = life.run(5 * DAY)
    life.maker.stuck = None
    healed = life.run(2 * DAY)

    assert (numbers(stuck), stuck.problem) == ([1, 2], error.message)
    assert life.opened(following)["password"] == life.maker.value(3)
    assert numbers(following) == [1, 2, 3]
    assert life.maker.ended == [1, 2]
    assert (numbers(healed), healed.problem) == ([3], None)


def test_a_person_has_to_act_where_the_maker_says_so() -> None:
    life, _ = lived()
    life.maker.broken = InvalidInputError(Reason.INVALID_OBJECT, "no such account.")

    with pytest.raises(InvalidInputError, match=r"^no such account\.$"):
        life.run(5 * DAY)


def test_who_has_to_act_is_told_that_what_is_published_has_ended() -> None:
    life, _ = lived()
    life.maker.broken = InvalidInputError(Reason.INVALID_OBJECT, "no such account.", ("spec",))

    with pytest.raises(InvalidInputError) as caught:
        life.run(8 * DAY)

    assert caught.value.field == ("spec",)
    assert caught.value.message == (
        "what is published ended at 2026-01-08T00:00:00Z: no such account."
    )


@pytest.mark.parametrize(
    ("given", "environ", "error"),
    [
        (SealingInput("west", certificate_pem(private_key(), end=START)), {}, InvalidInputError),
        (SealingInput("west", b"no certificate"), {}, InvalidInputError),
        (sealing(), {"TROTH_SEALER": "kubeseal", "PATH": ""}, NotServedError),
    ],
)
def test_what_could_not_be_sealed_is_not_made_and_what_there_is_needs_no_sealer(
    given: SealingInput,
    environ: dict[str, str],
    error: type[PermanentError],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    life, first = lived()
    life.sealing, life.environ = given, environ

    assert life.run(HOUR).ciphertexts == first.ciphertexts
    with pytest.raises(error):
        life.run(5 * DAY)
    assert life.maker.calls == ["make 1"]


def test_a_sealer_that_fails_is_found_out_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "kubeseal"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    life = Life(environ={"TROTH_SEALER": "kubeseal"})

    with pytest.raises(PermanentError, match="failed with code 1"):
        life.run()
    assert life.maker.calls == []


def test_a_certificate_that_cannot_be_had_now_is_said_and_nothing_is_made() -> None:
    problem = TransientError(Reason.CERTIFICATE_UNREACHABLE, "the host does not answer.")
    life, first = lived()
    life.sealing = SealingInput("west", b"", problem=problem)
    waiting = life.run(5 * DAY)

    assert (waiting.ciphertexts, waiting.problem) == (first.ciphertexts, problem.message)
    assert life.maker.calls == ["make 1"]


def test_a_plan_ends_nothing_that_cannot_be_followed_now() -> None:
    life, first = lived()
    life.sealing = SealingInput("west", b"", problem=DOWN)
    planned, wanted = life.look(8 * DAY)

    assert wanted == ("make the user orders-g2",)  # and no end of the one that is published
    assert (planned.ciphertexts, planned.problem) == (first.ciphertexts, DOWN.message)


def test_what_was_made_but_could_not_be_sealed_is_completed_and_not_made_twice() -> None:
    life, _ = lived()
    life.maker.make(2)  # and the run that asked for it was cut off
    second = life.run(5 * DAY)

    assert life.opened(second)["password"] == life.maker.value(2)
    assert sorted(life.maker.made) == [1, 2]


# What makers, clocks and people do.


def test_one_that_had_ended_when_it_was_made_is_not_published() -> None:
    life, first = lived()
    life.maker.lives = -HOUR
    second = life.run(5 * DAY)

    assert second.ciphertexts == first.ciphertexts
    assert "has ended already (2026-01-05T23:00:00Z)" in (second.problem or "")
    assert numbers(second) == [1]


def test_one_with_a_shorter_life_than_asked_for_is_not_replaced_in_every_run() -> None:
    life = Life(FakeMaker(lives=DAY))  # it would be renewed two days before its end
    first = life.run()
    for _ in range(10):
        life.run(HOUR)

    assert first.due == START + DAY / 2
    assert life.maker.calls == ["make 1"]
    assert numbers(life.run(2 * HOUR)) == [1, 2]


def test_one_that_was_completed_long_after_it_was_made_is_followed_at_once() -> None:
    life = Life()
    life.maker.made[1] = Made(
        {"user": b"the same user", "password": b"old"}, {}, START - 6 * DAY, START + DAY
    )
    first = life.run()
    second = life.run()

    assert first.due == START
    assert (numbers(first), numbers(second)) == ([1], [1, 2])
    assert second.due == START + DAY  # then the first ends by itself


def test_one_that_is_good_for_longer_than_can_be_said_is_looked_at_in_ten_years() -> None:
    first = Life(FakeMaker(lives=9999 * DAY)).run()

    assert first.due == START + 3650 * DAY


def test_a_clock_that_is_set_back_changes_nothing() -> None:
    life, first = lived()
    back = life.run(-30 * DAY)

    assert (back.ciphertexts, back.due) == (first.ciphertexts, first.due)
    assert life.maker.calls == ["make 1"]


def test_a_failure_of_the_future_is_tried_again_as_soon_as_any() -> None:
    life, _ = lived()
    life.maker.broken = DOWN
    life.run(6 * DAY)
    back = life.run(-HOUR)

    assert back.due == life.now + MINUTE


def test_generations_that_somebody_took_out_are_not_numbered_again() -> None:
    """Their users may still be there, and what was sealed is of another one."""
    life, _ = lived()
    life.run(5 * DAY)
    life.status["credentials"] = []
    third = life.run(HOUR)

    assert life.maker.calls[-1] == "make 3"
    assert life.opened(third)["password"] == life.maker.value(3)


def test_a_later_one_that_was_there_already_gives_the_number() -> None:
    life = Life()
    life.maker.found = 7
    first = life.run()
    again = life.run(HOUR)
    following = life.run(5 * DAY)

    assert (numbers(first), numbers(following)) == ([7], [7, 8])
    assert {one.generation for one in first.state.sealed.values()} == {7}
    assert again.ciphertexts == first.ciphertexts
    assert life.maker.calls == ["make 1", "make 8"]


def test_what_was_sealed_for_another_generation_is_not_taken_for_this_one() -> None:
    life = Life(environ={})
    life.run()
    life.status["sealed"] = {}
    second = life.run(HOUR)

    assert numbers(second) == [1, 2]
    assert life.opened(second)["password"] == life.maker.value(2)

"""What a status says of a credential, and that it says the same while nothing changes."""

from dataclasses import replace

import pytest
from support.credentials import DAY, DOWN, HOUR, START, FakeMaker, Life, sealing

from troth.api import Fields
from troth.errors import Reason


def told(life: Life) -> dict[str, tuple[str, str, str]]:
    """Return the conditions: status, reason and message by type."""
    return {
        one.text("type"): (one.text("status"), one.text("reason"), one.text("message"))
        for one in Fields(life.status).items("conditions")
    }


def test_what_is_published_is_said_with_its_end_and_for_whom() -> None:
    life = Life()
    life.run()

    assert told(life) == {
        "CredentialsValid": ("True", "Issued", "generation 1 is published"),
        "Sealed": ("True", "Sealed", "for Destination west"),
    }
    assert life.status["message"] == "generation 1"
    assert life.status["expires"] == "2026-01-08T00:00:00Z"


def test_the_conditions_stand_in_the_order_in_which_they_are_merged() -> None:
    life = Life()
    life.run()

    assert list(told(life)) == sorted(told(life))


def test_one_that_never_ends_says_so_over_what_was_said_before() -> None:
    life = Life()
    life.run()
    life.maker.lives = None
    life.wish = replace(
        life.wish, wanted="another", policy=replace(life.wish.policy, lifetime=None)
    )
    life.run(HOUR)

    assert life.status["expires"] == "never"


def test_a_failure_is_said_with_when_it_began_and_in_the_same_words_later() -> None:
    life = Life()
    life.run()
    life.maker.broken = DOWN
    life.run(5 * DAY)
    first = dict(life.status)
    life.run(HOUR)

    assert first["message"] == (
        "Since 2026-01-06T00:00:00Z: the provider does not answer. What was published stays as it "
        "is: generation 1."
    )
    assert life.status == first


def test_what_has_come_to_its_end_is_not_called_valid() -> None:
    life = Life()
    life.run()
    life.maker.broken = DOWN
    life.run(8 * DAY)

    assert told(life)["CredentialsValid"] == (
        "False",
        "Expired",
        "generation 1 has come to its end",
    )
    assert str(life.status["message"]).endswith(
        "What was published stays as it is: generation 1, which ended at 2026-01-08T00:00:00Z."
    )


def test_what_its_cluster_cannot_open_is_not_called_sealed() -> None:
    life = Life()
    life.run()
    life.sealing, life.maker.broken = sealing(epoch="2"), DOWN
    life.run(HOUR)

    status, reason, message = told(life)["Sealed"]
    assert (status, reason) == ("False", Reason.KEY_REPLACED)
    assert "the epoch of the cluster's keys was '' and is '2'" in message


def test_a_plan_for_what_is_not_there_says_that_nothing_is_issued() -> None:
    life = Life(sealing=None)
    lived, _ = life.look()

    assert lived.state.newest is None
    assert set(lived.ciphertexts.values()) == {"(known after apply)"}


@pytest.mark.parametrize("broken", [False, True])
def test_without_a_sealing_key_the_status_says_so(broken: bool) -> None:
    life = Life(environ={})
    life.run()
    if broken:
        life.maker.broken = DOWN
        life.run(5 * DAY)

    assert "generation 1, sealed without a sealing key" in str(life.status["message"])


def test_moments_are_whole_seconds_in_utc() -> None:
    life = Life(FakeMaker(lives=HOUR), now=START)
    life.run()

    assert life.status["expires"] == "2026-01-01T01:00:00Z"

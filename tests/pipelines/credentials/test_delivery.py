"""Delivery: a mode is changed only where nothing of the live Secret can be lost."""

from dataclasses import replace

import pytest
from support.credentials import HOUR, Life, sealing

from troth.api import Fields
from troth.errors import OutputRefusedError, Reason
from troth.sdk.sealing import PatchMode, Target
from troth_pipelines.credentials import Delivery, State


def wishing(life: Life, mode: str, *seen: str, looked: bool = True) -> None:
    """Have a life ask for a mode, with what was seen of the live Secret."""
    delivery = Delivery(PatchMode(mode), seen if looked else None, "spec.secret.seen")
    life.wish = replace(life.wish, delivery=delivery)


def test_a_first_secret_may_have_any_mode_and_the_mode_is_remembered() -> None:
    life = Life()
    wishing(life, "take-over", looked=False)
    life.run()
    life.run(HOUR)

    assert State.load(life.status).mode is PatchMode.TAKE_OVER


def test_the_usual_mode_leaves_no_word_in_the_status() -> None:
    life = Life()
    life.run()

    assert not Fields(life.status).section("sealed").has("mode")


@pytest.mark.parametrize("mode", ["patch", "patch-unowned", "take-over"])
def test_another_mode_of_a_live_secret_is_refused_where_nobody_has_looked(mode: str) -> None:
    life = Life()
    life.run()
    before = dict(life.status)
    wishing(life, mode, looked=False)

    with pytest.raises(OutputRefusedError, match=r"said in spec\.secret\.seen") as caught:
        life.run(HOUR)

    assert caught.value.reason is Reason.UNSAFE_SWITCH
    assert life.status == before


def test_what_was_seen_has_to_be_what_makes_the_change_safe() -> None:
    life = Life()
    life.run()
    wishing(life, "patch", "managed")

    with pytest.raises(OutputRefusedError, match="does not carry"):
        life.run(HOUR)


def test_a_safe_change_makes_nothing_new_and_is_remembered() -> None:
    life = Life()
    first = life.run()
    wishing(life, "patch", "patch")
    second = life.run(HOUR)

    assert second.ciphertexts == first.ciphertexts
    assert life.maker.calls == ["make 1"]
    assert State.load(life.status).mode is PatchMode.PATCH


def test_another_secret_and_another_cluster_have_nothing_to_lose() -> None:
    life = Life()
    life.run()
    wishing(life, "patch", looked=False)
    life.wish = replace(life.wish, target=Target("shop", "renamed"))
    life.run(HOUR)
    wishing(life, "take-over", looked=False)
    life.sealing = sealing("east")
    life.run(HOUR)

    assert State.load(life.status).mode is PatchMode.TAKE_OVER


def test_a_plan_refuses_what_a_run_would_refuse() -> None:
    life = Life()
    life.run()
    wishing(life, "patch", looked=False)

    with pytest.raises(OutputRefusedError):
        life.look(HOUR)

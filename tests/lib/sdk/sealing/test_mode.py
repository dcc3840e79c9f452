"""Switching a live SealedSecret to another mode: only where nothing can be lost."""

import itertools

import pytest

from troth.errors import OutputRefusedError, Reason
from troth.sdk.sealing import PatchMode, refuse_unsafe_switch

PATCH = {"sealedsecrets.bitnami.com/patch": "true"}
MANAGED = {"sealedsecrets.bitnami.com/managed": "true"}
UNOWNED = {"sealedsecrets.bitnami.com/skip-set-owner-references": "true"}
NO = {"sealedsecrets.bitnami.com/patch": "false", "sealedsecrets.bitnami.com/managed": "True"}

SWITCHES = list(itertools.permutations(PatchMode, 2))


def refusal(before: PatchMode, after: PatchMode, live: dict[str, str] | None) -> str:
    with pytest.raises(OutputRefusedError) as caught:
        refuse_unsafe_switch(before, after, live)
    assert caught.value.reason is Reason.UNSAFE_SWITCH
    message = caught.value.message
    assert message.startswith(f"the SealedSecret cannot be switched from {before} to {after}: ")
    return message


@pytest.mark.parametrize("mode", PatchMode)
@pytest.mark.parametrize("live", [None, {}, PATCH])
def test_a_mode_that_stays_is_no_switch(mode: PatchMode, live: dict[str, str] | None) -> None:
    refuse_unsafe_switch(mode, mode, live)


@pytest.mark.parametrize(("before", "after"), SWITCHES)
def test_nothing_is_switched_while_nobody_has_looked_at_the_live_secret(
    before: PatchMode, after: PatchMode
) -> None:
    assert "what its live Secret carries is not known" in refusal(before, after, None)


@pytest.mark.parametrize("live", [{}, NO, MANAGED, UNOWNED])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (before, after)
        for before, after in SWITCHES
        if after in {PatchMode.PATCH, PatchMode.PATCH_UNOWNED, PatchMode.PATCH_NOTHING}
    ],
)
def test_to_patching_is_refused_while_the_controller_would_still_replace(
    before: PatchMode, after: PatchMode, live: dict[str, str]
) -> None:
    assert "what the SealedSecret leaves out would be gone" in refusal(before, after, live)


ALLOWED: list[tuple[PatchMode, PatchMode, dict[str, str]]] = [
    (PatchMode.REPLACE, PatchMode.PATCH, PATCH),
    (PatchMode.REPLACE, PatchMode.PATCH_NOTHING, PATCH),
    (PatchMode.PATCH, PatchMode.PATCH_NOTHING, {**PATCH, "other": "x"}),
    (PatchMode.PATCH, PatchMode.PATCH_UNOWNED, {**PATCH, **UNOWNED}),
    (PatchMode.PATCH_UNOWNED, PatchMode.TAKE_OVER, PATCH),
    (PatchMode.PATCH, PatchMode.TAKE_OVER, MANAGED),
    (PatchMode.REPLACE, PatchMode.TAKE_OVER, {}),
    (PatchMode.PATCH, PatchMode.REPLACE, {}),
    (PatchMode.PATCH_NOTHING, PatchMode.REPLACE, {}),
    (PatchMode.TAKE_OVER, PatchMode.REPLACE, MANAGED),
    (PatchMode.PATCH_UNOWNED, PatchMode.REPLACE, MANAGED),
]


@pytest.mark.parametrize(("before", "after", "live"), ALLOWED)
def test_what_the_live_secret_makes_safe_is_allowed(
    before: PatchMode, after: PatchMode, live: dict[str, str]
) -> None:
    refuse_unsafe_switch(before, after, live)


@pytest.mark.parametrize(
    ("before", "after", "live", "text"),
    [
        (PatchMode.PATCH, PatchMode.PATCH_UNOWNED, PATCH, "Take its ownerReferences away"),
        (PatchMode.PATCH, PatchMode.TAKE_OVER, {}, "would refuse to touch it"),
        (PatchMode.PATCH_UNOWNED, PatchMode.TAKE_OVER, NO, "would refuse to touch it"),
        (PatchMode.PATCH, PatchMode.REPLACE, PATCH, "keys that are taken out would stay"),
        (
            PatchMode.TAKE_OVER,
            PatchMode.REPLACE,
            {**MANAGED, **PATCH},
            "keys that are taken out would stay",
        ),
        (PatchMode.PATCH_UNOWNED, PatchMode.REPLACE, {}, "Switch to take-over first."),
    ],
)
def test_what_it_makes_unsafe_is_refused_with_what_to_do(
    before: PatchMode, after: PatchMode, live: dict[str, str], text: str
) -> None:
    assert text in refusal(before, after, live)

"""Means: for whom is sealed and with what, from troth.json or from a container's variables."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from support.credentials import KEY, START, sealing
from support.sealing import certificate_pem, private_key, unseal
from support.tools import require

from troth.errors import InvalidInputError, NotServedError, Reason, TransientError
from troth.sdk import UNKNOWN, Context, SealingInput
from troth.sdk.effects import PerformedEffects, RecalledEffects
from troth.sdk.sealing import InProcessSealer, KubesealSealer, SealedValue, Target
from troth_pipelines.credentials.means import sealer_of, sealing_of

TARGET = Target("shop", "orders")
PEM = certificate_pem(private_key()).decode()
VARIABLES = {"TROTH_SEALING_CERTIFICATE": PEM, "TROTH_SEALING_DESTINATION": "west"}


def context(
    given: SealingInput | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    performed: bool = True,
    now: datetime = START,
) -> Context:
    effects = PerformedEffects() if performed else RecalledEffects()
    return Context(now, bytes(32), "configure", "p", "c", environ or {}, effects, given)


def sealed_for(*destinations: str) -> dict[str, SealedValue]:
    return {
        f"key{number}": SealedValue("QUJD", TARGET.label, name, "", 1, "SHA256:x")
        for number, name in enumerate(destinations)
    }


def test_what_troth_says_goes_before_the_variables() -> None:
    given = context(sealing("east", epoch="2"), VARIABLES)

    found = sealing_of(given, TARGET, {})

    assert (found.destination, found.epoch, found.key) == ("east", "2", None)


def test_a_bare_container_is_told_by_its_variables() -> None:
    environ = {**VARIABLES, "TROTH_SEALING_EPOCH": "3", "TROTH_SEALING_KEY": KEY}

    found = sealing_of(context(environ=environ), TARGET, {})
    sealer = sealer_of(context(environ=environ))

    assert (found.destination, found.epoch) == ("west", "3")
    assert found.key is not None
    assert sealer is not None
    assert unseal(sealer.seal(b"value", TARGET), TARGET.label) == b"value"


def test_a_certificate_without_its_destination_is_refused() -> None:
    environ = {"TROTH_SEALING_CERTIFICATE": PEM}

    with pytest.raises(InvalidInputError, match="does not say whose it is"):
        sealing_of(context(environ=environ), TARGET, {})


@pytest.mark.parametrize(("performed", "known"), [(True, False), (True, True), (False, True)])
def test_nothing_to_seal_with_is_refused_with_what_to_do(performed: bool, known: bool) -> None:
    with pytest.raises(InvalidInputError) as caught:
        sealing_of(context(performed=performed), TARGET, sealed_for("west") if known else {})

    assert caught.value.reason is Reason.CERTIFICATE_UNUSABLE
    assert "troth.dev/sealing-certificate" in caught.value.message
    assert "TROTH_SEALING_CERTIFICATE" in caught.value.message


def test_a_rehearsal_needs_nothing() -> None:
    rehearsed = context(performed=False)

    assert sealing_of(rehearsed, TARGET, {}).destination == str(UNKNOWN)
    assert sealer_of(rehearsed) is None


def test_nothing_is_sealed_with_where_nothing_is_done_outside() -> None:
    assert sealer_of(context(sealing(), performed=False)) is None


def test_who_seals_needs_a_certificate() -> None:
    with pytest.raises(InvalidInputError, match="not known what to seal with"):
        sealer_of(context())


def test_an_expired_certificate_stops_who_seals_and_nobody_else() -> None:
    ended = SealingInput("west", certificate_pem(private_key(), end=START))
    late = context(ended, now=START.replace(year=2027))

    assert sealing_of(late, TARGET, {}).destination == "west"
    with pytest.raises(InvalidInputError, match=r"of Destination west .* has expired"):
        sealer_of(late)


@pytest.mark.parametrize("performed", [True, False])
@pytest.mark.parametrize(
    "problem",
    [
        TransientError(Reason.CERTIFICATE_UNREACHABLE, "not now."),
        InvalidInputError(Reason.CERTIFICATE_UNUSABLE, "never."),
    ],
)
def test_a_certificate_that_could_not_be_had_is_told_to_who_seals(
    problem: TransientError | InvalidInputError, performed: bool
) -> None:
    given = context(SealingInput("west", b"", problem=problem), performed=performed)

    assert sealing_of(given, TARGET, {}).destination == "west"
    with pytest.raises(type(problem), match=problem.message):
        sealer_of(given)


@pytest.mark.parametrize(
    ("before", "same", "expected"),
    [
        (["west"], ("east", "west"), "west"),  # the one it was sealed for
        (["west"], ("east", "north"), "east"),  # another cluster by now
        (["west"], (), "east"),
        (["west", "east"], ("east", "west"), "east"),  # somebody mixed it
        ([], ("east", "west"), "east"),
    ],
)
def test_of_several_names_of_one_cluster_the_one_is_kept_that_was_sealed_for(
    before: list[str], same: tuple[str, ...], expected: str
) -> None:
    given = replace(sealing("east"), same=same)

    assert sealing_of(context(given), TARGET, sealed_for(*before)).destination == expected


@pytest.mark.parametrize("key", ["", "short"])
def test_a_sealing_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(InvalidInputError, match="TROTH_SEALING_KEY has to be at least") as caught:
        sealing_of(context(sealing(), {"TROTH_SEALING_KEY": key}), TARGET, {})

    assert caught.value.reason is Reason.SEALING_KEY_UNUSABLE


@pytest.mark.parametrize("program", ["", "in-process"])
def test_values_are_sealed_in_this_process_if_nothing_else_is_said(program: str) -> None:
    assert isinstance(sealer_of(context(sealing(), {"TROTH_SEALER": program})), InProcessSealer)


@pytest.mark.parametrize("by_path", [True, False])
def test_kubeseal_seals_where_that_is_said(by_path: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    program = str(require("kubeseal"))
    monkeypatch.setenv("PATH", str(Path(program).parent))

    sealer = sealer_of(context(sealing(), {"TROTH_SEALER": program if by_path else "kubeseal"}))

    assert isinstance(sealer, KubesealSealer)
    assert unseal(sealer.seal(b"value", TARGET), TARGET.label) == b"value"


@pytest.mark.parametrize("program", ["kubeseal", "/nowhere/kubeseal"])
def test_a_program_that_is_not_there_is_named_with_what_to_do(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NotServedError, match=f"program {program} that is to seal") as caught:
        sealer_of(context(sealing(), {"TROTH_SEALER": program}))

    assert caught.value.reason is Reason.SEALER_FAILED
    assert "Install it" in caught.value.message


@pytest.mark.parametrize("performed", [True, False])
@pytest.mark.parametrize("program", ["gpg", "/bin/sh", "bin/kubeseal", "Kubeseal"])
def test_a_sealer_that_nobody_knows_is_refused_in_a_plan_too(program: str, performed: bool) -> None:
    given = context(sealing(), {"TROTH_SEALER": program}, performed=performed)

    with pytest.raises(InvalidInputError, match=f"'{program}'; it has to be in-process, kubeseal"):
        sealer_of(given)

"""Stable sealing: what is kept, sealed anew, or to be rotated; each key for itself."""

from dataclasses import replace
from typing import TypedDict, Unpack, cast

import pytest
from support.sealing import CountingSealer, certificate, unseal

from troth.errors import Reason, StageError
from troth.sdk.sealing import (
    InProcessSealer,
    Scope,
    Sealable,
    SealedResult,
    SealedValue,
    Sealer,
    Sealing,
    SealingKey,
    Target,
    read_sealed_values,
    seal_stably,
)
from troth.sdk.unknown import UNKNOWN, Unknown

KEY = SealingKey(b"0123456789abcdef", "it")
OTHER_KEY = SealingKey(b"fedcba9876543210", "it")
TARGET = Target("team", "creds")


class Change(TypedDict, total=False):
    """Where a run differs from the usual one."""

    sealer: Sealer | None
    target: Target
    destination: str
    epoch: str
    key: SealingKey | None


def sealing(**changed: Unpack[Change]) -> Sealing:
    return replace(Sealing(CountingSealer(), TARGET, "prod", "1", KEY), **changed)


def count(used: Sealing) -> int:
    assert isinstance(used.sealer, CountingSealer)
    return used.sealer.count


def first(value: bytes = b"s3cret", generation: int = 1, **changed: Unpack[Change]) -> SealedResult:
    return seal_stably({"key": Sealable(value, generation)}, {}, sealing(**changed))


def test_a_new_value_is_sealed_and_all_that_decides_later_is_remembered() -> None:
    [(key, value)] = first(generation=4).values.items()

    assert unseal(value.ciphertext, "team/creds") == b"s3cret"
    assert (key, value) == (
        "key",
        SealedValue(
            ciphertext=value.ciphertext,
            label="team/creds",
            destination="prod",
            epoch="1",
            generation=4,
            certificate=certificate().fingerprint,
            fingerprint=KEY.fingerprint(b"s3cret", "team/creds", "prod"),
            key_id=KEY.key_id,
        ),
    )


@pytest.mark.parametrize("value", [b"s3cret", None, UNKNOWN])
def test_the_same_value_keeps_its_ciphertext(value: bytes | Unknown | None) -> None:
    before, used = first().values, sealing()

    after = seal_stably({"key": Sealable(value)}, before, used)

    assert after == SealedResult(before)
    assert count(used) == 0


def test_the_same_value_of_another_generation_keeps_its_ciphertext() -> None:
    before, used = first().values, sealing()

    after = seal_stably({"key": Sealable(b"s3cret", 2)}, before, used)

    assert after.values == {"key": replace(before["key"], generation=2)}
    assert count(used) == 0


@pytest.mark.parametrize("generation", [1, 2])
def test_another_value_is_sealed_anew(generation: int) -> None:
    before = first().values

    [after] = seal_stably(
        {"key": Sealable(b"other", generation)}, before, sealing()
    ).values.values()

    assert unseal(after.ciphertext, "team/creds") == b"other"
    assert after.generation == generation


def test_a_renewed_certificate_changes_nothing_by_itself() -> None:
    before = first().values
    used = sealing(sealer=CountingSealer(InProcessSealer(certificate("renewed"))))

    after = seal_stably({"key": Sealable(b"s3cret")}, before, used)

    assert after == SealedResult(before)
    assert count(used) == 0


def test_what_is_sealed_anew_is_sealed_with_the_renewed_certificate() -> None:
    used = sealing(sealer=InProcessSealer(certificate("renewed")))
    wanted = {"key": Sealable(b"s3cret"), "new": Sealable(b"new")}

    values = seal_stably(wanted, first().values, used).values

    assert values["key"].certificate == certificate().fingerprint
    assert values["new"].certificate == certificate("renewed").fingerprint


MOVES: list[Change] = [
    {"epoch": "2"},
    {"destination": "test"},
    {"target": Target("team", "renamed")},
    {"target": Target("moved", "creds")},
    {"target": Target("team", "creds", Scope.NAMESPACE_WIDE)},
]


@pytest.mark.parametrize("move", MOVES, ids=str)
def test_a_known_value_that_can_no_longer_be_opened_where_it_goes_is_sealed_anew(
    move: Change,
) -> None:
    used = sealing(**move)

    after = seal_stably({"key": Sealable(b"s3cret")}, first().values, used)

    assert count(used) == 1
    assert unseal(after.values["key"].ciphertext, used.target.label) == b"s3cret"
    assert after.values["key"].fits(used.target, used.destination, used.epoch)


@pytest.mark.parametrize("move", MOVES, ids=str)
def test_one_that_nobody_knows_has_to_be_rotated_and_nothing_is_given_out_before(
    move: Change,
) -> None:
    used = sealing(**move)
    wanted = {"key": Sealable(None), "known": Sealable(b"known")}
    before = seal_stably({name: Sealable(b"s3cret") for name in wanted}, {}, sealing()).values

    after = seal_stably(wanted, before, used)

    assert list(after.rotate) == ["key"]
    assert "its credential must be rotated" in after.rotate["key"]
    assert list(after.values) == ["known"]
    for give in (after.ciphertexts, after.as_json):
        with pytest.raises(StageError) as caught:
            give()
        assert caught.value.reason is Reason.KEY_REPLACED
        assert caught.value.message == after.rotate["key"]


def test_why_a_credential_has_to_be_rotated_names_what_moved() -> None:
    used = sealing(epoch="2", destination="test")

    [why] = seal_stably({"key": Sealable(None)}, first().values, used).rotate.values()

    assert why.startswith("'key' of team/creds (strict) can no longer be opened where it goes (")
    assert "its Destination was 'prod' and is 'test'" in why
    assert "the epoch of the cluster's keys was '1' and is '2'" in why
    assert "bound" not in why


def test_once_rotated_it_is_sealed_and_all_is_well() -> None:
    used = sealing(epoch="2")

    after = seal_stably({"key": Sealable(b"next", 2)}, first().values, used)

    assert after.rotate == {}
    assert after.as_json()["key"]["generation"] == 2


@pytest.mark.parametrize(
    ("scope", "target"),
    [
        (Scope.NAMESPACE_WIDE, Target("team", "renamed", Scope.NAMESPACE_WIDE)),
        (Scope.CLUSTER_WIDE, Target("moved", "renamed", Scope.CLUSTER_WIDE)),
    ],
)
def test_within_its_scope_a_value_is_carried_without_being_sealed(
    scope: Scope, target: Target
) -> None:
    before = first(target=Target("team", "creds", scope)).values
    used = sealing(target=target)

    assert seal_stably({"key": Sealable(None)}, before, used).values == before


@pytest.mark.parametrize("has_before", [True, False])
def test_a_value_that_nobody_knows_and_no_ciphertext_is_left_of_has_to_be_rotated(
    *, has_before: bool
) -> None:
    before = first().values if has_before else {}

    with pytest.raises(StageError) as caught:
        seal_stably({"key": Sealable(None, 2), "b": Sealable(b"b")}, before, sealing())

    assert caught.value.reason is Reason.CREDENTIAL_LOST
    assert "'key' (generation 2) of team/creds (strict)" in caught.value.message
    assert "Its credential must be rotated" in caught.value.message


@pytest.mark.parametrize("key", [None, OTHER_KEY])
@pytest.mark.parametrize("value", [b"s3cret", b"other"])
def test_without_the_key_that_it_was_sealed_under_the_ciphertext_is_kept_and_that_is_said(
    key: SealingKey | None, value: bytes
) -> None:
    before, used = first().values, sealing(key=key)

    after = seal_stably({"key": Sealable(value)}, before, used)

    assert after.values == before
    assert count(used) == 0
    [note] = after.notes
    assert note.keys == ("key",)
    assert "Put the old key back, or rotate them." in note.text


@pytest.mark.parametrize("key", [None, OTHER_KEY])
def test_without_the_key_another_generation_is_sealed_anew(key: SealingKey | None) -> None:
    after = seal_stably({"key": Sealable(b"next", 2)}, first().values, sealing(key=key))

    assert unseal(after.values["key"].ciphertext, "team/creds") == b"next"


@pytest.mark.parametrize("key", [None, OTHER_KEY])
def test_without_the_key_a_value_that_nobody_knows_is_kept_and_needs_no_note(
    key: SealingKey | None,
) -> None:
    before = first().values

    assert seal_stably({"key": Sealable(None)}, before, sealing(key=key)) == SealedResult(before)


def test_what_was_sealed_without_a_key_is_told_apart_by_generation_once_there_is_one() -> None:
    before = first(key=None).values

    after = seal_stably({"key": Sealable(b"other")}, before, sealing())

    assert after.values == before
    assert len(after.notes) == 1


def test_the_old_key_put_back_knows_its_values_again() -> None:
    before = first().values
    meanwhile = seal_stably({"key": Sealable(b"other")}, before, sealing(key=OTHER_KEY)).values

    after = seal_stably({"key": Sealable(b"other")}, meanwhile, sealing())

    assert unseal(after.values["key"].ciphertext, "team/creds") == b"other"
    assert after.notes == ()


def test_under_another_key_what_is_new_needs_no_note() -> None:
    assert first(key=OTHER_KEY).notes == ()


@pytest.mark.parametrize("before_generation", [None, 1])
def test_what_no_effect_gave_yet_is_known_after_apply_and_is_not_kept(
    before_generation: int | None,
) -> None:
    before = {} if before_generation is None else first(generation=before_generation).values

    after = seal_stably({"key": Sealable(UNKNOWN, 2)}, before, sealing())

    assert after.ciphertexts() == {"key": "(known after apply)"}
    assert after.as_json() == {}


@pytest.mark.parametrize("move", MOVES, ids=str)
def test_what_no_effect_gave_yet_is_never_said_to_need_a_rotation(move: Change) -> None:
    after = seal_stably({"key": Sealable(UNKNOWN)}, first().values, sealing(**move))

    assert after == SealedResult({}, unknown=("key",))


def test_where_nothing_is_to_be_sealed_what_would_be_is_known_after_apply() -> None:
    before = first().values
    wanted = {"key": Sealable(b"s3cret"), "new": Sealable(b"new")}

    after = seal_stably(wanted, before, sealing(sealer=None))

    assert after.values == before
    assert after.ciphertexts() == {
        "key": before["key"].ciphertext,
        "new": "(known after apply)",
    }


def test_the_text_of_an_unknown_value_cannot_be_read_as_a_sealed_one() -> None:
    [value] = first().values.values()
    planted = replace(value, ciphertext=str(UNKNOWN)).as_json()

    with pytest.raises(Exception, match="standard base64 is needed"):
        read_sealed_values({"key": planted})


def test_a_key_that_is_no_longer_wanted_is_forgotten() -> None:
    assert seal_stably({}, first().values, sealing()) == SealedResult({})


def test_what_is_left_is_in_one_order_however_it_was_asked_for() -> None:
    wanted = {"c": Sealable(b"c"), "a": Sealable(UNKNOWN), "b": Sealable(b"b")}

    after = seal_stably(wanted, {}, sealing())

    assert list(after.as_json()) == ["b", "c"]
    assert list(after.ciphertexts()) == ["a", "b", "c"]


@pytest.mark.parametrize("value", ["s3cret", 1, bytearray(b"s3cret")])
def test_what_is_no_bytes_is_refused_and_not_told(value: object) -> None:
    with pytest.raises(TypeError) as caught:
        Sealable(cast("bytes", value))

    expected = f"a value to seal is bytes, None or UNKNOWN, not {type(value).__name__}"
    assert str(caught.value) == expected


def test_no_text_of_what_is_handed_around_holds_a_value() -> None:
    wanted = {"key": Sealable(b"tr1cky-s3cret")}
    used = sealing()

    after = seal_stably(wanted, {}, used)

    assert "tr1cky" not in f"{wanted} {used} {after} {after.as_json()}"

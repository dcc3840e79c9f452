"""A sealed value in a request's status: what is kept, and what is no longer as it was kept."""

import json

import pytest

from troth.api import Json, JsonObject
from troth.errors import InvalidInputError, Reason
from troth.sdk.sealing import Scope, SealedValue, Target, read_sealed_values

VALUE = SealedValue(
    ciphertext="QUJD",
    label="team/creds",
    destination="prod",
    epoch="1",
    generation=3,
    certificate="SHA256:abc",
    fingerprint="0" * 64,
    key_id="0123456789abcdef",
)
KEPT: dict[str, Json] = {
    "ciphertext": "QUJD",
    "label": "team/creds",
    "destination": "prod",
    "epoch": "1",
    "generation": 3,
    "certificate": "SHA256:abc",
    "fingerprint": "0" * 64,
    "keyId": "0123456789abcdef",
}


def test_a_value_is_kept_under_these_names() -> None:
    assert VALUE.as_json() == KEPT


def test_what_was_kept_is_read_again() -> None:
    assert SealedValue.from_json(json.loads(json.dumps(KEPT))) == VALUE


def test_without_a_sealing_key_there_is_no_fingerprint() -> None:
    kept: JsonObject = {k: v for k, v in KEPT.items() if k not in {"fingerprint", "keyId"}}

    value = SealedValue.from_json(kept)

    assert (value.fingerprint, value.key_id) == (None, None)
    assert value.as_json() == kept


def test_a_label_for_the_whole_cluster_and_an_epoch_may_be_empty() -> None:
    value = SealedValue.from_json({**KEPT, "label": "", "epoch": ""})

    assert (value.label, value.epoch) == ("", "")


def test_what_a_newer_version_added_is_left_alone() -> None:
    assert SealedValue.from_json({**KEPT, "added": True}) == VALUE


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ciphertext", None),
        ("ciphertext", ""),
        ("ciphertext", "(known after apply)"),
        ("ciphertext", "QUJ"),
        ("ciphertext", "QUJD QUJD"),
        ("label", 1),
        ("destination", ""),
        ("epoch", []),
        ("generation", None),
        ("generation", "3"),
        ("generation", True),
        ("generation", -1),
        ("certificate", None),
        ("fingerprint", "abc"),
        ("fingerprint", "G" * 64),
        ("keyId", None),
    ],
)
def test_what_somebody_changed_is_refused_with_its_place(field: str, value: Json) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_sealed_values({"creds": {**KEPT, field: value}}, ("status", "sealed"))

    assert caught.value.reason is Reason.INVALID_STATUS
    assert caught.value.field == ("status", "sealed", "creds", field)


def test_a_whole_secret_is_read_key_by_key() -> None:
    assert read_sealed_values({"a.b": KEPT, "c": KEPT}) == {"a.b": VALUE, "c": VALUE}


@pytest.mark.parametrize("value", [None, "text", []])
def test_a_key_that_holds_no_sealed_value_is_refused(value: Json) -> None:
    with pytest.raises(InvalidInputError, match=r"status\.creds: a sealed value is needed here"):
        read_sealed_values({"creds": value}, ("status",))


@pytest.mark.parametrize(
    ("target", "destination", "epoch", "fits"),
    [
        (Target("team", "creds"), "prod", "1", True),
        (Target("team", "creds", Scope.NAMESPACE_WIDE), "prod", "1", False),
        (Target("team", "other"), "prod", "1", False),
        (Target("team", "creds"), "test", "1", False),
        (Target("team", "creds"), "prod", "2", False),
    ],
)
def test_a_value_fits_where_it_was_sealed_for(
    target: Target, destination: str, epoch: str, *, fits: bool
) -> None:
    assert VALUE.fits(target, destination, epoch) is fits

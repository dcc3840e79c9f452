"""The sealing key: fingerprints that say nothing, and keys that are none."""

import hashlib
import hmac

import pytest

from troth.errors import InvalidInputError, Reason
from troth.sdk.sealing import SealingKey

BYTES = b"0123456789abcdef0123456789abcdef"
KEY = SealingKey(BYTES, "TROTH_SEALING_KEY")


def test_a_fingerprint_is_an_hmac_over_parts_led_by_their_length() -> None:
    parts = [b"troth.dev/sealed-value/1", b"s3cret", b"team/creds", b"prod"]
    told = b"".join(len(part).to_bytes(8, "big") + part for part in parts)

    expected = hmac.new(BYTES, told, hashlib.sha256).hexdigest()
    assert KEY.fingerprint(b"s3cret", "team/creds", "prod") == expected


@pytest.mark.parametrize(
    ("value", "label", "destination"),
    [
        (b"s3creT", "team/creds", "prod"),
        (b"s3cret", "team/other", "prod"),
        (b"s3cret", "team/creds", "test"),
        (b"s3cretteam", "/creds", "prod"),
        (b"s3cret", "team/credsprod", ""),
    ],
)
def test_value_label_and_destination_count_each_for_itself(
    value: bytes, label: str, destination: str
) -> None:
    expected = KEY.fingerprint(b"s3cret", "team/creds", "prod")
    assert KEY.fingerprint(value, label, destination) != expected


def test_another_key_gives_another_fingerprint_and_another_id() -> None:
    other = SealingKey(BYTES[::-1], "it")

    assert other.key_id != KEY.key_id
    assert other.fingerprint(b"v", "l", "d") != KEY.fingerprint(b"v", "l", "d")


def test_the_id_is_short_the_same_each_time_and_no_part_of_the_key() -> None:
    told = hmac.new(BYTES, b"troth.dev/sealing-key-id/1", hashlib.sha256)

    assert KEY.key_id == SealingKey(BYTES, "elsewhere").key_id == told.hexdigest()[:16]
    assert KEY.key_id not in BYTES.hex()


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_line_end_is_no_part_of_the_key(end: bytes) -> None:
    assert SealingKey(BYTES + end, "it").key_id == KEY.key_id


@pytest.mark.parametrize(
    ("key", "found"),
    [(b"", "nothing"), (b"\n", "nothing"), (b"123456789012345\n", "only 15 bytes")],
)
def test_a_key_that_is_empty_or_too_short_is_refused_with_what_to_do(
    key: bytes, found: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        SealingKey(key, "TROTH_SEALING_KEY")

    assert caught.value.reason is Reason.SEALING_KEY_UNUSABLE
    assert caught.value.message == (
        "the sealing key TROTH_SEALING_KEY has to be at least 16 random bytes, found "
        f"{found}. Make one once with `openssl rand -hex 32`, and back it up."
    )


def test_sixteen_bytes_are_enough() -> None:
    assert SealingKey(BYTES[:16], "it").key_id


def test_no_text_of_a_key_holds_it() -> None:
    assert repr(KEY) == f"SealingKey({KEY.key_id})"
    assert str(KEY) == repr(KEY)

"""Keys are spelled as NATS does it, and read only when nothing is wrong with them."""

import base64
import binascii
import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.errors import InvalidInputError, Reason
from troth_pipelines.nats.nkeys import (
    KeyKind,
    KeyPair,
    key_kind,
    public_key_bytes,
    verify_signature,
)

RAW = bytes(range(32))
KEYS = {kind: KeyPair.from_bytes(kind, RAW) for kind in KeyKind}

# Written by github.com/nats-io/nkeys v0.4.17 of the same bytes.
GO = {
    KeyKind.OPERATOR: (
        "SOAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H2AJA",
        "OAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3QZVT",
    ),
    KeyKind.ACCOUNT: (
        "SAAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4HYMHI",
        "AAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3QPZV",
    ),
    KeyKind.USER: (
        "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y",
        "UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK",
    ),
}

kinds = st.sampled_from(list(KeyKind))
raws = st.binary(min_size=32, max_size=32)


def spell(raw: bytes) -> str:
    crc = binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(raw + crc).decode().rstrip("=")


@pytest.mark.parametrize("kind", KeyKind)
def test_keys_are_spelled_as_the_library_of_nats_does(kind: KeyKind) -> None:
    key = KEYS[kind]

    assert (key.seed, key.public_key) == GO[kind]


@given(kind=kinds, raw=raws)
def test_a_seed_that_is_read_gives_the_same_key(kind: KeyKind, raw: bytes) -> None:
    key = KeyPair.from_bytes(kind, raw)

    again = KeyPair.from_seed(key.seed, kind)

    assert again == key
    assert again.sign(b"text") == key.sign(b"text")


@given(kind=kinds, raw=raws)
def test_a_public_key_tells_its_kind_and_its_bytes(kind: KeyKind, raw: bytes) -> None:
    public = KeyPair.from_bytes(kind, raw).public_key

    assert key_kind(public) is kind
    assert spell(bytes([kind.value]) + public_key_bytes(public, kind)) == public


@given(kind=kinds, raw=raws, data=st.binary(max_size=100))
def test_a_signature_holds_for_its_key_and_its_data_alone(
    kind: KeyKind, raw: bytes, data: bytes
) -> None:
    key = KeyPair.from_bytes(kind, raw)
    other = KeyPair.from_bytes(kind, bytes(255 - byte for byte in raw))
    signature = key.sign(data)

    assert verify_signature(key.public_key, data, signature)
    assert not verify_signature(key.public_key, data + b"x", signature)
    assert not verify_signature(other.public_key, data, signature)
    assert not verify_signature(key.public_key, data, signature[:-1])


@given(
    place=st.integers(0, 57), letter=st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567abc018=-é ")
)
def test_a_seed_with_one_wrong_character_is_refused(place: int, letter: str) -> None:
    seed = KEYS[KeyKind.USER].seed
    wrong = seed[:place] + letter + seed[place + 1 :]
    if wrong == seed:
        return

    with pytest.raises(InvalidInputError) as caught:
        KeyPair.from_seed(wrong, KeyKind.USER)

    assert caught.value.reason is Reason.INVALID_CREDENTIALS


@given(place=st.integers(0, 55), letter=st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ab018=é "))
def test_a_public_key_with_one_wrong_character_is_refused(place: int, letter: str) -> None:
    public = KEYS[KeyKind.ACCOUNT].public_key
    wrong = public[:place] + letter + public[place + 1 :]
    if wrong == public:
        return

    with pytest.raises(InvalidInputError):
        key_kind(wrong)


SEED = KEYS[KeyKind.USER].seed


@pytest.mark.parametrize(
    ("seed", "words"),
    [
        ("", "0 characters instead of 58"),
        (SEED[:-1], "57 characters instead of 58"),
        (SEED * 2, "116 characters"),
        (SEED.lower(), "characters other than A to Z and 2 to 7"),
        (SEED[:-1] + "!", "characters other than"),
        (SEED[:30] + ("A" if SEED[30] != "A" else "B") + SEED[31:], "its checksum is wrong"),
        (KEYS[KeyKind.ACCOUNT].seed, "another kind; its text begins SU"),
        (spell(bytes([20 << 3]) + b"\0" * 33), "does not begin with 'S'"),
    ],
)
def test_what_is_no_seed_is_refused_without_being_quoted(seed: str, words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        KeyPair.from_seed(seed, KeyKind.USER)

    assert words in caught.value.message
    assert not seed or seed not in caught.value.message
    assert SEED[2:20] not in caught.value.message


def test_the_bits_of_a_seed_that_count_for_nothing_are_held_to_one_spelling() -> None:
    # 58 characters hold two bits more than 36 bytes.
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    other = last[last.index(SEED[-1]) + 1]

    with pytest.raises(InvalidInputError, match="its checksum is wrong"):
        KeyPair.from_seed(SEED[:-1] + other, KeyKind.USER)


@pytest.mark.parametrize(
    ("public", "kind", "words"),
    [
        ("", KeyKind.USER, "0 characters instead of 56"),
        (SEED, KeyKind.USER, "there is a seed in its place"),
        (KEYS[KeyKind.ACCOUNT].public_key, KeyKind.USER, "it has to begin with 'U'"),
        (KEYS[KeyKind.USER].public_key, KeyKind.OPERATOR, "it has to begin with 'O'"),
        (KEYS[KeyKind.USER].public_key + "=", KeyKind.USER, "57 characters"),
        (KEYS[KeyKind.USER].public_key[:-1] + "A", KeyKind.USER, "its checksum is wrong"),
    ],
)
def test_what_is_no_public_key_is_refused_without_being_quoted(
    public: str, kind: KeyKind, words: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        public_key_bytes(public, kind)

    assert words in caught.value.message
    assert not public or public not in caught.value.message


def test_a_key_of_a_server_is_none_of_ours() -> None:
    with pytest.raises(InvalidInputError, match="begins with none of O, A, U"):
        key_kind(spell(bytes([13 << 3]) + RAW))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_key_is_made_of_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="made of 32 bytes"):
        KeyPair.from_bytes(KeyKind.USER, bytes(length))


def test_a_key_pair_does_not_show_its_seed() -> None:
    key = KEYS[KeyKind.USER]

    shown = f"{key} {key!r} {[key]}"

    assert "_signing" not in shown  # the library's own class does not hide what it holds
    assert key.public_key in shown
    assert key.seed not in shown
    assert RAW.hex() not in shown
    assert repr(RAW) not in shown


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda key: pickle.loads(pickle.dumps(key))])  # noqa: S301  (made a line before)
def test_a_key_pair_can_be_copied(copied: object) -> None:
    key = KEYS[KeyKind.USER]

    assert copied(key) == key  # type: ignore[operator]

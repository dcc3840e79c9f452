"""The values: what each type is, made of the run's random bytes and of nothing else."""

import string

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    load_ssh_private_key,
    load_ssh_public_key,
    ssh_key_fingerprint,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.api import Json
from troth_pipelines.stages.generated_secret import GeneratedSecretSpec
from troth_pipelines.stages.generated_secret._values import SECRET_TYPES, keys_of, make_values

SEED = bytes(range(32))
SYMBOLS = st.text(alphabet=string.punctuation, max_size=32)


def spec(kind: str = "password", **fields: Json) -> GeneratedSecretSpec:
    return GeneratedSecretSpec.model_validate({"type": kind, "secretName": "orders", **fields})


@given(seed=st.binary(min_size=32, max_size=32), length=st.integers(12, 256), symbols=SYMBOLS)
@settings(deadline=None)
def test_a_password_has_its_length_and_of_each_kind_of_character(
    seed: bytes, length: int, symbols: str
) -> None:
    policy: Json = {"length": length, "symbols": symbols}
    password = make_values(spec(password=policy), seed, "it")["password"].decode()

    letters = string.ascii_letters + string.digits
    kinds = [string.ascii_lowercase, string.ascii_uppercase, string.digits, symbols or letters]
    assert len(password) == length
    assert set(password) <= set(letters + symbols)
    assert all(set(kind) & set(password) for kind in kinds)


def test_no_character_of_a_password_is_likelier_than_another() -> None:
    """Chi square over 128,000 characters, of a seed that is always the same."""
    drawn = b"".join(
        make_values(spec(password={"length": 256}), SEED, str(number))["password"]
        for number in range(500)
    )
    expected = len(drawn) / 62

    deviation = sum((drawn.count(one) - expected) ** 2 / expected for one in set(drawn))

    assert len(set(drawn)) == 62
    assert deviation < 100  # 61 degrees of freedom: one in a thousand is above 100.9


def test_a_symbol_that_is_named_twice_counts_once() -> None:
    twice = spec(password={"symbols": "--__"})
    once = spec(password={"symbols": "-_"})

    assert make_values(twice, SEED, "it") == make_values(once, SEED, "it")


def test_a_token_is_256_bits_in_hex() -> None:
    token = make_values(spec("token"), SEED, "it")["token"].decode()

    assert len(bytes.fromhex(token)) == 32
    assert token == token.lower()


def test_a_key_pair_belongs_together_and_bears_the_name() -> None:
    made = make_values(spec("ssh-key", username="deploy@orders"), SEED, "it")

    private = load_ssh_private_key(made["ssh-privatekey"], password=None)
    public = load_ssh_public_key(made["ssh-publickey"])
    assert isinstance(private, Ed25519PrivateKey)
    assert ssh_key_fingerprint(private.public_key(), SHA256()) == ssh_key_fingerprint(
        public, SHA256()
    )
    assert made["ssh-publickey"].endswith(b" deploy@orders\n")


def test_a_pair_for_basic_auth_has_the_name_that_was_asked_for() -> None:
    made = make_values(spec("basic-auth", username="orders"), SEED, "it")

    assert made["username"] == b"orders"
    assert len(made["password"]) == 32


@pytest.mark.parametrize("kind", list(SECRET_TYPES))
def test_the_values_follow_from_seed_and_label_alone(kind: str) -> None:
    asked = spec(kind, **({"username": "x"} if kind == "basic-auth" else {}))
    secret = next(key for key in keys_of(asked) if key != "username")
    first = make_values(asked, SEED, "it")

    assert list(first) == list(keys_of(asked))
    assert told(make_values(asked, SEED, "it")[secret]) == told(first[secret])
    assert told(make_values(asked, SEED[::-1], "it")[secret]) != told(first[secret])
    assert told(make_values(asked, SEED, "another")[secret]) != told(first[secret])


def told(value: bytes) -> bytes:
    """Return what counts of a value: OpenSSH writes a random number into a private key."""
    if not value.startswith(b"-----BEGIN"):
        return value
    private = load_ssh_private_key(value, password=None)
    assert isinstance(private, Ed25519PrivateKey)
    return private.private_bytes_raw()


@pytest.mark.parametrize("kind", ["password", "token"])
def test_a_value_stands_under_the_key_that_was_asked_for(kind: str) -> None:
    assert keys_of(spec(kind)) == (kind,)
    assert list(make_values(spec(kind, key="DB_PASSWORD"), SEED, "it")) == ["DB_PASSWORD"]


def test_the_types_have_the_keys_that_kubernetes_checks() -> None:
    """Source: kubernetes ``pkg/apis/core/validation`` of Secrets."""
    assert SECRET_TYPES["ssh-key"] == "kubernetes.io/ssh-auth"
    assert "ssh-privatekey" in keys_of(spec("ssh-key"))
    assert SECRET_TYPES["basic-auth"] == "kubernetes.io/basic-auth"
    assert set(keys_of(spec("basic-auth"))) == {"username", "password"}

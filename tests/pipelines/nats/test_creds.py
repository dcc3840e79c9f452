"""Creds files are written byte for byte as NATS does it, and read when their parts fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.nats_system import TestSystem, raw_key

from troth.errors import InvalidInputError
from troth_pipelines.nats.creds import Credentials
from troth_pipelines.nats.nkeys import KeyKind, KeyPair
from troth_pipelines.nats.users import Grant, User, sign_user

ORDERS = TestSystem().accounts["orders"]
BILLING = TestSystem().accounts["billing"]
ISSUED = 1_700_000_000
KEY = KeyPair.from_bytes(KeyKind.USER, raw_key("user"))


def creds(signer: str = "identity", raw: bytes | None = None, name: str = "u") -> Credentials:
    key = KEY if raw is None else KeyPair.from_bytes(KeyKind.USER, raw)
    grant = None if signer == "scoped" else Grant()
    user = User(name, key.public_key, ISSUED, ISSUED + 60, grant)
    return Credentials.of(sign_user(user, ORDERS.signer(signer)), key)


CREDS = creds()
TEXT = CREDS.text


def test_a_creds_file_has_the_bytes_of_the_library() -> None:
    expected = (
        "-----BEGIN NATS USER JWT-----\n"
        f"{CREDS.jwt}\n"
        "------END NATS USER JWT------\n"
        "\n"
        "************************* IMPORTANT *************************\n"
        "NKEY Seed printed below can be used to sign and prove identity.\n"
        "NKEYs are sensitive and should be treated as secrets.\n"
        "\n"
        "-----BEGIN USER NKEY SEED-----\n"
        f"{KEY.seed}\n"
        "------END USER NKEY SEED------\n"
        "\n"
        "*************************************************************\n"
    )

    assert expected == TEXT


@given(
    raw=st.binary(min_size=32, max_size=32),
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    signer=st.sampled_from(["identity", "signing", "scoped"]),
)
def test_what_was_written_is_read_again(raw: bytes, name: str, signer: str) -> None:
    written = creds(signer, raw, name)

    read = Credentials.parse(written.text)

    assert read == written
    assert read.text == written.text
    read.check(ORDERS.public_key, ISSUED)


@pytest.mark.parametrize(
    "changed",
    [
        TEXT.replace("\n", "\r\n"),
        TEXT.rstrip("\n"),
        "\n\n" + TEXT,
        TEXT.replace("-----BEGIN", "---BEGIN"),
        TEXT[: TEXT.index("\n\n**") + 1] + TEXT[TEXT.index("-----BEGIN USER") :],
    ],
    ids=["CRLF", "no last line end", "blank lines", "few dashes", "no words between"],
)
def test_a_file_that_go_forgives_is_read_and_respelled(changed: str) -> None:
    assert changed != TEXT
    assert Credentials.parse(changed).text == TEXT


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there are 0 such lines"),
        ("hello", "there are 0 such lines"),
        (CREDS.jwt, "there are 0 such lines"),
        (TEXT[: TEXT.index("*")], "there are 1 such lines"),
        (TEXT + TEXT, "there are 4 such lines"),
        (TEXT.replace("\n", "\n  "), "there are 0 such lines"),
        (TEXT.replace(KEY.seed, KEY.seed[:-1] + "A"), "its checksum is wrong"),
        (TEXT.replace(KEY.seed, KEY.public_key), "the seed of a user key"),
        (TEXT.replace(KEY.seed, ORDERS.identity.seed), "the seed of another kind"),
        (TEXT.replace(CREDS.jwt, ORDERS.jwt), "of type account; a user's is needed"),
        (TEXT.replace(CREDS.jwt, CREDS.jwt[:-4] + "AAAA"), "its signature is wrong"),
        (
            TEXT.replace(KEY.seed, KeyPair.from_bytes(KeyKind.USER, raw_key("other")).seed),
            "the seed is not that of the user",
        ),
    ],
)
def test_what_is_no_sound_creds_file_is_refused_without_its_seed(text: str, words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Credentials.parse(text)

    assert words in caught.value.message
    assert KEY.seed[2:20] not in caught.value.message
    assert CREDS.jwt[:40] not in caught.value.message
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("signer", ["identity", "signing", "scoped"])
def test_credentials_are_of_the_account_behind_the_signing_key(signer: str) -> None:
    assert creds(signer).account == ORDERS.public_key


def test_credentials_of_another_account_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=f"not of {BILLING.public_key}"):
        CREDS.check(BILLING.public_key, ISSUED)


def test_credentials_that_have_ended_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="they have ended"):
        CREDS.check(ORDERS.public_key, ISSUED + 60)


def test_credentials_do_not_show_what_is_secret() -> None:
    shown = f"{CREDS} {CREDS!r}"

    assert KEY.public_key in shown
    assert KEY.seed not in shown
    assert CREDS.jwt not in shown

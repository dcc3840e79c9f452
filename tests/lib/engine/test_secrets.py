"""Secrets in plain sight: found in whatever spelling, with their line, and fast."""

import base64
import binascii
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from troth.engine.secrets import plain_secret_in_text, redact

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n"


def seed(role: int = 20, fill: bytes = b"k") -> str:
    """Spell a seed as nats-io/nkeys does: two prefix bytes, 32 bytes, CRC, in base32."""
    first, kind = 18 << 3, role << 3
    raw = bytes([first | kind >> 5, (kind & 31) << 3]) + fill * 32
    crc = binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(raw + crc).decode().rstrip("=")


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SECRETS = {
    "key": PEM,
    "short key": "-----BEGIN PRIVATE KEY-----",
    "user": seed(20),
    "account": seed(0, b"a"),
    "operator": seed(14, b"z"),
    "server": seed(13),
    "cluster": seed(2),
    "curve": seed(23),
}

ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a line": lambda text: f"token {text} of it",
    "glued": lambda text: f"NATSUSERSEED{text}",
    "base64": encoded,
    "base64, one before": lambda text: encoded("x" + text + "x"),
    "base64, two before": lambda text: encoded("xy" + text),
    "hex": lambda text: text.encode().hex(),
    "capital hex": lambda text: text.encode().hex().upper(),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "percent, URL": quote,
    "JSON": lambda text: json.dumps({"a": text}),
}


@given(
    name=st.sampled_from(sorted(SECRETS)),
    encoding=st.sampled_from(sorted(ENCODINGS)),
    style=st.sampled_from([None, '"', "'", "|", ">"]),
    width=st.sampled_from([8, 20, 80]),
    is_key=st.booleans(),
)
def test_a_secret_is_found_in_any_spelling(
    name: str, encoding: str, style: str | None, width: int, is_key: bool
) -> None:
    text = ENCODINGS[encoding](SECRETS[name])
    said = {"data": {text: "a"} if is_key else {"a": text}}
    written = yaml.dump(said, default_style=style, width=width)
    try:
        assume(yaml.safe_load(written) == said)
    except yaml.YAMLError:
        assume(condition=False)

    assert plain_secret_in_text(written) is not None


@pytest.mark.parametrize("name", ["key", "short key"])
def test_a_key_is_found_that_was_encoded_twice(name: str) -> None:
    assert plain_secret_in_text(f"a: {encoded(encoded(SECRETS[name]))}") is not None


def test_credentials_are_found_that_were_encoded_twice() -> None:
    creds = f"-----BEGIN USER NKEY SEED-----\n{seed()}\n------END USER NKEY SEED------\n"

    assert plain_secret_in_text(encoded(encoded(creds))) == (1, "a NATS seed in another spelling")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PEM.replace("RSA PRIVATE", '"\\\n   RSA\\x20PRIVATE"'), "a private key"),
        (seed()[:20] + "\n  " + seed()[20:], "a NATS seed"),
        (seed().encode().hex(), "a NATS seed"),
    ],
)
def test_one_in_another_spelling_is_told_with_the_line_in_which_it_ends(
    text: str, expected: str
) -> None:
    found = plain_secret_in_text("a: b\n" * 50 + f'c: "{text}"\n' + "d: e\n" * 50)

    assert found is not None
    line, what = found
    assert what == f"{expected} in another spelling"
    assert 51 <= line <= 51 + text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "A" * 200,
        "S" * 200,
        "SU" + "A" * 56,
        base64.b64encode(b"-----BEGIN CERTIFICATE-----\nMIIE\n").decode(),
        "-----BEGIN PUBLIC KEY-----",
        "the private key is kept elsewhere",
        "U" + seed()[1:],
        encoded("S" * 100),
        ("S" * 100).encode().hex(),
        "a: " + encoded("user keys of a NATS system: " + "U" + seed()[1:]),
    ],
)
def test_what_is_no_secret_is_let_through(text: str) -> None:
    assert plain_secret_in_text(text) is None


@given(st.binary(min_size=600, max_size=600))
def test_a_ciphertext_is_no_secret(sealed: bytes) -> None:
    text = base64.b64encode(sealed).decode()

    assert plain_secret_in_text(text) is None
    assert redact(text) == text


@pytest.mark.parametrize("name", sorted(SECRETS))
@pytest.mark.parametrize("encoding", ["as it is", "base64", "base64, one before", "hex"])
def test_a_message_quotes_no_secret(name: str, encoding: str) -> None:
    text = ENCODINGS[encoding](SECRETS[name])

    shown = redact(f"cannot use {text!r} here")

    assert "[a " in shown
    assert plain_secret_in_text(shown) is None
    assert len(shown) < len("cannot use '[a private key]' here") + 12

"""Leaks: a secret is found in whatever spelling, and wherever it stands."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from troth.runners import Leak
from troth.runners.warm._leaks import find_leaks, without_secrets

TOKEN = "uat_Zm9yYmlkZGVu-4711"  # noqa: S105  (of nobody)
KEY = "pässword: 'with' \"all\" \\that # is%hard"
LINES = "first line\n  second line\nthird\n\tline of it"

CHARACTERS = st.one_of(
    st.sampled_from("ab01 '\"\\#%+-/=:\n\t\r&*!|>{}[]\x85\xa0\u2028\U0001f600äß"),
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
)
SECRETS = st.text(CHARACTERS, min_size=8, max_size=60).filter(
    lambda text: len(text.strip().encode()) >= 8
)


def wrapped(text: bytes) -> str:
    """Wrap base64 as tools do, in lines of few characters."""
    encoded = base64.b64encode(text).decode()
    return "\n".join(encoded[start : start + 20] for start in range(0, len(encoded), 20))


ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda value: value,
    "within": lambda value: f"postgres://user:{value}@host",
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
    "base64 in lines": lambda value: wrapped(value.encode()),
    "base64 of more": lambda value: base64.b64encode(f"user:{value}\n".encode()).decode(),
    "base64 twice": lambda value: wrapped(base64.b64encode(b"x:" + value.encode())),
    "hex": lambda value: value.encode().hex(),
    "capital hex": lambda value: value.encode().hex().upper(),
    "percent": quote,
    "percent, all of it": lambda value: "".join(f"%{byte:02x}" for byte in value.encode()),
    "percent, form": quote_plus,
    "JSON": lambda value: json.dumps({"password": value}),
    "JSON, beyond ASCII": lambda value: json.dumps({"password": value}, ensure_ascii=False),
    "base64 of JSON": lambda value: base64.b64encode(json.dumps([value]).encode()).decode(),
}

PLACES: dict[str, Callable[[str], object]] = {
    "value": lambda text: {"a": {"b": text}},
    "key": lambda text: {"a": {text: "b"}},
    "item": lambda text: [["a", text], "b"],
    "alone": lambda text: text,
}


@given(
    hidden=SECRETS,
    encoding=st.sampled_from(sorted(ENCODINGS)),
    place=st.sampled_from(sorted(PLACES)),
    style=st.sampled_from([None, '"', "'", "|", ">"]),
    width=st.sampled_from([8, 20, 80]),
    is_wide=st.booleans(),
)
@example(hidden="' ' ' ' '", encoding="as it is", place="value", style="'", width=8, is_wide=True)
@example(hidden="a b c d e", encoding="as it is", place="key", style='"', width=8, is_wide=False)
@example(
    hidden="+ + + + +", encoding="percent, form", place="value", style=None, width=80, is_wide=True
)
@example(hidden=LINES, encoding="as it is", place="value", style=">", width=8, is_wide=True)
def test_a_secret_is_found_in_any_spelling_and_any_place(
    hidden: str, encoding: str, place: str, style: str | None, width: int, is_wide: bool
) -> None:
    said = PLACES[place](ENCODINGS[encoding](hidden))
    text = yaml.dump(said, default_style=style, width=width, allow_unicode=is_wide)
    try:
        assume(yaml.safe_load(text) == said)
    except yaml.YAMLError:
        assume(condition=False)

    assert find_leaks({"f": text.encode()}, {hidden: "V"}) == (Leak("f", "V"),)


@given(secret=SECRETS, text=st.text(max_size=200))
def test_nothing_is_found_where_nothing_is(secret: str, text: str) -> None:
    letters = {one for one in secret if one.isalnum()}
    assume(len(letters) >= 4)
    clean = "".join(one for one in text if one not in letters and one.isascii() and one.isalpha())

    assert find_leaks({"f": clean.encode()}, {secret: "V"}) == ()


@pytest.mark.parametrize("secret", [TOKEN, KEY, LINES])
@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
def test_a_message_quotes_no_encoded_secret(secret: str, encoding: str) -> None:
    message = f"cannot use {ENCODINGS[encoding](secret)} here"

    shown = without_secrets(message, [secret])

    if encoding not in {"base64 in lines", "base64 twice", "percent, all of it"}:
        assert "[a secret]" in shown
        assert len(shown) <= len("cannot use postgres://user:[a secret]@host here") + 20


@pytest.mark.parametrize("shown", [repr, ascii, json.dumps])
def test_a_secret_that_a_message_quotes_with_escapes_is_taken_out(
    shown: Callable[[str], str],
) -> None:
    assert without_secrets(f"found {shown(KEY)}.", [KEY]) in {
        "found '[a secret]'.",
        'found "[a secret]".',
    }


@pytest.mark.parametrize("encoding", ["as it is", "base64", "hex", "percent, all of it"])
def test_a_secret_in_the_name_of_a_file_is_found_and_not_told(encoding: str) -> None:
    path = f"output/{ENCODINGS[encoding](TOKEN)}.yaml"

    assert find_leaks({path: b"a: b"}, {TOKEN: "V"}) == (Leak("the name of a file", "V"),)


def test_a_file_whose_name_gives_one_secret_away_is_not_named_for_another() -> None:
    found = find_leaks({f"output/{TOKEN}": LINES.encode()}, {TOKEN: "T", LINES: "L"})

    assert found == (Leak("the name of a file", "L"), Leak("the name of a file", "T"))


def test_each_variable_is_told_once_for_a_file() -> None:
    text = f"a: {TOKEN}\nb: {TOKEN}\nc: {TOKEN.encode().hex()}\n"

    assert find_leaks({"f": text.encode()}, {TOKEN: "V"}) == (Leak("f", "V"),)


@pytest.mark.parametrize("text", [b"\xff\xfe", b"a: [", b"%", b"\\", b"", b"\x00"])
def test_what_is_no_yaml_is_searched_all_the_same(text: bytes) -> None:
    files = {"f": text + TOKEN.encode() + b"' ' ' ' '"}

    assert {one.variable for one in find_leaks(files, {TOKEN: "V", "' ' ' ' '": "W"})} == {"V", "W"}


def test_what_is_shorter_than_eight_bytes_is_not_looked_for() -> None:
    assert find_leaks({"f": b"a: 1234567"}, {"1234567": "V", " 12345 \n": "W"}) == ()

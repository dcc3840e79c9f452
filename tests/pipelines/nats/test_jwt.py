"""JWTs are signed as NATS' own library does it, and read only when nothing is wrong."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.nats_system import raw_key

from troth.api import JsonObject
from troth.errors import InvalidInputError, Reason
from troth_pipelines.nats.jwt import decode, encode
from troth_pipelines.nats.nkeys import KeyKind, KeyPair

OPERATOR = KeyPair.from_bytes(KeyKind.OPERATOR, raw_key("operator"))
ACCOUNT = KeyPair.from_bytes(KeyKind.ACCOUNT, raw_key("account"))
USER = KeyPair.from_bytes(KeyKind.USER, raw_key("user"))
ISSUED = 1_700_000_000

CLAIMS: JsonObject = {
    "name": "orders-g1",
    "sub": USER.public_key,
    "iat": ISSUED,
    "exp": ISSUED + 60,
    "nats": {"pub": {}, "sub": {}, "subs": -1, "type": "user"},
}
TOKEN = encode(CLAIMS, ACCOUNT)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(head: object, body: object, key: KeyPair = ACCOUNT) -> str:
    text = f"{part(head)}.{part(body)}"
    return f"{text}.{part(key.sign(text.encode()))}"


HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}


def claims(**changed: object) -> dict[str, object]:
    nats = {"type": "user", "version": 2}
    whole = {"iat": ISSUED, "iss": ACCOUNT.public_key, "sub": USER.public_key, "nats": nats}
    return {key: value for key, value in (whole | changed).items() if value is not None}


GO = json.loads(
    (Path(__file__).parents[2] / "data" / "nats" / "tokens.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(
    ("token", "kind", "label"),
    [
        ("plain", KeyKind.ACCOUNT, "account orders"),
        ("full", KeyKind.ACCOUNT, "signing orders"),
        ("scoped", KeyKind.ACCOUNT, "scoped orders"),
        ("account", KeyKind.OPERATOR, "operator"),
    ],
)
def test_the_library_of_nats_signs_the_same_claims_to_the_same_bytes(
    token: str, kind: KeyKind, label: str
) -> None:
    claims = dict(decode(GO[token]).raw)
    claims.pop("jti")

    assert encode(claims, KeyPair.from_bytes(kind, raw_key(label))) == GO[token]


def test_what_was_signed_is_read_again() -> None:
    read = decode(TOKEN)

    assert (read.kind, read.name) == ("user", "orders-g1")
    assert (read.issuer, read.subject) == (ACCOUNT.public_key, USER.public_key)
    assert (read.issued, read.expires) == (ISSUED, ISSUED + 60)
    assert read.nats["subs"] == -1
    assert read.nats["version"] == 2


@given(name=texts, extra=st.dictionaries(texts, values, max_size=4))
def test_claims_that_nobody_here_knows_survive_signing_and_reading(
    name: str, extra: JsonObject
) -> None:
    known = {**CLAIMS, "name": name}
    unknown = {key: value for key, value in extra.items() if key not in {*known, "iss", "jti"}}
    unknown = {key: value for key, value in unknown.items() if key not in {"aud", "nbf"}}
    nats = {**unknown, "type": "user", "version": 2}

    read = decode(encode({**known, **unknown, "nats": nats}, ACCOUNT)).raw

    assert read["nats"] == nats
    assert {key: read[key] for key in unknown} == unknown
    assert read.get("name", "") == name


@given(name=texts)
def test_signing_again_what_was_read_changes_no_byte(name: str) -> None:
    token = encode({**CLAIMS, "name": name}, ACCOUNT)

    assert encode(decode(token).raw, ACCOUNT) == token


def test_the_identifier_hashes_all_but_what_is_nats_own() -> None:
    def jti(changed: JsonObject) -> object:
        return decode(encode({**CLAIMS, **changed}, ACCOUNT)).raw["jti"]

    same = jti({"nats": {"type": "user", "subs": 7}})

    assert same == jti({})
    assert len({same, jti({"iat": ISSUED + 1}), jti({"name": "x"}), jti({"exp": None})}) == 4


@given(place=st.integers(0, len(TOKEN) - 1), letter=st.sampled_from("ABCxyz019-_"))
def test_a_jwt_with_one_other_character_is_refused(place: int, letter: str) -> None:
    wrong = TOKEN[:place] + letter + TOKEN[place + 1 :]
    if wrong == TOKEN:
        return

    with pytest.raises(InvalidInputError) as caught:
        decode(wrong)

    assert caught.value.reason is Reason.INVALID_CREDENTIALS


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("", "three parts"),
        ("a.b", "three parts"),
        (f"{TOKEN}.x", "three parts"),
        (f"{TOKEN}\n", "on one line"),
        (f" {TOKEN}", "on one line"),
        (f"{TOKEN}=", "three parts"),
        ("x" * (1024 * 1024 + 1), "servers take no more than 1048576"),
        (signed({"typ": "JWT", "alg": "ed25519"}, claims()), "version 1"),
        (signed({"typ": "JWT", "alg": "none"}, claims()), "algorithm ed25519-nkey"),
        (signed({"alg": "ed25519-nkey"}, claims()), "not of type JWT"),
        (signed(HEADER, [1]), "no JSON object"),
        (signed(HEADER, b"{"), "no JSON that NATS would write"),
        (signed(HEADER, b"\xff"), "no JSON that NATS would write"),
        (signed(HEADER, b'{"a":1,"a":2}'), "no JSON that NATS would write"),
        (signed(HEADER, b'{"a":NaN}'), "no JSON that NATS would write"),
        (signed(HEADER, b'{"a":1e999}'), "no JSON that NATS would write"),
        (signed(HEADER, b"[" * 100_000), "no JSON that NATS would write"),
        (signed(HEADER, claims(sub=None)), "sub: a text is needed"),
        (signed(HEADER, claims(iss=None)), "iss: a text is needed"),
        (signed(HEADER, claims(iat=None)), "iat: Unix seconds"),
        (signed(HEADER, claims(iat=True)), "iat: Unix seconds"),
        (signed(HEADER, claims(iat=1.5)), "iat: Unix seconds"),
        (signed(HEADER, claims(exp="soon")), "exp: Unix seconds"),
        (signed(HEADER, claims(nats=None)), "nats.type: a text is needed"),
        (signed(HEADER, claims(nats={"type": "server", "version": 2})), "none of the types served"),
        (signed(HEADER, claims(nats={"type": "user"})), "nats.version: only version 2"),
        (signed(HEADER, claims(sub=ACCOUNT.public_key)), "sub: claims of type user"),
        (signed(HEADER, claims(iss=OPERATOR.public_key), OPERATOR), "iss: a key of this kind"),
        (signed(HEADER, claims(sub="x")), "begins with none of"),
        (signed(HEADER, claims(), OPERATOR), "its signature is wrong"),
    ],
)
def test_what_is_no_sound_jwt_is_refused(token: str, words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        decode(token)

    assert caught.value.message.startswith("the JWT cannot be used: ")
    assert words in caught.value.message


def test_a_header_in_lower_case_is_read_as_older_libraries_wrote_it() -> None:
    assert decode(signed({"typ": "jwt", "alg": "ed25519-nkey"}, claims())).kind == "user"


def without(name: str) -> JsonObject:
    return {key: value for key, value in CLAIMS.items() if key != name}


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: encode(without("sub"), ACCOUNT), "sub: a text is needed"),
        (lambda: encode(without("iat"), ACCOUNT), "iat: Unix seconds"),
        (lambda: encode(CLAIMS, USER), "iss: a key of this kind signs no claims of type user"),
        (lambda: encode({**CLAIMS, "name": "\ud800"}, ACCOUNT), "half a character"),
        (lambda: encode({**CLAIMS, "name": "x" * 2**20}, ACCOUNT), "no more than 1048576"),
    ],
)
def test_what_servers_would_refuse_is_not_signed(build: Callable[[], str], words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        build()

    assert words in caught.value.message


@pytest.mark.parametrize(
    ("now", "expected"), [(ISSUED + 59, False), (ISSUED + 60, True), (ISSUED + 61, True)]
)
def test_claims_end_at_their_second(now: int, expected: bool) -> None:
    assert decode(TOKEN).is_expired(now) is expected


def test_claims_without_an_end_never_end() -> None:
    assert not decode(encode(without("exp"), ACCOUNT)).is_expired(ISSUED * 1000)

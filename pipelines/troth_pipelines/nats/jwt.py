"""JWTs as NATS signs them: version 2, algorithm ``ed25519-nkey``.

Three parts in base64url without padding, joined by dots: a header that is always the same, claims,
and a signature over the two parts before it. Everything is spelled as the Go library does it, so
that equal claims give equal bytes. Source: nats-io/jwt, v2/claims.go and v2/decoder.go.

Claims are kept as they were read. What this module does not know of is neither lost nor judged.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from cryptography.hazmat.primitives import hashes

from troth.api import Fields, Json, JsonObject, is_object
from troth.errors import InvalidInputError, Reason, shorten
from troth_pipelines.nats.nkeys import KeyKind, KeyPair, key_kind, verify_signature

__all__ = ["Claims", "decode", "encode"]

_LIMIT = 1024 * 1024  # bytes; servers take no longer ones
_PARTS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_QUOTE_LIMIT = 40  # characters of an unknown word that a message quotes
_VERSION = 2

_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}
_OLD_ALGORITHM = "ed25519"

# The claims of every kind, in the order of the Go library's struct; each is left out when empty.
_OUTER = ("aud", "exp", "jti", "iat", "iss", "name", "nbf", "sub")

# Who may sign which kind of claims, and about whom.
_ISSUERS: Mapping[str, frozenset[KeyKind]] = {
    "operator": frozenset({KeyKind.OPERATOR}),
    "account": frozenset({KeyKind.OPERATOR, KeyKind.ACCOUNT}),
    "user": frozenset({KeyKind.ACCOUNT}),
}
_SUBJECTS: Mapping[str, KeyKind] = {
    "operator": KeyKind.OPERATOR,
    "account": KeyKind.ACCOUNT,
    "user": KeyKind.USER,
}

# Go's JSON spells these in texts as escapes; outside of texts they do not occur.
_GO_ESCAPES = str.maketrans(
    {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a JWT says, its signature verified. Whether its issuer is trusted is not known here.

    Attributes:
        kind: ``operator``, ``account`` or ``user``.
        issuer: public key of who signed it.
        subject: public key of whom it is about.
        name: for people; empty when there is none.
        issued: Unix seconds.
        expires: Unix seconds, None when it never ends.
        raw: all claims, as they were read.
    """

    kind: str
    issuer: str
    subject: str
    name: str
    issued: int
    expires: int | None
    raw: JsonObject = field(repr=False)

    @property
    def nats(self) -> JsonObject:
        """The claims that are NATS' own."""
        return Fields(self.raw).mapping("nats")

    def is_expired(self, now: int) -> bool:
        """Tell whether it has ended at this moment, in Unix seconds."""
        return self.expires is not None and self.expires <= now


def encode(claims: JsonObject, key: KeyPair, jti: str | None = None) -> str:
    """Sign claims; issuer, version and ``jti`` are set, all else is taken as it is.

    Args:
        claims: ``sub``, ``iat`` and ``nats.type`` are needed, ``name``, ``exp``, ``nbf`` and
            ``aud`` possible; in ``nats`` the order of the fields is kept.
        key: who signs.
        jti: its identifier, where it is not to be the one that the Go library would make; nobody
            verifies them.

    Raises:
        InvalidInputError: a claim is missing or wrong, or the key is of a kind that may not sign
            such claims.
    """
    nats = Fields(claims).mapping("nats")
    signed = dict(claims) | {"iss": key.public_key, "nats": dict(nats) | {"version": _VERSION}}
    signed["jti"] = jti or _identify(signed)
    # Known ones first and in their order, then `nats`, then what nobody here knows.
    ordered = {name: signed[name] for name in _OUTER if signed.get(name)}
    ordered |= {name: signed[name] for name in ("nats", *signed) if name not in _OUTER}
    _read(ordered)
    text = f"{_part(_go_json(_HEADER))}.{_part(_go_json(ordered))}"
    token = f"{text}.{_part(key.sign(text.encode()))}"
    if len(token) > _LIMIT:
        raise _wrong(f"it is {len(token)} bytes long; servers take no more than {_LIMIT}.")
    return token


def decode(token: str) -> Claims:
    """Read a JWT and verify its signature.

    Raises:
        InvalidInputError: it is none of version 2, was changed, or is signed by a key of a kind
            that may not sign such claims.
    """
    if len(token) > _LIMIT:
        raise _wrong(f"it is {len(token)} bytes long; servers take no more than {_LIMIT}.")
    if not _PARTS.fullmatch(token):
        raise _wrong("it has to be three parts in base64url, joined by dots, on one line.")
    head, body, signature = token.split(".")
    _check_header(_load(head, "header"))
    claims = _read(_load(body, "claims"))
    if not verify_signature(claims.issuer, f"{head}.{body}".encode(), _bytes(signature)):
        raise _wrong("its signature is wrong: it was changed, or signed by another key.")
    return claims


def _identify(claims: JsonObject) -> str:
    """Make the ``jti``: a hash over the outer claims alone, without itself.

    NATS' own claims are no part of it, so claims that differ in nothing else share one. Servers
    of a cluster take JWTs of the same ``jti`` for the same: what is signed anew needs another
    ``iat``.
    """
    outer = {name: claims[name] for name in _OUTER if name != "jti" and claims.get(name)}
    digest = hashes.Hash(hashes.SHA512_256())
    digest.update(_go_json(outer))
    return base64.b32encode(digest.finalize()).decode().rstrip("=")


def _check_header(header: JsonObject) -> None:
    if header.get("alg") == _OLD_ALGORITHM:
        raise _wrong("it is of version 1, which is not served; have it issued anew.")
    typ, alg = header.get("typ"), header.get("alg")
    # Go writes the type in lower case in some versions, and reads it in any.
    if not isinstance(typ, str) or typ.upper() != _HEADER["typ"] or alg != _HEADER["alg"]:
        raise _wrong(f"its header is not of type JWT with the algorithm {_HEADER['alg']}.")


def _read(raw: JsonObject) -> Claims:
    try:
        return _claims(raw)
    except InvalidInputError as error:
        raise error.about("the JWT cannot be used") from None


def _claims(raw: JsonObject) -> Claims:
    fields = Fields(raw, reason=Reason.INVALID_CREDENTIALS)
    nats = fields.section("nats")
    kind = nats.text("type")
    if kind not in _SUBJECTS:
        known = ", ".join(_SUBJECTS)
        message = f"{shorten(kind, _QUOTE_LIMIT)!r} is none of the types served: {known}."
        raise nats.error("type", message)
    if nats.value("version") != _VERSION:
        raise nats.error("version", f"only version {_VERSION} is served.")
    claims = Claims(
        kind=kind,
        issuer=fields.text("iss"),
        subject=fields.text("sub"),
        name=fields.text("name", ""),
        issued=_moment(fields, "iat"),
        expires=_moment(fields, "exp") if fields.has("exp") else None,
        raw=raw,
    )
    if key_kind(claims.subject) is not _SUBJECTS[kind]:
        raise fields.error("sub", f"claims of type {kind} are about another kind of key.")
    if key_kind(claims.issuer) not in _ISSUERS[kind]:
        raise fields.error("iss", f"a key of this kind signs no claims of type {kind}.")
    return claims


def _moment(fields: Fields, name: str) -> int:
    value = fields.value(name)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise fields.error(name, "Unix seconds are needed here, a whole number above 0.")
    return value


def _load(part: str, what: str) -> JsonObject:
    try:
        value: Json = json.loads(
            _bytes(part).decode(),
            object_pairs_hook=_once,
            parse_constant=_no_number,
            parse_float=_finite,
        )
    except (ValueError, RecursionError):
        # Claims are no secret, but nobody can be sure that these are claims.
        raise _wrong(f"its {what} are no JSON that NATS would write.") from None
    if not is_object(value):
        raise _wrong(f"its {what} are no JSON object.")
    return value


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Refuse a name that stands twice: readers differ over which of the two counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _go_json(value: Json) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return text.translate(_GO_ESCAPES).encode()
    except UnicodeEncodeError:
        raise _wrong("a text in it holds half a character (a lone surrogate).") from None


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(part: str) -> bytes:
    """Read base64url in its one spelling; no bit of a token may be without meaning."""
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        raise _wrong("a part of it is no base64url.") from None
    if _part(raw) != part:
        raise _wrong("a part of it is base64url in another spelling than NATS writes.")
    return raw


def _wrong(text: str) -> InvalidInputError:
    return InvalidInputError(Reason.INVALID_CREDENTIALS, f"the JWT cannot be used: {text}")

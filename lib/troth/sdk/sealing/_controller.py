"""The sealed-secrets controller's own endpoint: its newest certificate, and re-encrypting with it.

Of what it answers only the ciphertexts are taken: it gives back a template without its metadata.
It lets two questions a second through, and tells the others to come again.
Source: sealed-secrets ``pkg/controller/server.go``.
"""

import base64
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from urllib.parse import urlsplit

from troth.api import Fields, Json, JsonObject, canonical, is_object
from troth.errors import InvalidInputError, PermanentError, Reason, TransientError, TrothError
from troth.sdk.sealing._access import HttpAccess, without_query
from troth.sdk.sealing._certificate import Certificate

__all__ = ["CERTIFICATE_PATH", "Controller"]

CERTIFICATE_PATH = "/v1/cert.pem"
"""Where a controller serves its newest certificate, and no other."""

_ROTATE = "/v1/rotate"
_SIZE = 4 * 1024 * 1024  # bytes of an answer; an object in a cluster has 1.5 MiB at most
_OK, _TOO_MANY = 200, 429
_PATIENCE = 60  # times that it is asked again, each half a second later, as it lets two through
_PAUSE = 0.5  # seconds
_LENGTH = 2  # bytes that tell the length of the wrapped session key
_TAG = 16  # bytes at the end, by AES-GCM
_URL = re.compile(r"https?://", re.IGNORECASE)

_Sleep: TypeAlias = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Controller:
    """A controller at an address.

    Attributes:
        base: its address, without the paths of its own: of a forwarded port, or of the API
            server's proxy of its Service.
        access: whom to trust, and how to log in.
        sleep: waits for some seconds where it lets no more questions through.
    """

    base: str
    access: HttpAccess
    sleep: _Sleep = field(default=time.sleep, repr=False, compare=False)

    @classmethod
    def at(cls, address: str, access: HttpAccess) -> "Controller":
        """Return the controller at an address, which may be that of its certificate.

        Raises:
            InvalidInputError: it is no URL, or has a query.
        """
        parts = urlsplit(address) if _URL.match(address) else None
        if parts is None or parts.query or parts.fragment:
            named = without_query(address) if parts is not None else address[:80]
            message = (
                f"{named!r} is no address of a controller: give https://HOST, an API server's "
                "https://HOST/api/v1/namespaces/NS/services/http:NAME:PORT/proxy, or a forwarded "
                "port, http://127.0.0.1:PORT."
            )
            raise InvalidInputError(Reason.INVALID_OBJECT, message)
        return cls(address.removesuffix(CERTIFICATE_PATH).rstrip("/"), access)

    @classmethod
    def behind(cls, certificate: str, access: HttpAccess) -> "Controller | None":
        """Return the controller that a certificate is had from, None where it is from elsewhere."""
        if not _URL.match(certificate):
            return None
        own = urlsplit(certificate).path in {"", "/"} or certificate.endswith(CERTIFICATE_PATH)
        return cls.at(certificate, access) if own else None

    def certificate(self, now: datetime) -> Certificate:
        """Return its newest certificate.

        Raises:
            InvalidInputError: it cannot be had or used.
            TransientError: not now.
        """
        from troth.sdk.sealing._fetch import fetch  # noqa: PLC0415  (stages ask no controller)

        url = f"{self.base}{CERTIFICATE_PATH}"
        return Certificate.parse(fetch(url, self.access), url, now)

    def reencrypt(self, manifest: JsonObject) -> dict[str, str]:
        """Return a SealedSecret's ciphertexts, by key, as they are under its newest certificate.

        Raises:
            InvalidInputError: it may not be asked, or is not trusted.
            PermanentError: it refuses this object, or answers with something else.
            TransientError: it does not answer, or not now.
        """
        from troth.sdk.sealing._fetch import exchange  # noqa: PLC0415  (stages ask no controller)

        what = _named(manifest)
        before = Fields(manifest).section("spec").string_map("encryptedData")
        url, sent = f"{self.base}{_ROTATE}", canonical(manifest)
        status, body = exchange(url, self.access, sent, _SIZE)
        for _ in range(_PATIENCE):
            if status != _TOO_MANY:
                break
            self.sleep(_PAUSE)
            status, body = exchange(url, self.access, sent, _SIZE)
        if status != _OK:
            raise self._refusal(what, status)
        after = self._ciphertexts(body, manifest, what)
        if after.keys() != before.keys():
            raise self._odd(what, "its keys are others")
        for key, ciphertext in after.items():
            problem = _problem(before[key], ciphertext)
            if problem is not None:
                raise self._odd(what, f"its value {key!r} {problem}")
        return after

    def _ciphertexts(self, body: bytes, manifest: JsonObject, what: str) -> dict[str, str]:
        """Return the ciphertexts of an answer that is the same object; nothing else is looked at.

        It has no kind: the controller leaves that out.
        """
        try:
            loaded: Json = json.loads(body) if len(body) <= _SIZE else None
        except (ValueError, RecursionError):
            loaded = None
        if not is_object(loaded):
            raise self._odd(what, "it is no object in JSON")
        answer, asked = Fields(loaded), Fields(manifest)
        try:
            kind = answer.text("kind", "SealedSecret")
            names = [
                (one.text("namespace"), one.text("name"))
                for one in (answer.section("metadata"), asked.section("metadata"))
            ]
            found = answer.section("spec").string_map("encryptedData")
        except InvalidInputError:
            raise self._odd(what, "it is no SealedSecret") from None
        if kind != "SealedSecret" or names[0] != names[1]:
            raise self._odd(what, "it is another object")
        return dict(found)

    def _refusal(self, what: str, status: int) -> TrothError:
        place = without_query(self.base)
        if status in {401, 403}:
            message = (
                f"{what}: {place} refuses (status {status}): a token is missing, wrong, or may not "
                "do this (through an API server: create services/proxy)."
            )
            return PermanentError(Reason.INVALID_CREDENTIALS, message)
        if status in {408, 425, _TOO_MANY, 502, 503, 504}:
            message = f"{what}: {place} answers with the status {status}; try again later."
            return TransientError(Reason.SEALER_FAILED, message)
        message = (
            f"{what}: the controller at {place} does not seal it anew (status {status}); as a rule "
            "it can open it no more. Its log says why."
        )
        return PermanentError(Reason.SEALER_FAILED, message)

    def _odd(self, what: str, problem: str) -> PermanentError:
        message = (
            f"{what}: the answer of the controller at {without_query(self.base)} is not taken: "
            f"{problem}. Is it really a sealed-secrets controller?"
        )
        return PermanentError(Reason.SEALER_FAILED, message)


def _named(manifest: JsonObject) -> str:
    metadata = Fields(manifest).section("metadata")
    return f"SealedSecret {metadata.text('namespace', '')}/{metadata.text('name', '')}"


def _problem(before: str, after: str) -> str | None:
    """Return why a ciphertext cannot be the same value sealed anew, None where it can be."""
    try:
        old, new = (base64.b64decode(text, validate=True) for text in (before, after))
    except ValueError:
        return "is no base64"
    if _value_size(new) is None or _value_size(new) != _value_size(old):
        return "has not the length that it should"
    return "is the old one" if new == old else None


def _value_size(sealed: bytes) -> int | None:
    """Return how long the part with the value is, None where there is no room for one."""
    wrapped = int.from_bytes(sealed[:_LENGTH], "big")
    size = len(sealed) - _LENGTH - wrapped
    return size if wrapped and size >= _TAG else None

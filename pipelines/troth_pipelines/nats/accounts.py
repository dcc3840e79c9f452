"""The JWT of a NATS account, as far as revoking users needs it.

An account's JWT holds much that is none of our business (limits, exports, signing keys). It is
changed in one place, signed anew, and otherwise kept as it was, unknown fields included.
Source: nats-io/jwt, v2/account_claims.go and v2/revocation_list.go.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from troth.api import Fields, JsonObject, canonical, is_object
from troth.errors import InvalidInputError, Reason
from troth_pipelines.nats.jwt import Claims, decode, encode
from troth_pipelines.nats.nkeys import KeyKind, KeyPair, public_key_bytes

__all__ = ["EVERYBODY", "Account"]

EVERYBODY = "*"
"""Instead of a user's key: a revocation of all users of the account."""


@dataclass(frozen=True, slots=True)
class Account:
    """What an account's JWT says.

    Attributes:
        jwt: as it was signed.
        claims: what it says, its signature verified.
        revocations: by the user's public key, Unix seconds: all JWTs of the user that were issued
            in that second or before it are refused.
    """

    jwt: str = field(repr=False)
    claims: Claims
    revocations: Mapping[str, int]

    @classmethod
    def parse(cls, jwt: str, account: str) -> "Account":
        """Read the JWT of this account.

        Raises:
            InvalidInputError: it is none, was changed, is another account's, or its revocations
                are not what servers write.
        """
        claims = decode(jwt)
        if claims.kind != "account" or claims.subject != account:
            message = f"there is no JWT of account {account}, but one of type {claims.kind}"
            raise InvalidInputError(Reason.INVALID_CREDENTIALS, f"{message} of {claims.subject}.")
        return cls(jwt, claims, _revocations(claims))

    @property
    def signers(self) -> frozenset[str]:
        """The public keys whose signatures of users it takes, its own included."""
        keys = {self.claims.subject}
        # Plain keys, and scoped ones as objects that name theirs.
        listed = Fields(self.claims.nats).value("signing_keys")
        for one in listed if isinstance(listed, Sequence) and not isinstance(listed, str) else ():
            key = one.get("key") if is_object(one) else one
            if isinstance(key, str):
                keys.add(key)
        return frozenset(keys)

    def ends(self, user: str, issued: int) -> bool:
        """Tell whether what was issued to a user's key in that second is revoked."""
        until = max(self.revocations.get(key, 0) for key in (user, EVERYBODY))
        return until >= issued

    @property
    def rest(self) -> JsonObject:
        """What it says besides its revocations, its date and who signed it."""
        nats = {name: self.claims.nats[name] for name in self.claims.nats if name != "revocations"}
        signed = {"iat", "iss", "jti"}
        outer = {name: self.claims.raw[name] for name in self.claims.raw if name not in signed}
        return {**outer, "nats": nats}

    @property
    def is_amended(self) -> bool:
        """Whether it was signed by `sign`, and not by a person with tools of their own."""
        return self.claims.raw.get("jti") == _mark(self.claims.raw)

    def revokes(self, wanted: Mapping[str, int]) -> bool:
        """Tell whether all of these are revoked already, until their second or a later one."""
        return all(self.revocations.get(key, 0) >= until for key, until in wanted.items())

    def revoking(self, wanted: Mapping[str, int], forget: int | None = None) -> Mapping[str, int]:
        """Return the account's revocations together with these; of two, the later one counts.

        Args:
            wanted: by the user's public key, Unix seconds.
            forget: leave out what lies before this second, except what is wanted and what concerns
                everybody; None keeps all. A user's JWT that is still valid would be let in again.

        Raises:
            InvalidInputError: a key is no user's.
        """
        for key in wanted:
            if key != EVERYBODY:
                public_key_bytes(key, KeyKind.USER)
        kept = {
            key: until
            for key, until in self.revocations.items()
            if forget is None or until >= forget or key == EVERYBODY
        }
        later = {key: max(until, self.revocations.get(key, 0)) for key, until in wanted.items()}
        return dict(sorted((kept | later).items()))

    def sign(self, revocations: Mapping[str, int], key: KeyPair, now: int) -> str:
        """Return the account's JWT with these revocations instead of its own.

        It is dated after the one it replaces even if that is of the same second or of a faster
        clock: servers of a cluster take none that is older for the newer.

        Raises:
            InvalidInputError: the key is no operator's.
        """
        public_key_bytes(key.public_key, KeyKind.OPERATOR)
        nats: JsonObject = {**self.claims.nats, "revocations": dict(revocations)}
        issued = max(now, self.claims.issued + 1)
        claims = {**self.claims.raw, "iat": issued, "iss": key.public_key, "nats": nats}
        return encode(claims, key, _mark(claims))


def _mark(claims: JsonObject) -> str:
    """Make an identifier by which our own JWTs are known, of all that the claims say.

    Besides, two of them that differ never share it, as those of the Go library may: a server of a
    cluster takes JWTs that share their identifier for one.
    """
    said = {name: claims[name] for name in claims if name != "jti" and claims[name]}
    digest = hashlib.sha256(b"troth\0" + canonical(said)).digest()
    return base64.b32encode(digest).decode().rstrip("=")


def _revocations(claims: Claims) -> Mapping[str, int]:
    fields = Fields(claims.nats, ("nats",), Reason.INVALID_CREDENTIALS).section("revocations")
    found: dict[str, int] = {}
    for key, until in fields.raw.items():
        if not isinstance(until, int) or isinstance(until, bool):
            raise fields.error(key, "Unix seconds are needed here, a whole number.")
        found[key] = until
    return found

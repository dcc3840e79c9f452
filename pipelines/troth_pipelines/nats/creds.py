"""Creds files: the JWT of a NATS user and its seed, as clients read them.

Written byte for byte as the Go library does it. Read by Go's rule, which forgives other line ends
and what stands between the blocks; clients forgive less (some keep a carriage return as part of the
token), so what was read is passed on respelled. Source: nats-io/jwt, v2/creds_utils.go.

No message quotes what was read.
"""

import re
from dataclasses import dataclass, field

from troth.errors import InvalidInputError, Reason
from troth_pipelines.nats.jwt import Claims, decode
from troth_pipelines.nats.nkeys import KeyKind, KeyPair

__all__ = ["Credentials"]

_TOKEN = re.compile(r"[\w\-.=]+", re.ASCII)
_DASHES = "---"

# BEGIN lines have five dashes on both sides, END lines six.
_FILE = """\
-----BEGIN NATS USER JWT-----
{jwt}
------END NATS USER JWT------

************************* IMPORTANT *************************
NKEY Seed printed below can be used to sign and prove identity.
NKEYs are sensitive and should be treated as secrets.

-----BEGIN USER NKEY SEED-----
{seed}
------END USER NKEY SEED------

*************************************************************
"""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user's JWT with the key that it is about.

    Attributes:
        jwt: as it was signed.
        claims: what it says, its signature verified.
        key: the user's own.
    """

    jwt: str = field(repr=False)
    claims: Claims
    key: KeyPair

    @classmethod
    def of(cls, jwt: str, key: KeyPair) -> "Credentials":
        """Put a JWT and a key together.

        Raises:
            InvalidInputError: the JWT is no user's, was changed, or is about another key.
        """
        claims = decode(jwt)
        if claims.kind != "user":
            raise _wrong(f"the JWT is of type {claims.kind}; a user's is needed.")
        if claims.subject != key.public_key:
            raise _wrong("the seed is not that of the user in the JWT.")
        return cls(jwt, claims, key)

    @classmethod
    def parse(cls, text: str) -> "Credentials":
        """Read a creds file.

        Raises:
            InvalidInputError: it is none, or its JWT and seed cannot be used or do not fit.
        """
        try:
            jwt, seed = _tokens(text)
            return cls.of(jwt, KeyPair.from_seed(seed, KeyKind.USER))
        except InvalidInputError as error:
            raise error.about("the creds file") from None

    @property
    def text(self) -> str:
        """The file, secret and all, spelled so that every client reads it."""
        return _FILE.format(jwt=self.jwt, seed=self.key.seed)

    @property
    def account(self) -> str:
        """The public key of the account that the user belongs to."""
        named = self.claims.nats.get("issuer_account")
        return named if isinstance(named, str) and named else self.claims.issuer

    def check(self, account: str, now: int) -> None:
        """Check that they let their holder into this account at this moment, in Unix seconds.

        What only servers know is not checked: whether the account still has that signing key, and
        whether the user was revoked.

        Raises:
            InvalidInputError: they are another account's, or have ended.
        """
        if self.account != account:
            raise _wrong(f"they are of account {self.account}, not of {account}.")
        if self.claims.is_expired(now):
            raise _wrong("they have ended; have new ones issued.")


def _tokens(text: str) -> tuple[str, str]:
    """Return JWT and seed: each stands alone on a line between two that are dashes at both ends."""
    lines = text.replace("\r\n", "\n").split("\n")
    framed = zip(lines, lines[1:], lines[2:], strict=False)
    found = [
        line
        for before, line, after in framed
        if _TOKEN.fullmatch(line) and _is_frame(before) and _is_frame(after)
    ]
    match found:
        case [jwt, seed]:
            return jwt, seed
        case _:
            raise _wrong(
                "a user's JWT and seed are needed, each on one line of its own between a BEGIN "
                f"and an END line; there are {len(found)} such lines."
            )


def _is_frame(line: str) -> bool:
    return len(line) > 2 * len(_DASHES) and line.startswith(_DASHES) and line.endswith(_DASHES)


def _wrong(text: str) -> InvalidInputError:
    return InvalidInputError(Reason.INVALID_CREDENTIALS, f"the credentials cannot be used: {text}")

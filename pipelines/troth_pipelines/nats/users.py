"""The JWT of a NATS user, signed by its account or by a signing key of it.

Source: nats-io/jwt, v2/user_claims.go and v2/signingkeys.go.
"""

from dataclasses import dataclass, field

from troth.api import JsonObject
from troth.errors import InvalidInputError, Reason
from troth_pipelines.nats.jwt import encode
from troth_pipelines.nats.limits import Limits
from troth_pipelines.nats.nkeys import KeyKind, KeyPair, public_key_bytes
from troth_pipelines.nats.permissions import Permissions

__all__ = ["AccountSigner", "Grant", "User", "sign_user"]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a user may do and use."""

    permissions: Permissions = field(default_factory=Permissions)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class AccountSigner:
    """Who signs the users of an account.

    Attributes:
        account: the account's public key, its identity.
        key: the account's own key, or one of its signing keys.
        scoped: whether the signing key has a template, which decides for all users it signs.

    Raises:
        InvalidInputError: a key is of another kind, or the account's own key is to be scoped.
    """

    account: str
    key: KeyPair
    scoped: bool = False

    def __post_init__(self) -> None:
        """Check that the keys can be what they are said to be."""
        public_key_bytes(self.account, KeyKind.ACCOUNT)
        public_key_bytes(self.key.public_key, KeyKind.ACCOUNT)
        if self.scoped and self.key.public_key == self.account:
            message = "the account's own key has no scope; name a signing key of it, or no scope."
            raise InvalidInputError(Reason.INVALID_CREDENTIALS, message)

    @property
    def issuer_account(self) -> str | None:
        """The account, where users have to name it: when a signing key signs."""
        return None if self.key.public_key == self.account else self.account


@dataclass(frozen=True, slots=True)
class User:
    """A user to be signed.

    Attributes:
        name: for people, in the logs of servers.
        public_key: who it is.
        issued: Unix seconds; a revocation of this second or a later one hits it.
        expires: Unix seconds, None for never; servers end its connections then.
        grant: what it may do; None when a scoped key signs, whose template decides alone.
        tags: of one's own, in lower case as the library writes them; a template can refer to them.
    """

    name: str
    public_key: str
    issued: int
    expires: int | None
    grant: Grant | None
    tags: tuple[str, ...] = ()


def sign_user(user: User, signer: AccountSigner) -> str:
    """Return the user's JWT; equal arguments give equal bytes.

    It is never a bearer token: only who has the user's key can connect with it.

    Raises:
        InvalidInputError: it is granted something although a scoped key signs, or nothing although
            none does; or a key is of another kind.
    """
    if signer.scoped and user.grant is not None:
        message = (
            f"user {user.name!r}: the signing key is scoped, so its template alone says what users "
            "may do; take out permissions and limits, or name a signing key without a scope."
        )
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    if not signer.scoped and user.grant is None:
        message = f"user {user.name!r}: without a scoped signing key, permissions have to be said."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    public_key_bytes(user.public_key, KeyKind.USER)
    outer: JsonObject = {
        "exp": user.expires,
        "iat": user.issued,
        "name": user.name,
        "sub": user.public_key,
    }
    return encode({**outer, "nats": _claims(user, signer)}, signer.key)


def _claims(user: User, signer: AccountSigner) -> JsonObject:
    # Servers refuse users of scoped keys that hold any permission or limit, be it -1.
    granted: JsonObject = (
        {"pub": {}, "sub": {}}
        if user.grant is None
        else {**user.grant.permissions.claims(), **user.grant.limits.claims()}
    )
    account: JsonObject = (
        {} if signer.issuer_account is None else {"issuer_account": signer.issuer_account}
    )
    tags: JsonObject = {"tags": [tag.lower() for tag in user.tags]} if user.tags else {}
    return {**granted, **account, **tags, "type": "user"}

"""What the provider answers: frozen values, of which a state keeps all but the secret."""

from dataclasses import dataclass, field

from troth_pipelines.nats.creds import Credentials
from troth_pipelines.nats.synadia.values import UserRef

__all__ = ["Ensured", "Issued", "Present", "Retired"]


@dataclass(frozen=True, slots=True)
class Ensured:
    """A generation's user, there now.

    Attributes:
        generation: its number, which is the one that was asked for, or a later one that was there.
        made: it was not there before this call, which asked for it.
        spares: others of the same name and owner, from a race; younger, and used by nobody who
            looked. Retire them once the user's credentials are published.
        server_urls: where clients connect, as Synadia says it; may be empty.
    """

    user: UserRef
    generation: int
    made: bool
    spares: tuple[UserRef, ...]
    server_urls: str

    @property
    def note(self) -> str | None:
        """What a person should know of it; None when there is nothing."""
        if not self.spares:
            return None
        spares = ", ".join(f"{spare.id} ({spare.public_key})" for spare in self.spares)
        return (
            f"Synadia has {len(self.spares) + 1} users called {self.user.name!r} with the same "
            f"owner: two runs made them at one moment. The oldest counts, {self.user.id} "
            f"({self.user.public_key}); spare: {spares}."
        )


@dataclass(frozen=True, slots=True)
class Issued:
    """Credentials, checked: seed and JWT fit, and are the user's and the account's.

    Attributes:
        creds: the creds file; the only place where the secret is.
        issuer: public key of who signed them; once the account has it no more, they are dead.
        issued: Unix seconds.
        expires: Unix seconds.
    """

    creds: str = field(repr=False)
    public_key: str
    issuer: str
    issued: int
    expires: int

    @classmethod
    def of(cls, credentials: Credentials, expires: int) -> "Issued":
        """Take what states need out of checked credentials."""
        claims = credentials.claims
        return cls(credentials.text, claims.subject, claims.issuer, claims.issued, expires)


@dataclass(frozen=True, slots=True)
class Present:
    """A user that is there, whoever made it.

    Attributes:
        owner: whom its mark names; None when it carries none of Troth's.
        expires_in: seconds that credentials issued now would be valid.
    """

    user: UserRef
    owner: str | None
    expires_in: int


@dataclass(frozen=True, slots=True)
class Retired:
    """A user that is not there any more, and what this call did of it.

    Attributes:
        revoked: its key's credentials were ended.
        deleted: it was deleted; False when it was gone already.
        account_gone: the whole account is, and all of its credentials with it.
    """

    revoked: bool
    deleted: bool
    account_gone: bool = False

"""Minting users of a self-hosted NATS system in operator mode, generation by generation.

Each generation is a user of its own, ``<name>-g<N>``, with its own key: two of them can be
connected at a time, one ends without the other, and revoking one leaves the other alone. Nothing is
asked of a server: it knows the account, and so everybody whom the account signs.
"""

from dataclasses import dataclass, field

from troth_pipelines.nats.creds import Credentials
from troth_pipelines.nats.nkeys import KeyKind, KeyPair
from troth_pipelines.nats.users import AccountSigner, Grant, User, sign_user

__all__ = ["Generation", "Minted", "mint"]


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of a user.

    Attributes:
        user: the user's name, the same in all generations.
        number: which one, from 1.
        raw: 32 bytes that its key is made of; the same ones give the same key.
        issued: Unix seconds.
        expires: Unix seconds; it ends by itself then.
        grant: what it may do; None when a scoped key signs.
        tags: of one's own.
    """

    user: str
    number: int
    raw: bytes = field(repr=False)
    issued: int
    expires: int
    grant: Grant | None
    tags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of this generation, which logs of servers show."""
        return f"{self.user}-g{self.number}"


@dataclass(frozen=True, slots=True)
class Minted:
    """A generation that can connect.

    Attributes:
        name: of the generation.
        public_key: who it is, and what a revocation names.
        creds: the creds file, which is secret.
    """

    name: str
    public_key: str
    creds: str = field(repr=False)


def mint(generation: Generation, signer: AccountSigner) -> Minted:
    """Sign a generation; equal arguments give equal bytes.

    Raises:
        InvalidInputError: something is granted although a scoped key signs, or nothing although
            none does.
        ValueError: it ends before it begins, or its key is not made of 32 bytes.
    """
    if generation.expires <= generation.issued:
        raise ValueError(f"{generation.name} would end before it begins")
    key = KeyPair.from_bytes(KeyKind.USER, generation.raw)
    user = User(
        name=generation.name,
        public_key=key.public_key,
        issued=generation.issued,
        expires=generation.expires,
        grant=generation.grant,
        tags=generation.tags,
    )
    creds = Credentials.of(sign_user(user, signer), key)
    return Minted(generation.name, key.public_key, creds.text)

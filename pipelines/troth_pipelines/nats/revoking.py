"""Revoking users: the one way in which an account is changed from here."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from troth_pipelines.nats.amending import Amendment
from troth_pipelines.nats.connecting import Servers
from troth_pipelines.nats.nkeys import KeyKind, KeyPair, public_key_bytes
from troth_pipelines.nats.resolver import open_resolver

__all__ = ["AccountWriter"]


@dataclass(frozen=True, slots=True)
class AccountWriter:
    """Changes one account in nothing but its revocations, safe beside others that do the same.

    Attributes:
        servers: with credentials of a user of the system account.
        account: the account's public key.
        key: the operator's own key, or a signing key of it.
        longest: the longest lifetime of any user of the account, in seconds; revocations older
            than that are dropped, for what they revoke has ended. None keeps them all, which is
            right as long as the account has users without an end.

    Raises:
        InvalidInputError: a key is of another kind.
    """

    servers: Servers
    account: str
    key: KeyPair
    longest: int | None = None

    def __post_init__(self) -> None:
        """Check the keys."""
        public_key_bytes(self.account, KeyKind.ACCOUNT)
        public_key_bytes(self.key.public_key, KeyKind.OPERATOR)

    def revoke(self, users: Mapping[str, int], now: int) -> bool:
        """Revoke users, and come back when the servers have it.

        Args:
            users: by public key, Unix seconds; what was issued in that second or before it is
                refused from now on, and whoever is connected with it is cut off.
            now: Unix seconds, the date of the account's new JWT.

        Returns:
            Whether anything had to be pushed; False when all of it was revoked already.

        Raises:
            TrothError: the servers do not answer, do not let us in, or refuse it (see `connect`
                and `Amendment`); a TransientError also when others keep pushing.
        """
        forget = None if self.longest is None else now - self.longest
        return asyncio.run(self._make(Amendment(self.account, self.key, users, now, forget)))

    def missing(self, users: Mapping[str, int]) -> Mapping[str, int]:
        """Return those of these revocations that a server does not have, e.g. does no longer have.

        Raises:
            TrothError: as `revoke`.
        """
        return asyncio.run(self._miss(Amendment(self.account, self.key, users, now=0)))

    async def _make(self, amendment: Amendment) -> bool:
        async with open_resolver(self.servers, self.account) as resolver:
            return await amendment.make(resolver)

    async def _miss(self, amendment: Amendment) -> Mapping[str, int]:
        async with open_resolver(self.servers, self.account) as resolver:
            return await amendment.missing(resolver)

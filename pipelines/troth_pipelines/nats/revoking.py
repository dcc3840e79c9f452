"""Revoking users: the one writer of an account's JWT.

Servers keep what was pushed last, whole; nothing stops two writers from pushing one after the
other, the second without what the first has just added. So each writer looks the account up, adds
its revocations, pushes, and looks again; and while it is at work it listens to what others push:
what it may have overwritten, it adds and pushes once more. Who comes last has seen all the others.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from troth.errors import InvalidInputError, NotServedError, Reason, TransientError
from troth_pipelines.nats.accounts import Account
from troth_pipelines.nats.connecting import Servers
from troth_pipelines.nats.nkeys import KeyKind, KeyPair, public_key_bytes
from troth_pipelines.nats.resolver import Resolver, open_resolver

__all__ = ["AccountWriter"]

_ATTEMPTS = 12
_PAUSE = 0.05  # seconds, at most, after the first attempt that failed; a multiple after the others


@dataclass(frozen=True, slots=True)
class AccountWriter:
    """Changes one account in nothing but its revocations.

    Attributes:
        servers: with credentials of a user of the system account.
        account: the account's public key.
        key: the operator's own key, or a signing key of it.
        longest: the longest lifetime of any user of the account, in seconds; revocations older
            than that are dropped, for what they revoke has ended. None keeps them all, which is
            right as long as the account has users without an end.
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
                and `Resolver`); a TransientError also when others keep pushing.
        """
        return asyncio.run(self._revoke(users, now))

    def missing(self, users: Mapping[str, int]) -> Mapping[str, int]:
        """Return those of these revocations that a server does not have, e.g. does no longer have.

        Raises:
            TrothError: as `revoke`.
        """
        found = asyncio.run(self._look())
        return {
            key: until
            for key, until in users.items()
            if not all(account.revokes({key: until}) for account in found)
        }

    async def _look(self) -> Sequence[Account]:
        async with open_resolver(self.servers, self.account) as resolver:
            return await self._found(resolver, await self._trusted(resolver))

    async def _revoke(self, users: Mapping[str, int], now: int) -> bool:
        forget = None if self.longest is None else now - self.longest
        pushed = False
        async with open_resolver(self.servers, self.account) as resolver:
            trusted = await self._trusted(resolver)
            for attempt in range(_ATTEMPTS):
                found = await self._found(resolver, trusted)
                others = await self._revoked_by_others(resolver, trusted, forget)
                wanted = _later(users, others)
                if all(account.revokes(wanted) for account in found):
                    return pushed
                # Servers that do not agree will agree on the newest.
                newest = max(found, key=lambda account: (account.claims.issued, account.jwt))
                jwt = newest.sign(newest.revoking(wanted, forget), self.key, now)
                # As late as can be: the shorter the time, the fewer the quarrels.
                if await self._found(resolver, trusted) == found:
                    await resolver.push(jwt)
                    pushed = True
                else:
                    await _pause(attempt)
        message = (
            f"account {self.account} was changed by others {_ATTEMPTS} times in a row while users "
            f"were to be revoked; not all of them are yet."
        )
        raise TransientError(Reason.PROVIDER_BUSY, message)

    async def _trusted(self, resolver: Resolver) -> frozenset[str]:
        """Return the keys that the servers trust; ours is one of them.

        A server takes an account signed by anybody, and stops to serve it.
        """
        trusted = await resolver.trusted()
        if self.key.public_key not in trusted:
            message = (
                f"NATS at {self.servers} does not trust the operator's key "
                f"{self.key.public_key}; name the operator's key, or a signing key of it."
            )
            raise InvalidInputError(Reason.INVALID_CREDENTIALS, message)
        return trusted

    async def _found(self, resolver: Resolver, trusted: frozenset[str]) -> Sequence[Account]:
        """Return what the servers have, where it is signed by a key that they trust."""
        found = [Account.parse(jwt, self.account) for jwt in await resolver.lookup()]
        sound = sorted(
            (account for account in found if account.claims.issuer in trusted),
            key=lambda account: account.jwt,
        )
        if not sound:
            issuer = found[0].claims.issuer
            message = (
                f"account {self.account} is signed by {issuer}, which NATS at {self.servers} does "
                "not trust; push the account anew."
            )
            raise NotServedError(Reason.PROVIDER_REFUSED, message)
        return sound

    async def _revoked_by_others(
        self, resolver: Resolver, trusted: frozenset[str], forget: int | None
    ) -> Mapping[str, int]:
        """Return what others have revoked meanwhile, which a push of ours may have undone."""
        revoked: Mapping[str, int] = {}
        for jwt in await resolver.pushed():
            try:
                other = Account.parse(jwt, self.account)
            except InvalidInputError:
                continue  # another account's, or none at all: servers refuse those themselves
            if other.claims.issuer in trusted:
                revoked = _later(revoked, other.revoking({}, forget))
        return revoked


def _later(one: Mapping[str, int], other: Mapping[str, int]) -> Mapping[str, int]:
    return {key: max(one.get(key, 0), other.get(key, 0)) for key in one.keys() | other.keys()}


async def _pause(attempt: int) -> None:
    # Two writers that wait equally long would meet again.
    await asyncio.sleep(random.uniform(0, _PAUSE * (attempt + 1)))  # noqa: S311  (no secret)

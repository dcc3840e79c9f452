"""Adding revocations to an account that others may change at the same time.

Servers keep what was pushed last, whole; nothing stops two writers from pushing one after the
other, the second without what the first has just added. So each looks the account up, adds its
revocations, pushes, and looks again; and while it is at work it listens to what others push.
Revocations that it may have undone, it adds once more. What else a person changed meanwhile, it
puts back; pushes of our own kind change nothing else, so those it leaves out of account.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from troth.errors import InvalidInputError, NotServedError, Reason, TransientError
from troth_pipelines.nats.accounts import Account
from troth_pipelines.nats.nkeys import KeyPair
from troth_pipelines.nats.resolver import Resolver

__all__ = ["Amendment"]

_ATTEMPTS = 12
_PAUSE = 0.05  # seconds, at most, after the first attempt that failed; a multiple after the others


@dataclass(frozen=True, slots=True)
class Amendment:
    """Revocations to be added to an account.

    Attributes:
        account: the account's public key.
        key: the operator's key that signs.
        users: by public key, Unix seconds.
        now: Unix seconds, the date of the account's new JWT.
        forget: revocations before this second are dropped; None keeps them all.
    """

    account: str
    key: KeyPair
    users: Mapping[str, int]
    now: int
    forget: int | None = None

    async def make(self, resolver: Resolver) -> bool:
        """Make it, and come back when every server has it.

        Returns:
            Whether anything had to be pushed.

        Raises:
            InvalidInputError: the servers do not trust the key.
            NotServedError: they do not trust what they have of the account, or refuse the new JWT.
            TransientError: others keep changing the account.
        """
        trusted = await self._trusted(resolver)
        meant: Account | None = None  # what a person pushed last, as far as we know
        made = False
        for attempt in range(_ATTEMPTS):
            found = await self._found(resolver, trusted)
            # Servers that do not agree will agree on the newest.
            newest = max(found, key=lambda account: (account.claims.issued, account.jwt))
            heard = self._sound(await resolver.pushed(), trusted)
            meant = next((one for one in (newest, *reversed(heard)) if not one.is_amended), meant)
            base = meant if meant is not None and meant.rest != newest.rest else newest
            wanted = _latest(self.users, *(one.revoking({}, self.forget) for one in heard))
            if base is newest and all(account.revokes(wanted) for account in found):
                return made
            now = max(self.now, newest.claims.issued + 1)
            jwt = base.sign(base.revoking(wanted, self.forget), self.key, now)
            # As late as can be: the shorter the time, the fewer the quarrels.
            if await self._found(resolver, trusted) == found:
                await resolver.push(jwt)
                made = True
            else:
                await _pause(attempt)
        message = (
            f"account {self.account} was changed by others {_ATTEMPTS} times in a row while users "
            f"were to be revoked; not all of them are yet."
        )
        raise TransientError(Reason.PROVIDER_BUSY, message)

    async def missing(self, resolver: Resolver) -> Mapping[str, int]:
        """Return those of the revocations that a server does not have.

        Raises:
            InvalidInputError: the servers do not trust the key.
            NotServedError: they do not trust what they have of the account.
        """
        found = await self._found(resolver, await self._trusted(resolver))
        return {
            key: until
            for key, until in self.users.items()
            if not all(account.revokes({key: until}) for account in found)
        }

    async def _trusted(self, resolver: Resolver) -> frozenset[str]:
        """Return the keys that the servers trust; ours is one of them.

        A server takes an account signed by anybody, and stops to serve it.
        """
        trusted = await resolver.trusted()
        if self.key.public_key not in trusted:
            message = (
                f"the NATS servers do not trust the operator's key {self.key.public_key}; name "
                "the operator's own key, or a signing key of it."
            )
            raise InvalidInputError(Reason.INVALID_CREDENTIALS, message)
        return trusted

    async def _found(self, resolver: Resolver, trusted: frozenset[str]) -> Sequence[Account]:
        """Return what the servers have, where it is signed by a key that they trust."""
        found = [Account.parse(jwt, self.account) for jwt in await resolver.lookup()]
        sound = [account for account in found if account.claims.issuer in trusted]
        if not sound:
            message = (
                f"account {self.account} is signed by {found[0].claims.issuer}, which the NATS "
                "servers do not trust; push the account anew."
            )
            raise NotServedError(Reason.PROVIDER_REFUSED, message)
        # Servers answer in any order.
        return sorted(sound, key=lambda account: account.jwt)

    def _sound(self, pushed: Sequence[str], trusted: frozenset[str]) -> Sequence[Account]:
        """Return those of the JWTs that are this account's and trusted."""
        sound: list[Account] = []
        for jwt in pushed:
            try:
                account = Account.parse(jwt, self.account)
            except InvalidInputError:
                continue  # another account's, or none at all: servers refuse those themselves
            if account.claims.issuer in trusted:
                sound.append(account)
        return sound


def _latest(*revocations: Mapping[str, int]) -> Mapping[str, int]:
    latest: dict[str, int] = {}
    for one in revocations:
        for key, until in one.items():
            latest[key] = max(until, latest.get(key, 0))
    return latest


async def _pause(attempt: int) -> None:
    # Two writers that wait equally long would meet again.
    await asyncio.sleep(random.uniform(0, _PAUSE * (attempt + 1)))  # noqa: S311  (no secret)

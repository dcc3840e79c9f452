"""Looking at an account as the servers of a NATS system have it, without changing anything."""

import asyncio

from troth.errors import InvalidInputError, NotServedError, Reason
from troth_pipelines.nats.accounts import Account
from troth_pipelines.nats.connecting import Servers
from troth_pipelines.nats.resolver import open_resolver

__all__ = ["CALLS", "look_up"]

CALLS = 2
"""Requests that one look takes: which operator the servers trust, and the account's JWT."""


def look_up(servers: Servers, account: str) -> Account | None:
    """Return what the servers have of an account, None where they do not know it.

    Servers that do not agree will agree on the newest, so that counts.

    Args:
        servers: with credentials of a user of the system account.
        account: its public key.

    Raises:
        NotServedError: what they have is signed by nobody they trust, so they do not serve it.
        TrothError: as `connect` and `Resolver` say.
    """
    return asyncio.run(_look_up(servers, account))


async def _look_up(servers: Servers, account: str) -> Account | None:
    async with open_resolver(servers, account) as resolver:
        trusted = await resolver.trusted()
        try:
            found = [Account.parse(jwt, account) for jwt in await resolver.lookup()]
        except InvalidInputError as error:
            if error.reason is Reason.INVALID_OBJECT:
                return None
            raise
    sound = [one for one in found if one.claims.issuer in trusted]
    if not sound:
        message = (
            f"account {account} is signed by {found[0].claims.issuer}, which the NATS servers do "
            "not trust, so they serve none of its users; push the account anew."
        )
        raise NotServedError(Reason.PROVIDER_REFUSED, message)
    return max(sound, key=lambda one: (one.claims.issued, one.jwt))

"""The account resolver of NATS servers: looking up an account's JWT, and pushing a new one.

Needs servers with a resolver of type ``full``, and a user of the system account that may publish to
``$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP``, ``$SYS.REQ.CLAIMS.UPDATE`` and ``$SYS.REQ.SERVER.PING.VARZ``,
and subscribe to ``_INBOX.>`` and to what is pushed. Every server of a cluster keeps accounts of its
own and answers for itself. Source: nats-io/nats-server, server/accounts.go and server/monitor.go.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import nats.errors
from nats.aio.client import Client

from troth.api import Fields, Json, is_object
from troth.errors import InvalidInputError, NotServedError, Reason, shorten
from troth_pipelines.nats.connecting import Servers, connect
from troth_pipelines.nats.jwt import decode

if TYPE_CHECKING:
    from nats.aio.subscription import Subscription

__all__ = ["Resolver", "open_resolver"]

_LOOKUP = "$SYS.REQ.ACCOUNT.{account}.CLAIMS.LOOKUP"
_UPDATE = "$SYS.REQ.CLAIMS.UPDATE"
_UPDATE_ONE = "$SYS.REQ.ACCOUNT.{account}.CLAIMS.UPDATE"
_SERVERS = "$SYS.REQ.SERVER.PING.VARZ"

_DONE = 200
_NOBODY = "503"
_QUOTE_LIMIT = 300  # characters of a server's own words that a message quotes

# Seconds without another answer after which all servers are taken to have answered. Waited for
# once; from then on it is known how many there are.
_LULL = 0.5


class Resolver(Protocol):
    """What holds the JWT of an account, on one server or on several."""

    async def lookup(self) -> Sequence[str]:
        """Return the account's JWT as it stands on each server that has it; at least one.

        Raises:
            InvalidInputError: no server knows the account.
            NotServedError: the servers cannot be asked.
        """
        ...

    async def trusted(self) -> frozenset[str]:
        """Return the public keys whose signatures the servers trust under an account's JWT.

        Raises:
            NotServedError: the servers do not say it.
        """
        ...

    async def push(self, jwt: str) -> None:
        """Replace the account's JWT. Servers do not look whether the issuer is to be trusted.

        Raises:
            NotServedError: a server refuses it, or none takes any.
        """
        ...

    async def pushed(self) -> Sequence[str]:
        """Return what anybody pushed since this was opened, as far as it was noticed; own ones too.

        These are claims, not facts: the servers may have refused them.
        """
        ...


@asynccontextmanager
async def open_resolver(servers: Servers, account: str) -> AsyncGenerator[Resolver, None]:
    """Open the way to the JWT of one account, until the end of the block.

    Raises:
        TrothError: as `connect` says, also while it is open.
    """
    async with connect(servers) as client:
        resolver = _ServerResolver(client, servers, account)
        await resolver.listen()
        yield resolver


class _ServerResolver:
    """The resolver of the servers that a client is connected to."""

    def __init__(self, client: Client, servers: Servers, account: str) -> None:
        self._client = client
        self._servers = servers
        self._account = account
        self._count: int | None = None
        self._heard: list[Subscription] = []
        self._pushed: list[str] = []

    async def listen(self) -> None:
        """Notice what others push from now on."""
        before = self._client.last_error  # of another server, which did not answer
        for subject in (_UPDATE, _UPDATE_ONE.format(account=self._account)):
            self._heard.append(await self._client.subscribe(subject))
        # nats-py writes what flush sends at once, and all else a little later: it would overtake.
        async with asyncio.timeout(self._servers.patience):
            while self._client.pending_data_size:  # noqa: ASYNC110  (nats-py has no event for it)
                await asyncio.sleep(0)
        # The server has taken both when it answers this, or has said why not.
        await self._client.flush(self._servers.patience)
        error = self._client.last_error
        if error is not None and error is not before:
            raise error  # deaf to what others push, it would undo what they have done

    async def lookup(self) -> Sequence[str]:
        answers = await self._ask(_LOOKUP.format(account=self._account), b"")
        # A server that does not have it answers with nothing.
        found = tuple(answer.decode(errors="replace").strip() for answer in answers if answer)
        if not found:
            message = f"NATS at {self._servers} knows no account {self._account}."
            raise InvalidInputError(Reason.INVALID_OBJECT, message)
        return found

    async def trusted(self) -> frozenset[str]:
        keys: set[str] = set()
        for answer in await self._ask(_SERVERS, b""):
            for token in _data(answer).texts("trusted_operators_jwt"):
                operator = decode(token)
                keys.update(Fields(operator.nats).texts("signing_keys"))
                if not operator.nats.get("strict_signing_key_usage"):
                    keys.add(operator.subject)
        if not keys:
            message = f"NATS at {self._servers} does not say which operator it trusts."
            raise NotServedError(Reason.PROVIDER_REFUSED, message)
        return frozenset(keys)

    async def push(self, jwt: str) -> None:
        for answer in await self._ask(_UPDATE, jwt.encode()):
            if _data(answer).value("code") != _DONE:
                said = shorten(answer.decode(errors="replace"), _QUOTE_LIMIT)
                message = f"NATS at {self._servers} refuses account {self._account}'s JWT: {said}"
                raise NotServedError(Reason.PROVIDER_REFUSED, message)

    async def pushed(self) -> Sequence[str]:
        # Taken from the queues themselves: what came before an answer is in them before it.
        for heard in self._heard:
            while heard.pending_msgs:
                message = await heard.next_msg(self._servers.patience)
                self._pushed.append(message.data.decode(errors="replace"))
        return tuple(self._pushed)

    async def _ask(self, subject: str, body: bytes) -> list[bytes]:
        """Return what each server answers."""
        inbox = self._client.new_inbox()
        answering = await self._client.subscribe(inbox)
        await self._client.publish(subject, body, reply=inbox)
        answers: list[bytes] = []
        try:
            while self._count is None or len(answers) < self._count:
                patience = _LULL if answers else self._servers.patience
                answer = await answering.next_msg(patience)
                if (answer.headers or {}).get("Status") == _NOBODY:
                    raise NotServedError(Reason.PROVIDER_REFUSED, self._unanswered(subject))
                answers.append(answer.data)
        except nats.errors.TimeoutError:
            if not answers:
                raise
        finally:
            await answering.unsubscribe()
        self._count = max(self._count or 0, len(answers))
        return answers

    def _unanswered(self, subject: str) -> str:
        return (
            f"no server at {self._servers} takes {subject}: a resolver of type full is needed "
            "there, and a user of the system account here."
        )


def _data(answer: bytes) -> Fields:
    """Read the part of a server's answer that is not about the server."""
    try:
        value: Json = json.loads(answer)
    except ValueError:
        value = None
    return Fields(Fields(value if is_object(value) else {}).mapping("data"))

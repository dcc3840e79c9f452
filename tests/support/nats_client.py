"""A NATS client for tests that are no coroutines: nats-py, on an event loop in a thread of its own.

Credentials are read by nats-py itself, as those who use it do.
"""

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TypeVar

from nats.aio.client import Client, RawCredentials
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

__all__ = ["PATIENCE", "Heard", "NatsClient", "connect_nats", "refused"]

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds until a test that hangs fails."""


class Heard:
    """What came on a subscription."""

    def __init__(self, client: "NatsClient", subscription: Subscription) -> None:
        self._client = client
        self._subscription = subscription

    def next(self) -> bytes:
        """Return the next message, as soon as there is one."""
        return self._client.call(self._subscription.next_msg(PATIENCE)).data

    @property
    def waiting(self) -> int:
        """How many messages have come and were not taken."""
        return self._subscription.pending_msgs


class NatsClient:
    """A connection of one user.

    `errors` holds what the server or the library complained of, `ended` is set when the connection
    is over for good, `disconnected` and `reconnected` when it was so once.
    """

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.ended = threading.Event()
        self.disconnected = threading.Event()
        self.reconnected = threading.Event()
        self._client = Client()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def open(
        self, url: str, creds: str, *, tls: ssl.SSLContext | None = None, reconnect: bool = False
    ) -> None:
        """Connect; raises what nats-py raises."""
        self.call(
            self._client.connect(
                url,
                user_credentials=RawCredentials(creds),
                tls=tls,
                allow_reconnect=reconnect,
                max_reconnect_attempts=-1 if reconnect else 1,
                reconnect_time_wait=0,
                error_cb=self._complain,
                closed_cb=_setter(self.ended),
                disconnected_cb=_setter(self.disconnected),
                reconnected_cb=_setter(self.reconnected),
            )
        )

    def publish(self, subject: str, body: bytes = b"", *, wait: bool = True) -> None:
        """Publish, and come back when the server has it, or has complained."""
        self.call(self._client.publish(subject, body))
        if wait:
            self.flush()

    def subscribe(self, subject: str, queue: str = "", *, wait: bool = True) -> Heard:
        """Subscribe, and come back when the server has it, or has complained."""
        subscription = self.call(self._client.subscribe(subject, queue))
        if wait:
            self.flush()
        return Heard(self, subscription)

    def request(self, subject: str, body: bytes = b"") -> bytes:
        """Ask, and return the answer."""
        return self.call(self._client.request(subject, body, PATIENCE)).data

    def answer(self, subject: str, body: bytes) -> None:
        """Answer every request on a subject with this, as often as it is asked."""

        async def reply(message: Msg) -> None:
            await message.respond(body)

        self.call(self._client.subscribe(subject, cb=reply))
        self.flush()

    def flush(self) -> None:
        """Come back when the server has taken all that was sent."""
        self.call(self._client.flush(int(PATIENCE)))

    @property
    def is_connected(self) -> bool:
        return self._client.is_connected

    @property
    def last_error(self) -> str:
        """Why the server ended the connection."""
        return str(self._client.last_error)

    def close(self) -> None:
        """End the connection, the loop and the thread."""
        try:
            self.call(self._end())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(PATIENCE)
            self._loop.close()

    def call(self, work: Coroutine[object, object, T]) -> T:
        """Do a piece of work on the loop, within bounded time."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(2 * PATIENCE)

    async def _end(self) -> None:
        await self._client.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _complain(self, error: Exception) -> None:
        self.errors.append(str(error) or type(error).__name__)


def _setter(event: threading.Event) -> Callable[[], Awaitable[None]]:
    async def happened() -> None:
        event.set()

    return happened


@contextmanager
def connect_nats(
    url: str, creds: str, *, tls: ssl.SSLContext | None = None, reconnect: bool = False
) -> Iterator[NatsClient]:
    """Connect as the user of these credentials until the end of the block."""
    client = NatsClient()
    try:
        client.open(url, creds, tls=tls, reconnect=reconnect)
        yield client
    finally:
        client.close()


def refused(url: str, creds: str) -> bool:
    """Tell whether the server does not let these credentials in."""
    try:
        with connect_nats(url, creds):
            return False
    except NatsError as error:
        if "authorization" not in str(error).lower():
            raise
        return True

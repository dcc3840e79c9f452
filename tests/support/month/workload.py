"""A workload that uses a Secret: it takes a new one up hours later, and must never be cut off."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from support.month.outside import Outside
from support.nats_client import NatsClient

from troth_pipelines.nats.creds import Credentials

__all__ = ["TAKES_UP", "Workload"]

TAKES_UP = 12  # hours after a Secret changed; within the overlap of a day
_LOOKS = 24  # hours from one look at its connection to the next
_OVER = 26  # hours after which the one before has been ended: allowance, overlap, next reconcile


class Workload:
    """It holds one connection at a time, of the credentials it took up last."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._client: NatsClient | None = None
        self._using = ""
        self._waiting: tuple[int, str] | None = None
        self._ending: list[tuple[int, str]] = []
        self._looked = 0
        self.taken_up = 0
        self.revoked = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None:
            self._client.close()

    def see(self, secret: Mapping[str, bytes], hour: int) -> None:
        """Notice that the Secret has changed."""
        creds = secret["nats.creds"].decode()
        assert Credentials.parse(creds).key.seed.encode() in secret["nats.json"]
        wait = 0 if self._client is None else TAKES_UP
        self._waiting = (hour + wait, creds)

    def live(self, hour: int) -> None:
        """Go on for an hour."""
        if self._waiting is not None and self._waiting[0] <= hour:
            at, creds = self._waiting
            self._waiting = None
            self._take_up(creds, at - TAKES_UP)
        if self._client is not None and hour - self._looked >= _LOOKS:
            self._looked = hour
            self._client.publish("orders.tick")
            assert self._client.is_connected
            assert self._client.errors == []
        for over, creds in [one for one in self._ending if one[0] <= hour]:
            self._ending.remove((over, creds))
            self.revoked += self._outside.refuses(creds)

    def _take_up(self, creds: str, changed: int) -> None:
        """Connect with the new credentials while the old ones are in use; both have to work."""
        fresh = self._connect(creds)
        old, self._client = self._client, fresh
        if old is not None:
            assert not self._outside.refuses(self._using)
            heard = fresh.subscribe("orders.handover")
            old.publish("orders.handover", b"over to you")
            assert heard.next() == b"over to you"
            assert old.errors == []
            old.close()
            self._ending.append((changed + _OVER, self._using))
        self._using = creds
        self.taken_up += 1

    def _connect(self, creds: str) -> NatsClient:
        client = NatsClient()
        try:
            client.open(self._outside.server.url, creds)
        except BaseException:
            client.close()
            raise
        return client

"""Servers that keep an account's JWT in memory: the twin of those that are asked over NATS.

Each step of a resolver can be made to wait while others take theirs, and something can be made to
happen at a certain step; so tests choose who comes when.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

__all__ = ["MemoryResolver", "MemoryServers"]


@dataclass
class MemoryServers:
    """What they hold, what was pushed, and whom they trust.

    `behind` is what one of them holds that has not yet heard of the last push.
    """

    jwt: str
    trust: frozenset[str]
    log: list[str] = field(default_factory=list[str])
    behind: str | None = None

    def take(self, jwt: str) -> None:
        """Take a pushed JWT, as servers do: whatever it says."""
        self.jwt = jwt
        self.behind = None
        self.log.append(jwt)


class MemoryResolver:
    """One writer's way to them.

    Args:
        servers: those that are asked.
        before: called with ``lookup 1``, ``push 1``, ``lookup 2`` and so on, before it is done.
        waits: how many turns others get before each step; none when it has come to its end.
        deaf: whether nothing is heard of what is pushed, for want of a permission.
    """

    def __init__(
        self,
        servers: MemoryServers,
        *,
        before: Callable[[str], None] = lambda _: None,
        waits: Iterable[int] = (),
        deaf: bool = False,
    ) -> None:
        self._servers = servers
        self._before = before
        self._waits = iter(waits)
        self._deaf = deaf
        self._begin = len(servers.log)
        self.lookups = self.pushes = 0

    async def lookup(self) -> Sequence[str]:
        await self._wait()
        self.lookups += 1
        self._before(f"lookup {self.lookups}")
        jwt, behind = self._servers.jwt, self._servers.behind
        if behind is None:
            return (jwt,)
        # They answer in any order.
        return (jwt, behind) if self.lookups % 2 else (behind, jwt)

    async def trusted(self) -> frozenset[str]:
        await self._wait()
        return self._servers.trust

    async def push(self, jwt: str) -> None:
        await self._wait()
        self.pushes += 1
        self._before(f"push {self.pushes}")
        self._servers.take(jwt)
        await self._wait()

    async def pushed(self) -> Sequence[str]:
        return () if self._deaf else tuple(self._servers.log[self._begin :])

    async def _wait(self) -> None:
        for _ in range(next(self._waits, 0)):
            await asyncio.sleep(0)

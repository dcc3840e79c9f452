"""A clerk's desk for tests: a platform in memory, what is asked for, and a clock of its own."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Condition

from support.platform import Platform

from troth.api import RequestKey
from troth.controller import Answer, Clerk
from troth.engine import Renderer, Settings, Submission, View, World
from troth.engine.write import Submit

__all__ = ["TestDesk", "at_work"]


@dataclass
class TestDesk:
    """What a clerk works with; `asked` may be changed at any time, `told` is what he said."""

    __test__ = False
    platform: Platform
    asked: dict[RequestKey, Submission] = field(default_factory=dict)
    told: list[Answer] = field(default_factory=list)
    looks: int = 0
    trouble: list[Exception] = field(default_factory=list)
    deaf: bool = False
    _heard: Condition = field(default_factory=Condition)

    @property
    def renderer(self) -> Renderer:
        return self.platform.renderer

    @property
    def settings(self) -> Settings:
        return self.platform.settings

    @property
    def submit(self) -> Submit:
        return self.platform.submit

    def world(self) -> World:
        return self.platform.world

    def look(self) -> View:
        self.looks += 1
        if self.trouble:
            raise self.trouble.pop(0)
        return self.platform.look()

    def find(self, key: RequestKey) -> Submission | None:
        return self.asked.get(key)

    def now(self) -> datetime:
        return self.platform.now

    def tell(self, answer: Answer) -> None:
        if self.deaf:
            message = "nobody listens"
            raise OSError(message)
        with self._heard:
            self.told.append(answer)
            self._heard.notify_all()

    def hear(self, number: int) -> None:
        """Wait until the clerk has said so much."""
        with self._heard:
            assert self._heard.wait_for(lambda: len(self.told) >= number, timeout=20)

    def ask(self, *submissions: Submission) -> list[RequestKey]:
        keys = [RequestKey(one.request.namespace, "thing", one.request.name) for one in submissions]
        self.asked |= dict(zip(keys, submissions, strict=True))
        return keys

    def pass_time(self, clerk: Clerk, **length: float) -> None:
        """Let time pass, and the clerk see it."""
        self.platform.now += timedelta(**length)
        clerk.wake()


@contextmanager
def at_work(desk: TestDesk) -> Generator[Clerk]:
    """Let a clerk work until the end of the block."""
    clerk = Clerk(desk)
    try:
        yield clerk
    finally:
        clerk.close()

"""A clock that a test turns by hand, and on which threads wait without anybody sleeping."""

from queue import Queue
from threading import Condition

PATIENCE = 30  # seconds until a test that hangs fails


class HandClock:
    """A clock for budgets and flushers; it stands still until `advance` moves it."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._waiting: list[Condition] = []
        self._waits: Queue[float] = Queue()

    def now(self) -> float:
        return self._now

    def wait(self, changed: Condition, seconds: float) -> None:
        self._waiting.append(changed)
        self._waits.put(seconds)
        assert changed.wait(PATIENCE), f"nobody ended a wait of {seconds} seconds"

    def advance(self, seconds: float) -> None:
        self._now += seconds
        for changed in self._waiting:
            with changed:
                changed.notify_all()

    def next_wait(self) -> float:
        """Return the seconds of the next wait that was begun, as soon as there is one."""
        return self._waits.get(timeout=PATIENCE)

"""A push budget: how often a store may be pushed to, kept as a bucket of tokens.

Hosts ask for it: GitHub for no more than six pushes a minute and repository. A push costs a token,
an idle bucket fills up, so somebody who pushes now and then never waits.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Lock
from typing import Protocol

__all__ = ["Clock", "MachineClock", "Pace", "PushBudget"]

_MINUTE = 60.0  # seconds

# Seconds after which one that waits looks again; the system refuses waits of some centuries.
_LOOK_AGAIN = 3600.0


class Clock(Protocol):
    """Time, and waiting for it; tests bring one that they turn by hand."""

    def now(self) -> float:
        """Return seconds since some moment; it never goes back."""
        ...

    def wait(self, changed: Condition, seconds: float) -> None:
        """Wait for `changed`, which the caller holds, or for so many seconds, or less."""
        ...


class MachineClock:
    """The time of this machine, unmoved by anybody who sets its clock."""

    def now(self) -> float:
        """Return seconds since the machine was started."""
        return time.monotonic()

    def wait(self, changed: Condition, seconds: float) -> None:
        """Wait for `changed`, at most so many seconds; after an hour, look again."""
        changed.wait(min(seconds, _LOOK_AGAIN))


_OF_THE_MACHINE = MachineClock()


class PushBudget:
    """Tokens for pushes: `burst` when nothing was pushed for long, then so many a minute.

    Threads may share one, e.g. the flushers of two branches of one repository.

    Args:
        per_minute: tokens that come back in a minute; may be a fraction.
        burst: tokens there are at most, and at first.
        clock: where the time is from.
    """

    def __init__(self, per_minute: float, burst: int = 1, clock: Clock = _OF_THE_MACHINE) -> None:
        if not 0 < per_minute < float("inf") or burst < 1:
            raise ValueError(f"{per_minute} pushes a minute, {burst} at once, is no budget")
        self._interval = _MINUTE / per_minute
        self._slack = self._interval * (burst - 1)
        self._clock = clock
        self._lock = Lock()
        # When the bucket is full again. One moment says all: no count that rounding could wear off.
        self._full_at = self._clock.now()

    def next_in(self) -> float:
        """Return the seconds until there is a token; 0 when there is one."""
        with self._lock:
            return self._seconds()

    def take(self) -> float:
        """Take a token and return 0; or take none, and return the seconds until there is one."""
        with self._lock:
            seconds = self._seconds()
            if not seconds:
                self._full_at = max(self._full_at, self._clock.now()) + self._interval
            return seconds

    def give_back(self) -> None:
        """Put a token back that was taken and not needed."""
        with self._lock:
            self._full_at -= self._interval

    def _seconds(self) -> float:
        return max(0.0, self._full_at - self._slack - self._clock.now())


def _say_nothing(_: float) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a flusher may go."""

    budget: PushBudget | None = None
    """How often it may push; None for as often as it likes."""
    clock: Clock = _OF_THE_MACHINE
    """Where the time is from; that of the budget should be the same."""
    on_wait: Callable[[float], None] = _say_nothing
    """Called, once a wait, by the flusher's thread when it has to wait so many seconds."""

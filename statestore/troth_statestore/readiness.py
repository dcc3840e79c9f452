"""Whether a state store is ready: tried, tried again in time, and why not in words.

A driver holds one `Readiness` for each store. It decides itself when to try; nothing here waits,
starts a thread or knows a clock but the one it is given.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from troth.errors import Reason, TrothError
from troth_statestore.protocol import Probe

__all__ = ["Condition", "Pace", "Readiness", "Status", "Tried"]

# Kratix's words for the condition, which dashboards and `kubectl wait` know.
_READY = "StateStoreReady"
_CANNOT_READ = "ErrorInitialisingWriter"
_CANNOT_WRITE = "ErrorValidatingPermissions"
_FAILED = "StateStoreError"
# Ours: Kratix has no condition at all before the first trial.
_NOT_TRIED = "NotTriedYet"

# Errors whose own reason says more than that the store cannot be read.
_TELLING = frozenset({Reason.SECRET_NOT_FOUND, Reason.HISTORY_REWRITTEN})


class Tried(Protocol):
    """What is tried: any `StateStore`."""

    def probe(self) -> Probe:
        """Try it. Raises TrothError when it cannot be used."""
        ...


class Status(StrEnum):
    """Whether it is ready, as Kubernetes' conditions spell it."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Condition:
    """What is known of a store.

    `reason` is one word, `message` full sentences without a secret; `since` is when `status` became
    what it is, in seconds since 1970. `revision` is the tip that agents read, as far as known.
    """

    status: Status
    reason: str
    message: str
    since: float
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a store is tried; seconds.

    A store that is ready is asked rarely, since every flush tells as much. One that is not is asked
    soon, then twice as long after each failure, so that hosts that are down are not pressed.
    """

    ready: float = 300.0
    first: float = 5.0
    longest: float = 300.0

    def __post_init__(self) -> None:
        """Refuse what would never wait."""
        if not 0 < self.first <= self.longest or self.ready <= 0:
            raise ValueError(f"{self} is no pace: every wait must be above 0, in this order")


class Readiness:
    """One store's condition. One thread uses it at a time.

    Args:
        store: what is tried.
        clock: seconds since 1970.
        pace: how often it is tried.
    """

    def __init__(self, store: Tried, clock: Callable[[], float], pace: Pace | None = None) -> None:
        self._store = store
        self._clock = clock
        self._pace = pace or Pace()
        self._failures = 0
        self._tried: float | None = None
        self._condition = Condition(
            Status.UNKNOWN, _NOT_TRIED, "The state store was not tried yet.", clock()
        )

    @property
    def condition(self) -> Condition:
        """What is known now, without asking anybody."""
        return self._condition

    @property
    def due(self) -> float:
        """When it should be tried next, in seconds since 1970; in the past when that is now."""
        if self._tried is None:
            return self._condition.since
        if not self._failures:
            return self._tried + self._pace.ready
        # Bounded before it is doubled: a store may be down for longer than a float has room.
        doubled = self._pace.first * (1 << min(self._failures - 1, 32))
        return self._tried + min(doubled, self._pace.longest)

    def is_due(self) -> bool:
        """Tell whether it should be tried now."""
        now = self._clock()
        # A clock that was set back would else put the next trial off for as long.
        return now >= self.due or (self._tried is not None and now < self._tried)

    def try_now(self) -> Condition:
        """Try the store, and return what is known then."""
        try:
            probe = self._store.probe()
        except TrothError as error:
            reason = error.reason if error.reason in _TELLING else _CANNOT_READ
            return self._not_ready(reason, error.message)
        if probe.refusal is not None:
            why = f"Error validating state store permissions: {probe.refusal.message}"
            return self._not_ready(_CANNOT_WRITE, why, probe.revision)
        return self._ready(probe.revision)

    def learn(self, outcome: str | TrothError) -> Condition:
        """Take note of what a use of the store told, so that nobody has to wait for the next trial.

        Args:
            outcome: the revision it was left at, or why it could not be used.
        """
        if isinstance(outcome, TrothError):
            return self._not_ready(_FAILED, outcome.message, self._condition.revision)
        return self._ready(outcome)

    def _ready(self, revision: str | None) -> Condition:
        self._failures = 0
        return self._turn(Status.TRUE, _READY, "State store is ready", revision)

    def _not_ready(self, reason: str, message: str, revision: str | None = None) -> Condition:
        self._failures += 1
        return self._turn(Status.FALSE, reason, message, revision)

    def _turn(self, status: Status, reason: str, message: str, revision: str | None) -> Condition:
        now = self._clock()
        since = self._condition.since if status is self._condition.status else now
        self._tried = now
        self._condition = Condition(status, reason, message, since, revision)
        return self._condition

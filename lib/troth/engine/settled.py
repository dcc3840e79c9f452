"""Settled: the ways in which a request can be dealt with without a new output.

One table says all that follows from each, so that no rung has to know them by heart.
"""

from dataclasses import dataclass
from enum import Enum, unique
from typing import NamedTuple

from troth.engine.values import State
from troth.errors import Reason

__all__ = ["Settled", "Settlement"]


class _Row(NamedTuple):
    """What follows from a settlement.

    Attributes:
        reason: what reports say.
        state: as which it counts there.
        wanted: whether what it has placed is asked for by the request as it is now; else it only
            stays, and is not judged again.
        keeps_record: whether its record stays as it is, whatever was handed in.
        needs_record: whether a request that is new gets a record by it.
        available: of a Promise, whether its requests may go on.
    """

    reason: Reason
    state: State
    wanted: bool = False
    keeps_record: bool = True
    needs_record: bool = False
    available: bool = False


@unique
class Settlement(Enum):
    """The ways."""

    UP_TO_DATE = _Row(
        Reason.UP_TO_DATE, State.UNCHANGED, wanted=True, keeps_record=False, available=True
    )
    REVERTED = _Row(Reason.REVERTED, State.UNCHANGED, wanted=True, available=True)
    PAUSED = _Row(Reason.PAUSED, State.SUSPENDED)
    SUSPENDED_BY_LABEL = _Row(Reason.WORKFLOW_SUSPENDED, State.SUSPENDED)
    SUSPENDED_BY_STAGE = _Row(
        Reason.WORKFLOW_SUSPENDED, State.SUSPENDED, keeps_record=False, needs_record=True
    )
    PROMISE_UNAVAILABLE = _Row(Reason.PROMISE_UNAVAILABLE, State.WAITING)
    KEYS_REPLACED = _Row(Reason.KEY_REPLACED, State.WAITING, wanted=True, available=True)
    DESTINATION_GONE = _Row(Reason.DESTINATION_GONE, State.MISPLACED, available=True)
    UNSCHEDULED = _Row(Reason.NO_MATCHING_DESTINATION, State.UNSCHEDULED, needs_record=True)


@dataclass(frozen=True, slots=True)
class Settled:
    """What was decided of a request without a new output; `message` says it to people."""

    kind: Settlement
    message: str = ""

    @property
    def follows(self) -> _Row:
        """What follows from it."""
        return self.kind.value

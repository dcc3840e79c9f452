"""Policies of a state store: how often it is pushed to, how much may be removed unasked.

They stand as annotations under ``troth.dev/`` on a GitStateStore; the same words are options of the
commands. What is not said is None, so that whoever reads it can tell which says more.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from troth.api.json_values import Fields
from troth.api.labels import ALLOW_DELETIONS, DELETION_BUDGET, PUSH_BURST, PUSHES_PER_MINUTE
from troth.errors import InvalidInputError

__all__ = ["DeletionLimit", "StorePolicy", "count_of", "limit_of", "rate_of"]

T = TypeVar("T")

UNLIMITED = "unlimited"

# Pushes a minute: nobody needs more than one in ten milliseconds, or fewer than one in a day.
_MOST, _LEAST = 6000.0, 1 / 1440

_NUMBER = re.compile(r"[0-9]{1,9}")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_LIMIT = re.compile(r"(?P<count>[0-9]{1,9}), ?(?P<percent>[0-9]{1,3}(\.[0-9]{1,9})?) ?%")


@dataclass(frozen=True, slots=True)
class DeletionLimit:
    """How much may be removed unasked: it stops when both bounds are passed."""

    count: int = 10
    """Number of requests."""
    percent: float = 20.0
    """Part of the inventory, 0 to 100."""

    def exceeded(self, removals: int, inventory: int) -> bool:
        """Tell whether so many removals, of an inventory so large, have to be asked for."""
        return removals > self.count and 100 * removals > self.percent * inventory

    def __str__(self) -> str:
        """Spell it as messages do."""
        return f"{self.count} and more than {self.percent:g} %"


@dataclass(frozen=True, slots=True)
class StorePolicy:
    """What is set for one store.

    Attributes:
        pushes_per_minute: tokens that come back in a minute; infinite for no limit.
        push_burst: pushes that an idle store takes at once.
        deletions: how much may be removed unasked.
        allow_deletions: removals that somebody has agreed to.
    """

    pushes_per_minute: float | None = None
    push_burst: int | None = None
    deletions: DeletionLimit | None = None
    allow_deletions: int | None = None

    @classmethod
    def parse(cls, metadata: Fields) -> "StorePolicy":
        """Read the annotations of a GitStateStore's metadata.

        Raises:
            InvalidInputError: one of them is none; it is named.
        """
        return cls(
            pushes_per_minute=_read(metadata, PUSHES_PER_MINUTE, rate_of),
            push_burst=_read(metadata, PUSH_BURST, _burst_of),
            deletions=_read(metadata, DELETION_BUDGET, limit_of),
            allow_deletions=_read(metadata, ALLOW_DELETIONS, count_of),
        )


def _read(metadata: Fields, name: str, read: Callable[[str], T]) -> T | None:
    text = metadata.string_map("annotations").get(name)
    if text is None:
        return None
    try:
        return read(text)
    except ValueError as error:
        raise _wrong(metadata, name, error) from None


def _wrong(metadata: Fields, name: str, error: ValueError) -> InvalidInputError:
    return metadata.section("annotations").error(name, f"{error}.")


def rate_of(text: str) -> float:
    """Read pushes a minute, infinite for ``unlimited``. Raises ValueError."""
    if text == UNLIMITED:
        return math.inf
    rate = float(text) if _DECIMAL.fullmatch(text) else 0.0
    if not _LEAST <= rate <= _MOST:
        raise ValueError(
            f"{text[:60]!r} is no number of pushes a minute; give 6, 0.5 or {UNLIMITED}, at most "
            f"{_MOST:g} and at least one a day"
        )
    return rate


def _burst_of(text: str) -> int:
    burst = count_of(text)
    if not burst:
        raise ValueError("with no push at once nothing is ever pushed; give 1 or more")
    return burst


def count_of(text: str) -> int:
    """Read a number of things. Raises ValueError."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is no whole number, such as 12")
    return int(text)


def limit_of(text: str) -> DeletionLimit:
    """Read a deletion limit, ``COUNT,PERCENT%``. Raises ValueError."""
    found = _LIMIT.fullmatch(text)
    if found is None or float(found["percent"]) > 100:  # noqa: PLR2004  (per cent)
        raise ValueError(
            f"{text[:60]!r} is no COUNT,PERCENT%, such as 10,20% for more than 10 requests and "
            "more than 20 % of the inventory"
        )
    return DeletionLimit(int(found["count"]), float(found["percent"]))

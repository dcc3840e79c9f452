"""Rotation: when the next generation of a credential is made, and when the one before it ends.

Each generation is a credential of its own, numbered from 1. The next is made and published while
the one before it is still good; that one ends once whoever uses it has had time to take up the new
one. Nothing here knows what a credential is, or asks what time it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

__all__ = ["Generation", "Policy", "Steps", "next_steps", "renewal_of"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How long credentials are good.

    Attributes:
        lifetime: of each generation from when it was issued; None for one that never ends.
        renew_before: how long before its end the next one is made.
        overlap: how long the one before is good after the next one was delivered.
        allowance: how long after it was issued a generation counts as delivered, where nobody can
            tell; None for "never": then the one before ends only by itself.
    """

    lifetime: timedelta | None
    renew_before: timedelta
    overlap: timedelta
    allowance: timedelta | None = timedelta(hours=1)

    def problem(self) -> str | None:
        """Return why no rotation can keep to it, None when one can.

        What is due may be made as late as a delivery may take: that still has to leave the overlap
        before the end. And a generation has to be the newest for as long as it takes to end the one
        before it, or more than two would be good at a time, and each look would make another.
        """
        if self.lifetime is None:
            return None
        needed = self.overlap + (self.allowance or timedelta())
        if self.renew_before < needed:
            return (
                f"the next one would be made {self.renew_before} before the end, which is less "
                f"than the overlap and the time allowed for delivery ({needed}); make it earlier, "
                "or the overlap shorter"
            )
        if self.lifetime < self.renew_before + needed:
            return (
                f"the lifetime ({self.lifetime}) is shorter than the time before its end at which "
                f"the next one is made ({self.renew_before}) together with the overlap and the "
                f"time allowed for delivery ({needed}), so that more than two would be good at a "
                "time; make it longer"
            )
        return None


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of a credential.

    Attributes:
        number: from 1; each is one more than that before it.
        issued: when it was made.
        expires: when it ends by itself, None for never.
        delivered: when it was seen where it is used, None while that is not known.
    """

    number: int
    issued: datetime
    expires: datetime | None = None
    delivered: datetime | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """What is to be done at a moment.

    Attributes:
        mint: number of the generation to make, None when there is nothing to make.
        retire: generations whose time is over.
        due: when to look again, None for "when something changes".
    """

    mint: int | None
    retire: tuple[Generation, ...]
    due: datetime | None


def next_steps(
    policy: Policy, known: Sequence[Generation], now: datetime, *, renew: bool = False
) -> Steps:
    """Return what is to be done.

    Args:
        policy: how long credentials are good.
        known: the generations that are not retired, in the order of their numbers.
        now: the moment.
        renew: whether somebody asked for a new one.
    """
    newest = known[-1] if known else None
    mint: int | None = None
    after = list(known)
    if newest is None or renew or _is_old(policy, newest, now):
        mint = newest.number + 1 if newest is not None else 1
        expires = now + policy.lifetime if policy.lifetime is not None else None
        after.append(Generation(mint, now, expires))
    ends = [(old, _end(policy, old, new)) for old, new in pairwise(after)]
    retire = tuple(old for old, end in ends if end is not None and end <= now)
    dues = [end for _, end in ends if end is not None and end > now]
    renewal = renewal_of(policy, after[-1])
    return Steps(mint, retire, min([*dues, *([renewal] if renewal else [])], default=None))


def _is_old(policy: Policy, newest: Generation, now: datetime) -> bool:
    renewal = renewal_of(policy, newest)
    return renewal is not None and renewal <= now


def renewal_of(policy: Policy, newest: Generation) -> datetime | None:
    """Return when the next one is to be made by the schedule, None for never.

    Where whoever made it gave it a life so short that it would be renewed from its first day on,
    that is in the middle of its life.
    """
    if newest.expires is None:
        return None
    renewal = newest.expires - policy.renew_before
    middle = newest.issued + (newest.expires - newest.issued) / 2
    return renewal if renewal > newest.issued else middle


def _end(policy: Policy, old: Generation, new: Generation) -> datetime | None:
    """Return when a generation has to end that another follows, None for "nobody knows"."""
    taken = new.delivered
    if taken is None and policy.allowance is not None:
        taken = new.issued + policy.allowance
    ends = [old.expires] if old.expires is not None else []
    if taken is not None:
        ends.append(taken + policy.overlap)
    return min(ends, default=None)

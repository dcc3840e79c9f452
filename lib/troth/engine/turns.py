"""Turns: who is written at once, and in which order those act that have something to do outside.

What a stage has made outside is known by its state alone, and that is nowhere before it is written:
a run that is cut off loses it. So they act in batches, each written before the next one acts.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from troth.engine.change import Pair
from troth.engine.resting import Before, newly_needed, provided, resting

__all__ = ["AT_ONCE", "Turns", "turns_of"]

AT_ONCE = 50
"""Requests that may have acted and are not written yet: so many generations a run that is killed
loses. A push takes one to two seconds, and ten where the budget of a host bounds it; fifty stages
that each ask a provider take no less, so the pushes make a run no more than twice as long."""


@dataclass(frozen=True, slots=True)
class Turns:
    """The order of a run.

    Attributes:
        first: those that wait for nobody.
        batches: the others, with at most `AT_ONCE` in each that act; what hangs on something comes
            after it.
    """

    first: Sequence[Pair]
    batches: Sequence[Sequence[Pair]]


def turns_of(drafts: Sequence[Pair], before: Before) -> Turns:
    """Return when each draft has its turn.

    Args:
        drafts: all that came through.
        before: tells what was there at the start of the run.
    """
    acting = {draft.key for draft, _ in drafts if draft.is_to_act}
    hanging = resting([draft for draft, _ in drafts], acting, before)
    late = [pair for pair in drafts if pair[0].key in acting or pair[0].key in hanging]
    first = [pair for pair in drafts if pair[0].key not in acting and pair[0].key not in hanging]
    return Turns(first, [batch for wave in _waves(late, before) for batch in _batches(wave)])


def _waves(drafts: Iterable[Pair], before: Before) -> Iterator[list[Pair]]:
    """Yield drafts in such an order that what hangs on something comes in a later wave."""
    left = sorted(drafts, key=lambda pair: pair[0].key)
    while left:
        parents = provided(draft for draft, _ in left)
        ready = [
            (draft, change)
            for draft, change in left
            if not {parents.get(one, draft.key) for one in newly_needed(draft, before)}
            - {draft.key}
        ]
        wave = ready or left  # what hangs on each other in a circle goes together
        yield wave
        done = {draft.key for draft, _ in wave}
        left = [pair for pair in left if pair[0].key not in done]


def _batches(wave: Sequence[Pair]) -> Iterator[list[Pair]]:
    acting = [pair for pair in wave if pair[0].is_to_act]
    others = [pair for pair in wave if not pair[0].is_to_act]
    for start in range(0, max(len(acting), 1), AT_ONCE):
        yield [*others, *acting[start : start + AT_ONCE]]
        others = []

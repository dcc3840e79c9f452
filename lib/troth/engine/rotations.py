"""Rotations: how many credentials are made anew in one run since a cluster has lost its keys.

Such a cluster can open nothing that was sealed for it, so all of its credentials are due at one
moment: ten thousand users made at a provider in one run, and as many workloads that restart. So a
run lets only so many of them act; the others keep what they have, and the next run goes on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from troth.api import Json, RequestKey, is_object
from troth.engine.awaited_keys import with_keys_awaited
from troth.engine.change import Composer, Pair
from troth.engine.draft import Draft
from troth.engine.settled import Settled, Settlement
from troth.engine.standstill import remembered
from troth.engine.values import World

__all__ = ["ROTATIONS", "RotationLimit"]

ROTATIONS = 200
"""Requests that a run lets rotate. At Synadia each takes some calls, so they take a few minutes."""


@dataclass(frozen=True, slots=True)
class RotationLimit:
    """How many requests may rotate in a run since their cluster has lost its keys.

    Attributes:
        most: so many.
        begun: those that an earlier round of the run has let rotate; they count, and may go on.
    """

    most: int = ROTATIONS
    begun: frozenset[RequestKey] = field(default_factory=frozenset[RequestKey])

    def ration(self, drafts: Sequence[Pair], world: World, composer: Composer) -> list[Pair]:
        """Return the drafts, those that are too many as they were, with the reason why.

        They go in the order of their keys; those that could not be done the last time go last, so
        that they hold up nobody.

        Args:
            drafts: all that came through.
            world: tells the epoch of each cluster's keys.
            composer: makes changes.
        """
        due = [draft for draft, _ in drafts if _lost_its_keys(draft, world)]
        due.sort(key=lambda one: (one.key not in self.begun, _failed(one), one.key))
        room = sum(one.key in self.begun for one in due) + max(0, self.most - len(self.begun))
        let = {draft.key for draft in due[:room]}
        waiting = {draft.key for draft in due[room:]}
        words = (
            "its cluster has lost its sealing keys (troth.dev/sealing-epoch), so its credentials "
            f"are due to be made anew: {len(let)} requests are let in this run, and {len(waiting)} "
            "wait with what they have, this one among them. Run sync again, or let more with "
            "--rotation-limit."
        )
        return [
            _waiting(draft, words, composer)
            if draft.key in waiting
            else (replace(draft, rotates=draft.key in let), change)
            for draft, change in drafts
        ]


def _waiting(draft: Draft, words: str, composer: Composer) -> Pair:
    kept = draft.begun or draft
    if kept.record is None:
        return draft, composer.update(draft)
    kept = remembered(kept, kept.record, Settled(Settlement.KEYS_REPLACED, words))
    kept = replace(kept, status=with_keys_awaited(kept.status))
    return kept, composer.update(kept)


def _failed(draft: Draft) -> bool:
    return draft.record is not None and bool(draft.record.undone)


def _lost_its_keys(draft: Draft, world: World) -> bool:
    """Tell whether a draft acts though the cluster can open nothing that was sealed for it."""
    if not draft.is_to_act or draft.record is None:
        return False
    epochs = {one.name: one.sealing_epoch for one in world.destinations.values()}
    return any(
        epochs.get(destination, epoch) != epoch
        for destination, epoch in _sealed_for(draft.record.status)
    )


def _sealed_for(status: Json) -> Iterator[tuple[str, str]]:
    """Yield Destination and epoch of each sealed value in a status, wherever a stage keeps it."""
    if isinstance(status, Mapping) and is_object(status):
        destination, epoch = status.get("destination"), status.get("epoch", "")
        if "ciphertext" in status and isinstance(destination, str) and isinstance(epoch, str):
            yield destination, epoch
            return
        for value in status.values():
            yield from _sealed_for(value)
    elif isinstance(status, Sequence) and not isinstance(status, str):
        for value in status:
            yield from _sealed_for(value)

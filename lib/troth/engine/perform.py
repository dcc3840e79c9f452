"""Perform: let stages do outside what they asked for, once it is known that it may be written.

Until then every rendering is one without effects: so a request that somebody else's hold stops, or
a gate, has made nothing outside that nobody will ever use. The second rendering may fill in what
only an effect could tell, and nothing else: what was claimed is what is written.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from troth.api import RequestKey
from troth.engine.change import Change, Composer, Pair
from troth.engine.climb import attempt
from troth.engine.draft import Draft
from troth.engine.prepare import Preparer
from troth.engine.report import of_error
from troth.engine.values import Item, ObjectId, Spot
from troth.errors import Reason, StageError, TrothError

__all__ = ["Performer"]


@dataclass(frozen=True, slots=True)
class Performer:
    """Renders again with effects.

    Args:
        preparer: its renderer performs effects.
        composer: makes changes.
        workers: how many stages may run at once.
    """

    preparer: Preparer
    composer: Composer
    workers: int

    def perform(self, drafts: Sequence[Pair]) -> tuple[list[Pair], list[Item]]:
        """Return the drafts with what their effects gave, and a report on those that failed.

        What stays where it is because it waits, or has no place, does nothing outside.
        """
        return _split(drafts, self._done(pair for pair in drafts if pair[0].is_to_act))

    def _done(self, drafts: Iterable[Pair]) -> dict[RequestKey, Pair | TrothError]:
        asked = {pair[0].key: pair for pair in drafts}
        if not asked:
            return {}
        with ThreadPoolExecutor(self.workers) as pool:
            return dict(zip(asked, pool.map(self._attempt, asked.values()), strict=True))

    def _attempt(self, planned: Pair) -> Pair | TrothError:
        return attempt(self._again, planned)

    def _again(self, planned: Pair) -> Pair:
        draft, change = planned
        fresh = self.preparer.finish(draft.begun or draft)
        if fresh.settled is None and _claims(fresh) != _claims(draft):
            message = (
                "once its effects were performed, the stage rendered other objects, routes or "
                "files than before; only what stands in them may depend on an effect. "
                "The stage has to be mended."
            )
            raise StageError(Reason.UNSTABLE, message)
        fresh = replace(fresh, put_back=draft.put_back, rotates=draft.rotates)
        return fresh, _renewed(change, fresh, self.composer.update(fresh))


def _split(
    drafts: Sequence[Pair], outcomes: Mapping[RequestKey, Pair | TrothError]
) -> tuple[list[Pair], list[Item]]:
    items: list[Item] = []
    found: list[Pair] = []
    for pair in drafts:
        fresh = outcomes.get(pair[0].key, pair)
        if isinstance(fresh, TrothError):
            items.append(of_error(pair[0].submission, pair[0].key, fresh))
        else:
            found.append(fresh)
    return found, items


def _claims(draft: Draft) -> set[tuple[str, ObjectId | Spot | str]]:
    """Return all that a draft asks for: objects, routes and files."""
    found: set[tuple[str, ObjectId | Spot | str]] = {
        (name, str(traits.encode())) for name, traits in draft.traits.items()
    }
    for placement in draft.placements:
        found |= {(placement.destination, identity) for identity in placement.objects}
        found |= {(placement.destination, spot) for spot in placement.spots}
    return found


def _renewed(planned: Change | None, draft: Draft, change: Change | None) -> Change | None:
    """Return a change with what the one that was planned has besides files and record.

    Where the stages asked to wait once they had acted, or want to go nowhere, what they had before
    stays as it is: so nothing that was planned to go may go.
    """
    if planned is None or change is None or draft.settled is not None:
        return change
    parts = {
        store: replace(part, guard=planned.parts[store].guard) if store in planned.parts else part
        for store, part in change.parts.items()
    }
    more = planned.delete - change.files.keys() - change.delete
    return replace(change, parts=parts).also_deleting(more)

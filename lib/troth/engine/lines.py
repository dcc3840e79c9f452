"""Lines: what became of the changes of a plan, as its report says it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from troth.api import RequestKey
from troth.engine.carry import Fate, landed, told
from troth.engine.change import Pair
from troth.engine.draft import Draft
from troth.engine.ladder import Plan
from troth.engine.report import of_draft, of_error, of_record, state_of
from troth.engine.upkeep import Upkeep
from troth.engine.values import HELD, Item, State
from troth.errors import Reason, TrothError
from troth_statestore import Outcome, Receipt

__all__ = ["removal_item", "stays", "unchanged", "unsettled", "update_item", "upkeep_item"]


def stays(plan: Plan, old: RequestKey, heir: RequestKey) -> Item:
    """Report one that is kept, since who takes over was not written."""
    text = f"kept: {heir}, which takes over, was not written, or not all of it; see there."
    record = plan.ledger.entries[old].record
    return of_record(record, State.ORPHANED, Reason.PROMISE_UNAVAILABLE, text)


def unchanged(plan: Plan, drafts: Iterable[Pair]) -> list[Item]:
    """Report those for which there was nothing to write."""
    return [
        of_draft(draft, written=False, revision=plan.ledger.view.revision(draft.home))
        for draft, change in drafts
        if change is None
    ]


def update_item(plan: Plan, draft: Draft, outcome: Fate) -> Item:
    """Report one that was to be written."""
    outcome = told(outcome)
    if isinstance(outcome, TrothError):
        return of_error(draft.submission, draft.key, outcome)
    touched = bool(outcome.changed) or draft.record is None
    revision = outcome.revision or plan.ledger.view.revision(draft.home)
    written = outcome.outcome is Outcome.WRITTEN and touched
    item = of_draft(draft, written=written, revision=revision)
    return replace(item, tree=outcome.tree, changed=outcome.changed)


def removal_item(plan: Plan, key: RequestKey, outcome: Fate) -> Item:
    """Report one that was to be removed."""
    record = plan.ledger.entries[key].record
    outcome = told(outcome)
    if isinstance(outcome, TrothError):
        return of_record(record, state_of(outcome), outcome.reason, outcome.message)
    item = of_record(record, State.REMOVED, Reason.REMOVED, revision=outcome.revision)
    return replace(item, tree=outcome.tree, changed=outcome.changed)


def upkeep_item(upkeep: Upkeep, outcome: Fate) -> Item:
    """Report what a Destination needed for itself."""
    outcome = told(outcome)
    if isinstance(outcome, TrothError):
        item, message = upkeep.item, f"not written: {outcome.message}"
        return replace(item, state=state_of(outcome), reason=outcome.reason, message=message)
    return replace(upkeep.item, revision=outcome.revision)


def unsettled(
    plan: Plan,
    items: Sequence[Item],
    outcomes: Mapping[RequestKey, Fate],
    waits: Mapping[RequestKey, RequestKey],
) -> frozenset[RequestKey]:
    """Return the requests worth another round.

    Args:
        plan: what was carried out.
        items: what was said of it.
        outcomes: what became of its changes.
        waits: those that were not written since they rest on another, each with that one.
    """
    done = landed(outcomes)
    stale = {key for key, one in outcomes.items() if isinstance(one, Receipt)} - done
    stale |= {old for old, heir in plan.heirs.by_old.items() if heir in stale}
    while more := {key for key, other in waits.items() if other in stale} - stale:
        stale |= more
    if not plan.blockers & done:
        return frozenset(stale)
    stale |= {item.key for item in items if _waits_for_heir(item)}
    held = {item.key for item in items if item.reason in HELD}
    freed = {key.promise for key in held if not key.name}
    waiting = (one for one in items if one.reason == Reason.PROMISE_UNAVAILABLE)
    held |= {item.key for item in waiting if item.promise in freed}
    return frozenset(stale | held)


def _waits_for_heir(item: Item) -> bool:
    return (item.state, item.reason) == (State.ORPHANED, Reason.PROMISE_UNAVAILABLE)

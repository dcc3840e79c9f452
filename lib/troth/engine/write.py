"""Write: hand a plan to the store, and report what came of it.

Called by the drivers with a plan of `Engine.plan`. Delete pipelines run here, before the removal
they belong to is written; a request counts as written or removed only once the store has said so.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from troth.api import RequestKey
from troth.engine.change import Composer
from troth.engine.draft import Draft
from troth.engine.ladder import Plan, Settings
from troth.engine.observe import observe
from troth.engine.removal import Remover
from troth.engine.render import Rendered, Renderer
from troth.engine.report import of_draft, of_error, of_record, state_of
from troth.engine.revisions import added_revisions, unused_revisions
from troth.engine.values import Item, State, World
from troth.errors import FaultError, Reason, TransientError, TrothError
from troth_statestore import ChangeSet, Outcome, Receipt

__all__ = ["Report", "Submit", "Writer"]

_log = logging.getLogger(__name__)

Submit: TypeAlias = Callable[[Sequence[ChangeSet]], Sequence[Future[Receipt]]]
"""Hands change sets to a store, all at once; each future tells what became of one."""

_STALE = TransientError(
    Reason.STATE_STORE_BUSY,
    "its record was changed by somebody else while this run was under way; run again.",
)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a plan.

    Attributes:
        items: one line for each request, in the order of their keys.
        unsettled: requests worth another round at once: the store had moved under them, or what
            they asked for has just become free.
    """

    items: Sequence[Item]
    unsettled: frozenset[RequestKey]


@dataclass(frozen=True, slots=True)
class Writer:
    """Carries plans out.

    Args:
        world: Promises and Destinations.
        renderer: runs delete pipelines.
        settings: what the run may do.
        submit: hands change sets to the store.
    """

    world: World
    renderer: Renderer
    settings: Settings
    submit: Submit

    def write(self, plan: Plan) -> Report:
        """Carry out a plan, and say what came of each request."""
        composer = Composer(plan.ledger, self.settings.inventory)
        removals, items = self._delete(plan, composer)
        updates = [draft for draft, change in plan.drafts if change is not None]
        changes = [change for _, change in plan.drafts if change is not None]
        added = added_revisions(plan)
        futures = self.submit([*added, *changes, *removals.values()])
        outcomes = [_outcome(future) for future in futures][len(added) :]
        changed = dict(zip([*(draft.key for draft in updates), *removals], outcomes, strict=True))
        self._forget_revisions(plan, changed)
        items += [*plan.items, *_unchanged(plan)]
        items += [_update_item(plan, draft, changed[draft.key]) for draft in updates]
        items += [_removal_item(plan, key, changed[key]) for key in removals]
        return Report(sorted(items, key=_order), _unsettled(plan, items, changed))

    def _forget_revisions(
        self, plan: Plan, outcomes: Mapping[RequestKey, Receipt | TrothError]
    ) -> None:
        """Remove revisions that nothing uses any more, now that what replaced them is written."""
        settled = {
            key
            for key, outcome in outcomes.items()
            if isinstance(outcome, Receipt) and outcome.outcome is not Outcome.STALE
        }
        unused = unused_revisions(plan, settled)
        for future in self.submit(unused) if unused else ():
            outcome = _outcome(future)
            if isinstance(outcome, TrothError):  # no request is the worse for it; tried next time
                _log.warning("An unused revision was not removed: %s", outcome.message)

    def _delete(
        self, plan: Plan, composer: Composer
    ) -> tuple[dict[RequestKey, ChangeSet], list[Item]]:
        """Run the delete pipelines; return the removals that may be written, and the others."""
        remover = Remover(self.world, plan.ledger, self.renderer)

        def run(key: RequestKey) -> Rendered | TrothError:
            try:
                return remover.run(key)
            except TrothError as error:
                return error
            except Exception as error:  # noqa: BLE001  (a fault of ours costs this request alone)
                _log.debug("Removing a request failed.", exc_info=error)
                return FaultError.of(error)

        with ThreadPoolExecutor(self.renderer.runner.parallelism) as pool:
            outcomes = list(pool.map(run, plan.removals))
        removals: dict[RequestKey, ChangeSet] = {}
        items: list[Item] = []
        for key, outcome in zip(plan.removals, outcomes, strict=True):
            record, _ = plan.ledger.records[key]
            if isinstance(outcome, TrothError):
                text = f"not removed: {outcome.message}"
                items.append(of_record(record, state_of(outcome), outcome.reason, text))
            elif outcome.suspension is not None:
                text = f"not removed yet: {outcome.suspension.words}"
                items.append(of_record(record, State.SUSPENDED, Reason.WORKFLOW_SUSPENDED, text))
            else:
                paths = [destination.path for destination in self.world.destinations.values()]
                files = frozenset(observe(key, record, paths, plan.ledger.snapshot))
                removals[key] = composer.removal(key, record, files)
        return removals, items


def _outcome(future: Future[Receipt]) -> Receipt | TrothError:
    try:
        return future.result()
    except TrothError as error:
        return error
    except Exception as error:  # noqa: BLE001  (a fault of ours ends no run without its report)
        _log.debug("Writing a request failed.", exc_info=error)
        return FaultError.of(error)


def _unchanged(plan: Plan) -> list[Item]:
    revision = plan.ledger.snapshot.revision
    return [
        of_draft(draft, written=False, revision=revision)
        for draft, change in plan.drafts
        if change is None
    ]


def _update_item(plan: Plan, draft: Draft, outcome: Receipt | TrothError) -> Item:
    if isinstance(outcome, Receipt) and outcome.outcome is Outcome.STALE:
        outcome = _STALE
    if isinstance(outcome, TrothError):
        return of_error(draft.submission, draft.key, outcome)
    touched = bool(outcome.changed) or draft.record is None
    revision = outcome.revision or plan.ledger.snapshot.revision
    return of_draft(
        draft, written=outcome.outcome is Outcome.WRITTEN and touched, revision=revision
    )


def _removal_item(plan: Plan, key: RequestKey, outcome: Receipt | TrothError) -> Item:
    record, _ = plan.ledger.records[key]
    if isinstance(outcome, Receipt) and outcome.outcome is Outcome.STALE:
        outcome = _STALE
    if isinstance(outcome, TrothError):
        return of_record(record, state_of(outcome), outcome.reason, outcome.message)
    return of_record(record, State.REMOVED, Reason.REMOVED, revision=outcome.revision)


def _unsettled(
    plan: Plan, items: Sequence[Item], outcomes: Mapping[RequestKey, Receipt | TrothError]
) -> frozenset[RequestKey]:
    receipts = {key: one for key, one in outcomes.items() if isinstance(one, Receipt)}
    stale = {key for key, one in receipts.items() if one.outcome is Outcome.STALE}
    if not plan.blockers & (receipts.keys() - stale):
        return frozenset(stale)
    held = {_order(item) for item in items if item.reason == Reason.OBJECT_HELD}
    return frozenset(stale | {RequestKey(*key) for key in held})


def _order(item: Item) -> tuple[str, str, str]:
    return item.namespace, item.promise, item.name

"""Write: hand a plan to the stores, and report what came of it.

Called by the drivers with a plan of `Engine.plan`. Delete pipelines run here, before the removal
they belong to is written; a request counts as written or removed only once its stores have said so.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from troth.api import RequestKey
from troth.engine.agreed import with_agreements
from troth.engine.canary import Upkeep
from troth.engine.carry import Fate, Submit, carry_out, hand_in, landed, told
from troth.engine.change import Change, Composer
from troth.engine.draft import Draft
from troth.engine.heirs import in_turn, not_yet, without_heirs
from troth.engine.ladder import Plan, Settings
from troth.engine.observe import observe
from troth.engine.record import Record
from troth.engine.removal import Remover, not_removed_yet, promise_in_use
from troth.engine.render import Rendered, Renderer
from troth.engine.report import of_draft, of_error, of_record, state_of, with_upkeep
from troth.engine.revisions import added_revisions, unused_revisions
from troth.engine.values import HELD, Item, Spot, State, World
from troth.errors import FaultError, Reason, TrothError
from troth_statestore import Outcome, Receipt

__all__ = ["Report", "Submit", "Writer"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a plan.

    Attributes:
        items: one line for each request, in the order of their keys.
        unsettled: requests worth another round at once: a store had moved under them, or what
            they asked for has just become free.
    """

    items: Sequence[Item]
    unsettled: frozenset[RequestKey]


@dataclass(frozen=True, slots=True)
class Writer:
    """Carries plans out.

    Args:
        world: Promises and Destinations.
        renderer: runs delete pipelines, and lets them do outside what they have to.
        settings: what the run may do.
        submit: hands change sets to a store.
    """

    world: World
    renderer: Renderer
    settings: Settings
    submit: Submit

    def write(self, plan: Plan) -> Report:
        """Carry out a plan, and say what came of each request."""
        removals = [key for key in plan.removals if not key.is_promise]
        deleted, items = self._delete(plan, removals)
        drafts, later = in_turn(plan.drafts, plan.heirs, plan.ledger, deleted)
        drafts, unperformed = plan.performer.perform(drafts)
        stay = without_heirs(plan.removals, plan.heirs, (draft for draft, _ in drafts))
        later += [
            _stays(plan, old, plan.heirs.now(old))
            for old in stay
            if old in deleted or old.is_promise
        ]
        deleted = {old: change for old, change in deleted.items() if old not in stay}
        last = [one for one in drafts if one[1] is not None and plan.heirs.forebears(one[0].key)
                and one[0].key.is_promise]  # fmt: skip
        late = {draft.key for draft, _ in last}
        first = [one for one in drafts if one[0].key not in late]
        own = {one.key: one.change for one in plan.upkeep}
        outcomes, kept = self._carry(plan, first, deleted, own)
        gone, others = self._uninstall(plan, last, deleted.keys() & landed(outcomes), stay)
        outcomes |= gone
        self._forget_revisions(plan, outcomes)
        items += [*plan.items, *unperformed, *kept, *others, *later, *_unchanged(plan, drafts)]
        items += [
            _update_item(plan, draft, outcomes[draft.key])
            for draft, change in drafts
            if change is not None and draft.key in outcomes
        ]
        items += [
            _removal_item(plan, key, outcomes[key]) for key in plan.removals if key in outcomes
        ]
        items = with_agreements(items, plan)
        items = with_upkeep(items, [_upkeep_item(one, outcomes[one.key]) for one in plan.upkeep])
        return Report(sorted(items, key=lambda item: item.key), _unsettled(plan, items, outcomes))

    def _carry(
        self,
        plan: Plan,
        drafts: Sequence[tuple[Draft, Change | None]],
        deleted: Mapping[RequestKey, Change],
        own: Mapping[RequestKey, Change],
    ) -> tuple[dict[RequestKey, Fate], list[Item]]:
        """Write drafts and removals; what one takes over from goes with it, or stays.

        Args:
            plan: they are of this plan.
            drafts: what to write.
            deleted: what to remove, whose delete pipelines are done.
            own: what Destinations need for themselves.
        """
        changing = {draft.key: change for draft, change in drafts if change is not None}
        heirs = {
            old: heir
            for old in deleted
            if (heir := plan.heirs.now(old)) != old and heir in changing
        }
        for old, heir in heirs.items():
            changing[heir] = changing[heir].also_deleting(deleted[old].delete)
        alone = {key: change for key, change in deleted.items() if key not in heirs}
        pending = {**changing, **alone, **own}
        fates = carry_out(
            self.submit,
            list(pending.values()),
            added_revisions(plan, drafts),
            plan.ledger.view.read,
        )
        outcomes = dict(zip(pending, fates, strict=True))
        done = landed(outcomes)
        composer = Composer(plan.ledger, self.settings.inventory)
        bare = {old: composer.removal(old, ()) for old, heir in heirs.items() if heir in done}
        outcomes |= zip(bare, carry_out(self.submit, list(bare.values())), strict=True)
        return outcomes, [
            _stays(plan, old, heir) for old, heir in heirs.items() if heir not in done
        ]

    def _uninstall(
        self,
        plan: Plan,
        heirs: Sequence[tuple[Draft, Change | None]],
        removed: Collection[RequestKey],
        stay: Collection[RequestKey],
    ) -> tuple[dict[RequestKey, Fate], list[Item]]:
        """Remove Promises of which no request is left, now that their removal has landed.

        Args:
            plan: they are of this plan.
            heirs: Promises that take over from some of them.
            removed: requests that are gone.
            stay: those that stay, since who takes over from them was left out.
        """
        left = plan.ledger.entries.keys() - set(removed)
        free: list[RequestKey] = []
        items: list[Item] = []
        for key in (one for one in plan.removals if one.is_promise and one not in stay):
            why = promise_in_use(key, left)
            if why is None:
                free.append(key)
            else:
                items.append(of_record(plan.ledger.entries[key].record, *why))
        deleted, kept = self._delete(plan, free)
        ready: list[tuple[Draft, Change | None]] = []
        for draft, change in heirs:
            stays = [old for old in plan.heirs.forebears(draft.key) if old not in deleted]
            if stays:
                items.append(not_yet(draft, stays[0]))
            else:
                ready.append((draft, change))
        outcomes, others = self._carry(plan, ready, deleted, {})
        return outcomes, [*items, *kept, *others]

    def _forget_revisions(self, plan: Plan, outcomes: Mapping[RequestKey, Fate]) -> None:
        """Remove revisions that nothing uses any more, now that what replaced them is written."""
        for outcome in hand_in(self.submit, unused_revisions(plan, landed(outcomes))):
            if isinstance(outcome, TrothError):  # no request is the worse for it; tried next time
                _log.warning("An unused revision was not removed: %s", outcome.message)

    def _delete(
        self, plan: Plan, keys: Sequence[RequestKey]
    ) -> tuple[dict[RequestKey, Change], list[Item]]:
        """Run the delete pipelines; return the removals that may be written, and the others."""
        remover = Remover(self.world, plan.ledger, self.renderer.performing)
        composer = Composer(plan.ledger, self.settings.inventory)

        def run(key: RequestKey) -> Rendered | TrothError:
            try:
                return remover.run(key)
            except TrothError as error:
                return error
            except Exception as error:  # noqa: BLE001  (a fault of ours costs this request alone)
                _log.debug("Removing a request failed.", exc_info=error)
                return FaultError.of(error)

        waiting = remover.waiting(keys)
        due = [key for key in keys if key not in waiting]
        with ThreadPoolExecutor(self.renderer.runner.parallelism) as pool:
            outcomes = dict(zip(due, pool.map(run, due), strict=True))
        items = [
            not_removed_yet(plan.ledger.entries[key].record, asked)
            for key, asked in waiting.items()
        ]
        removals: dict[RequestKey, Change] = {}
        stays = plan.kept_files if outcomes else frozenset[Spot]()
        for key, outcome in outcomes.items():
            record = plan.ledger.entries[key].record
            if isinstance(outcome, TrothError):
                text = f"not removed: {outcome.message}"
                items.append(of_record(record, state_of(outcome), outcome.reason, text))
            elif outcome.suspension is not None:
                items.append(self._suspended(plan, key, composer.suspended_removal(key, outcome)))
            else:
                files = observe(key, record, self.world, plan.ledger.view)
                removals[key] = composer.removal(key, files.keys() - stays)
        return removals, items

    def _suspended(self, plan: Plan, key: RequestKey, change: Change | None) -> Item:
        """Keep in its record that a delete pipeline asked to wait, and say so."""
        record = plan.ledger.entries[key].record
        if change is not None:
            home = change.parts[change.home]
            (outcome,) = hand_in(self.submit, [(change.home, home)])
            if isinstance(outcome, TrothError):
                return of_record(record, state_of(outcome), outcome.reason, outcome.message)
            record = Record.decode(home.record or b"", home.key, change.home)
        return not_removed_yet(record, record.suspension)


def _stays(plan: Plan, old: RequestKey, heir: RequestKey) -> Item:
    text = f"kept: {heir}, which takes over, was not written, or not all of it; see there."
    record = plan.ledger.entries[old].record
    return of_record(record, State.ORPHANED, Reason.PROMISE_UNAVAILABLE, text)


def _unchanged(plan: Plan, drafts: Iterable[tuple[Draft, Change | None]]) -> list[Item]:
    return [
        of_draft(draft, written=False, revision=plan.ledger.view.revision(draft.home))
        for draft, change in drafts
        if change is None
    ]


def _update_item(plan: Plan, draft: Draft, outcome: Fate) -> Item:
    outcome = told(outcome)
    if isinstance(outcome, TrothError):
        return of_error(draft.submission, draft.key, outcome)
    touched = bool(outcome.changed) or draft.record is None
    revision = outcome.revision or plan.ledger.view.revision(draft.home)
    written = outcome.outcome is Outcome.WRITTEN and touched
    item = of_draft(draft, written=written, revision=revision)
    return replace(item, tree=outcome.tree, changed=outcome.changed)


def _removal_item(plan: Plan, key: RequestKey, outcome: Fate) -> Item:
    record = plan.ledger.entries[key].record
    outcome = told(outcome)
    if isinstance(outcome, TrothError):
        return of_record(record, state_of(outcome), outcome.reason, outcome.message)
    item = of_record(record, State.REMOVED, Reason.REMOVED, revision=outcome.revision)
    return replace(item, tree=outcome.tree, changed=outcome.changed)


def _upkeep_item(upkeep: Upkeep, outcome: Fate) -> Item:
    outcome = told(outcome)
    if isinstance(outcome, TrothError):
        item, message = upkeep.item, f"not written: {outcome.message}"
        return replace(item, state=state_of(outcome), reason=outcome.reason, message=message)
    return replace(upkeep.item, revision=outcome.revision)


def _unsettled(
    plan: Plan, items: Sequence[Item], outcomes: Mapping[RequestKey, Fate]
) -> frozenset[RequestKey]:
    done = landed(outcomes)
    stale = {key for key, one in outcomes.items() if isinstance(one, Receipt)} - done
    stale |= {old for old, heir in plan.heirs.by_old.items() if heir in stale}
    if not plan.blockers & done:
        return frozenset(stale)
    stale |= {item.key for item in items if _waits_for_heir(item)}
    held = {item.key for item in items if item.reason in HELD}
    freed = {key.promise for key in held if not key.name}
    waits = (one for one in items if one.reason == Reason.PROMISE_UNAVAILABLE)
    held |= {item.key for item in waits if item.promise in freed}
    return frozenset(stale | held)


def _waits_for_heir(item: Item) -> bool:
    return (item.state, item.reason) == (State.ORPHANED, Reason.PROMISE_UNAVAILABLE)

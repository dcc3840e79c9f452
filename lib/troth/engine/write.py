"""Write: hand a plan to the stores, and report what came of it.

Called by the drivers with a plan of `Engine.plan`. Delete pipelines run here, before the removal
they belong to is written; a request counts as written or removed only once its stores have said so.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from troth.api import RequestKey
from troth.engine.agreed import with_agreements
from troth.engine.carry import Fate, Submit, carry_out, hand_in, landed
from troth.engine.change import Change, Composer, Pair
from troth.engine.climb import attempt
from troth.engine.course import Course
from troth.engine.heirs import in_turn, not_yet, without_heirs
from troth.engine.ladder import Plan, Settings
from troth.engine.lines import removal_item, stays, unchanged, unsettled, update_item, upkeep_item
from troth.engine.observe import observe
from troth.engine.record import Record
from troth.engine.removal import Remover, not_removed_yet, promise_in_use
from troth.engine.render import Renderer
from troth.engine.report import of_record, state_of, with_upkeep
from troth.engine.revisions import added_revisions, unused_revisions
from troth.engine.turns import turns_of
from troth.engine.values import Item, World
from troth.errors import TrothError

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
        acting = {draft.key for draft, _ in plan.drafts if draft.is_to_act}
        course = Course(plan, plan.heirs.of(acting))
        course.items += plan.items
        now = [key for key in plan.removals if not key.is_promise and key not in course.afterwards]
        deleted = self._delete(course, now)
        removed = {*deleted, *course.afterwards}
        drafts, early = in_turn(plan.drafts, plan.heirs, plan.ledger, removed)
        course.items += early
        stay = without_heirs(plan.removals, plan.heirs, (draft for draft, _ in drafts))
        kept = [old for old in stay if old in removed or old.is_promise]
        course.items += [stays(plan, old, plan.heirs.now(old)) for old in kept]
        deleted = {old: change for old, change in deleted.items() if old not in stay}
        last = [one for one in drafts if one[1] is not None and plan.heirs.forebears(one[0].key)
                and one[0].key.is_promise]  # fmt: skip
        late = {draft.key for draft, _ in last}
        self._in_turns(course, [one for one in drafts if one[0].key not in late], deleted)
        left = course.untold({*deleted, *course.afterwards} - stay)
        course.items += [stays(plan, old, plan.heirs.now(old)) for old in left]
        self._uninstall(course, last, stay)
        self._forget_revisions(plan, course.outcomes)
        return self._report(course)

    def _report(self, course: Course) -> Report:
        plan, outcomes = course.plan, course.outcomes
        items = [*course.items, *unchanged(plan, course.drafts)]
        items += [
            update_item(plan, draft, outcomes[draft.key])
            for draft, change in course.drafts
            if change is not None and draft.key in outcomes
        ]
        items += [
            removal_item(plan, key, outcomes[key]) for key in plan.removals if key in outcomes
        ]
        items = with_agreements(items, plan)
        items = with_upkeep(items, [upkeep_item(one, outcomes[one.key]) for one in plan.upkeep])
        again = unsettled(plan, items, outcomes, course.waits)
        return Report(sorted(items, key=lambda item: item.key), again)

    def _in_turns(
        self, course: Course, drafts: Sequence[Pair], deleted: Mapping[RequestKey, Change]
    ) -> None:
        """Write what waits for nobody at once; then let the others act, batch by batch."""
        plan = course.plan
        turns = turns_of(drafts, plan.heirs.before(plan.ledger))
        late = {draft.key for batch in turns.batches for draft, _ in batch}
        own = {one.key: one.change for one in plan.upkeep}
        now = {old: change for old, change in deleted.items() if plan.heirs.now(old) not in late}
        self._carry(course, turns.first, now, own)
        for batch in turns.batches:
            ready = course.acting(batch)
            acted = {draft.key for draft, _ in batch if draft.is_to_act}
            self._carry(course, ready, course.heirs_of(deleted, ready), {})
            course.lose(acted)

    def _carry(
        self,
        course: Course,
        drafts: Sequence[Pair],
        deleted: Mapping[RequestKey, Change],
        own: Mapping[RequestKey, Change],
    ) -> None:
        """Write drafts and removals; what one takes over from goes with it, or stays.

        Args:
            course: what is known so far.
            drafts: what to write.
            deleted: what to remove, whose delete pipelines are done.
            own: what Destinations need for themselves.
        """
        plan = course.plan
        changing = {draft.key: change for draft, change in drafts if change is not None}
        fresh = {draft.key for draft, _ in drafts if draft.settled is None}
        heirs = {
            old: heir
            for old, heir in plan.heirs.by_old.items()
            if heir in changing and (old in deleted or (old in course.afterwards and heir in fresh))
        }
        composer = Composer(plan.ledger, self.settings.inventory)
        for old, heir in heirs.items():
            gone = deleted[old] if old in deleted else self._removal(course, composer, old)
            changing[heir] = changing[heir].also_deleting(gone.delete)
        alone = {key: change for key, change in deleted.items() if key not in heirs}
        pending = {**changing, **alone, **own}
        added = course.added(added_revisions(plan, drafts))
        fates = carry_out(self.submit, list(pending.values()), added, plan.ledger.view.read)
        outcomes = dict(zip(pending, fates, strict=True))
        course.note(drafts, outcomes)
        done = landed(outcomes)
        course.items += [stays(plan, old, heir) for old, heir in heirs.items() if heir not in done]
        followed = [old for old, heir in heirs.items() if heir in done]
        ended = {*deleted, *self._delete(course, [old for old in followed if old not in deleted])}
        bare = {old: composer.removal(old, ()) for old in followed if old in ended}
        course.outcomes |= zip(bare, carry_out(self.submit, list(bare.values())), strict=True)

    def _uninstall(
        self, course: Course, heirs: Sequence[Pair], stay: Collection[RequestKey]
    ) -> None:
        """Remove Promises of which no request is left, now that their removal has landed.

        Args:
            course: what is known so far.
            heirs: Promises that take over from some of them.
            stay: those that stay, since who takes over from them was left out.
        """
        plan = course.plan
        gone = set(plan.removals) & landed(course.outcomes)
        left = plan.ledger.entries.keys() - gone
        free: list[RequestKey] = []
        for key in (one for one in plan.removals if one.is_promise and one not in stay):
            why = promise_in_use(key, left)
            if why is None:
                free.append(key)
            else:
                course.items.append(of_record(plan.ledger.entries[key].record, *why))
        deleted = self._delete(course, free)
        ready: list[Pair] = []
        for draft, change in heirs:
            still = [old for old in plan.heirs.forebears(draft.key) if old not in deleted]
            if still:
                course.items.append(not_yet(draft, still[0]))
            else:
                ready.append((draft, change))
        self._carry(course, ready, deleted, {})

    def _forget_revisions(self, plan: Plan, outcomes: Mapping[RequestKey, Fate]) -> None:
        """Remove revisions that nothing uses any more, now that what replaced them is written."""
        for outcome in hand_in(self.submit, unused_revisions(plan, landed(outcomes))):
            if isinstance(outcome, TrothError):  # no request is the worse for it; tried next time
                _log.warning("An unused revision was not removed: %s", outcome.message)

    def _delete(self, course: Course, keys: Sequence[RequestKey]) -> dict[RequestKey, Change]:
        """Run the delete pipelines; return the removals that may be written."""
        if not keys:
            return {}
        plan = course.plan
        remover = Remover(self.world, plan.ledger, self.renderer.performing)
        composer = Composer(plan.ledger, self.settings.inventory)
        waiting = remover.waiting(keys)
        due = [key for key in keys if key not in waiting]
        with ThreadPoolExecutor(self.renderer.runner.parallelism) as pool:
            outcomes = dict(zip(due, pool.map(partial(attempt, remover.run), due), strict=True))
        course.items += [
            not_removed_yet(plan.ledger.entries[key].record, asked)
            for key, asked in waiting.items()
        ]
        removals: dict[RequestKey, Change] = {}
        for key, outcome in outcomes.items():
            record = plan.ledger.entries[key].record
            if isinstance(outcome, TrothError):
                text = f"not removed: {outcome.message}"
                course.items.append(of_record(record, state_of(outcome), outcome.reason, text))
            elif outcome.suspension is not None:
                change = composer.suspended_removal(key, outcome)
                course.items.append(self._suspended(plan, key, change))
            else:
                removals[key] = self._removal(course, composer, key)
        return removals

    def _removal(self, course: Course, composer: Composer, key: RequestKey) -> Change:
        """Return what removes a request with those of its files that nobody else names."""
        ledger = course.plan.ledger
        files = observe(key, ledger.entries[key].record, self.world, ledger.view)
        return composer.removal(key, files.keys() - course.kept_files)

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

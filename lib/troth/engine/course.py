"""Course: one plan being carried out, and what has become of it so far."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from troth.api import RequestKey
from troth.engine.carry import Fate, landed
from troth.engine.change import Change, Pair
from troth.engine.draft import Draft
from troth.engine.ladder import Plan
from troth.engine.report import of_error
from troth.engine.resting import resting, rests
from troth.engine.turns import AT_ONCE
from troth.engine.values import Item, Spot
from troth.errors import Reason, TransientError, TrothError
from troth_statestore import ChangeSet

__all__ = ["Course"]


@dataclass(slots=True)
class Course:
    """What is known while a plan is carried out.

    Attributes:
        plan: the plan.
        afterwards: requests that are removed once who takes over from them is written, since that
            one has something to do outside; their delete pipelines may end what it replaces.
        outcomes: what became of changes.
        items: lines of the report.
        drafts: those that came through, as they were written.
        out: those that were to be written, and are not.
        waits: those that rest on one of these, each with that one.
        lost: how many acted and could not be written, with what the last of them was told.
        revisions: where revisions were handed in already.
    """

    plan: Plan
    afterwards: Collection[RequestKey] = ()
    outcomes: dict[RequestKey, Fate] = field(default_factory=dict[RequestKey, Fate])
    items: list[Item] = field(default_factory=list[Item])
    drafts: list[Pair] = field(default_factory=list[Pair])
    out: set[RequestKey] = field(default_factory=set[RequestKey])
    waits: dict[RequestKey, RequestKey] = field(default_factory=dict[RequestKey, RequestKey])
    lost: list[TrothError] = field(default_factory=list[TrothError])
    revisions: set[Spot] = field(default_factory=set[Spot])
    _kept: frozenset[Spot] | None = None

    @property
    def kept_files(self) -> frozenset[Spot]:
        """The files that no removal takes; found once, since it takes all requests to tell."""
        if self._kept is None:
            self._kept = self.plan.kept_files
        return self._kept

    def unless_resting(self, pairs: Iterable[Pair]) -> list[Pair]:
        """Leave out what rests on something that is not written; the report says so."""
        known = [draft for draft, _ in self.plan.drafts]
        waits = resting(known, self.out, self.plan.heirs.before(self.plan.ledger))
        ready: list[Pair] = []
        for draft, change in pairs:
            on = waits.get(draft.key)
            if on is None:
                ready.append((draft, change))
            else:
                self.items.append(rests(draft, on))
                self.out.add(draft.key)
                self.waits[draft.key] = on
        return ready

    def acting(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Let those act that may, and return what is to be written."""
        ready = self._unless_lost(self.unless_resting(pairs))
        fresh, failed = self.plan.performer.perform(ready)
        self.items += failed
        asked = {draft.key for draft, _ in pairs if draft.is_to_act}
        there = {draft.key for draft, _ in fresh if draft.settled is None or draft.key not in asked}
        self.out |= {draft.key for draft, _ in pairs} - there
        # What hangs on each other in a circle acts together; one that failed stops the others.
        done = self.unless_resting(one for one in fresh if one[0].key in there)
        return [*done, *(one for one in fresh if one[0].key not in there)]

    def _unless_lost(self, pairs: Iterable[Pair]) -> list[Pair]:
        """Leave out who would act, once so many could not be written that nobody else may."""
        ready: list[Pair] = []
        for draft, change in pairs:
            if draft.is_to_act and len(self.lost) >= AT_ONCE:
                self.items.append(_not_begun(draft, self.lost))
            else:
                ready.append((draft, change))
        return ready

    def note(self, pairs: Sequence[Pair], fates: Mapping[RequestKey, Fate]) -> None:
        """Note what became of drafts, of which some may have acted."""
        self.drafts += pairs
        self.outcomes |= fates
        done = landed(fates)
        missed = {draft.key for draft, change in pairs if change is not None} - done
        self.out |= missed

    def lose(self, acted: Collection[RequestKey]) -> None:
        """Count those that acted and could not be written."""
        stale = TransientError(Reason.STATE_STORE_BUSY, "others write to it.")
        for key in sorted(set(acted) - landed(self.outcomes)):
            fate = self.outcomes.get(key)
            if fate is not None:
                self.lost.append(fate if isinstance(fate, TrothError) else stale)

    def untold(self, keys: Iterable[RequestKey]) -> list[RequestKey]:
        """Return those of which the report says nothing yet."""
        known = {item.key for item in self.items} | self.outcomes.keys()
        return sorted(set(keys) - known)

    def heirs_of(
        self, deleted: Mapping[RequestKey, Change], pairs: Sequence[Pair]
    ) -> dict[RequestKey, Change]:
        """Return those of some removals that go with what is written here."""
        heirs = {draft.key for draft, _ in pairs}
        return {old: change for old, change in deleted.items() if self.plan.heirs.now(old) in heirs}

    def added(self, parts: Iterable[tuple[str, ChangeSet]]) -> list[tuple[str, ChangeSet]]:
        """Return what was not handed in before, and note that it is."""
        fresh = [one for one in parts if Spot(one[0], one[1].key) not in self.revisions]
        self.revisions |= {Spot(store, part.key) for store, part in fresh}
        return fresh


def _not_begun(draft: Draft, lost: Sequence[TrothError]) -> Item:
    why = lost[-1]
    message = (
        f"nothing was done: {len(lost)} requests before it have acted outside and could not be "
        f"written: {why.message}"
    )
    return of_error(draft.submission, draft.key, TransientError(why.reason, message))

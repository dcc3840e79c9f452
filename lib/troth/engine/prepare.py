"""The lower rungs, for one request by itself: admit, render, check, place, identify.

Nothing here looks at what others ask for, and nothing is written; what stands in the stores at the
start of the run is known (`Claims.standings`). `begin` is all that a request needs of which nothing
has changed; `finish` runs stages, so that many are worth finishing at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from troth.api import Json, RequestKey
from troth.engine.admit import Admission
from troth.engine.adopt import Adoptions
from troth.engine.check import OutputLimits, check_groups, check_places, check_status
from troth.engine.claim import Claims
from troth.engine.digest import InputDigests
from troth.engine.draft import Draft
from troth.engine.drifted import Drifted, drift_of
from troth.engine.ledger import Ledger
from troth.engine.moves import not_clean, out_of_reach, places_of, stores_of
from troth.engine.objects import identify, traits_of
from troth.engine.observe import Sight, compare
from troth.engine.place import place, require_any
from troth.engine.record import Record, identity_of
from troth.engine.refusals import refuse_superseded, refuse_without_pipelines
from troth.engine.render import Rendered, Renderer, refuse_own_effects, refuse_unknown
from troth.engine.routes import Traits
from troth.engine.sealing import refuse_misdirected
from troth.engine.settled import Settled
from troth.engine.stable import refuse_unstable, unless_rolled_back
from troth.engine.standstill import (
    HELD,
    PAUSED,
    REVERTED,
    UP_TO_DATE,
    remembered,
    suspended,
    unplaced,
    with_old_output,
)
from troth.engine.suspension import Suspension
from troth.engine.undone import spell_effects
from troth.engine.values import Placement, Spot, Submission, World
from troth.errors import HeldError, OutputRefusedError, Reason, UnscheduledError

__all__ = ["Preparer"]


@dataclass(frozen=True, slots=True)
class Preparer:
    """Prepares requests, and Promises, against one moment of the stores.

    `unavailable` says of Promises that cannot fulfil requests now why that is; `drifts` of requests
    what was found to be other outside than their records say.
    """

    world: World
    ledger: Ledger
    admission: Admission
    digests: InputDigests
    renderer: Renderer
    adoptions: Adoptions
    claims: Claims
    inventory: str
    limits: OutputLimits
    unavailable: Mapping[str, Settled] = field(default_factory=dict[str, Settled])
    drifts: Mapping[RequestKey, Drifted] = field(default_factory=dict[RequestKey, Drifted])

    def begin(self, submission: Submission) -> Draft:
        """Admit a request and remember what is known of it; `Draft.settled` says if that is all.

        Raises:
            PermanentError: of every kind that docs/errors.md lists for a request.
        """
        draft = replace(self._admit(submission), default_store=self.world.stores[0])
        record = draft.record
        if record is not None:
            self._refuse_foreign(draft, record)
            refuse_superseded(draft, record)
            self.ledger.view.require(sorted(stores_of(record, self.world)))
            drifts = drift_of(draft, self.drifts)
            draft = replace(draft, status=record.status, due=record.due, drifts=drifts)
        observed = self.claims.standings.observed(draft.key, record)
        leaving = record.leaving if record is not None else ()
        leaving = not_clean(leaving, observed, self.ledger.view)
        draft = replace(draft, observed=observed, leaving=leaving)
        halted = self._halted(draft)
        if halted is not None:
            return remembered(draft, record, halted) if record else replace(draft, settled=halted)
        forced = submission.request.forced or draft.promise.forces_requests
        if record is None or forced:
            return draft
        try:
            return self._remember(draft, record)
        except UnscheduledError as error:
            return unplaced(draft, error)

    def _admit(self, submission: Submission) -> Draft:
        if submission.is_promise:
            promise = self.world.promises[submission.request.name]
            return self.admission.admit_promise(submission, promise)
        return self.admission.admit(submission)

    def _halted(self, draft: Draft) -> Settled | None:
        """Return why nothing is to be done with a request now, whatever it asks for."""
        if draft.is_paused:
            return PAUSED
        if draft.submission.request.held:
            return HELD
        return None if draft.key.is_promise else self.unavailable.get(draft.key.promise)

    def finish(self, draft: Draft) -> Draft:
        """Render a request that was begun and is not settled, and find its place.

        Raises:
            PermanentError: as `begin`.
        """
        try:
            return self._render(draft)
        except UnscheduledError as error:
            return unplaced(draft, error)

    def _refuse_foreign(self, draft: Draft, record: Record) -> None:
        if draft.key.is_promise and self.claims.is_taken_over(draft.key):
            message = "another Promise takes over what it was; it is tried again once that is done."
            raise HeldError(Reason.OBJECT_HELD, message, draft.key)
        if not draft.key.is_promise and record.identity != identity_of(draft.submission.request):
            message = (
                f"its name is still that of a {record.identity[1]}, which Promise "
                f"{draft.key.promise} offered before; it is tried again once that is removed. If "
                "both wait for each other, take one of them out for a run."
            )
            raise HeldError(Reason.OBJECT_HELD, message, draft.key)
        if record.inventory != self.inventory:
            message = (
                f"{draft.key} belongs to the inventory {record.inventory!r}, this run to "
                f"{self.inventory!r}; let one of the two let go of it."
            )
            raise HeldError(Reason.OTHER_INVENTORY, message)

    def _remember(self, draft: Draft, record: Record) -> Draft:
        """Return the draft as the record has it; not settled when it has to be rendered."""
        digest = self._digest(draft, record.status)
        now = self.renderer.moment().now
        due = record.is_due(now) or bool(draft.drifts)
        if record.suspension is not None:
            if due or record.suspension.over(now, digest):
                return draft
            return remembered(draft, record, suspended(record.suspension))
        sight = compare(record, draft.observed, draft.home)
        if sight is Sight.REVERTED and record.was_asked(draft.asked):
            kept = self._still_placed(remembered(draft, record, REVERTED))
            why = self.claims.why_put_back(draft.key)
            if kept is None or why is not None:
                return replace(draft, put_back=why)
            return replace(draft, rolled_back=kept) if due else kept
        if not due and sight is Sight.INTACT and record.input_digest == digest:
            return self._still_placed(remembered(draft, record, UP_TO_DATE)) or draft
        return draft

    def _still_placed(self, draft: Draft) -> Draft | None:
        """Return a remembered draft if its Destinations are where they were, else None."""
        groups = {(p.group.pipeline, p.group.directory): p.group for p in draft.placements}
        places = place(draft.key, groups.values(), self.world, draft.placements)
        if places_of([*places.placements, *places.left]) != places_of(draft.placements):
            return None
        known = self.world.destinations.keys()
        if any(one.behind and one.destination in known for one in draft.placements):
            return None
        return replace(draft, misplaced=places.misplaced)

    def _digest(self, draft: Draft, status: Mapping[str, Json]) -> str:
        return self.digests.digest(draft.promise, draft.object, status, draft.key.workflow)

    def _render(self, draft: Draft) -> Draft:
        record, promise = draft.record, draft.promise
        refuse_without_pipelines(draft)
        if not (record is not None and record.placements) and not draft.key.is_promise:
            require_any(promise.selectors, self.world)
        rendered = self.renderer.configure(
            promise, draft.numbered, draft.status, draft.key.workflow, draft.drifts
        )
        check_status(rendered.status)
        refuse_unknown(rendered, performed=self.renderer.performs)
        refuse_own_effects(draft.key, rendered)
        again = not self.renderer.performs and self._repeats(draft)
        digest = self._digest(draft, rendered.status)
        begun = replace(draft, rolled_back=None) if rendered.effects else None
        draft = replace(
            draft,
            input_digest=digest,
            status=rendered.status,
            due=rendered.due,
            undone=spell_effects(rendered.effects),
            attempted=self.renderer.performs,
            effects=rendered.effects,
            begun=begun,
        )
        if rendered.suspension is not None:
            return self._waiting(draft, rendered.suspension)
        return self._lay_out(draft, rendered, again=again)

    def _waiting(self, draft: Draft, asked: Suspension) -> Draft:
        """Let a request wait with the output that it had.

        Nothing is claimed for what waits, so nothing is done outside either: it would be known only
        afterwards whether what comes of it may be written. What its stages left then tells of
        effects that nobody has performed.
        """
        check_status({"message": asked.message})
        if draft.begun is not None and not self.renderer.performs:
            what = "; ".join(draft.effects)
            draft = replace(draft.begun, due=draft.due, undone=draft.undone)
            text = (
                f"{asked.message} It wants to act outside as well ({what}), which is done for "
                "nothing that waits: a stage that waits for its own effect has to render with what "
                "is not known yet."
            )
            asked = replace(asked, message=text.strip())
        digest = self._digest(draft, draft.status)
        before = draft.record.suspension if draft.record is not None else None
        suspension = replace(asked, input_digest=digest).after(before)
        draft = replace(draft, settled=suspended(suspension), suspension=suspension)
        return with_old_output(draft)

    def _lay_out(self, draft: Draft, rendered: Rendered, *, again: bool) -> Draft:
        """Find the place of what was rendered, and what it holds there.

        Args:
            draft: with the state that the stages left.
            rendered: what they rendered.
            again: whether they had the very input and state that the record was made from.
        """
        record, secrets = draft.record, draft.promise.allows_plain_secrets
        earlier = record.placements if record is not None else ()
        check_groups(rendered.groups, self.limits, allow_secrets=secrets)
        try:
            places = place(draft.key, rendered.groups, self.world, earlier)
        except UnscheduledError as error:
            # What the stages left tells of effects that nobody has performed.
            return unplaced(draft.begun or draft, error)
        check_places(places.placements)
        self.ledger.view.require(sorted({one.store for one in places.placements}))
        placements = tuple(self._identified(p, secrets=secrets) for p in places.placements)
        adopted = self.adoptions.own(placements)
        gone = out_of_reach((*earlier, *draft.leaving), self.ledger.view)
        draft = replace(
            draft,
            placements=(*placements, *(replace(one, behind=True) for one in places.left)),
            traits=self._traits(placements),
            misplaced=places.misplaced,
            observed={**draft.observed, **adopted},
            left=_in(places.left, draft.observed),
            leaving=tuple(one for one in gone if one not in places.left),
        )
        if record is not None and again:
            refuse_unstable(draft, record)
        return unless_rolled_back(draft)

    def _repeats(self, draft: Draft) -> bool:
        """Tell whether a run has the very input and state that the record was made from.

        What is due, or has drifted, may do something new, and what was begun may be completed.
        """
        record = draft.record
        if record is None or draft.drifts or record.is_due(self.renderer.moment().now):
            return False
        whole = not any(placement.behind for placement in record.placements)
        digest = self._digest(draft, record.status)
        return whole and record.suspension is None and record.input_digest == digest

    def _traits(self, placements: Iterable[Placement]) -> dict[str, Traits]:
        """Return by Destination what routes are decided by."""
        found: dict[str, Traits] = {}
        for placement in placements:
            traits = traits_of(placement.group.files or {}, placement.objects)
            if traits:
                found[placement.destination] = found.get(placement.destination, Traits()) + traits
        return found

    def _identified(self, placement: Placement, *, secrets: bool) -> Placement:
        destination = self.world.destinations[placement.destination]
        files = placement.group.files or {}
        try:
            found = identify(files, destination.reader, allow_secrets=secrets)
            refuse_misdirected(files, destination, self.world)
        except OutputRefusedError as error:
            raise error.about(placement.group.source) from error
        objects = tuple(sorted(identity for items in found.values() for identity in items))
        return replace(placement, objects=objects)


def _in(placements: Iterable[Placement], observed: Mapping[Spot, str]) -> dict[Spot, str]:
    """Return the files of some placements."""
    found = list(placements)
    return {spot: d for spot, d in observed.items() if any(one.owns(spot) for one in found)}

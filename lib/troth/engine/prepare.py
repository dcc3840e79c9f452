"""The lower rungs, for one request by itself: admit, render, check, place, identify.

Nothing here looks at other requests, and nothing is written. `begin` is all that a request needs
of which nothing has changed; `finish` runs stages, so that many are worth finishing at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from troth.api import Fields, JsonObject
from troth.engine.admit import Admission
from troth.engine.check import OutputLimits, check_groups, check_places, check_status
from troth.engine.digest import InputDigests, output_digest
from troth.engine.draft import Draft, Settled
from troth.engine.ledger import Ledger
from troth.engine.objects import identify
from troth.engine.observe import Sight, compare, observe
from troth.engine.place import place, require_any
from troth.engine.record import Record
from troth.engine.render import Renderer
from troth.engine.suspension import Suspension
from troth.engine.values import Placement, Submission, World
from troth.errors import HeldError, OutputRefusedError, Reason, StageError, UnscheduledError

__all__ = ["Preparer"]


@dataclass(frozen=True, slots=True)
class Preparer:
    """Prepares requests against one moment of the store."""

    world: World
    ledger: Ledger
    admission: Admission
    digests: InputDigests
    renderer: Renderer
    inventory: str
    limits: OutputLimits

    def begin(self, submission: Submission) -> Draft:
        """Admit a request and recall what is known of it; `Draft.settled` says if that is all.

        Raises:
            PermanentError: of every kind that docs/errors.md lists for a request.
        """
        draft = self.admission.admit(submission)
        record = draft.record
        if record is not None:
            self._refuse_foreign(draft, record)
            draft = replace(draft, status=record.status)
        draft = replace(draft, observed=self._observed(draft, record))
        if submission.request.paused:
            return replace(draft, settled=_PAUSED)
        if record is None or submission.request.forced:
            return draft
        try:
            return self._recall(draft, record) or draft
        except UnscheduledError as error:
            return _unplaced(draft, error)

    def finish(self, draft: Draft) -> Draft:
        """Render a request that was begun and is not settled, and find its place.

        Raises:
            PermanentError: as `begin`.
        """
        try:
            return self._render(draft)
        except UnscheduledError as error:
            return _unplaced(draft, error)

    def _observed(self, draft: Draft, record: Record | None) -> Mapping[str, str]:
        paths = [destination.path for destination in self.world.destinations.values()]
        return observe(draft.key, record, paths, self.ledger.snapshot)

    def _refuse_foreign(self, draft: Draft, record: Record) -> None:
        if record.inventory != self.inventory:
            message = (
                f"{draft.key} belongs to the inventory {record.inventory!r}, this run to "
                f"{self.inventory!r}; let one of the two let go of it."
            )
            raise HeldError(Reason.OTHER_INVENTORY, message)

    def _recall(self, draft: Draft, record: Record) -> Draft | None:
        """Return the draft as the record has it, None when it has to be rendered."""
        digest = self.digests.digest(draft.promise, draft.object, record.status)
        if record.suspension is not None:
            if record.suspension.over(self.renderer.moment().now, digest):
                return None
            return _remembered(draft, record, _suspended(record.suspension))
        sight = compare(record, draft.observed)
        if sight is Sight.REVERTED and record.was_asked(draft.asked):
            return self._still_placed(_remembered(draft, record, _REVERTED))
        if sight is Sight.INTACT and record.input_digest == digest:
            return self._still_placed(_remembered(draft, record, _UP_TO_DATE))
        return None

    def _still_placed(self, draft: Draft) -> Draft | None:
        """Return a remembered draft if its Destinations are where they were, else None."""
        groups = [placement.group for placement in draft.placements]
        places = place(draft.key, groups, self.world.destinations, draft.placements)
        paths = [placement.path for placement in places.placements]
        if paths != [placement.path for placement in draft.placements]:
            return None
        return replace(draft, misplaced=places.misplaced)

    def _render(self, draft: Draft) -> Draft:
        record, promise = draft.record, draft.promise
        earlier = record.placements if record is not None else ()
        if not earlier:
            require_any(promise.selectors, self.world.destinations)
        rendered = self.renderer.configure(promise, _numbered(draft), draft.status)
        check_status(rendered.status)
        digest = self.digests.digest(promise, draft.object, rendered.status)
        draft = replace(draft, input_digest=digest, status=rendered.status)
        if rendered.suspension is not None:
            check_status({"message": rendered.suspension.message})
            suspension = replace(rendered.suspension, input_digest=digest)
            return replace(
                draft,
                settled=_suspended(suspension),
                suspension=suspension,
                input_digest=record.input_digest if record else None,
                placements=earlier,
            )
        secrets = promise.allows_plain_secrets
        check_groups(rendered.groups, self.limits, allow_secrets=secrets)
        try:
            places = place(draft.key, rendered.groups, self.world.destinations, earlier)
        except UnscheduledError as error:
            return _unplaced(draft, error)  # with the status that the stages left
        check_places(places.placements)
        placements = tuple(self._identified(p, secrets=secrets) for p in places.placements)
        draft = replace(draft, placements=placements, misplaced=places.misplaced)
        if record is not None and self._repeats(draft, record):
            _refuse_unstable(draft, record)
        return draft

    def _repeats(self, draft: Draft, record: Record) -> bool:
        """Tell whether this run had the very input and state that the record was made from."""
        digest = self.digests.digest(draft.promise, draft.object, record.status)
        return record.suspension is None and record.input_digest == digest

    def _identified(self, placement: Placement, *, secrets: bool) -> Placement:
        reader = self.world.destinations[placement.destination].reader
        files = placement.group.files or {}
        try:
            found = identify(files, reader, allow_secrets=secrets)
        except OutputRefusedError as error:
            raise error.about(f"pipeline {placement.group.pipeline}") from error
        objects = tuple(sorted(identity for items in found.values() for identity in items))
        return replace(placement, objects=objects)


_PAUSED = Settled(Reason.PAUSED, "paused by its label; nothing is done until it is taken off.")
_REVERTED = Settled(
    Reason.REVERTED,
    "its files were rolled back to an earlier output; they are kept until the request changes.",
)
_UP_TO_DATE = Settled(Reason.UP_TO_DATE)


def _suspended(suspension: Suspension) -> Settled:
    return Settled(Reason.WORKFLOW_SUSPENDED, suspension.words)


def _unplaced(draft: Draft, error: UnscheduledError) -> Draft:
    record = draft.record
    return replace(
        draft,
        settled=Settled(error.reason, error.message),
        input_digest=record.input_digest if record is not None else None,
        placements=record.placements if record is not None else (),
    )


def _remembered(draft: Draft, record: Record, settled: Settled) -> Draft:
    """Return the draft with all that its record holds."""
    return replace(
        draft,
        settled=settled,
        input_digest=record.input_digest,
        status=record.status,
        placements=record.placements,
        suspension=record.suspension,
    )


def _numbered(draft: Draft) -> JsonObject:
    """Return object.yaml's content with its generation, which counts changes of the spec."""
    metadata = Fields(draft.object).mapping("metadata")
    return {**draft.object, "metadata": {**metadata, "generation": draft.generation}}


def _refuse_unstable(draft: Draft, record: Record) -> None:
    """Refuse a second run from the same state that gave other bytes or left another state."""
    same_places = [p.path for p in draft.placements] == [p.path for p in record.placements]
    if draft.status != record.status:
        what = "left another status"
    elif same_places and output_digest(draft.digests) != record.outputs[0]:
        what = "gave other bytes"
    else:
        return
    message = (
        f"the stages {what} for the same request and state; a stage takes time and randomness "
        "from its context only, and keeps what it made of them in its status. Nothing was written."
    )
    raise StageError(Reason.UNSTABLE, message)

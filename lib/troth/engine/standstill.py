"""Standing still: a draft that keeps the output it had, and why.

Each of these is what `Settled` says of a request together with what its record tells of it.
"""

from dataclasses import replace

from troth.engine.draft import Draft
from troth.engine.record import Record
from troth.engine.settled import Settled, Settlement
from troth.engine.suspension import Suspension
from troth.errors import Reason, UnscheduledError

__all__ = [
    "HELD",
    "PAUSED",
    "REVERTED",
    "UP_TO_DATE",
    "remembered",
    "suspended",
    "unplaced",
    "with_old_output",
]

HELD = Settled(
    Settlement.SUSPENDED_BY_LABEL,
    "suspended by its label kratix.io/workflow-suspended; nothing is rendered until it is off.",
)
PAUSED = Settled(Settlement.PAUSED, "paused by its label; nothing is done until it is taken off.")
REVERTED = Settled(
    Settlement.REVERTED,
    "its files were rolled back to an earlier output; they are kept until the request changes.",
)
UP_TO_DATE = Settled(Settlement.UP_TO_DATE)


def suspended(suspension: Suspension) -> Settled:
    """Return that a stage asked to wait."""
    return Settled(Settlement.SUSPENDED_BY_STAGE, suspension.words)


def unplaced(draft: Draft, error: UnscheduledError) -> Draft:
    """Return the draft of a request that has no place, or whose place is gone."""
    gone = error.reason is Reason.DESTINATION_GONE
    kind = Settlement.DESTINATION_GONE if gone else Settlement.UNSCHEDULED
    return with_old_output(replace(draft, settled=Settled(kind, error.message)))


def with_old_output(draft: Draft) -> Draft:
    """Return the draft with the output that its record tells of, none where there is no record."""
    record = draft.record
    if record is None:
        return replace(draft, input_digest=None, placements=(), traits={})
    return replace(
        draft,
        input_digest=record.input_digest,
        placements=record.placements,
        traits=record.traits,
    )


def remembered(draft: Draft, record: Record, settled: Settled) -> Draft:
    """Return the draft with all that its record holds."""
    kept = replace(
        draft,
        settled=settled,
        status=record.status,
        suspension=record.suspension,
        due=record.due,
        undone=record.undone,
    )
    return with_old_output(kept)

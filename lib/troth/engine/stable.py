"""Stable: a second run from the same state gives the same bytes and leaves the same state."""

from dataclasses import replace

from troth.engine.digest import output_digest
from troth.engine.draft import Draft
from troth.engine.moves import places_of
from troth.engine.record import Record
from troth.errors import Reason, StageError

__all__ = ["refuse_unstable", "unless_rolled_back"]


def refuse_unstable(draft: Draft, record: Record) -> None:
    """Refuse a second run from the same state that gave other bytes or left another state.

    Raises:
        StageError: it did.
    """
    if draft.effects:
        if record.undone:
            return  # what could not be done is tried again, by somebody who did not want to wait
        message = (
            f"the stages want to act outside ({'; '.join(draft.effects)}) for a request and a "
            "state for which that was done already; a stage keeps in its status what it has done. "
            "Nothing was done, and nothing written."
        )
        raise StageError(Reason.UNSTABLE, message)
    same_places = places_of(draft.placements) == places_of(record.placements)
    if draft.status != record.status:
        what = "left another status"
    elif same_places and output_digest(draft.digests, draft.home) != record.outputs[0]:
        what = "gave other bytes"
    else:
        return
    message = (
        f"the stages {what} for the same request and state; a stage takes time and randomness "
        "from its context only, and keeps what it made of them in its status. Nothing was written."
    )
    raise StageError(Reason.UNSTABLE, message)


def unless_rolled_back(draft: Draft) -> Draft:
    """Return a draft whose stages were due as its rollback has it, unless there is something new.

    What is renewed has to reach its readers, so a rollback does not outlast it.
    """
    kept, record = draft.rolled_back, draft.record
    if kept is None or record is None:
        return draft
    if not draft.effects and output_digest(draft.digests, draft.home) == record.outputs[0]:
        return replace(kept, status=draft.status, due=draft.due, undone=draft.undone)
    message = "its rollback has ended: its stages were due to run, and had something new to write."
    return replace(draft, put_back=message)

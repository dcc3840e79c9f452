"""Report: the one place that turns outcomes and errors into lines for people and programs."""

from collections.abc import Iterable
from dataclasses import replace

from troth.api import RequestKey
from troth.engine.draft import Draft
from troth.engine.ledger import names_in
from troth.engine.moves import how_moved
from troth.engine.record import Record
from troth.engine.secrets import redact
from troth.engine.settled import Settlement
from troth.engine.undone import with_undone
from troth.engine.values import Item, Placement, Spot, State, Submission
from troth.errors import (
    PermanentError,
    Reason,
    StageError,
    StoreError,
    TransientError,
    TrothError,
    UnscheduledError,
    WaitingError,
)

__all__ = [
    "of_destination",
    "of_draft",
    "of_error",
    "of_record",
    "of_unmet",
    "of_unreadable",
    "state_of",
    "with_upkeep",
]

_STATES: tuple[tuple[type[TrothError], State], ...] = (
    (UnscheduledError, State.UNSCHEDULED),
    (StageError, State.FAILED),
    (StoreError, State.FAILED),
    (WaitingError, State.WAITING),
    (TransientError, State.FAILED),
    (PermanentError, State.REFUSED),
)


def state_of(error: TrothError) -> State:
    """Return the state that an error puts a request in."""
    return next(state for kind, state in _STATES if isinstance(error, kind))


def _places(placements: Iterable[Placement]) -> tuple[tuple[str, str], ...]:
    return tuple((placement.destination, placement.path) for placement in placements)


def of_error(submission: Submission, key: RequestKey | None, error: TrothError) -> Item:
    """Report a request that an error stopped."""
    request, origin = submission.request, submission.origin
    return Item(
        *(key or (request.namespace, "", request.name)),
        state_of(error),
        error.reason,
        redact(error.message),
        source=origin.where(),
    )


def of_unmet(submission: Submission, key: RequestKey, why: str, *, endless: bool) -> Item:
    """Report a Promise whose requirements are not fulfilled.

    Args:
        submission: the Promise.
        key: its key.
        why: which requirement, and what is wrong with it.
        endless: no later run can fulfil them; somebody has to change a Promise.
    """
    state = State.REFUSED if endless else State.WAITING
    reason = Reason.REQUIREMENTS_NOT_FULFILLED
    message = redact(f"Requirements not fulfilled: {why}.")
    return Item(*key, state, reason, message, source=submission.origin.where())


def of_record(
    record: Record, state: State, reason: Reason, message: str = "", revision: str | None = None
) -> Item:
    """Report a request of which nothing is left but its record."""
    places = _places(record.placements)
    return Item(*record.key, state, reason, redact(message), places, revision)


def of_unreadable(key: str, error: TrothError) -> Item:
    """Report a record that cannot be read, by the path it stands at."""
    return Item(*(names_in(key) or ("", "", key)), state_of(error), error.reason, error.message)


def of_destination(name: str, spots: Iterable[Spot], message: str) -> Item:
    """Report what stands in a Destination, belongs to nobody, and is kept."""
    places = tuple((name, spot.path) for spot in spots)
    return Item("", "", name, State.ORPHANED, Reason.UNOWNED, message, places)


def with_upkeep(items: Iterable[Item], upkeep: Iterable[Item] = ()) -> list[Item]:
    """Return all lines, one for each Destination; that on its upkeep says the rest as well."""
    own = {item.name: item for item in upkeep}
    rest: list[Item] = []
    for item in items:
        mine = own.get(item.name)
        if item.namespace or item.promise or (mine is None and item.reason != Reason.UNOWNED):
            rest.append(item)
        elif mine is None:
            own[item.name] = item
        else:
            places = tuple(dict.fromkeys((*mine.placements, *item.placements)))
            text = f"{mine.message} {item.message}".strip()
            own[item.name] = replace(mine, message=text, placements=places)
    return [*rest, *own.values()]


def of_draft(draft: Draft, *, written: bool, revision: str | None) -> Item:
    """Report a request that came through.

    Args:
        draft: as it stands at the top of the ladder.
        written: whether this run changed the store for it.
        revision: the store's revision that carries its files.
    """
    state, reason, message = _outcome(draft, written=written)
    if draft.misplaced is not None:
        state, reason = State.MISPLACED, Reason.DESTINATION_SELECTOR_MISMATCH
        message = draft.misplaced
    if draft.leaving:
        where = ", ".join(sorted({str(Spot(one.store, one.path)) for one in draft.leaving}))
        left = f"What it left at {where} is removed once its state store can be reached."
        message = f"{message} {left}".strip()
    if draft.is_to_act and not draft.attempted:
        message = f"{message} Outside, sync would: {'; '.join(draft.effects)}.".strip()
    if draft.promise.allows_plain_secrets:
        note = f"Promise {draft.promise.name} may write plain secrets (by annotation)."
        message = f"{message} {note}".strip()
    places = _places(draft.placements)
    item = Item(*draft.key, state, reason, redact(message), places, revision)
    if draft.attempted or draft.settled is not None:
        item = with_undone(item, draft.undone, draft.status, draft.due)
    return item


def _outcome(draft: Draft, *, written: bool) -> tuple[State, Reason, str]:
    if written and draft.settled is not None and draft.settled.kind is Settlement.UP_TO_DATE:
        return State.WRITTEN, Reason.UPDATED, "what Kratix wrote for it elsewhere is removed."
    if draft.settled is not None:
        follows = draft.settled.follows
        return follows.state, follows.reason, draft.settled.message
    if not written:
        return State.UNCHANGED, Reason.UP_TO_DATE, ""
    return State.WRITTEN, *_written(draft)


def _where_record_stays(draft: Draft) -> str:
    """Say that a store is still needed, though no file of a request is in it any more."""
    if draft.home in {one.store for one in draft.placements}:
        return ""
    return f" Its record stays in the state store {draft.home or 'of this run'}: keep that given."


def _written(draft: Draft) -> tuple[Reason, str]:
    if draft.record is None or not draft.record.outputs:
        return Reason.CREATED, ""
    if moves := how_moved(draft.placements, draft.record.placements):
        return Reason.UPDATED, f"{moves}{_where_record_stays(draft)}"
    if draft.rotates:
        text = "its credentials are made anew, since its cluster has lost its sealing keys."
        return Reason.KEY_REPLACED, text
    if draft.is_put_back:
        text = "its files had been changed by hand and were put back."
        return Reason.DRIFT_PUT_BACK, draft.put_back or text
    return Reason.UPDATED, ""

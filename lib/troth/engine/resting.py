"""Resting: what may not be written while something that it newly hangs on is not.

A route is decided by the Gateway that its run is to write. Where that is left out after all, the
route waits with it, and so does what hangs on what waits.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeAlias

from troth.api import RequestKey
from troth.engine.draft import Draft
from troth.engine.record import Record
from troth.engine.report import of_error
from troth.engine.routes import needs
from troth.engine.values import Item, ObjectId
from troth.errors import Reason, WaitingError

__all__ = ["Before", "Need", "newly_needed", "provided", "resting", "rests"]

Before: TypeAlias = Callable[[RequestKey], Sequence[Record]]
"""Returns the records of what a request had at the start of the run."""

Need: TypeAlias = tuple[str, ObjectId]
"""What something hangs on, in a Destination."""


def newly_needed(draft: Draft, before: Before) -> set[Need]:
    """Return what a draft hangs on, in Destinations where its routes are not as they were."""
    records = before(draft.key) if draft.traits else ()
    return {
        (name, needed)
        for name, traits in draft.traits.items()
        if all(record.traits.get(name) != traits for record in records)
        for needed in needs(traits)
    }


def provided(drafts: Iterable[Draft]) -> dict[Need, RequestKey]:
    """Return what drafts bring that others may hang on, with who does."""
    return {
        (name, parent.identity): draft.key
        for draft in drafts
        for name, traits in draft.traits.items()
        for parent in traits.parents
    }


def resting(
    drafts: Collection[Draft], out: Collection[RequestKey], before: Before
) -> dict[RequestKey, RequestKey]:
    """Return those that rest on drafts that are left out, each with the one it rests on.

    Args:
        drafts: all that came through, those that are left out among them.
        out: who is left out.
        before: tells what was there at the start of the run.
    """
    found: dict[RequestKey, RequestKey] = {}
    if not out:
        return found
    while True:  # what rests on one that rests, rests too
        parents = provided(one for one in drafts if one.key in out or one.key in found)
        more = {
            draft.key: parents[min(hangs)]
            for draft in drafts
            if draft.key not in out
            and draft.key not in found
            and (hangs := parents.keys() & newly_needed(draft, before))
        }
        if not more:
            return found
        found |= more


def rests(draft: Draft, on: RequestKey) -> Item:
    """Report one that rests on another."""
    message = f"it was decided by the Gateway of {on}, which is not written yet; run again."
    return of_error(draft.submission, draft.key, WaitingError(Reason.PARENT_NOT_FOUND, message))

"""Promise revisions in the stores: each one in use is kept, once in every store that needs it.

With it a removal can run its delete pipelines although the Promise's file is gone.
"""

from collections.abc import Collection, Iterable

from troth.api import JsonObject, Promise, RequestKey, canonical
from troth.engine.change import Change
from troth.engine.draft import Draft
from troth.engine.ladder import Plan
from troth.engine.values import Spot
from troth_statestore import ChangeSet, revision_key

__all__ = ["added_revisions", "unused_revisions"]


def added_revisions(
    plan: Plan, drafts: Iterable[tuple[Draft, Change | None]]
) -> list[tuple[str, ChangeSet]]:
    """Return by store what keeps the revisions of some drafts of a plan that it lacks."""
    needed: dict[Spot, Promise] = {
        Spot(draft.home, revision_key(draft.promise.digest)): draft.promise
        for draft, change in drafts
        if (change is not None or draft.entry is not None) and draft.keeps is None
    }
    return [
        (spot.store, ChangeSet(spot.path, None, record=_spell(promise)))
        for spot, promise in sorted(needed.items(), key=lambda one: one[0])
        if spot not in plan.ledger.revisions
    ]


def unused_revisions(plan: Plan, settled: Collection[RequestKey]) -> list[tuple[str, ChangeSet]]:
    """Return by store what removes the revisions that no record there refers to any more.

    Args:
        plan: what was carried out.
        settled: requests whose update or removal the store is known to have; a request whose
            change did not land still needs the revision it had.
    """
    ledger = plan.ledger
    if ledger.unreadable:
        return []  # one of them may refer to any revision
    used = {
        Spot(entry.home, revision_key(entry.record.promise_digest))
        for key, entry in ledger.entries.items()
        if key not in settled
    }
    used |= {Spot(draft.home, revision_key(draft.promise_digest)) for draft, _ in plan.drafts}
    unused = sorted(ledger.revisions.keys() - used)
    return [
        (spot.store, ChangeSet(spot.path, ledger.revisions[spot], record=None)) for spot in unused
    ]


def _spell(promise: Promise) -> bytes:
    revision: JsonObject = {
        "apiVersion": "troth.dev/v1alpha1",
        "kind": "Revision",
        "promise": promise.raw,
    }
    return canonical(revision) + b"\n"

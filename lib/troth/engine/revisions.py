"""Promise revisions in the store: each one in use is kept, once.

With it a removal can run its delete pipelines although the Promise's file is gone.
"""

from collections.abc import Collection

from troth.api import JsonObject, Promise, RequestKey, canonical
from troth.engine.ladder import Plan
from troth_statestore import ChangeSet, revision_key

__all__ = ["added_revisions", "unused_revisions"]


def added_revisions(plan: Plan) -> list[ChangeSet]:
    """Return what keeps the revisions of a plan's requests that the store does not hold yet."""
    needed: dict[str, Promise] = {
        draft.promise.digest: draft.promise
        for draft, change in plan.drafts
        if change is not None or draft.record is not None
    }
    return [
        ChangeSet(revision_key(digest), None, record=_spell(promise))
        for digest, promise in sorted(needed.items())
        if revision_key(digest) not in plan.ledger.revisions
    ]


def unused_revisions(plan: Plan, settled: Collection[RequestKey]) -> list[ChangeSet]:
    """Return what removes the revisions that no record refers to any more.

    Args:
        plan: what was carried out.
        settled: requests whose update or removal the store is known to have; a request whose
            change did not land still needs the revision it had.
    """
    ledger = plan.ledger
    if ledger.unreadable:
        return []  # one of them may refer to any revision
    used = {r.promise_digest for k, (r, _) in ledger.records.items() if k not in settled}
    used |= {draft.promise.digest for draft, _ in plan.drafts}
    unused = ledger.revisions.keys() - {revision_key(digest) for digest in used}
    return [ChangeSet(key, ledger.revisions[key], record=None) for key in sorted(unused)]


def _spell(promise: Promise) -> bytes:
    revision: JsonObject = {
        "apiVersion": "troth.dev/v1alpha1",
        "kind": "Revision",
        "promise": promise.raw,
    }
    return canonical(revision) + b"\n"

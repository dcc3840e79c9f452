"""Heirs: what is removed here and asked for again under another Promise, in the same run.

A Promise that is renamed takes its requests along: they are other requests to Troth, of the same
kind and name. The new one is given what the old one holds, ahead of anybody else, and both changes
go in one flush, so that no agent sees a moment without the objects. What cannot be served yet
leaves the old one as it is.
"""

from collections.abc import Iterable, Mapping, Sequence

from troth.api import Kind, Promise, RequestKey
from troth.engine.absence import Intake
from troth.engine.admit import Admission
from troth.engine.draft import Draft
from troth.engine.ledger import Ledger
from troth.engine.record import Record, identity_of
from troth.engine.report import of_error, of_record
from troth.engine.values import Item, State, World
from troth.errors import Reason, TrothError, WaitingError

__all__ = ["heirs_of", "keep_unserved", "not_yet"]


def heirs_of(
    removals: Iterable[RequestKey],
    intake: Intake,
    ledger: Ledger,
    world: World,
    admission: Admission,
) -> dict[RequestKey, RequestKey]:
    """Return who takes over from whom: the one that is removed → the one that is handed in.

    Args:
        removals: requests and Promises that this run removes.
        intake: what was handed in.
        ledger: tells what was asked for by those that are removed.
        world: the Promises.
        admission: tells who a request is now.
    """
    asked = {identity_of(one.request): admission.key_of(one.request) for one in intake.submissions}
    installed = {one.request.name for one in intake.promises}
    offers = {
        Kind(promise.api.group, promise.api.kind): RequestKey.of_promise(name)
        for name, promise in world.promises.items()
        if promise.api is not None and promise.has_own_output and name in installed
    }
    found: dict[RequestKey, RequestKey] = {}
    for key in removals:
        record = ledger.entries[key].record
        if key.is_promise:
            kind = _kind_offered(record)
            heir = offers.get(kind) if kind is not None else None
        else:
            heir = asked.get(record.identity)
        if heir is not None:
            found[key] = heir
    return found


def _kind_offered(record: Record) -> Kind | None:
    """Return what a Promise that is known by its record alone offered."""
    try:
        api = Promise.parse(record.as_object).api
    except TrothError:
        return None  # nobody can tell what it offered, so nobody takes over from it
    return Kind(api.group, api.kind) if api is not None else None


def keep_unserved(
    removals: Sequence[RequestKey],
    heirs: Mapping[RequestKey, RequestKey],
    ledger: Ledger,
    drafts: Iterable[Draft],
) -> tuple[list[RequestKey], list[Item]]:
    """Keep those whose heir did not come through; return who is still removed, and a report.

    Args:
        removals: who was to be removed.
        heirs: who takes over from whom.
        ledger: what the stores know.
        drafts: those that came through.
    """
    served = {draft.key for draft in drafts if draft.is_wanted}
    kept = {old for old, heir in heirs.items() if heir not in served}
    busy = {key.promise for key in kept}
    kept |= {key for key in removals if key.is_promise and key.promise in busy}
    text = "asked for again under another Promise, which cannot serve it yet; it is kept."
    items = [
        of_record(ledger.entries[key].record, State.ORPHANED, Reason.PROMISE_UNAVAILABLE, text)
        for key in sorted(kept)
    ]
    return [key for key in removals if key not in kept], items


def not_yet(draft: Draft, old: RequestKey) -> Item:
    """Report an heir whose predecessor's delete pipelines are not done; nothing is written."""
    message = f"it takes over from {old}, which is not removed yet; both are done together."
    return of_error(draft.submission, draft.key, WaitingError(Reason.OBJECT_HELD, message))

"""Heirs: what is removed here and asked for again under another Promise, in the same run.

A Promise that is renamed takes its requests along: they are other requests to Troth, of the same
kind and name. The new one is the holder of what the old one leaves, ahead of anybody else. One
change set writes the new files and removes the old ones, so that no agent sees a moment without the
objects and none is left half; the old record goes when that has landed. What cannot be served yet
leaves the old one as it is.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from troth.api import Kind, Promise, RequestKey
from troth.engine.absence import Intake
from troth.engine.admit import Admission
from troth.engine.draft import Draft
from troth.engine.ledger import Ledger
from troth.engine.record import Record, identity_of
from troth.engine.report import of_error, of_record
from troth.engine.resting import Before, resting, rests
from troth.engine.values import Item, State, World
from troth.errors import Reason, TrothError, WaitingError

__all__ = [
    "NO_HEIRS",
    "Heirs",
    "Succession",
    "hold_back",
    "in_turn",
    "keep_unserved",
    "not_yet",
    "without_heirs",
]

T = TypeVar("T")


class Succession:
    """Tells who would take over from a request or Promise that is removed.

    Args:
        intake: what was handed in.
        ledger: tells what was asked for by those that are removed.
        world: the Promises.
        admission: tells who a request is now.
    """

    def __init__(self, intake: Intake, ledger: Ledger, world: World, admission: Admission) -> None:
        self._ledger = ledger
        self._asked = {
            identity_of(one.request): admission.key_of(one.request) for one in intake.submissions
        }
        installed = {one.request.name for one in intake.promises}
        self._offers = {
            Kind(promise.api.group, promise.api.kind): RequestKey.of_promise(name)
            for name, promise in world.promises.items()
            if promise.api is not None and promise.has_own_output and name in installed
        }

    def heir_of(self, key: RequestKey) -> RequestKey | None:
        """Return who would take over, None when nobody asks for the same."""
        record = self._ledger.entries[key].record
        if not key.is_promise:
            heir = self._asked.get(record.identity)
        else:
            kind = _kind_offered(record)
            heir = self._offers.get(kind) if kind is not None else None
        return heir if heir != key else None

    def among(self, removals: Iterable[RequestKey]) -> "Heirs":
        """Return the heirs of those that a run removes."""
        found = {key: self.heir_of(key) for key in removals}
        return Heirs({old: heir for old, heir in found.items() if heir is not None})


class Heirs:
    """Who takes over from whom.

    Args:
        by_old: the one that is removed → the one that is handed in.
    """

    def __init__(self, by_old: Mapping[RequestKey, RequestKey]) -> None:
        self.by_old = by_old
        self._forebears: dict[RequestKey, list[RequestKey]] = {}
        for old, heir in by_old.items():
            self._forebears.setdefault(heir, []).append(old)

    def now(self, holder: RequestKey) -> RequestKey:
        """Return who has what somebody held at the start of the run."""
        return self.by_old.get(holder, holder)

    def forebears(self, key: RequestKey) -> Sequence[RequestKey]:
        """Return those that one takes over from."""
        return self._forebears.get(key, ())

    def before(self, ledger: Ledger) -> Before:
        """Return what tells of what a request had at the start of the run."""

        def records(key: RequestKey) -> list[Record]:
            known = (ledger.entries.get(one) for one in (key, *self.forebears(key)))
            return [entry.record for entry in known if entry is not None]

        return records

    def of(self, heirs: Collection[RequestKey]) -> set[RequestKey]:
        """Return the requests that some take over from."""
        return {old for old, heir in self.by_old.items() if heir in heirs and not old.is_promise}

    def left(self, removals: Collection[RequestKey]) -> "Heirs":
        """Return those whose forebears are still to be removed."""
        return Heirs({old: heir for old, heir in self.by_old.items() if old in removals})

    def too_early(self, removed: Collection[RequestKey]) -> dict[RequestKey, RequestKey]:
        """Return the requests that may not take over yet, each with the one in its way.

        Args:
            removed: whose delete pipelines are done.
        """
        return {
            heir: old
            for old, heir in self.by_old.items()
            if not old.is_promise and old not in removed
        }


NO_HEIRS = Heirs({})


def _kind_offered(record: Record) -> Kind | None:
    """Return what a Promise that is known by its record alone offered."""
    try:
        api = Promise.parse(record.as_object).api
    except TrothError:
        return None  # nobody can tell what it offered, so nobody takes over from it
    return Kind(api.group, api.kind) if api is not None else None


def keep_unserved(
    removals: Sequence[RequestKey], heirs: Heirs, ledger: Ledger, drafts: Iterable[Draft]
) -> tuple[list[RequestKey], list[Item]]:
    """Keep those whose heir did not come through; return who is still removed, and a report.

    Args:
        removals: who was to be removed.
        heirs: who takes over from whom.
        ledger: what the stores know.
        drafts: those that came through.
    """
    served = {draft.key for draft in drafts if draft.is_wanted}
    kept = {old for old, heir in heirs.by_old.items() if heir not in served}
    busy = {key.promise for key in kept}
    kept |= {key for key in removals if key.is_promise and key.promise in busy}
    text = "asked for again under another Promise, which cannot serve it yet; it is kept."
    items = [
        of_record(ledger.entries[key].record, State.ORPHANED, Reason.PROMISE_UNAVAILABLE, text)
        for key in sorted(kept)
    ]
    return [key for key in removals if key not in kept], items


def hold_back(
    drafts: Iterable[tuple[Draft, T]], heirs: Heirs, removals: Collection[RequestKey]
) -> tuple[list[tuple[Draft, T]], list[Item]]:
    """Leave out Promises that would take over from one that stays; return the rest, and a report.

    Their requests go on: what they need of their Promise stands, as the old one brought it.
    """
    early = {
        heir: old for old, heir in heirs.by_old.items() if old.is_promise and old not in removals
    }
    found = list(drafts)
    items = [not_yet(draft, early[draft.key]) for draft, _ in found if draft.key in early]
    return [(draft, rest) for draft, rest in found if draft.key not in early], items


def in_turn(
    drafts: Iterable[tuple[Draft, T]], heirs: Heirs, ledger: Ledger, removed: Collection[RequestKey]
) -> tuple[list[tuple[Draft, T]], list[Item]]:
    """Leave out requests that may not take over yet, and routes that rest on their Gateways.

    Args:
        drafts: all that came through.
        heirs: who takes over from whom.
        ledger: what the stores know.
        removed: those whose delete pipelines are done.

    Returns:
        The rest, and a report on those.
    """
    found = list(drafts)
    written = {draft.key for draft, _ in found if draft.record and draft.observed}
    # One that took over in an earlier run stands, whatever becomes of the old record.
    early = {k: old for k, old in heirs.too_early(removed).items() if k not in written}
    if not early:
        return found, []
    waits = resting([draft for draft, _ in found], early, heirs.before(ledger))
    items = [not_yet(draft, early[draft.key]) for draft, _ in found if draft.key in early]
    items += [rests(draft, waits[draft.key]) for draft, _ in found if draft.key in waits]
    rest = [one for one in found if one[0].key not in early and one[0].key not in waits]
    return rest, items


def without_heirs(
    removed: Collection[RequestKey], heirs: Heirs, drafts: Iterable[Draft]
) -> set[RequestKey]:
    """Return those of some removals whose heir was left out: they are kept."""
    there = {draft.key for draft in drafts}
    return {old for old in removed if heirs.now(old) != old and heirs.now(old) not in there}


def not_yet(draft: Draft, old: RequestKey) -> Item:
    """Report an heir whose predecessor is not let go of yet; nothing is written."""
    message = f"it takes over from {old}, which is not removed yet; both are done together."
    return of_error(draft.submission, draft.key, WaitingError(Reason.OBJECT_HELD, message))

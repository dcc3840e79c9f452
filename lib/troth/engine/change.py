"""Write, first half: from a draft to the change set that the store is given."""

from dataclasses import dataclass, replace

from troth.api import Promise, RequestKey
from troth.api.labels import DELETION_PROTECTION
from troth.engine.digest import output_digest
from troth.engine.draft import Draft
from troth.engine.ledger import Ledger
from troth.engine.record import OUTPUTS_KEPT, Record
from troth.engine.values import Placement
from troth.errors import Reason
from troth_statestore import ChangeSet, Owner, request_key

__all__ = ["Composer"]


# A new request of which nothing is known but that it waits needs no record.
_NOT_YET = frozenset({Reason.PAUSED, Reason.DESTINATION_GONE})

# What was written for an earlier spec stays, and with it all that its record says of it.
_KEPT = frozenset({*_NOT_YET, Reason.NO_MATCHING_DESTINATION})


@dataclass(frozen=True, slots=True)
class Composer:
    """Makes change sets against one moment of the store."""

    ledger: Ledger
    inventory: str

    def update(self, draft: Draft) -> ChangeSet | None:
        """Return what has to change for a draft, None when the store holds all of it."""
        old = draft.record
        if old is None and draft.settled is not None and draft.settled.reason in _NOT_YET:
            return None
        contents = {
            path: content
            for placement in draft.placements
            for path, content in (placement.contents or {}).items()
        }
        new = self._record(draft)
        fresh = draft.settled is None
        if not fresh and new == old:
            return None
        stale = frozenset(draft.observed) - contents.keys() if fresh else frozenset[str]()
        return ChangeSet(
            key=request_key(Owner(*draft.key)),
            expected_version=self._version(draft.key),
            files=contents,
            delete=stale,
            record=new.encode(),
            title=f"Update {draft.key}",
            trailers=_trailers(draft.promise, new),
        )

    def removal(self, key: RequestKey, record: Record, files: frozenset[str]) -> ChangeSet:
        """Return the change set that removes a request's files and its record."""
        return ChangeSet(
            key=request_key(Owner(*key)),
            expected_version=self._version(key),
            delete=files,
            record=None,
            title=f"Remove {key}",
            trailers=(
                ("Troth-Request", "/".join(key)),
                ("Troth-Generation", str(record.generation)),
            ),
        )

    def _version(self, key: RequestKey) -> str | None:
        return self.ledger.find(key)[1]

    def _record(self, draft: Draft) -> Record:
        old = draft.record
        if old is not None and draft.settled is not None and draft.settled.reason in _KEPT:
            return replace(
                old, roots=_roots(draft), protected=_protected(draft), status=draft.status
            )
        outputs = old.outputs if old is not None else ()
        if draft.settled is None:
            newest = output_digest(draft.digests)
            outputs = (newest, *(digest for digest in outputs if digest != newest))[:OUTPUTS_KEPT]
        return Record(
            key=draft.key,
            asked=draft.asked,
            generation=draft.generation,
            inventory=self.inventory,
            roots=_roots(draft),
            promise_digest=draft.promise.digest,
            input_digest=draft.input_digest,
            outputs=outputs,
            placements=tuple(_remembered(draft)),
            status=draft.status,
            suspension=draft.suspension,
            protected=_protected(draft),
        )


def _protected(draft: Draft) -> bool:
    return draft.submission.request.all_annotations.get(DELETION_PROTECTION) == "true"


def _remembered(draft: Draft) -> list[Placement]:
    return [
        replace(placement, contents=None, digests=None, group=replace(placement.group, files=None))
        for placement in draft.placements
    ]


def _roots(draft: Draft) -> tuple[str, ...]:
    before = draft.record.roots if draft.record is not None else ()
    return tuple(sorted({*before, draft.submission.root}))


def _trailers(promise: Promise, record: Record) -> tuple[tuple[str, str], ...]:
    """Return the receipt that stands at the foot of a commit."""
    found = [
        ("Troth-Request", "/".join(record.key)),
        ("Troth-Generation", str(record.generation)),
        ("Troth-Promise", f"{promise.name} {promise.version} {promise.digest}"),
    ]
    if record.input_digest is not None:
        found.append(("Troth-Input", record.input_digest))
    if record.outputs:
        found.append(("Troth-Output", record.outputs[0]))
    return tuple(found)

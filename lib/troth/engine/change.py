"""Write, first half: from a draft to the change sets that its stores are given."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from troth.api import Promise, RequestKey
from troth.api.labels import DELETION_PROTECTION
from troth.engine.digest import output_digest
from troth.engine.draft import Draft
from troth.engine.ledger import Ledger
from troth.engine.moves import how_moved, left_elsewhere
from troth.engine.never_back import sealed_digest
from troth.engine.record import OUTPUTS_KEPT, Record
from troth.engine.render import Rendered
from troth.engine.values import Placement, Spot
from troth_statestore import ChangeSet, Deed, Owner, digest_bytes, record_key

__all__ = ["VERBS", "Change", "Composer", "Pair", "deed_of", "spread", "trailers_of"]

VERBS = ("Adopt", "Create", "Move", "Put back", "Reseal", "Update")
"""What the subject of a commit may begin with that writes the files of a request."""


@dataclass(frozen=True, slots=True)
class Change:
    """All that has to change for one request, by state store; its record is in `home`.

    Attributes:
        parts: what lies elsewhere is written before the record.
        after: what goes only when all of `parts` has landed, the old place of what moved.
        last: the record when that has landed as well, None where it says the same.
    """

    home: str
    parts: Mapping[str, ChangeSet]
    after: Mapping[str, ChangeSet] = field(default_factory=dict[str, ChangeSet])
    last: ChangeSet | None = None

    @property
    def key(self) -> str:
        """The key of its record."""
        return self.parts[self.home].key

    @property
    def delete(self) -> frozenset[Spot]:
        """The files to remove."""
        return frozenset(
            Spot(store, path)
            for store, part in (*self.parts.items(), *self.after.items())
            for path in part.delete
        )

    def also_deleting(self, spots: Collection[Spot]) -> "Change":
        """Return the change with more files to remove: those elsewhere once the record is there."""
        home = self.parts[self.home]
        bare = replace(
            home, expected_version=None, record=None, files={}, delete=frozenset(), guard=None
        )
        parts, after = dict(self.parts), dict(self.after)
        for store in sorted({spot.store for spot in spots}):
            paths = frozenset(spot.path for spot in spots if spot.store == store)
            if store == self.home:
                parts[store] = replace(home, delete=home.delete | (paths - home.files.keys()))
            else:
                old = after.get(store, bare)
                after[store] = replace(old, delete=old.delete | paths)
        return replace(self, parts=parts, after=after)

    @property
    def files(self) -> dict[Spot, bytes]:
        """The files to write."""
        return {
            Spot(store, path): content
            for store, part in self.parts.items()
            for path, content in part.files.items()
        }


Pair: TypeAlias = tuple[Draft, Change | None]
"""A draft with the change that it needs, None for nothing."""


@dataclass(frozen=True, slots=True)
class Composer:
    """Makes change sets against one moment of the stores."""

    ledger: Ledger
    inventory: str

    def update(self, draft: Draft) -> Change | None:
        """Return what has to change for a draft, None when the stores hold all of it."""
        old = draft.record
        if old is None and draft.settled is not None and not draft.settled.follows.needs_record:
            return None
        contents = _contents(draft)
        new = self._record(draft)
        fresh = draft.settled is None
        if not fresh and new == old:
            return None
        kept = contents.keys() | draft.left.keys()
        stale = frozenset(draft.observed) - kept if fresh else frozenset[Spot]()
        leaving = left_elsewhere(draft, stale)
        late = frozenset(spot for spot in stale if any(one.owns(spot) for one in leaving))
        final, new = new, replace(new, leaving=(*leaving, *new.leaving))
        verb = _verb(draft)
        home = ChangeSet(
            key=record_key(Owner(*draft.key)),
            expected_version=draft.entry.version if draft.entry is not None else None,
            record=new.encode(draft.home),
            title=f"{verb} {draft.key}",
            deed=deed_of(verb, draft.key),
            trailers=trailers_of(draft.promise, new),
        )
        change = spread(home, draft.home, contents, stale - late)
        if not late:
            return change
        moved = replace(home, title=f"Move {draft.key}", deed=deed_of("Move", draft.key))
        bare = replace(moved, expected_version=None, record=None)
        after = spread(bare, draft.home, {}, late).parts
        last = replace(
            home, expected_version=digest_bytes(home.record or b""), record=final.encode(draft.home)
        )
        after = {store: part for store, part in after.items() if part.delete}
        return replace(change, after=after, last=last)

    def removal(self, key: RequestKey, files: Collection[Spot]) -> Change:
        """Return what removes a request's files and its record."""
        entry = self.ledger.entries[key]
        home = ChangeSet(
            key=record_key(Owner(*key)),
            expected_version=entry.version,
            record=None,
            title=f"Remove {key}",
            deed=deed_of("Remove", key),
            trailers=_identity(entry.record),
        )
        return spread(home, entry.home, {}, files)

    def suspended_removal(self, key: RequestKey, rendered: Rendered) -> Change | None:
        """Return what keeps that a delete pipeline asked to wait, None when it is kept."""
        entry = self.ledger.entries[key]
        old = entry.record
        suspension = rendered.suspension
        if suspension is not None:
            suspension = replace(suspension, of_removal=True).after(old.suspension)
        new = replace(old, status=rendered.status, suspension=suspension)
        if new == old:
            return None
        home = ChangeSet(
            key=record_key(Owner(*key)),
            expected_version=entry.version,
            record=new.encode(entry.home),
            title=f"Suspend the removal of {key}",
            trailers=_identity(old),
        )
        return Change(entry.home, {entry.home: home})

    def _record(self, draft: Draft) -> Record:
        old, kept = draft.record, draft.keeps
        if kept is not None:
            return replace(
                kept,
                roots=_roots(draft),
                protected=_protected(draft),
                paused=draft.is_paused,
                status=draft.status,
                leaving=draft.leaving if draft.is_rolled_back else kept.leaving,
                due=draft.due if draft.is_rolled_back else kept.due,
                undone=draft.undone if draft.is_rolled_back else kept.undone,
            )
        outputs, sealed = (old.outputs, old.sealed) if old is not None else ((), None)
        if draft.settled is None:
            newest = output_digest(draft.digests, draft.home)
            sealed = sealed_digest(_contents(draft) | self.ledger.view.read(draft.left))
            outputs = (newest, *(digest for digest in outputs if digest != newest))[:OUTPUTS_KEPT]
        return Record(
            key=draft.key,
            asked=draft.asked,
            generation=draft.generation,
            version=draft.submission.version,
            inventory=self.inventory,
            roots=_roots(draft),
            promise_digest=draft.promise.digest,
            input_digest=draft.input_digest,
            outputs=outputs,
            placements=tuple(_remembered(draft)),
            leaving=draft.leaving,
            traits=draft.traits,
            status=draft.status,
            suspension=draft.suspension,
            due=draft.due,
            undone=draft.undone,
            protected=_protected(draft),
            paused=draft.is_paused,
            sealed=sealed,
        )


def deed_of(verb: str, key: RequestKey) -> Deed:
    """Return what is done to a request or Promise, to be counted with others."""
    return Deed(verb, "Promise" if key.is_promise else "request")


def _contents(draft: Draft) -> dict[Spot, bytes]:
    """Return what was rendered, by place."""
    return {
        Spot(placement.store, path): content
        for placement in draft.placements
        for path, content in (placement.contents or {}).items()
    }


def _verb(draft: Draft) -> str:
    """Return what happens to a request, in the word that its commit's subject begins with."""
    if draft.settled is not None:
        return "Update"
    if draft.record is None or not draft.record.outputs:
        return "Adopt" if draft.observed else "Create"
    if how_moved(draft.placements, draft.record.placements):
        return "Move"
    return "Put back" if draft.is_put_back else "Update"


def spread(
    home: ChangeSet, store: str, files: Mapping[Spot, bytes], delete: Collection[Spot]
) -> Change:
    """Return a change as a change set for each store that it touches.

    Args:
        home: what goes to the store of the record, without files.
        store: that store's name.
        files: what to write, anywhere.
        delete: what to remove, anywhere.
    """
    stores = {store} | {spot.store for spot in (*files, *delete)}
    parts: dict[str, ChangeSet] = {}
    for name in sorted(stores):
        bare = home if name == store else replace(home, expected_version=None, record=None)
        parts[name] = replace(
            bare,
            files={spot.path: content for spot, content in files.items() if spot.store == name},
            delete=frozenset(spot.path for spot in delete if spot.store == name),
        )
    return Change(store, parts)


def _identity(record: Record) -> tuple[tuple[str, str], ...]:
    if record.key.is_promise:
        return (("Troth-Promise", record.key.promise), ("Troth-Generation", str(record.generation)))
    return (
        ("Troth-Request", "/".join(record.key)),
        ("Troth-Generation", str(record.generation)),
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


def trailers_of(promise: Promise, record: Record) -> tuple[tuple[str, str], ...]:
    """Return the receipt that stands at the foot of a commit."""
    found = [
        *(pair for pair in _identity(record) if pair[0] != "Troth-Promise"),
        ("Troth-Promise", f"{promise.name} {promise.version} {promise.digest}"),
    ]
    if record.input_digest is not None:
        found.append(("Troth-Input", record.input_digest))
    if record.outputs:
        found.append(("Troth-Output", record.outputs[0]))
    return tuple(found)

"""Preview: what a plan would change, file by file, without writing any of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from troth.engine.draft import Draft
from troth.engine.ladder import Plan
from troth.engine.observe import observe
from troth.engine.report import of_draft, of_record
from troth.engine.values import Item, State
from troth.errors import Reason
from troth_statestore import ChangeSet

__all__ = ["FileChange", "Preview", "preview"]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file, before and after; None where it is not there."""

    path: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of one request, and of its files."""

    item: Item
    files: tuple[FileChange, ...] = ()


def preview(plan: Plan) -> list[Preview]:
    """Return what a plan would do, in the order of the requests."""
    revision = plan.ledger.snapshot.revision
    found = [Preview(item) for item in plan.items]
    for draft, change in plan.drafts:
        files = _changes(plan, draft, change) if change is not None else ()
        written = bool(files) or (change is not None and draft.record is None)
        item = of_draft(draft, written=written, revision=None if written else revision)
        found.append(Preview(item, files))
    for key in plan.removals:
        record, _ = plan.ledger.records[key]
        observed = observe(key, record, (), plan.ledger.snapshot)
        before = plan.ledger.snapshot.read(sorted(observed))
        files = tuple(FileChange(path, before[path], None) for path in sorted(before))
        found.append(Preview(of_record(record, State.REMOVED, Reason.REMOVED), files))
    return sorted(found, key=lambda one: (one.item.namespace, one.item.promise, one.item.name))


def _changes(plan: Plan, draft: Draft, change: ChangeSet) -> tuple[FileChange, ...]:
    now: Mapping[str, str] = draft.observed
    touched = sorted(path for path, digest in draft.digests.items() if now.get(path) != digest)
    removed = sorted(change.delete & now.keys())
    before = plan.ledger.snapshot.read([*touched, *removed])
    return tuple(
        FileChange(path, before.get(path), change.files.get(path))
        for path in sorted([*touched, *removed])
    )

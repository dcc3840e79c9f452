"""Preview: what a plan would change, file by file, without writing any of it."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from troth.api import RequestKey
from troth.engine.change import Change
from troth.engine.draft import Draft
from troth.engine.heirs import in_turn, without_heirs
from troth.engine.ladder import Plan
from troth.engine.observe import NOWHERE, observe
from troth.engine.removal import not_removed_yet, promise_in_use
from troth.engine.report import of_draft, of_record, with_upkeep
from troth.engine.values import HELD, Item, Spot, State
from troth.errors import Reason

__all__ = ["FileChange", "Preview", "preview"]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file, before and after; None where it is not there."""

    spot: Spot
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of one request, and of its files."""

    item: Item
    files: tuple[FileChange, ...] = ()


def preview(plan: Plan) -> list[Preview]:
    """Return what a plan would do, in the order of the requests."""
    view = plan.ledger.view
    found = [Preview(_unless_freed(plan, item)) for item in plan.items]
    gone = set(plan.removals) - plan.waiting.keys()
    acting = {draft.key for draft, _ in plan.drafts if draft.is_to_act}
    gone |= plan.heirs.of(acting)  # those act before any delete pipeline runs
    drafts, early = in_turn(plan.drafts, plan.heirs, plan.ledger, gone)
    kept = without_heirs(plan.removals, plan.heirs, (draft for draft, _ in drafts))
    found += map(Preview, early)
    for draft, change in drafts:
        files = _changes(plan, draft, change) if change is not None else ()
        written = bool(files) or (change is not None and draft.record is None)
        revision = None if written else view.revision(draft.home)
        item = of_draft(draft, written=written, revision=revision)
        found.append(Preview(item, files))
    stays = plan.kept_files
    found += [_removal(plan, key, stays) for key in plan.removals if key not in kept]
    found += [_kept(plan, key) for key in sorted(kept)]
    found = _with_upkeep(plan, found)
    return sorted(found, key=lambda one: one.item.key)


def _with_upkeep(plan: Plan, previews: list[Preview]) -> list[Preview]:
    """Add what Destinations need for themselves."""
    files: dict[str, tuple[FileChange, ...]] = {}
    for one in plan.upkeep:
        after, view = one.change.files, plan.ledger.view
        before = view.read([*after, *one.change.delete])
        spots = {*after, *one.change.delete}
        files[one.item.name] = tuple(
            FileChange(spot, before.get(spot), after.get(spot))
            for spot in sorted(spots)
            if before.get(spot) != after.get(spot)
        )
    own = {id(preview.item): preview for preview in previews}
    items = with_upkeep((one.item for one in previews), (one.item for one in plan.upkeep))
    return [own.get(id(item)) or Preview(item, files.get(item.name, ())) for item in items]


def _unless_freed(plan: Plan, item: Item) -> Item:
    """Say of what another holds whether sync would try it again in the same run."""
    changing = {draft.key for draft, change in plan.drafts if change is not None}
    if item.reason not in HELD or not plan.blockers & (changing | set(plan.removals)):
        return item
    text = "Where the holder lets go of it in the same run, sync tries it again."
    return replace(item, message=f"{item.message} {text}")


def _kept(plan: Plan, key: RequestKey) -> Preview:
    """Return what becomes of one whose heir does not take over yet."""
    record = plan.ledger.entries[key].record
    if key in plan.waiting:
        return Preview(not_removed_yet(record, plan.waiting[key]))
    text = f"kept: {plan.heirs.now(key)}, which takes over, is not written yet."
    return Preview(of_record(record, State.ORPHANED, Reason.PROMISE_UNAVAILABLE, text))


def _removal(plan: Plan, key: RequestKey, stays: Collection[Spot]) -> Preview:
    """Return what would become of a request or Promise that is to be removed."""
    view, record = plan.ledger.view, plan.ledger.entries[key].record
    if key in plan.waiting:
        return Preview(not_removed_yet(record, plan.waiting[key]))
    if key.is_promise:
        staying = plan.ledger.entries.keys() - (set(plan.removals) - plan.waiting.keys())
        if (why := promise_in_use(key, staying)) is not None:
            return Preview(of_record(record, *why))
    before = view.read(observe(key, record, NOWHERE, view).keys() - set(stays))
    files = tuple(FileChange(spot, before[spot], None) for spot in sorted(before))
    text = "before its files are removed, its delete pipelines run, if it has any."
    return Preview(of_record(record, State.REMOVED, Reason.REMOVED, text), files)


def _changes(plan: Plan, draft: Draft, change: Change) -> tuple[FileChange, ...]:
    now, after = draft.observed, change.files
    touched = {spot for spot, digest in draft.digests.items() if now.get(spot) != digest}
    before = plan.ledger.view.read(touched | change.delete)
    different = sorted(touched | (change.delete & before.keys()))
    return tuple(FileChange(spot, before.get(spot), after.get(spot)) for spot in different)

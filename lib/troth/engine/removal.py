"""Remove: what was asked for once and is no longer, taken away with care.

Never by absence alone: a record is let go only by the inventory it belongs to, only when all the
roots it was read from were read again, and only when nothing in the run was unreadable. Budget and
protection are judged before the first delete pipeline runs.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from troth.api import Fields, JsonObject, Promise, RequestKey, RequestSchema, ResourceRequest
from troth.api.labels import visible_annotations, visible_labels
from troth.engine.admit import object_of
from troth.engine.check import check_status
from troth.engine.deletion_budget import DeletionBudget
from troth.engine.draft import Draft
from troth.engine.ledger import Ledger
from troth.engine.record import Record
from troth.engine.render import Rendered, Renderer
from troth.engine.report import of_record
from troth.engine.suspension import Suspension
from troth.engine.values import Item, Spot, State, World
from troth.errors import InvalidInputError, Reason

__all__ = [
    "DeletionBudget",
    "PruneRules",
    "Remover",
    "agreements",
    "files_of_others",
    "not_removed_yet",
    "promise_in_use",
    "sort_out",
]


# Requests that a message names before it only counts them.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class PruneRules:
    """What a run may conclude from an absence.

    Attributes:
        inventory: whose records may be removed.
        was_read: tells of a root whether all of it was read.
        complete: whether everything in those roots could be read, and served.
        doubtful: namespace and name of objects that were read but belong to nobody known; a
            mistyped group must not remove what it was.
        paused: names of Promises of which nothing is touched.
        prune: remove also what was read from other roots.
    """

    inventory: str
    was_read: Callable[[str], bool]
    complete: bool
    doubtful: frozenset[tuple[str, str]]
    paused: frozenset[str]
    prune: bool
    budget: DeletionBudget


def sort_out(
    ledger: Ledger,
    absent: Collection[RequestKey],
    rules: PruneRules,
    heir_of: Callable[[RequestKey], RequestKey | None],
) -> tuple[list[RequestKey], list[Item]]:
    """Return who is to be removed, and a report on those that are kept instead.

    Requests come before Promises; a Promise with requests that stay, stays too.

    Args:
        ledger: what the stores know.
        absent: requests and Promises that were not handed in.
        rules: what may be concluded from that.
        heir_of: tells who takes over, which makes it no loss that a budget counts.
    """
    gone = {key for key in absent if key in ledger.entries}
    if not gone:
        return [], []
    records = {key: entry.record for key, entry in ledger.entries.items()}
    mine = {key: record for key, record in records.items() if record.inventory == rules.inventory}
    removable: list[RequestKey] = []
    kept: list[Item] = []
    for key in sorted(gone & mine.keys(), key=lambda key: (key.is_promise, key)):
        taken_over = heir_of(key) is not None
        reason = _reason_to_keep(mine[key], rules, taken_over=taken_over)
        reason = reason or _out_of_this_run(mine[key], ledger)
        if reason is None and key.is_promise:
            reason = promise_in_use(key, records.keys() - set(removable))
        if reason is None:
            removable.append(key)
        else:
            kept.append(of_record(mine[key], *reason))
    homes = {key: ledger.entries[key].home for key in mine}
    lost = {key: homes[key] for key in removable if heir_of(key) is None}
    refused = rules.budget.refusals(lost, homes)
    kept += [
        of_record(mine[key], State.REFUSED, Reason.DELETION_BUDGET, text)
        for key, text in refused.items()
    ]
    left = records.keys() - (set(removable) - refused.keys())
    for key in [one for one in removable if one not in refused]:
        reason = promise_in_use(key, left) if key.is_promise else None
        if reason is not None:
            kept.append(of_record(mine[key], *reason))
            refused[key] = reason[-1]
    return [key for key in removable if key not in refused], kept


def agreements(
    ledger: Ledger, lost: Iterable[RequestKey], inventory: str, budget: DeletionBudget
) -> Mapping[str, int]:
    """Return by store what was agreed to and is needed for some of the removals.

    Args:
        ledger: what the stores know.
        lost: who is removed and nobody takes over from.
        inventory: whose requests a budget counts.
        budget: what was agreed to.
    """
    gone = set(lost)
    if not gone:
        return {}
    entries = ledger.entries.items()
    homes = {key: entry.home for key, entry in entries if entry.record.inventory == inventory}
    return budget.leans_on({key: homes[key] for key in gone}, homes)


def files_of_others(
    ledger: Ledger, drafts: Iterable[Draft], removals: Collection[RequestKey]
) -> frozenset[Spot]:
    """Return the files without a folder that somebody names who stays.

    A removal leaves them alone: one who takes over may write the very same file.
    """
    gone = set(removals)
    staying = (entry.record for key, entry in ledger.entries.items() if key not in gone)
    placements = [
        *(placement for record in staying for placement in record.placements),
        *(placement for draft in drafts for placement in draft.placements),
    ]
    return frozenset(spot for one in placements if one.owned is None for spot in one.spots)


def promise_in_use(
    key: RequestKey, left: Collection[RequestKey]
) -> tuple[State, Reason, str] | None:
    """Return why a Promise has to stay, None when none of its requests is left."""
    mine = sorted(one for one in left if one.promise == key.promise and not one.is_promise)
    if not mine:
        return None
    named = ", ".join(f"{one.namespace}/{one.name}" for one in mine[:_NAMED])
    more = f" and {len(mine) - _NAMED} more" if len(mine) > _NAMED else ""
    text = f"no longer found, but requests of it are still there: {named}{more}; it is kept."
    return State.ORPHANED, Reason.PROMISE_IN_USE, text


def not_removed_yet(record: Record, suspension: Suspension | None) -> Item:
    """Report a request whose delete pipelines asked to wait."""
    text = f"not removed yet: {suspension.words}" if suspension is not None else "not removed yet."
    return of_record(record, State.SUSPENDED, Reason.WORKFLOW_SUSPENDED, text)


def _reason_to_keep(
    record: Record, rules: PruneRules, *, taken_over: bool
) -> tuple[State, Reason, str] | None:
    """Return why one is not removed; one that is taken over is paused, or not, as its heir is."""
    if not rules.complete:
        text = "no longer found, but not everything could be read in this run; it is kept."
        return State.ORPHANED, Reason.INCOMPLETE_RUN, text
    paused = record.paused or record.key.promise in rules.paused
    if paused and not taken_over:
        text = "no longer found, but it was paused by label; it is kept until that is taken off."
        return State.SUSPENDED, Reason.PAUSED, text
    if (record.key.namespace, record.key.name) in rules.doubtful:
        text = "no longer found, but an object of its name and of an unknown group is; it is kept."
        return State.ORPHANED, Reason.INCOMPLETE_RUN, text
    unread = [root for root in record.roots if not rules.was_read(root)]
    if unread and not rules.prune:
        text = (
            f"no longer found, but it was read from {', '.join(unread)}, which this run did not "
            "read or found empty; it is kept. Remove it with --prune."
        )
        return State.ORPHANED, Reason.OTHER_ROOTS, text
    if record.protected and not taken_over:
        text = 'it carries troth.dev/deletion-protection: "true"; take that off first.'
        return State.REFUSED, Reason.DELETION_PROTECTED, text
    return None


def _out_of_this_run(record: Record, ledger: Ledger) -> tuple[State, Reason, str] | None:
    """Return why a request stays that has files where this run can remove none."""
    stores = {one.store for one in (*record.placements, *record.leaving)}
    missing = sorted(stores - ledger.view.snapshots.keys())
    if not missing:
        return None
    text = (
        f"no longer found, but it has files in the state store {', '.join(missing)}, which is none "
        "of this run's; it is kept. Give that store again."
    )
    return State.ORPHANED, Reason.INCOMPLETE_RUN, text


@dataclass(frozen=True, slots=True)
class Remover:
    """Runs delete pipelines, from what the stores remember alone if need be."""

    world: World
    ledger: Ledger
    renderer: Renderer

    def run(self, key: RequestKey) -> Rendered:
        """Run the delete pipelines of a request that is to be removed.

        Raises:
            InvalidInputError: neither the Promise nor its kept revision can be read.
            OutputRefusedError: a stage left a secret in the status.
            PermanentError: as `Renderer.delete`.
        """
        rendered = self._run(key, self.ledger.entries[key].record)
        check_status(rendered.status)
        if rendered.suspension is not None:
            check_status({"message": rendered.suspension.message})
        return rendered

    def _run(self, key: RequestKey, record: Record) -> Rendered:
        promise = self._promise(record)
        if key.is_promise:
            return self.renderer.delete(promise, _as_promise(record), record.status, key.workflow)
        if not promise.workflows.resource_delete:
            return Rendered()
        request = ResourceRequest.parse(record.as_object)
        spec = request.spec
        schema = promise.api.schemas.get(request.version) if promise.api else None
        if schema is not None:
            spec = RequestSchema(schema).fill(spec)
        return self.renderer.delete(promise, object_of(request, spec), record.status)

    def waits(self, key: RequestKey) -> Suspension | None:
        """Return what a delete pipeline asked for, while it is not yet to be tried again."""
        suspension = self.ledger.entries[key].record.suspension
        if suspension is None or not suspension.of_removal or suspension.not_before is None:
            return None  # none, one of the configure workflow, or one that names no time
        return None if suspension.not_before <= self.renderer.moment().now else suspension

    def waiting(self, keys: Iterable[RequestKey]) -> dict[RequestKey, Suspension]:
        """Return those of some removals that wait, with what was asked for."""
        found = {key: self.waits(key) for key in keys}
        return {key: asked for key, asked in found.items() if asked is not None}

    def _promise(self, record: Record) -> Promise:
        present = self.world.promises.get(record.key.promise)
        if present is not None and not record.key.is_promise:
            return present
        revision = self.ledger.revision(record.promise_digest)
        if revision is None:
            message = (
                f"Promise {record.key.promise} is not given and its revision "
                f"{record.promise_digest[:12]} is not in the state store, so its delete pipelines "
                "are unknown; give the Promise once more."
            )
            raise InvalidInputError(Reason.PROMISE_NOT_FOUND, message)
        return Promise.parse(revision)


def _as_promise(record: Record) -> JsonObject:
    """Return what object.yaml says of a Promise that is known by its record alone."""
    asked = Fields(record.asked)
    return {
        "apiVersion": asked.text("apiVersion"),
        "kind": asked.text("kind"),
        "metadata": {
            "name": record.key.promise,
            "labels": visible_labels(asked.string_map("labels")),
            "annotations": visible_annotations(asked.string_map("annotations")),
        },
        "spec": record.spec,
    }

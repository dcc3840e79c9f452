"""Job folders: what Kratix wrote for a request in the folder of another namespace.

Where a Promise names a namespace for all its pipelines, Kratix takes that for the namespace of its
requests in the layout ``nestedByMetadata``. So what a request has from Kratix lies beside its own
folder, and would stand twice. Requests of one name from several namespaces share such a folder:
it goes once all the others have been written to their own.
Source: Kratix's workplacement controller (``workplacement_controller.go``).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from troth.api import Layout, RequestKey
from troth.engine.change import Change, deed_of, spread, trailers_of
from troth.engine.draft import Draft
from troth.engine.ledger import Entry, Ledger
from troth.engine.place import folder_of
from troth.engine.settled import Settlement
from troth.engine.values import Spot, World
from troth_statestore import ChangeSet, Owner, record_key

__all__ = ["take_job_folders"]


def take_job_folders(
    world: World,
    ledger: Ledger,
    drafts: Sequence[tuple[Draft, Change | None]],
    present: Collection[RequestKey | None],
) -> list[tuple[Draft, Change | None]]:
    """Add to each change the folder that Kratix wrote for the request elsewhere.

    Args:
        world: the Destinations.
        ledger: what the stores hold.
        drafts: those that came through, with their changes.
        present: who was handed in, whatever became of it.
    """
    if not any(promise.pipeline_namespace for promise in world.promises.values()):
        return list(drafts)
    search = _Search(world, ledger, present)
    taken: set[Spot] = set()
    found: list[tuple[Draft, Change | None]] = []
    for draft, change in drafts:
        files = set(search.left_for(draft)) - taken
        taken |= files
        found.append((draft, _with(draft, change, files) if files else change))
    return found


class _Search:
    """Finds such folders, and tells whether they may go."""

    def __init__(
        self, world: World, ledger: Ledger, present: Collection[RequestKey | None]
    ) -> None:
        self._world = world
        self._ledger = ledger
        self._known = {*present, *ledger.entries}
        self._namesakes: dict[tuple[str, str], list[RequestKey]] = {}
        for key in self._known:
            if key is not None:
                self._namesakes.setdefault((key.promise, key.name), []).append(key)

    def left_for(self, draft: Draft) -> Iterator[Spot]:
        """Return the files in a draft's folder of Kratix's, nothing while others need them."""
        key, namespace = draft.key, draft.promise.pipeline_namespace
        stands = draft.settled is None or draft.settled.kind is Settlement.UP_TO_DATE
        elsewhere = key._replace(namespace=namespace)
        if key.is_promise or not namespace or elsewhere in self._known or not stands:
            return
        others = (one for one in self._namesakes[key.promise, key.name] if one != key)
        if not all(self._is_written(one) for one in others):
            return
        for destination in self._world.destinations.values():
            folder = folder_of(destination, elsewhere)
            if folder is not None and destination.layout is Layout.NESTED:
                place = Spot(self._world.store_of(destination), folder)
                yield from self._ledger.view.digests(place)

    def _is_written(self, key: RequestKey) -> bool:
        entry = self._ledger.entries.get(key)
        return entry is not None and bool(entry.record.outputs)


def _with(draft: Draft, change: Change | None, files: Collection[Spot]) -> Change | None:
    if change is None:
        entry = draft.entry
        return None if entry is None else spread(_same(draft, entry), entry.home, {}, files)
    if draft.record is None:
        title, deed = f"Adopt {draft.key}", deed_of("Adopt", draft.key)
        parts = {store: replace(p, title=title, deed=deed) for store, p in change.parts.items()}
        change = replace(change, parts=parts)
    return change.also_deleting(files)


def _same(draft: Draft, entry: Entry) -> ChangeSet:
    """Return a change set that leaves the record of a draft as it is."""
    return ChangeSet(
        key=record_key(Owner(*draft.key)),
        expected_version=entry.version,
        record=entry.record.encode(entry.home),
        title=f"Adopt {draft.key}",
        deed=deed_of("Adopt", draft.key),
        trailers=trailers_of(draft.promise, entry.record),
    )

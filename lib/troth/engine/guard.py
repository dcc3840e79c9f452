"""Guard: what is newly taken, held against what others have written while a run was under way.

Two runs may decide at one moment that the same object, route or file is free. The store takes the
change of one first, and asks the guards of the other's before it takes those: a change that no
longer stands is stale, and decided again. Records of another store than the one that is written to
are not seen; ``troth verify`` names what two runs took through two stores at the very same moment.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

from troth.api import RequestKey
from troth.engine.change import Change
from troth.engine.draft import Draft
from troth.engine.ledger import Ledger, names_in
from troth.engine.record import Record
from troth.engine.routes import RouteBook, Traits
from troth.engine.values import ObjectId, Placement, Spot
from troth.errors import InvalidInputError, TrothError
from troth_statestore import Guard

__all__ = ["Guards"]

_Moved = Mapping[str, bytes | None]
_NOTHING = Traits()


@dataclass(slots=True)
class _News:
    """What others hold now by the records that they have written.

    Attributes:
        unreadable: whether one of these records tells nothing.
        objects: what they hold, by Destination.
        files: their files, of those that lie in no folder of their own.
        traits: by Destination, where they differ from those known: before, and now.
    """

    unreadable: bool = False
    objects: set[tuple[str, ObjectId]] = field(default_factory=set[tuple[str, ObjectId]])
    files: set[Spot] = field(default_factory=set[Spot])
    traits: dict[str, dict[RequestKey, tuple[Traits, Traits]]] = field(
        default_factory=dict[str, dict[RequestKey, tuple[Traits, Traits]]]
    )

    def note(self, key: RequestKey, old: Record | None, new: Record | None) -> None:
        """Note that a record was one thing and is another."""
        self.objects |= _objects(_placements(new))
        self.files |= _files(_placements(new))
        had, has = _traits(old), _traits(new)
        for name in had.keys() | has.keys():
            pair = had.get(name, _NOTHING), has.get(name, _NOTHING)
            if pair[0] != pair[1]:
                self.traits.setdefault(name, {})[key] = pair


class Guards:
    """Makes the guards of one plan's changes.

    Args:
        ledger: what the plan was made against.
        drafts: all that came through, with the change each needs.
    """

    def __init__(self, ledger: Ledger, drafts: Sequence[tuple[Draft, Change | None]]) -> None:
        self._ledger = ledger
        self._drafts = drafts
        self._lock = Lock()
        self._news: tuple[_Moved, _News] | None = None
        self._books: dict[str, RouteBook] = {}

    def guarded(self) -> list[tuple[Draft, Change | None]]:
        """Return the drafts, each change with a guard where it takes what is new to it."""
        return [
            (draft, self._put_on(draft, change) if change is not None else None)
            for draft, change in self._drafts
        ]

    def _put_on(self, draft: Draft, change: Change) -> Change:
        before = _placements(draft.record)
        objects = _objects(draft.placements) - _objects(before)
        files = _files(draft.placements) - _files(before)
        had = _traits(draft.record)
        traits = {name: new for name, new in draft.traits.items() if had.get(name) != new}
        if not (objects or files or traits):
            return change

        def guard_in(store: str) -> Guard:
            def still_free(moved: _Moved) -> bool:
                with self._lock:
                    news = self._read(moved, store)
                    if news.unreadable or objects & news.objects or files & news.files:
                        return False
                    return all(
                        self._routes_stand(news, draft.key, name, had.get(name, _NOTHING), new)
                        for name, new in traits.items()
                    )

            return still_free

        parts = {
            store: replace(part, guard=guard_in(store)) for store, part in change.parts.items()
        }
        return replace(change, parts=parts)

    def _read(self, moved: _Moved, store: str) -> _News:
        """Read records once for all the guards that are told the same."""
        if self._news is not None and self._news[0] is moved:
            return self._news[1]
        news = _News()
        for path, content in moved.items():
            key = names_in(path)
            if key is None:
                continue  # a revision, or what is not ours to judge
            old = self._ledger.entries.get(key)
            try:
                new = Record.decode(content, path, store) if content is not None else None
            except InvalidInputError:
                news.unreadable = True
            else:
                news.note(key, old.record if old is not None else None, new)
        self._news, self._books = (moved, news), {}
        return news

    def _routes_stand(
        self, news: _News, key: RequestKey, name: str, old: Traits, new: Traits
    ) -> bool:
        """Tell whether routes may still be taken in a Destination."""
        changed = news.traits.get(name, {})
        if not changed:
            return True
        referred = {ref.parent for route in new.routes for ref in route.parents}
        referred |= {parent.gateway for parent in new.parents}
        moved_parents = {
            one.identity for pair in changed.values() for traits in pair for one in traits.parents
        }
        if referred & moved_parents:
            return False  # it may be gone, or may say now that others go before
        # Of our own requests the book knows Gateways only: they were judged against each other in
        # the plan. So what this one held goes in for its judgement, and out again.
        book = self._book(name, changed)
        book.take(key, old)
        try:
            book.judge(key, new)
        except TrothError:
            return False
        finally:
            book.take(key, Traits(parents=new.parents))
        return True

    def _book(self, name: str, changed: Mapping[RequestKey, tuple[Traits, Traits]]) -> RouteBook:
        """Return a book of all Gateways in a Destination, and of the routes that are news."""
        if name not in self._books:
            entries = self._ledger.entries.items()
            known = ((key, entry.record.traits.get(name)) for key, entry in entries)
            ours = ((draft.key, draft.traits.get(name)) for draft, _ in self._drafts)
            parents = {
                key: Traits(parents=traits.parents)
                for key, traits in (*known, *ours)
                if traits is not None and traits.parents
            }
            self._books[name] = RouteBook(
                {**parents, **{key: now for key, (_, now) in changed.items()}}
            )
        return self._books[name]


def _placements(record: Record | None) -> tuple[Placement, ...]:
    return record.placements if record is not None else ()


def _traits(record: Record | None) -> Mapping[str, Traits]:
    return record.traits if record is not None else {}


def _objects(placements: Iterable[Placement]) -> set[tuple[str, ObjectId]]:
    return {(one.destination, identity) for one in placements for identity in one.objects}


def _files(placements: Iterable[Placement]) -> set[Spot]:
    return {spot for one in placements if one.owned is None for spot in one.spots}

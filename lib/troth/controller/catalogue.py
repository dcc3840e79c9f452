"""The catalogue: what stands in the cluster, as it was last seen.

Written by those who watch, read by the clerk's thread. A view that cannot be read is no reason to
forget the one before it: what was installed goes on serving until it is mended, and that is said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

from troth.api import Destination, GitStateStore, Kind, Promise, RequestKey
from troth.api.destination import same_place
from troth.engine import Submission
from troth.errors import TrothError

__all__ = ["Catalogue", "Shelf"]

_GIT = "GitStateStore"

V = TypeVar("V")
K = TypeVar("K")


class Shelf(Generic[K, V]):
    """Things of one kind by name. Threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._things: dict[K, V] = {}

    def put(self, name: K, thing: V) -> None:
        """Put a thing in the place of what had its name."""
        with self._lock:
            self._things[name] = thing

    def drop(self, name: K) -> None:
        """Take a thing away, if it is there."""
        with self._lock:
            self._things.pop(name, None)

    def find(self, name: K) -> V | None:
        """Return a thing, None where there is none."""
        with self._lock:
            return self._things.get(name)

    def all(self) -> dict[K, V]:
        """Return all of them, as they are now."""
        with self._lock:
            return dict(self._things)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What stands in the cluster.

    `handed_in` are Promises and requests as submissions, by key; what is to go is not among them.
    `faults` and `generations` are by kind (in the plural) and name: what is wrong with an object
    as it is now, and which state of it was seen last. `since` tells when a Promise was made, and
    `unavailable` those that cannot serve now.
    """

    promises: Shelf[str, Promise] = field(default_factory=Shelf[str, Promise])
    destinations: Shelf[str, Destination] = field(default_factory=Shelf[str, Destination])
    stores: Shelf[str, GitStateStore] = field(default_factory=Shelf[str, GitStateStore])
    handed_in: Shelf[RequestKey, Submission] = field(default_factory=Shelf[RequestKey, Submission])

    faults: Shelf[tuple[str, str], TrothError] = field(
        default_factory=Shelf[tuple[str, str], TrothError]
    )
    generations: Shelf[tuple[str, str], int] = field(default_factory=Shelf[tuple[str, str], int])
    since: Shelf[str, str] = field(default_factory=Shelf[str, str])
    unavailable: Shelf[str, bool] = field(default_factory=Shelf[str, bool])

    def wrong(self, plural: str) -> dict[str, TrothError]:
        """Return what is wrong with objects of a kind, by name."""
        return {name: error for (kind, name), error in self.faults.all().items() if kind == plural}

    def generation(self, plural: str, name: str) -> int:
        """Return which state of an object was seen last, 0 where none was."""
        return self.generations.find((plural, name)) or 0

    def promise_of(self, kind: Kind) -> str | None:
        """Return the name of the Promise that offers a kind, None where there is none."""
        for name, promise in self.promises.all().items():
            if promise.api is not None and (promise.api.group, promise.api.kind) == kind:
                return name
        return None

    def forget_promise(self, name: str) -> None:
        """Forget a Promise that is gone; its requests have gone before it."""
        for shelf in (self.promises, self.since, self.unavailable):
            shelf.drop(name)
        self.handed_in.drop(RequestKey.of_promise(name))

    def dependents_of(self, promise: str) -> list[RequestKey]:
        """Return the Promises that require one, with their requests."""
        names = [
            name
            for name, one in sorted(self.promises.all().items())
            if any(required.name == promise for required in one.requires)
        ]
        return [
            key for name in names for key in (RequestKey.of_promise(name), *self.requests_of(name))
        ]

    def requests_of(self, promise: str) -> list[RequestKey]:
        """Return the requests of a Promise, sorted."""
        keys = self.handed_in.all()
        return sorted(key for key in keys if key.promise == promise and not key.is_promise)

    def usable_stores(self) -> dict[str, GitStateStore]:
        """Return the stores by name; of two that are one place, the first."""
        found: dict[tuple[str, str, str], GitStateStore] = {}
        for _, one in sorted(self.stores.all().items()):
            found.setdefault((one.url, one.branch, one.path), one)
        return {one.name: one for one in found.values()}

    def usable_destinations(self) -> Mapping[str, Destination]:
        """Return the Destinations that can be written to; of two in one place, the first by name.

        One whose store is not there is none: where there is only one store, everything that is
        written goes into it, and its files would come to an agent that is not meant.
        """
        found: dict[str, Destination] = {}
        stores = self.usable_stores()
        for name, one in sorted(self.destinations.all().items()):
            if one.store is None or one.store.kind != _GIT or one.store.name not in stores:
                continue
            if not any(same_place(other, one) for other in found.values()):
                found[name] = one
        return found

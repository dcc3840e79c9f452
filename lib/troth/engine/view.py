"""A view: one moment of every state store of a run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from troth.engine.values import Spot
from troth.errors import TransientError, TrothError
from troth_statestore import Snapshot

__all__ = ["View"]


@dataclass(frozen=True, slots=True)
class View:
    """What the stores held when the run looked.

    Attributes:
        snapshots: by the store's name.
        unreached: why a store could not be looked at, by its name.
    """

    snapshots: Mapping[str, Snapshot]
    unreached: Mapping[str, TrothError] = field(default_factory=dict[str, TrothError])

    @classmethod
    def of(cls, snapshot: Snapshot) -> "View":
        """Return the view of a run that has one store."""
        return cls({"": snapshot})

    def revision(self, store: str) -> str | None:
        """Return the tip of a store's files, None where there is none."""
        return self.snapshots[store].revision if store in self.snapshots else None

    def digests(self, place: Spot) -> dict[Spot, str]:
        """Return the digest of every file at or below a place; nothing of an unknown store."""
        if place.store not in self.snapshots:
            return {}
        found = self.snapshots[place.store].digests(place.path)
        return {Spot(place.store, path): digest for path, digest in found.items()}

    def paths(self, place: Spot) -> Iterable[str]:
        """Return the path of every file at or below a place, without its store; sorted."""
        held = self.snapshots.get(place.store)
        return () if held is None else held.digests(place.path)

    def read(self, spots: Iterable[Spot]) -> dict[Spot, bytes]:
        """Return the content of files; those that are not there are left out."""
        by_store: dict[str, list[str]] = {}
        for spot in spots:
            by_store.setdefault(spot.store, []).append(spot.path)
        return {
            Spot(store, path): content
            for store, paths in by_store.items()
            if store in self.snapshots
            for path, content in self.snapshots[store].read(sorted(paths)).items()
        }

    def require(self, stores: Iterable[str]) -> None:
        """Raise when one of these stores was not looked at.

        Raises:
            TransientError: it could not be reached. One that is none of this run's is no reason.
        """
        for store in stores:
            if store in self.unreached:
                error = self.unreached[store]
                raise TransientError(error.reason, f"state store {store}: {error.message}")

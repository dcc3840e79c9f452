"""Dark: what requests hold whose record cannot be read, told by the files in their folders."""

from dataclasses import dataclass, field

from troth.api import Destination, RequestKey
from troth.engine.ledger import Ledger, names_in
from troth.engine.objects import identify, traits_of
from troth.engine.place import folder_of
from troth.engine.routes import Traits
from troth.engine.values import ObjectId, Spot, World
from troth.errors import InvalidInputError, OutputRefusedError

__all__ = ["Dark"]


@dataclass(slots=True)
class Dark:
    """What requests hold whose record cannot be read, told by the files in their folders."""

    objects: dict[tuple[str, ObjectId], RequestKey] = field(
        default_factory=dict[tuple[str, ObjectId], RequestKey]
    )
    traits: dict[str, dict[RequestKey, Traits]] = field(
        default_factory=dict[str, dict[RequestKey, Traits]]
    )

    @classmethod
    def of(cls, ledger: Ledger, world: World) -> "Dark":
        """Read the folders; else another could take what still stands there."""
        dark = cls()
        owners = (names_in(spot.path) for spot in ledger.unreadable)
        for owner in (one for one in owners if one is not None):
            for destination in world.destinations.values():
                folder = folder_of(destination, owner)
                if folder is not None:  # else nothing would tell what is its own
                    place = Spot(world.store_of(destination), folder)
                    dark.read(owner, destination, ledger, place)
        return dark

    def read(
        self, owner: RequestKey, destination: Destination, ledger: Ledger, folder: Spot
    ) -> None:
        """Read the folder of one request in one Destination."""
        files = ledger.view.digests(folder)
        for spot, content in sorted(ledger.view.read(files).items()):
            try:
                found = identify({spot.path: content}, destination.reader, allow_secrets=True)
                traits = traits_of({spot.path: content}, found.get(spot.path, ()))
            except (OutputRefusedError, InvalidInputError):
                continue  # edited by hand into what no agent reads: nothing is held by it
            for identity in found.get(spot.path, ()):
                self.objects[destination.name, identity] = owner
            if traits:
                mine = self.traits.setdefault(destination.name, {})
                mine[owner] = mine.get(owner, Traits()) + traits

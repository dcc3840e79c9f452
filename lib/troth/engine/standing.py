"""Standing: what is in the files of requests that somebody set back to an earlier output.

Their records go on naming the newest output, which they get back when the rollback ends. Until then
they hold both: what stands in the files is delivered, so nobody else may have it, and what they are
to get back must not be gone. Told from the files anew in every run, for whatever record, so that it
holds for requests that are paused, cannot be read, or belong to another inventory too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from troth.api import Reader, RequestKey
from troth.engine.ledger import Ledger
from troth.engine.never_back import SEALED_STAYS, sealed_digest
from troth.engine.objects import identify, traits_of
from troth.engine.observe import Sight, compare, observe
from troth.engine.record import Record
from troth.engine.routes import Traits
from troth.engine.values import ObjectId, Spot, World
from troth.errors import InvalidInputError, OutputRefusedError

__all__ = ["Standing", "Standings"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in files that were set back.

    Attributes:
        objects: by Destination.
        traits: what routes are decided by, of the Destinations where there is any.
        refusal: why that is not to be kept, None where nothing in itself speaks against it.
    """

    objects: frozenset[tuple[str, ObjectId]] = frozenset()
    traits: Mapping[str, Traits] = field(default_factory=dict[str, Traits])
    refusal: str | None = None


class Standings:
    """The files of requests as they are at the start of a run, and which of them were set back.

    Args:
        ledger: the records.
        world: the Destinations.
    """

    def __init__(self, ledger: Ledger, world: World) -> None:
        self._ledger = ledger
        self._world = world
        self._observed: dict[RequestKey, dict[Spot, str]] = {}
        self.found: dict[RequestKey, Standing] = {}
        for key, entry in sorted(ledger.entries.items()):
            if len(entry.record.outputs) < 2:  # noqa: PLR2004  (one to go back from, one to go to)
                continue
            observed = self.observed(key, entry.record)
            if compare(entry.record, observed, entry.home) is Sight.REVERTED:
                self.found[key] = self._read(entry.record, observed)

    def observed(self, key: RequestKey, record: Record | None) -> dict[Spot, str]:
        """Return what `observe` does, looked up once in a run."""
        if key not in self._observed:
            self._observed[key] = observe(key, record, self._world, self._ledger.view)
        return self._observed[key]

    def _read(self, record: Record, observed: Mapping[Spot, str]) -> Standing:
        contents = self._ledger.view.read(observed)
        try:
            objects, traits = self._identified(record, contents)
        except (OutputRefusedError, InvalidInputError) as error:
            return Standing(refusal=error.message)
        refusal = SEALED_STAYS if sealed_digest(contents) != record.sealed else None
        return Standing(objects, traits, refusal)

    def _identified(
        self, record: Record, contents: Mapping[Spot, bytes]
    ) -> tuple[frozenset[tuple[str, ObjectId]], dict[str, Traits]]:
        objects: set[tuple[str, ObjectId]] = set()
        traits: dict[str, Traits] = {}
        for name in sorted({one.destination for one in record.placements}):
            mine = [one for one in record.placements if one.destination == name]
            files = {
                spot.path: content
                for spot, content in contents.items()
                if any(one.owns(spot) for one in mine)
            }
            destination = self._world.destinations.get(name)
            reader = destination.reader if destination is not None else Reader.ARGOCD
            identities = [
                one
                for found in identify(files, reader, allow_secrets=True).values()
                for one in found
            ]
            objects |= {(name, one) for one in identities}
            if found := traits_of(files, identities):
                traits[name] = found
        return frozenset(objects), traits

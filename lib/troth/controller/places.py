"""Destinations, state stores and Promises: in the catalogue before anything is served."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import kopf

from troth.controller.catalogue import Shelf
from troth.controller.cluster import GROUP, VERSION
from troth.controller.inspection import DESTINATIONS, STORES
from troth.controller.office import Office
from troth.errors import InvalidInputError

__all__ = ["watch_places"]

Changed: TypeAlias = Callable[[], None]


def watch_places(registry: kopf.OperatorRegistry, office: Office, changed: Changed) -> None:
    """Have Destinations and GitStateStores known; what they may concern is looked at again.

    `changed` is called when one is to be looked at again itself.
    """
    catalogue = office.catalogue
    kinds = (
        _Places(office, DESTINATIONS, office.see_destination, catalogue.destinations, changed),
        _Places(office, STORES, office.see_store, catalogue.stores, changed),
    )
    promises = _Places(office, "promises", office.see_promise, catalogue.promises, changed)
    _index(registry, promises)
    for places in kinds:
        _index(registry, places)
        plural = places.plural
        kopf.on.event(GROUP, VERSION, plural, id=f"follow-{plural}", registry=registry)(
            places.follow
        )


def _index(registry: kopf.OperatorRegistry, places: "_Places") -> None:
    # Kopf calls no handler before it has seen once all that is indexed.
    plural = places.plural
    kopf.index(GROUP, VERSION, plural, id=f"see-{plural}", registry=registry)(places.see)


@dataclass(frozen=True, slots=True)
class _Places:
    """What is done when something happens to an object of one kind. Handlers of kopf's."""

    office: Office
    plural: str
    enter: Callable[[Mapping[str, Any]], object]
    shelf: Shelf[str, Any]
    changed: Changed
    known: dict[str, object] = field(default_factory=dict[str, object])

    def see(self, body: kopf.Body, name: str, **_: Any) -> None:  # noqa: ANN401
        catalogue, key = self.office.catalogue, (self.plural, name)
        catalogue.generations.put(key, int(body["metadata"]["generation"]))
        try:
            self.enter(body)
        except InvalidInputError as error:
            catalogue.faults.put(key, error)  # what was seen before counts
        else:
            catalogue.faults.drop(key)

    def follow(self, event: kopf.RawEvent, name: str, **_: Any) -> None:  # noqa: ANN401
        if event["type"] == "DELETED":
            self.shelf.drop(name)
            self.office.catalogue.faults.drop((self.plural, name))
        self.changed()
        # Our own words in its status are an event too, and nobody's request depends on them.
        found = self.shelf.find(name)
        if event["type"] == "DELETED" or self.known.get(name) != found:
            self.known[name] = found
            self.office.clerk.remind(self.office.catalogue.handed_in.all())

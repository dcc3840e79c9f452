"""Destinations, state stores and Promises: in the catalogue before anything is served."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import kopf

from troth.controller.office import GROUP, VERSION, Office
from troth.errors import InvalidInputError

__all__ = ["watch_places"]


def watch_places(registry: kopf.OperatorRegistry, office: Office) -> None:
    """Have Destinations and GitStateStores known; what they may concern is looked at again."""
    catalogue = office.catalogue
    kinds = {
        "destinations": _Places(office, office.see_destination, catalogue.destinations.drop),
        "gitstatestores": _Places(office, office.see_store, catalogue.stores.drop),
    }
    _index(registry, "promises", _Places(office, office.see_promise, catalogue.promises.drop))
    for plural, places in kinds.items():
        _index(registry, plural, places)
        kopf.on.event(GROUP, VERSION, plural, id=f"follow-{plural}", registry=registry)(
            places.follow
        )


def _index(registry: kopf.OperatorRegistry, plural: str, places: "_Places") -> None:
    # Kopf calls no handler before it has seen once all that is indexed.
    kopf.index(GROUP, VERSION, plural, id=f"see-{plural}", registry=registry)(places.see)


@dataclass(frozen=True, slots=True)
class _Places:
    """What is done when something happens to an object of one kind. Handlers of kopf's."""

    office: Office
    enter: Callable[[Mapping[str, Any]], object]
    drop: Callable[[str], None]

    def see(self, body: kopf.Body, **_: Any) -> None:  # noqa: ANN401
        try:
            self.enter(body)
        except InvalidInputError:
            return  # what was seen before counts; its own handler says what is wrong

    def follow(self, event: kopf.RawEvent, name: str, **_: Any) -> None:  # noqa: ANN401
        if event["type"] == "DELETED":
            self.drop(name)
        self.office.clerk.remind(self.office.catalogue.handed_in.all())

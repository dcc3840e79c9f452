"""Traits: what of one request's output, in one Destination, routes are decided by.

Kept in the record, so that the claims of ten thousand requests are known without reading files.
"""

from dataclasses import dataclass

from troth.api import Fields, Json
from troth.engine.routes.parts import Parent, Route
from troth.engine.values import ObjectId

__all__ = ["Traits", "needs"]


@dataclass(frozen=True, slots=True)
class Traits:
    """The Gateways and ListenerSets a request provides, and the routes it asks for.

    Both by identity, so that equal outputs have equal traits. False when it has neither.
    """

    parents: tuple[Parent, ...] = ()
    routes: tuple[Route, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is anything to decide."""
        return bool(self.parents or self.routes)

    def __add__(self, other: "Traits") -> "Traits":
        """Return the traits of both."""
        return Traits(
            tuple(sorted((*self.parents, *other.parents), key=lambda one: one.identity)),
            tuple(sorted((*self.routes, *other.routes), key=lambda one: one.identity)),
        )

    def encode(self) -> dict[str, Json]:
        """Spell them for a record: nothing at all when there are none."""
        spelled: dict[str, Json] = {}
        if self.parents:
            spelled["parents"] = [parent.encode() for parent in self.parents]
        if self.routes:
            spelled["routes"] = [route.encode() for route in self.routes]
        return spelled

    @classmethod
    def decode(cls, fields: Fields) -> "Traits":
        """Read them from a record.

        Raises:
            InvalidInputError: they are not as they were written; the reason is that of `fields`.
        """
        return cls(
            parents=tuple(Parent.decode(item) for item in fields.items("parents")),
            routes=tuple(Route.decode(item) for item in fields.items("routes")),
        )


def needs(traits: Traits) -> tuple[ObjectId, ...]:
    """Return what has to exist before routes and ListenerSets can be delivered, sorted.

    These are the parents of the routes and the Gateways of the ListenerSets, without those that the
    request provides itself.
    """
    own = {parent.identity for parent in traits.parents}
    asked = {ref.parent for route in traits.routes for ref in route.parents}
    asked |= {parent.gateway for parent in traits.parents}
    return tuple(sorted(asked - own))

"""A shelf: the claims at one path, found by the first header or parameter they ask a value of.

Ten thousand namespaces may share one path and be told apart by a header; each must be found without
a look at all the others.
"""

from collections.abc import Iterable, Iterator

from troth.engine.routes.claims import Held
from troth.engine.routes.match import Match

__all__ = ["Shelf"]

_Holders = dict[Held, None]


class Shelf:
    """Who holds which matches at one path, in the order in which they came."""

    __slots__ = ("_by_handle",)

    def __init__(self) -> None:
        self._by_handle: dict[str, dict[str, dict[Match, _Holders]]] = {}

    def add(self, held: Held) -> None:
        """Put a claim on it."""
        name, value = _handle(held.claim.match)
        matches = self._by_handle.setdefault(name, {}).setdefault(value, {})
        matches.setdefault(held.claim.match, {})[held] = None

    def remove(self, held: Held) -> None:
        """Take a claim off it."""
        name, value = _handle(held.claim.match)
        values = self._by_handle[name]
        del values[value][held.claim.match][held]
        if not values[value][held.claim.match]:
            del values[value][held.claim.match]
        if not values[value]:
            del values[value]
        if not values:
            del self._by_handle[name]

    def holders(self, match: Match) -> Iterable[Held]:
        """Return who holds the same match."""
        name, value = _handle(match)
        return self._by_handle.get(name, {}).get(value, {}).get(match, ())

    def rivals(self, match: Match) -> Iterator[tuple[Match, Iterable[Held]]]:
        """Return the matches that do not ask for another value than this one, and who holds them.

        Only a first look: some of them may still have no request in common with it.
        """
        wanted = dict(_handles(match))
        for name, values in self._by_handle.items():
            if name in wanted:
                yield from values.get(wanted[name], {}).items()
            else:
                for matches in values.values():
                    yield from matches.items()


def _handle(match: Match) -> tuple[str, str]:
    """Return what a match is found by; nothing where it asks no value of anything."""
    return next(_handles(match), ("", ""))


def _handles(match: Match) -> Iterator[tuple[str, str]]:
    for place, conditions in (("header", match.headers), ("query", match.query)):
        for condition in conditions:
            if condition.is_exact:
                yield f"{place} {condition.name}", condition.value

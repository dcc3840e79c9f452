"""The indexes: who holds a claim, and from whom a new one would take requests.

By Gateway, port and host, and below that a tree of path elements. So a claim costs its own depth,
not the number of claims there are.
"""

from collections.abc import Iterator

from troth.api import RequestKey
from troth.engine.routes.attach import Place, Scope
from troth.engine.routes.claims import Claim, Held
from troth.engine.routes.hosts import wider
from troth.engine.routes.tree import PathTree
from troth.engine.values import ObjectId

__all__ = ["RouteIndex", "WordIndex"]


class _Forest:
    """The trees of all places."""

    def __init__(self) -> None:
        self._gateways = dict[ObjectId, dict[Scope, dict[str, PathTree]]]()

    def add(self, place: Place, held: Held) -> None:
        """Put a claim in at a place, which need not be its own."""
        trees = self._gateways.setdefault(place.gateway, {}).setdefault(place.scope, {})
        trees.setdefault(place.host, PathTree()).add(held)

    def remove(self, place: Place, held: Held) -> None:
        """Take out what was put in there."""
        trees = self._gateways[place.gateway][place.scope]
        trees[place.host].remove(held)
        if not trees[place.host]:
            del trees[place.host]

    def trees(self, place: Place, host: str) -> Iterator[PathTree]:
        """Return what there is for a host at the ports that may be that of a place."""
        for scope, trees in self._gateways.get(place.gateway, {}).items():
            if scope.overlaps(place.scope) and host in trees:
                yield trees[host]


class RouteIndex:
    """Who holds which claims. Answers come in the order in which claims were added."""

    def __init__(self) -> None:
        self._forest = _Forest()

    def add(self, claim: Claim, key: RequestKey) -> None:
        """Note a claim, which `key` has not added before."""
        self._forest.add(claim.place, Held(claim, key))

    def remove(self, claim: Claim, key: RequestKey) -> None:
        """Forget a claim that `key` has added."""
        self._forest.remove(claim.place, Held(claim, key))

    def holders(self, claim: Claim) -> Iterator[Held]:
        """Return who holds the same claim: at a place that may be the same, the same match."""
        for tree in self._forest.trees(claim.place, claim.place.host):
            yield from tree.holders(claim.match)

    def losers(self, claim: Claim) -> Iterator[Held]:
        """Return claims of other namespaces that would lose requests to a new one."""
        here = claim.place.host
        for host in (here, *wider(here)):
            for tree in self._forest.trees(claim.place, host):
                yield from tree.losers(claim, nearer=host != here)


class WordIndex:
    """Who says what: claims by the hostnames of routes, wherever these may come to lead.

    Two hostnames that share a name may lead to one host, by a listener that is for that name.
    """

    def __init__(self) -> None:
        self._at = _Forest()
        self._below = _Forest()  # each claim at its own host, and at all that cover it

    def add(self, word: Claim, key: RequestKey) -> None:
        """Note what `key` says and has not said before."""
        held = Held(word, key)
        self._at.add(word.place, held)
        for place in _covering(word.place):
            self._below.add(place, held)

    def remove(self, word: Claim, key: RequestKey) -> None:
        """Forget what `key` has said."""
        held = Held(word, key)
        self._at.remove(word.place, held)
        for place in _covering(word.place):
            self._below.remove(place, held)

    def holders(self, word: Claim) -> Iterator[Held]:
        """Return who says the same match of a host that may come to be the same."""
        for tree, _ in self._meeting(word):
            yield from tree.holders(word.match)

    def losers(self, word: Claim) -> Iterator[Held]:
        """Return what other namespaces say and would lose requests by to a new one."""
        for tree, is_wider in self._meeting(word):
            yield from tree.losers(word, nearer=is_wider and word.narrows)

    def _meeting(self, word: Claim) -> Iterator[tuple[PathTree, bool]]:
        """Return the trees of hosts that share a name with this one, and which are the wider."""
        for tree in self._below.trees(word.place, word.place.host):
            yield tree, False
        for host in wider(word.place.host):
            for tree in self._at.trees(word.place, host):
                yield tree, True


def _covering(place: Place) -> Iterator[Place]:
    yield place
    for host in wider(place.host):
        yield place._replace(host=host)

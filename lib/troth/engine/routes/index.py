"""The index of claims: who holds a claim, and from whom a new one would take requests.

By Gateway, port and host, and below that a tree of path elements which knows whose claims lie in
each branch. So a claim costs its own depth, not the number of claims there are.
"""

import itertools
from collections.abc import Iterator

from troth.api import RequestKey
from troth.engine.routes.attach import Place, Scope
from troth.engine.routes.claims import Claim, Held
from troth.engine.routes.hosts import wider
from troth.engine.routes.match import PathType, takes
from troth.engine.routes.shelf import Shelf
from troth.engine.values import ObjectId

__all__ = ["RouteIndex"]


class _Node:
    """A path element: what is claimed at it, and how many claims of whom lie at or below it."""

    __slots__ = ("below", "children", "shelf")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.shelf = Shelf()
        self.below: dict[str, int] = {}

    def foreign(self, namespace: str) -> bool:
        """Tell whether another namespace claims anything here or below."""
        return len(self.below) > 1 or (bool(self.below) and namespace not in self.below)

    def count(self, namespace: str, change: int) -> None:
        """Note that a claim came or went."""
        number = self.below.get(namespace, 0) + change
        if number:
            self.below[namespace] = number
        else:
            del self.below[namespace]


# The trees of a port: by host, those of regular expressions apart, which few have and which may
# lose to paths above them.
_Trees = dict[tuple[str, bool], _Node]


class RouteIndex:
    """Who holds which claims. Answers come in the order in which claims were added."""

    def __init__(self) -> None:
        self._gateways = dict[ObjectId, dict[Scope, _Trees]]()

    def add(self, claim: Claim, key: RequestKey) -> None:
        """Note a claim, which `key` has not added before."""
        gateway, scope, host = claim.place
        trees = self._gateways.setdefault(gateway, {}).setdefault(scope, {})
        node = trees.setdefault((host, claim.match.is_pattern), _Node())
        node.count(claim.namespace, 1)
        for element in _elements(claim.match.anchor):
            node = node.children.setdefault(element, _Node())
            node.count(claim.namespace, 1)
        node.shelf.add(Held(claim, key))

    def remove(self, claim: Claim, key: RequestKey) -> None:
        """Forget a claim that `key` has added."""
        gateway, scope, host = claim.place
        trees = self._gateways[gateway][scope]
        node = trees[host, claim.match.is_pattern]
        node.count(claim.namespace, -1)
        if not node.below:
            del trees[host, claim.match.is_pattern]
        for element in _elements(claim.match.anchor):
            child = node.children[element]
            child.count(claim.namespace, -1)
            if not child.below:
                del node.children[element]
            node = child
        node.shelf.remove(Held(claim, key))

    def holders(self, claim: Claim) -> Iterator[Held]:
        """Return who holds the same claim: at a place that may be the same, the same match."""
        for trees in self._overlapping(claim.place):
            node = trees.get((claim.place.host, claim.match.is_pattern))
            for element in _elements(claim.match.anchor):
                node = node.children.get(element) if node is not None else None
            if node is not None:
                yield from node.shelf.holders(claim.match)

    def losers(self, claim: Claim) -> Iterator[Held]:
        """Return claims of other namespaces that would lose requests to a new one."""
        here = claim.place.host
        for trees in self._overlapping(claim.place):
            for host, patterns in itertools.product((here, *wider(here)), (False, True)):
                root, nearer = trees.get((host, patterns)), host != here
                if root is not None:
                    # From these a prefix takes also what lies below it.
                    for node in _branch(root, claim, deep=nearer or patterns):
                        yield from _losers(node, claim, nearer=nearer)

    def _overlapping(self, place: Place) -> Iterator[_Trees]:
        for scope, trees in self._gateways.get(place.gateway, {}).items():
            if scope.overlaps(place.scope):
                yield trees


def _elements(path: str) -> list[str]:
    return path[1:].split("/") if path != "/" else []


def _losers(node: _Node, claim: Claim, *, nearer: bool) -> Iterator[Held]:
    for match, holders in node.shelf.rivals(claim.match):
        if takes(claim.match, match, nearer=nearer):
            for held in holders:
                if held.claim.namespace != claim.namespace:
                    yield held


def _branch(root: _Node, claim: Claim, *, deep: bool) -> Iterator[_Node]:
    """Return the nodes at which claims of other namespaces may lose something to this one."""
    if claim.match.is_pattern:
        yield from _all(root, claim.namespace)
        return
    node = root
    for element in _elements(claim.match.anchor):
        if not node.foreign(claim.namespace):
            return
        yield node
        below = node.children.get(element)
        if below is None:
            return
        node = below
    if deep and claim.match.path_type is PathType.PREFIX:
        yield from _all(node, claim.namespace)
    elif node.foreign(claim.namespace):
        yield node


def _all(root: _Node, namespace: str) -> Iterator[_Node]:
    """Return every node at or below one in which another namespace has claims."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.foreign(namespace):
            yield node
            waiting += node.children.values()

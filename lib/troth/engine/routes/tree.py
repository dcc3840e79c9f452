"""A tree: the claims at one port and host, by the elements of their paths.

It knows whose claims lie in each branch, so a question costs the depth of a path, not the number of
claims there are.
"""

from collections.abc import Iterable, Iterator

from troth.engine.routes.claims import Claim, Held
from troth.engine.routes.match import Match, PathType, takes
from troth.engine.routes.shelf import Shelf

__all__ = ["PathTree"]


class _Node:
    """A path element: what is claimed at it, and how many claims of whom lie at or below it."""

    __slots__ = ("below", "children", "shelf")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.shelf: Shelf | None = None  # until something is claimed at it
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


class PathTree:
    """Who holds which matches at one host, in the order in which they came."""

    __slots__ = ("_roots",)

    def __init__(self) -> None:
        # Regular expressions apart (True), which few have and which may lose to paths above them.
        self._roots: dict[bool, _Node] = {}

    def __bool__(self) -> bool:
        """Tell whether anything is claimed."""
        return bool(self._roots)

    def add(self, held: Held) -> None:
        """Put a claim in."""
        match, namespace = held.claim.match, held.claim.namespace
        node = self._roots.setdefault(match.is_pattern, _Node())
        node.count(namespace, 1)
        for element in _elements(match.anchor):
            node = node.children.setdefault(element, _Node())
            node.count(namespace, 1)
        if node.shelf is None:
            node.shelf = Shelf()
        node.shelf.add(held)

    def remove(self, held: Held) -> None:
        """Take a claim out."""
        match, namespace = held.claim.match, held.claim.namespace
        node = self._roots[match.is_pattern]
        node.count(namespace, -1)
        if not node.below:
            del self._roots[match.is_pattern]
        for element in _elements(match.anchor):
            child = node.children[element]
            child.count(namespace, -1)
            if not child.below:
                del node.children[element]
            node = child
        if node.shelf is not None:
            node.shelf.remove(held)

    def holders(self, match: Match) -> Iterable[Held]:
        """Return who holds the same match."""
        node = self._roots.get(match.is_pattern)
        for element in _elements(match.anchor):
            node = node.children.get(element) if node is not None else None
        return () if node is None or node.shelf is None else node.shelf.holders(match)

    def losers(self, claim: Claim, *, nearer: bool) -> Iterator[Held]:
        """Return claims of other namespaces that would lose requests to a new one.

        Args:
            claim: the new one, not necessarily at the host of this tree.
            nearer: see `takes`.
        """
        for are_patterns, root in ((one, self._roots[one]) for one in sorted(self._roots)):
            # From these a prefix takes also what lies below it.
            deep = nearer or are_patterns or claim.match.is_pattern
            for node in _branch(root, claim, deep=deep):
                yield from _losers(node, claim, nearer=nearer)


def _elements(path: str) -> list[str]:
    return path[1:].split("/") if path != "/" else []


def _losers(node: _Node, claim: Claim, *, nearer: bool) -> Iterator[Held]:
    for match, holders in node.shelf.rivals(claim.match) if node.shelf is not None else ():
        if takes(claim.match, match, nearer=nearer):
            for held in holders:
                if held.claim.namespace != claim.namespace:
                    yield held


def _branch(root: _Node, claim: Claim, *, deep: bool) -> Iterator[_Node]:
    """Return the nodes at which claims of other namespaces may lose something to this one."""
    node = root
    for element in _elements(claim.match.anchor):
        if not node.foreign(claim.namespace):
            return
        yield node
        below = node.children.get(element)
        if below is None:
            return
        node = below
    if deep and claim.match.path_type is not PathType.EXACT:
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

"""Rivals: which requests hold one route, as no two should."""

from collections.abc import Mapping

from troth.api import RequestKey
from troth.engine.routes.book import RouteBook
from troth.engine.routes.traits import Traits

__all__ = ["rivals"]


def rivals(holders: Mapping[RequestKey, Traits]) -> list[tuple[RequestKey, RequestKey, str]]:
    """Return who holds the same claim as another now, in one Destination.

    A change of a Gateway can bring that about, as can what was written by hand.

    Args:
        holders: the traits of all requests that the stores hold there, in any order.

    Returns:
        pairs of requests, the first by key before the other, each with the claim as messages spell
        it; sorted, and each once.
    """
    book = RouteBook(holders)
    return sorted(
        {
            (key, other, str(claim))
            for key in holders
            for claim, other in book.shared(key)
            if key < other
        }
    )

"""Climb: take many requests up the rungs that each climbs alone, several at once where it pays."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from troth.engine.draft import Draft
from troth.engine.prepare import Preparer
from troth.engine.values import Submission
from troth.errors import FaultError, TrothError

__all__ = ["attempt", "climb"]

T = TypeVar("T")
R = TypeVar("R")

_log = logging.getLogger(__name__)


def climb(
    preparer: Preparer,
    submissions: Sequence[Submission],
    workers: int,
    progress: Callable[[], None],
) -> list[Draft | TrothError]:
    """Return for each submission how far it came: a draft, or the error that stopped it.

    Only stages run in parallel: what comes before them is quick, and threads would only wait for
    each other.

    Args:
        preparer: takes one request.
        submissions: the requests.
        workers: how many stages may run at once.
        progress: called once for each request that has come to its end here.
    """
    climbed = [attempt(preparer.begin, submission) for submission in submissions]
    unsettled = {
        index: draft
        for index, draft in enumerate(climbed)
        if isinstance(draft, Draft) and draft.settled is None
    }
    for _ in range(len(climbed) - len(unsettled)):
        progress()

    def finish(draft: Draft) -> Draft | TrothError:
        try:
            return attempt(preparer.finish, draft)
        finally:
            progress()

    with ThreadPoolExecutor(workers) as pool:
        finished = pool.map(finish, unsettled.values())
        for index, outcome in zip(unsettled, finished, strict=True):
            climbed[index] = outcome
    return climbed


def attempt(step: Callable[[T], R], what: T) -> R | TrothError:
    """Take a step; an error costs this request alone."""
    try:
        return step(what)
    except TrothError as error:
        return error
    except Exception as error:  # noqa: BLE001  (a fault of ours costs this request alone, too)
        _log.debug("Preparing a request failed.", exc_info=error)
        return FaultError.of(error)

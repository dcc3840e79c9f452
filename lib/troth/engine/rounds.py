"""Rounds: plan and write again for what was stale, or has just become free; not for ever."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from troth.api import RequestKey
from troth.engine.ladder import Plan
from troth.engine.values import Item, State
from troth.engine.write import Report, Writer
from troth.errors import Reason, TrothError

__all__ = ["settle"]

_log = logging.getLogger(__name__)

# Others write too; who loses this often in a row is told so.
_ROUNDS = 3


def settle(plan: Callable[[], Plan], writer: Writer) -> Sequence[Item]:
    """Plan and write until nothing is left that another round could settle.

    Args:
        plan: makes a plan against the newest moment of the stores.
        writer: carries it out.
    """
    report = writer.write(plan())
    for _ in range(_ROUNDS - 1):
        if not report.unsettled:
            break
        try:
            again = writer.write(plan())
        except TrothError as error:  # what the rounds before have done is still to be told
            _log.warning("No further round could be made: %s", error.message)
            break
        report = _merge(report, again)
    return report.items


def _merge(first: Report, second: Report) -> Report:
    """Let a later round speak for what was unsettled, and the first for all the rest.

    A key may have several lines: of a request, and of another kind that had its name before.
    """
    earlier, later = _by_key(first.items), _by_key(second.items)
    merged = dict(earlier)
    for key in first.unsettled:
        # Only what was to be removed can be gone by itself: somebody else has removed it.
        gone = [replace(earlier[key][0], state=State.REMOVED, reason=Reason.REMOVED, message="")]
        merged[key] = later.get(key, gone)
    merged |= {key: items for key, items in later.items() if key not in earlier}
    lines = [item for key in sorted(merged) for item in merged[key]]
    return Report(lines, second.unsettled & first.unsettled)


def _by_key(items: Sequence[Item]) -> dict[RequestKey, list[Item]]:
    found: dict[RequestKey, list[Item]] = {}
    for item in items:
        found.setdefault(item.key, []).append(item)
    return found

"""Rounds: plan and write again for what was stale, or has just become free; not for ever."""

from collections.abc import Callable, Sequence

from troth.engine.ladder import Plan
from troth.engine.values import Item
from troth.engine.write import Report, Writer

__all__ = ["settle"]

# Others write too; who loses this often in a row is told so.
_ROUNDS = 3


def settle(plan: Callable[[], Plan], writer: Writer) -> Sequence[Item]:
    """Plan and write until nothing is left that another round could settle.

    Args:
        plan: makes a plan against the newest moment of the store.
        writer: carries it out.
    """
    report = writer.write(plan())
    for _ in range(_ROUNDS - 1):
        if not report.unsettled:
            break
        report = _merge(report, writer.write(plan()))
    return report.items


def _merge(first: Report, second: Report) -> Report:
    """Let a later round speak for what was unsettled, and the first for all the rest."""

    def key(item: Item) -> tuple[str, str, str]:
        return item.namespace, item.promise, item.name

    later = {key(item): item for item in second.items}
    items = [
        later.get(key(item), item) if key(item) in first.unsettled else item for item in first.items
    ]
    return Report(items, second.unsettled & first.unsettled)

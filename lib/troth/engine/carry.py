"""Carry out: hand changes to their stores, and tell what became of each.

A change may touch several stores. What lies elsewhere goes before the record at home, so that a
record never says of a file that it was written before it was; what is left by a run that was cut
off between the two is found again in the request's folder by the next. The old place of what moved
to another store is cleaned last.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeAlias

from troth.api import RequestKey
from troth.engine.change import Change
from troth.engine.values import Spot
from troth.errors import FaultError, TrothError
from troth_statestore import ChangeSet, Outcome, Receipt

__all__ = ["Fate", "Submit", "carry_out", "hand_in", "landed"]

_log = logging.getLogger(__name__)

Submit: TypeAlias = Callable[[str, Sequence[ChangeSet]], Sequence[Future[Receipt]]]
"""Hands change sets to a store, all at once; each future tells what became of one."""

Fate: TypeAlias = Receipt | TrothError
"""What became of a change: the store's receipt, or why there is none."""


def carry_out(
    submit: Submit, changes: Sequence[Change], added: Sequence[tuple[str, ChangeSet]] = ()
) -> list[Fate]:
    """Hand changes to their stores; return what became of each, in order.

    Args:
        submit: hands change sets to a store.
        changes: what to carry out.
        added: change sets by store that go into the same flush, before the records.
    """
    first = [
        (store, part)
        for change in changes
        for store, part in change.parts.items()
        if store != change.home
    ]
    elsewhere = _by_key(first, hand_in(submit, first))
    ready = [change for change in changes if not _failed(elsewhere.get(change.key, ()))]
    second = [*added, *((change.home, change.parts[change.home]) for change in ready)]
    home = _by_key(second, hand_in(submit, second))
    moved = [change for change in ready if not _failed(home.get(change.key, ()))]
    third = [(store, part) for change in moved for store, part in change.after.items()]
    after = _by_key(third, hand_in(submit, third))
    return [
        _together([one for step in (elsewhere, home, after) for one in step.get(change.key, ())])
        for change in changes
    ]


def hand_in(submit: Submit, parts: Sequence[tuple[str, ChangeSet]]) -> list[Fate]:
    """Hand change sets, each with its store, in at once; return what became of each, in order.

    What a receipt lists as changed is spelled with the store, as reports do.
    """
    futures: dict[int, Future[Receipt]] = {}
    for store in sorted({store for store, _ in parts}):
        mine = [index for index, (name, _) in enumerate(parts) if name == store]
        handed = submit(store, [parts[index][1] for index in mine])
        futures |= dict(zip(mine, handed, strict=True))
    return [_fate(futures[index], store) for index, (store, _) in enumerate(parts)]


def landed(fates: Mapping[RequestKey, Fate]) -> set[RequestKey]:
    """Return the requests whose change the stores are known to have."""
    return {
        key
        for key, fate in fates.items()
        if isinstance(fate, Receipt) and fate.outcome is not Outcome.STALE
    }


def _fate(future: Future[Receipt], store: str) -> Fate:
    try:
        receipt = future.result()
        return replace(receipt, changed=tuple(str(Spot(store, path)) for path in receipt.changed))
    except TrothError as error:
        return error
    except Exception as error:  # noqa: BLE001  (a fault of ours ends no run without its report)
        _log.debug("Writing a request failed.", exc_info=error)
        return FaultError.of(error)


def _by_key(parts: Sequence[tuple[str, ChangeSet]], fates: Sequence[Fate]) -> dict[str, list[Fate]]:
    found: dict[str, list[Fate]] = {}
    for (_, part), fate in zip(parts, fates, strict=True):
        found.setdefault(part.key, []).append(fate)
    return found


def _failed(fates: Sequence[Fate]) -> bool:
    """Tell whether a part did not land; then the record must not say that it did."""
    return any(isinstance(one, TrothError) or one.outcome is Outcome.STALE for one in fates)


def _together(fates: Sequence[Fate]) -> Fate:
    """Return one fate for all parts of a change, of which the record's comes last."""
    for fate in fates:
        if isinstance(fate, TrothError):
            return fate
    receipts = [fate for fate in fates if isinstance(fate, Receipt)]
    last = receipts[-1]
    by_outcome = {receipt.outcome: receipt for receipt in receipts}
    chosen = by_outcome.get(Outcome.STALE) or by_outcome.get(Outcome.WRITTEN) or last
    landing = next((one for one in reversed(receipts) if one.revision is not None), last)
    changed = tuple(path for receipt in receipts for path in receipt.changed)
    return Receipt(last.key, chosen.outcome, landing.revision, changed, landing.tree)

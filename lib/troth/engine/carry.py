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
from troth.errors import FaultError, Reason, StoreError, TransientError, TrothError
from troth_statestore import ChangeSet, Outcome, Receipt

__all__ = ["Before", "Fate", "Submit", "carry_out", "hand_in", "landed", "told"]

_log = logging.getLogger(__name__)

Submit: TypeAlias = Callable[[str, Sequence[ChangeSet]], Sequence[Future[Receipt]]]
"""Hands change sets to a store, all at once; each future tells what became of one."""

Before: TypeAlias = Callable[[Sequence[Spot]], Mapping[Spot, bytes]]
"""Reads files as they were when the plan was made; those that were not there are left out."""


def _nothing_before(_: Sequence[Spot]) -> Mapping[Spot, bytes]:
    return {}


Fate: TypeAlias = Receipt | TrothError
"""What became of a change: the store's receipt, or why there is none."""


def carry_out(
    submit: Submit,
    changes: Sequence[Change],
    added: Sequence[tuple[str, ChangeSet]] = (),
    before: Before = _nothing_before,
) -> list[Fate]:
    """Hand changes to their stores; return what became of each, in order.

    Args:
        submit: hands change sets to a store.
        changes: what to carry out.
        added: change sets by store that go into the same flush, before the records.
        before: reads files as they were, to put back what lies elsewhere where the record is
            refused.
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
    refused = [change for change in ready if _is_refused(home.get(change.key, ()))]
    _take_back(submit, refused, elsewhere, before)
    moved = [change for change in ready if not _failed(home.get(change.key, ()))]
    third = [(store, part) for change in moved for store, part in change.after.items()]
    after = _by_key(third, hand_in(submit, third))
    cleaned = [one for one in moved if one.last is not None and not _failed(after[one.key])]
    for fate in hand_in(submit, [(one.home, one.last) for one in cleaned if one.last is not None]):
        if isinstance(fate, TrothError):  # the next run finds the old place clean, and says so
            _log.warning("The end of a move was not noted: %s", fate.message)
    return [
        _unless_left(
            _together([*elsewhere.get(change.key, ()), *home.get(change.key, ())]),
            after.get(change.key, ()),
        )
        for change in changes
    ]


def _is_refused(fates: Sequence[Fate]) -> bool:
    """Tell whether a record is known to be as it was, and the change not to have landed.

    Where the record has moved, somebody else may have written the very same files for it; and of
    some errors nobody knows.
    """
    return any(
        isinstance(one, StoreError) or (isinstance(one, Receipt) and one.guarded) for one in fates
    )


def _take_back(
    submit: Submit,
    changes: Sequence[Change],
    landed_there: Mapping[str, Sequence[Fate]],
    before: Before,
) -> None:
    """Put back what changes have changed elsewhere: no record will say whose those files are."""
    parts: list[tuple[str, ChangeSet]] = []
    for change in changes:
        receipts = (one for one in landed_there.get(change.key, ()) if isinstance(one, Receipt))
        really = {path for one in receipts for path in one.changed}
        for store, part in change.parts.items():
            spots = [Spot(store, path) for path in (*part.files, *part.delete)]
            mine = [spot for spot in spots if store != change.home and str(spot) in really]
            if mine:
                parts.append((store, _undone(part, mine, before(mine))))
    for (store, part), fate in zip(parts, hand_in(submit, parts), strict=True):
        if isinstance(fate, TrothError):  # the next run finds them, in the request's folder
            _log.warning("%s in state store %s failed: %s", part.title, store, fate.message)


def _undone(part: ChangeSet, spots: Sequence[Spot], there: Mapping[Spot, bytes]) -> ChangeSet:
    """Return what makes some files what they were; it carries no receipt, for it is none."""
    return ChangeSet(
        key=part.key,
        expected_version=None,
        files={spot.path: content for spot, content in there.items()},
        delete=frozenset(spot.path for spot in spots if spot not in there),
        title=f"Take back: {part.title}",
        deed=part.deed._replace(verb="Take back"),
    )


def _unless_left(fate: Fate, after: Sequence[Fate]) -> Fate:
    """Return what became of a change, given what became of the old place of what it moved."""
    for one in after:
        if isinstance(one, TrothError):
            text = f"it is written at its new place, but the old one is not cleaned: {one.message}"
            return TransientError(one.reason, f"{text} The next run cleans it.")
    return fate


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


def told(fate: Fate) -> Fate:
    """Return a fate as people are told it: what has moved meanwhile is a `TransientError`."""
    if isinstance(fate, Receipt) and fate.outcome is Outcome.STALE:
        text = (
            "its record, or who holds what it asks for, was changed by somebody else while this "
            "run was under way; run again."
        )
        return TransientError(Reason.STATE_STORE_BUSY, text)
    return fate


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

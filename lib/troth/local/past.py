"""What open stores held before, and handing a few changes to them outside a run."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack

from troth.engine import Change
from troth.engine.carry import Fate, Submit, carry_out
from troth.errors import Reason, TransientError
from troth_statestore import ChangeSet, History, Outcome, Receipt, StateStore
from troth_statestore.flusher import Flusher
from troth_statestore.git import GitStore

__all__ = ["hand_over", "handed_in", "histories"]


def histories(stores: Mapping[str, StateStore]) -> dict[str, History]:
    """Return the histories of those stores that keep one, by name."""
    return {name: store.history() for name, store in stores.items() if isinstance(store, GitStore)}


def hand_over(stores: Mapping[str, StateStore], changes: Sequence[Change]) -> list[Fate]:
    """Give changes to their stores; return what became of each, in order.

    One whose record has moved meanwhile is a `TransientError`.
    """
    with ExitStack() as open_flushers:
        flushers = {name: Flusher(store) for name, store in stores.items()}
        for flusher in flushers.values():
            open_flushers.callback(flusher.close)

        def submit(store: str, parts: Sequence[ChangeSet]) -> Sequence[Future[Receipt]]:
            return flushers[store].submit_all(parts)

        return handed_in(submit, changes)


def handed_in(submit: Submit, changes: Sequence[Change]) -> list[Fate]:
    """Hand changes to their stores; answers as `hand_over`."""
    return [_stale_is_an_error(fate) for fate in carry_out(submit, changes)]


def _stale_is_an_error(fate: Fate) -> Fate:
    if isinstance(fate, Receipt) and fate.outcome is Outcome.STALE:
        text = "its record was changed by somebody else at the same moment; try again."
        return TransientError(Reason.STATE_STORE_BUSY, text)
    return fate

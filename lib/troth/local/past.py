"""What open stores held before, and handing a few changes to them outside a run."""

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager

from troth.engine import Change
from troth.engine.carry import Before, Fate, Submit, carry_out, told
from troth_statestore import ChangeSet, History, Receipt, StateStore
from troth_statestore.budget import Pace
from troth_statestore.flusher import Flusher
from troth_statestore.git import GitStore

__all__ = ["flushing", "hand_over", "handed_in", "histories"]


def histories(stores: Mapping[str, StateStore]) -> dict[str, History]:
    """Return the histories of those stores that keep one, by name."""
    return {name: store.history() for name, store in stores.items() if isinstance(store, GitStore)}


@contextmanager
def flushing(
    stores: Mapping[str, StateStore], pace_of: Callable[[str], Pace] = lambda _: Pace()
) -> Generator[Submit]:
    """Open a flusher for each store, and close them at the end; gives what hands to them.

    Args:
        stores: by name.
        pace_of: tells of a store how fast its flusher may go; at once, where nothing is said.
    """
    with ExitStack() as open_flushers:
        flushers = {name: Flusher(store, pace=pace_of(name)) for name, store in stores.items()}
        for flusher in flushers.values():
            open_flushers.callback(flusher.close)

        def submit(store: str, parts: Sequence[ChangeSet]) -> Sequence[Future[Receipt]]:
            return flushers[store].submit_all(parts)

        yield submit


def hand_over(stores: Mapping[str, StateStore], changes: Sequence[Change]) -> list[Fate]:
    """Give changes to their stores; return what became of each, in order.

    One whose record has moved meanwhile is a `TransientError`.
    """
    with flushing(stores) as submit:
        return handed_in(submit, changes)


def handed_in(
    submit: Submit, changes: Sequence[Change], before: Before = lambda _: {}
) -> list[Fate]:
    """Hand changes to their stores; answers as `hand_over`.

    Args:
        submit: hands change sets to a store.
        changes: what to hand in.
        before: reads files as they were, to put back what lies in another store than a record that
            is refused.
    """
    return [told(fate) for fate in carry_out(submit, changes, before=before)]

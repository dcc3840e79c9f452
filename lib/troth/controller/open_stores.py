"""The state stores that objects in the cluster name, opened when they are first needed.

One whose object changes is opened anew; one that cannot be opened or read is said to be out of
reach, so that nothing is concluded from what it may hold.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar

from troth.api import GitStateStore, StorePolicy
from troth.engine import View
from troth.errors import Reason, TransientError, TrothError
from troth.local.policies import push_budgets
from troth.local.stores import StoreChoice, of_object, open_store
from troth.local.ways_in import WaysIn
from troth_statestore import ChangeSet, Probe, Receipt, Snapshot, StateStore
from troth_statestore.budget import Pace
from troth_statestore.flusher import Flusher

__all__ = ["OpenStores"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Open:
    choice: StoreChoice
    store: StateStore
    flusher: Flusher

    def close(self) -> None:
        self.flusher.close()
        self.store.close()


class OpenStores:
    """Opens, looks at and writes to stores. Threads may share it.

    Args:
        ways: how they are entered.
    """

    def __init__(self, ways: WaysIn) -> None:
        self._ways = ways
        self._lock = Lock()
        self._open: dict[str, _Open] = {}
        self._refused: dict[str, TrothError] = {}

    def follow(self, wanted: Mapping[str, GitStateStore]) -> None:
        """Have these stores open, and no others; those that cannot be opened are tried again."""
        with self._lock:
            self._refused = {}
            for name in self._open.keys() - wanted.keys():
                self._open.pop(name).close()
            for name in sorted(wanted):
                try:
                    self._follow(name, wanted)
                except TrothError as error:
                    self._refused[name] = error
                    # What was open is what the object said before: nobody means that any more.
                    if (known := self._open.pop(name, None)) is not None:
                        known.close()

    def _follow(self, name: str, wanted: Mapping[str, GitStateStore]) -> None:
        choice = of_object(name, None, wanted, self._ways)
        known = self._open.get(name)
        if known is not None and known.choice == choice:
            return
        if known is not None:
            self._open.pop(name).close()
        store = open_store(choice, create=False, writes=True)
        budget = push_budgets({name: choice}, StorePolicy()).get(name)
        self._open[name] = _Open(choice, store, Flusher(store, pace=Pace(budget)))

    def look(self) -> View:
        """Return what they hold now; of those that cannot be read it is said why."""
        snapshots: dict[str, Snapshot] = {}
        with self._lock:
            names, unreached = sorted(self._open), dict(self._refused)
        for name in names:
            try:
                snapshots[name] = self._use(name, lambda one: one.store.snapshot())
            except TrothError as error:
                unreached[name] = error
        return View(snapshots, unreached)

    def probe(self, name: str) -> Probe:
        """Try a store.

        Raises:
            TrothError: it cannot be opened or used, as the store itself says.
        """
        return self._use(name, lambda one: one.store.probe())

    def submit(self, store: str, changes: Sequence[ChangeSet]) -> Sequence[Future[Receipt]]:
        """Hand change sets to a store.

        Raises:
            TrothError: it is not open any more.
        """
        return self._use(store, lambda one: one.flusher.submit_all(changes))

    def close(self) -> None:
        """Write what was handed in, and close all."""
        self.follow({})

    def _use(self, name: str, act: Callable[[_Open], T]) -> T:
        """Do something with a store that another thread may be closing.

        Raises:
            TrothError: it cannot be opened, or was closed meanwhile.
        """
        with self._lock:
            one, refused = self._open.get(name), self._refused.get(name)
        if one is not None:
            try:
                return act(one)
            except ValueError:  # so say a store and a flusher that were closed
                with self._lock:
                    if self._open.get(name) is one:
                        raise
        if refused is not None:
            raise refused
        message = f"GitStateStore {name} is being opened anew, or was taken away."
        raise TransientError(Reason.STATE_STORE_BUSY, message)

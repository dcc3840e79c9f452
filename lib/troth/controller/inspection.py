"""State stores are tried in time, and what is known of them and of Destinations is told.

A store that becomes ready is told at once to whoever waits for it. Statuses are written when they
have to say something else, not with each trial.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Condition as Turnstile
from threading import Thread
from typing import Protocol

from troth.api import Destination, GitStateStore
from troth.api.destination import same_place
from troth.controller.catalogue import Catalogue
from troth.controller.open_stores import OpenStores
from troth.controller.place_statuses import destination_ready, destination_wrong, store_ready
from troth.engine.conditions import Condition
from troth.errors import FaultError, TrothError
from troth_statestore import Probe
from troth_statestore.readiness import Readiness, Status

__all__ = ["DESTINATIONS", "STORES", "Inspection", "Inspector", "Notices", "Seams"]

DESTINATIONS = "destinations"
STORES = "gitstatestores"

_AGAIN = 5.0  # seconds until a status that could not be written is tried again

_log = logging.getLogger(__name__)


class Notices(Protocol):
    """Where it is told how a place is."""

    def post(self, plural: str, name: str, ready: Condition) -> int | None:
        """Write a condition; return the generation it is about, None where the object is gone.

        Raises:
            TrothError: it could not be written.
        """
        ...


@dataclass(frozen=True, slots=True)
class Seams:
    """What an inspection works with.

    Attributes:
        catalogue: what stands in the cluster.
        stores: what is tried.
        notices: where it is told.
        ready: called when a store has become ready.
        clock: seconds since 1970.
    """

    catalogue: Catalogue
    stores: OpenStores
    notices: Notices
    ready: Callable[[], None]
    clock: Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Trial:
    """A store as `Readiness` tries it, whether it could be opened or not."""

    stores: OpenStores
    name: str

    def probe(self) -> Probe:
        return self.stores.probe(self.name)


@dataclass(frozen=True, slots=True)
class _Known:
    store: GitStateStore
    readiness: Readiness


@dataclass(slots=True)
class Inspection:
    """What is known of all places. One thread uses it."""

    seams: Seams
    _known: dict[str, _Known] = field(default_factory=dict[str, _Known])
    _told: dict[tuple[str, str], tuple[Condition, int]] = field(
        default_factory=dict[tuple[str, str], tuple[Condition, int]]
    )

    def go_round(self) -> float | None:
        """Try what is due and tell what is news; return when to come again, None for never."""
        catalogue, stores = self.seams.catalogue, self.seams.stores
        usable = catalogue.usable_stores()
        stores.follow(usable)
        self._try(usable)
        found = self._stores(usable)
        told = [self._tell(STORES, name, ready) for name, ready in sorted(found.items())]
        told += [
            self._tell(DESTINATIONS, name, ready)
            for name, ready in sorted(self._destinations(found).items())
        ]
        moments = [one.readiness.due for one in self._known.values()]
        if not all(told):
            moments.append(self.seams.clock() + _AGAIN)
        return min(moments, default=None)

    def _try(self, usable: dict[str, GitStateStore]) -> None:
        for name in self._known.keys() - usable.keys():
            del self._known[name]
        risen = False
        for name, store in sorted(usable.items()):
            known = self._known.get(name)
            if known is None or known.store != store:
                trial = _Trial(self.seams.stores, name)
                known = self._known[name] = _Known(store, Readiness(trial, self.seams.clock))
            readiness = known.readiness
            if readiness.is_due():
                before = readiness.condition.status
                after = readiness.try_now().status
                risen |= after is Status.TRUE and before is not Status.TRUE
        if risen:
            self.seams.ready()

    def _stores(self, usable: dict[str, GitStateStore]) -> dict[str, Condition]:
        """Return the conditions of all stores."""
        catalogue = self.seams.catalogue
        found = {name: store_ready(one.readiness.condition) for name, one in self._known.items()}
        for name, one in catalogue.stores.all().items():
            if name not in usable:
                first = next(n for n, other in usable.items() if _same_store(one, other))
                text = f"its place is that of GitStateStore {first}; refer to that one."
                found[name] = Condition("Ready", "False", "StateStoreError", text)
        for name, error in catalogue.wrong(STORES).items():
            found[name] = Condition("Ready", "False", "ErrorInitialisingWriter", error.message)
        return found

    def _destinations(self, stores: dict[str, Condition]) -> dict[str, Condition]:
        """Return the conditions of all Destinations."""
        catalogue = self.seams.catalogue
        everyone, usable = catalogue.destinations.all(), catalogue.usable_destinations()
        found = {
            name: destination_ready(one, stores, _first_there(one, usable))
            for name, one in everyone.items()
        }
        wrong = catalogue.wrong(DESTINATIONS)
        return found | {name: destination_wrong(error) for name, error in wrong.items()}

    def _tell(self, plural: str, name: str, ready: Condition) -> bool:
        """Tell what is news of a place; return whether it is told."""
        key, generation = (plural, name), self.seams.catalogue.generation(plural, name)
        if self._told.get(key) == (ready, generation):
            return True
        try:
            told = self.seams.notices.post(plural, name, ready)
        except TrothError as error:
            _log.warning("The status of %s %s could not be written: %s", plural, name, error)
            return False
        if told is not None:
            self._told[key] = ready, told
        return True


class Inspector:
    """Goes round in a thread of its own, until it is closed."""

    def __init__(self, seams: Seams) -> None:
        self._inspection = Inspection(seams)
        self._clock = seams.clock
        self._state = Turnstile()
        self._closing = False
        self._wanted = False  # nothing is known before somebody has seen it
        self._thread = Thread(target=self._work, name="troth-inspector")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def look(self) -> None:
        """Go round now: something has changed."""
        with self._state:
            self._wanted = True
            self._state.notify()

    def close(self) -> None:
        """End; what is being tried is waited for."""
        with self._state:
            self._closing = True
            self._state.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        moment: float | None = None
        while self._wait(moment):
            try:
                moment = self._inspection.go_round()
            except Exception as error:  # noqa: BLE001  (a fault of ours costs one round)
                _log.debug("Trying state stores failed.", exc_info=error)
                _log.error("State stores could not be tried: %s", FaultError.of(error))
                moment = self._clock() + _AGAIN

    def _wait(self, moment: float | None) -> bool:
        """Wait until something is to be done; tell whether it is."""
        with self._state:
            while not self._closing and not self._wanted:
                left = None if moment is None else moment - self._clock()
                if left is not None and left <= 0:
                    break
                self._state.wait(left)
            self._wanted = False
            return not self._closing


def _first_there(one: Destination, usable: Mapping[str, Destination]) -> str | None:
    """Return the Destination that was in the place of another before it."""
    if one.name in usable:
        return None
    return next((name for name, other in usable.items() if same_place(other, one)), None)


def _same_store(one: GitStateStore, other: GitStateStore) -> bool:
    return (one.url, one.branch, one.path) == (other.url, other.branch, other.path)

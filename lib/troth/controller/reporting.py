"""Reporting: what became of objects is written into their statuses, also where nobody waits for it.

What the clerk says of its own accord is written by a thread of its own: an API server that does not
answer keeps nobody from being served, and what could not be told is told again.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Condition as Turnstile
from threading import Thread

from troth.api import RequestKey
from troth.controller.catalogue import Catalogue
from troth.controller.clerk import Answer
from troth.controller.cluster import GROUP, VERSION, Cluster, Place, place_of_requests
from troth.controller.statuses import generation_of, of_answer, of_place, of_promise
from troth.engine.conditions import Condition
from troth.errors import FaultError, TrothError

__all__ = ["Reporter", "Teller"]

_log = logging.getLogger(__name__)

_AGAIN = 5.0  # seconds until what could not be told is tried again


@dataclass(frozen=True, slots=True)
class Reporter:
    """Writes statuses.

    Args:
        catalogue: what stands in the cluster.
        cluster: the API server.
        leads: whether it is still for us to tell.
    """

    catalogue: Catalogue
    cluster: Cluster
    leads: Callable[[], bool] = lambda: True

    def report(self, answer: Answer) -> None:
        """Write into the status of a request or Promise what became of it.

        Raises:
            TransientError, PermanentError: as `Cluster.apply`.
        """
        key = answer.item.key
        promise = self.catalogue.promises.find(key.promise)
        place = _place(key) if key.is_promise else place_of_requests(promise, key.namespace)
        name = key.name or key.promise
        body = self.cluster.read(place, name) if place is not None else None
        if place is None or promise is None or body is None or not self.leads():
            return
        now = datetime.now(UTC)
        if key.is_promise:
            patch = of_promise(promise, answer, self.catalogue, body, now)
        else:
            patch = of_answer(answer, promise, body, now)
        if patch:
            self.cluster.patch_status(place, name, patch)

    def post(self, plural: str, name: str, ready: Condition) -> int | None:
        """Write the condition of a place, as `Notices.post` has it."""
        place = Place(GROUP, VERSION, plural)
        body = self.cluster.read(place, name)
        if body is None or not self.leads():
            return None
        patch = of_place(plural, ready, body, datetime.now(UTC))
        if patch:
            self.cluster.patch_status(place, name, patch)
        return generation_of(body)


def _place(key: RequestKey) -> Place | None:
    return Place(GROUP, VERSION, "promises") if key.is_promise else None


class Teller:
    """Tells answers one after the other, of each request the latest, until it is closed.

    Args:
        tell: writes one down.
    """

    def __init__(self, tell: Callable[[Answer], None]) -> None:
        self._tell = tell
        self._state = Turnstile()
        self._left: dict[RequestKey, Answer] = {}
        self._closing = False
        self._thread = Thread(target=self._work, name="troth-teller")
        self._thread.start()

    def tell(self, answer: Answer) -> None:
        """Have an answer told."""
        with self._state:
            self._left[answer.item.key] = answer
            self._state.notify()

    def close(self) -> None:
        """End; what is not told yet is seen anew by whoever starts next."""
        with self._state:
            self._closing = True
            self._state.notify()
        self._thread.join()

    def _work(self) -> None:
        while (answer := self._next()) is not None:
            key = answer.item.key
            try:
                self._tell(answer)
            except TrothError as error:
                _log.warning("The status of %s could not be written: %s", key, error.message)
                self._put_back(answer)
            except Exception as error:  # noqa: BLE001  (the others are still to be told)
                _log.debug("Telling failed.", exc_info=error)
                _log.error("The status of %s could not be written: %s", key, FaultError.of(error))

    def _next(self) -> Answer | None:
        with self._state:
            while not self._left and not self._closing:
                self._state.wait()
            if self._closing:
                return None
            return self._left.pop(next(iter(self._left)))

    def _put_back(self, answer: Answer) -> None:
        with self._state:
            self._left.setdefault(answer.item.key, answer)  # unless there is a later one
            if not self._closing:
                self._state.wait(_AGAIN)

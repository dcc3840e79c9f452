"""The Lease: of several controllers one serves, the others wait for it to end.

This is the way of client-go's ``tools/leaderelection``: a Lease holds for so long after it was last
seen to change, by the watcher's own clock, since clocks differ; and it is changed only as it was
read. The Kubernetes client's own ``leaderelection`` is not used: it cannot be stopped, waits for an
API server without end, dies of one that is not there, and measures by the wall clock.

It is no fence: one that was paused may go on for a moment after another has taken over. So the
holder asks `Lease.is_held` before it writes, and what it pushes is refused by the store when
another has written since.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Final

from troth.api import Json, JsonObject, is_object
from troth.controller.cluster import Cluster, Place
from troth.errors import TrothError

__all__ = ["Lease", "LeaseTerms", "Seat"]

_LEASES: Final = ("coordination.k8s.io", "v1", "leases")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """Which Lease, and for how long.

    Attributes:
        name: of the Lease.
        namespace: where it is.
        identity: who we are; no other process, before or after, may have it.
        seconds: how long others wait after it was last renewed.
    """

    name: str
    namespace: str
    identity: str
    seconds: int = 15

    @property
    def renewed_within(self) -> float:
        """Seconds after which one that could not renew it stops: before others begin."""
        return self.seconds * 2 / 3

    @property
    def pause(self) -> float:
        """Seconds between two tries."""
        return self.seconds * 2 / 15


class Lease:
    """One Lease, and what was seen of it. One thread tries; any may ask whether it is held.

    Args:
        cluster: where it is.
        terms: which, and for how long.
        clock: seconds that no one sets, and that go on while this process is paused.
    """

    def __init__(self, cluster: Cluster, terms: LeaseTerms, clock: Callable[[], float]) -> None:
        self._cluster = cluster
        self._terms = terms
        self._clock = clock
        self._place = Place(*_LEASES, terms.namespace)
        self._seen: JsonObject | None = None
        self._seen_at = 0.0
        self._held_until: float | None = None

    @property
    def is_held(self) -> bool:
        """Whether it is ours, and nobody else may think that it is theirs."""
        return self._held_until is not None and self._clock() < self._held_until

    def try_once(self) -> bool:
        """Take it, or renew it; tell whether that went well."""
        began = self._clock()
        try:
            taken = self._take()
        except TrothError as error:
            _log.warning("The Lease could not be had: %s", error.message)
            return False
        if taken:
            self._held_until = began + self._terms.renewed_within
        return taken

    def release(self) -> None:
        """Let others have it at once, if it is ours."""
        if not self.is_held:
            return
        self._held_until = None
        try:
            found = self._cluster.read(self._place, self._terms.name)
            if found is not None and _holder(found) == self._terms.identity:
                ended: JsonObject = {"holderIdentity": "", "leaseDurationSeconds": 1}
                spec: JsonObject = {**_spec(found), **ended}
                self._cluster.replace(self._place, {**found, "spec": spec})
        except TrothError as error:
            _log.warning("The Lease could not be released, and ends by itself: %s", error.message)

    def _take(self) -> bool:
        found = self._cluster.read(self._place, self._terms.name)
        if found is None:
            self._cluster.create(self._place, self._manifest({}))
            return True
        spec = _spec(found)
        if spec != self._seen:
            self._seen, self._seen_at = spec, self._clock()
        if _holder(found) not in {"", self._terms.identity} and not self._has_ended(spec):
            return False
        self._cluster.replace(self._place, self._manifest(found))
        return True

    def _has_ended(self, spec: JsonObject) -> bool:
        seconds = spec.get("leaseDurationSeconds")
        length = seconds if isinstance(seconds, int) else self._terms.seconds
        return self._clock() >= self._seen_at + length

    def _manifest(self, found: JsonObject) -> JsonObject:
        """Return the Lease as ours, made of what was found: no other may have come between."""
        terms, now = self._terms, _spelled(datetime.now(UTC))
        before = _spec(found)
        ours = before.get("holderIdentity") == terms.identity
        changes = before.get("leaseTransitions")
        count = changes if isinstance(changes, int) else 0
        spec: dict[str, Json] = {
            **before,
            "holderIdentity": terms.identity,
            "leaseDurationSeconds": terms.seconds,
            "acquireTime": before.get("acquireTime", now) if ours else now,
            "renewTime": now,
            "leaseTransitions": count if ours or not before else count + 1,
        }
        kind = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
        metadata = found.get("metadata") or {"name": terms.name, "namespace": terms.namespace}
        return {**kind, "metadata": metadata, "spec": spec}


class Seat:
    """Keeps a Lease once it is won, in a thread of its own, until it is left or lost.

    Args:
        lease: what is kept.
        pause: seconds between two tries.
        lost: set when it is lost.
    """

    def __init__(self, lease: Lease, pause: float, lost: Event) -> None:
        self._lease = lease
        self._pause = pause
        self._lost = lost
        self._leaving = Event()
        self._thread = Thread(target=self._keep, name="troth-lease")

    def take(self, stop: Event) -> bool:
        """Wait until it is ours; tell whether it is, or somebody wants to stop."""
        while not stop.is_set():
            if self._lease.try_once():
                self._thread.start()
                return True
            stop.wait(self._pause)
        return False

    def leave(self) -> None:
        """Stop keeping it, and let others have it."""
        self._leaving.set()
        if self._thread.is_alive():
            self._thread.join()
        self._lease.release()

    def _keep(self) -> None:
        while not self._leaving.wait(self._pause):
            # First: one that was paused for long must not even try to renew.
            if not self._lease.is_held or not (self._lease.try_once() or self._lease.is_held):
                self._lost.set()
                return


def _holder(found: JsonObject) -> str:
    return str(_spec(found).get("holderIdentity") or "")


def _spec(found: JsonObject) -> JsonObject:
    spec = found.get("spec")
    return spec if is_object(spec) else {}


def _spelled(moment: datetime) -> str:
    """Return a time as Kubernetes' MicroTime is spelled."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

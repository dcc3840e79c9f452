"""Of several that want a Lease one has it, and knows in time when it has it no more."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from support.api_server import ApiServer, Asked, run_api_server, said
from support.loopback import Answer

from troth.controller.cluster import Cluster, Place
from troth.controller.lease import Lease, LeaseTerms, Seat
from troth.errors import Reason, TransientError

SECONDS = 20.0


@dataclass
class Leases:
    """One Lease as an API server keeps it: what is replaced must be as it was read."""

    kept: dict[str, Any] | None = None
    version: int = 0
    down: bool = False
    between: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Answer:
        if self.down:
            return said(503, "down")
        if asked.method == "GET":
            return said(404) if self.kept is None else self._ok()
        if self.between:  # somebody else was faster
            self._keep(self.between.pop())
        if asked.method == "POST":
            return said(409) if self.kept is not None else self._keep(asked.body)
        assert self.kept is not None
        if asked.body["metadata"].get("resourceVersion") != str(self.version):
            return said(409, "the object has been modified")
        return self._keep(asked.body)

    def _keep(self, body: dict[str, Any]) -> Answer:
        self.version += 1
        metadata = {**body["metadata"], "resourceVersion": str(self.version)}
        self.kept = {**body, "metadata": metadata}
        return self._ok()

    def _ok(self) -> Answer:
        return Answer(200, body=json.dumps(self.kept).encode())

    @property
    def spec(self) -> dict[str, Any]:
        assert self.kept is not None
        found: dict[str, Any] = self.kept["spec"]
        return found


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def lease(server: ApiServer, name: str, clock: Clock) -> Lease:
    terms = LeaseTerms("troth", "platform", name, seconds=15)
    return Lease(Cluster.connect(server.kubeconfig), terms, clock)


def test_one_has_it_and_the_other_waits(tmp_path: Path) -> None:
    leases, clock = Leases(), Clock()
    with run_api_server(tmp_path, leases) as server:
        one, two = lease(server, "one", clock), lease(server, "two", clock)

        assert (one.try_once(), two.try_once()) == (True, False)
        assert (one.is_held, two.is_held) == (True, False)

    assert server.asked[0].path == "/apis/coordination.k8s.io/v1/namespaces/platform/leases/troth"
    assert leases.spec["holderIdentity"] == "one"
    assert leases.spec["leaseDurationSeconds"] == 15


def test_who_renews_it_keeps_it_and_when_it_was_taken(tmp_path: Path) -> None:
    leases, clock = Leases(), Clock()
    with run_api_server(tmp_path, leases) as server:
        one, two = lease(server, "one", clock), lease(server, "two", clock)
        one.try_once()
        taken = leases.spec["acquireTime"]
        for _ in range(5):
            clock.now += 8
            assert (one.try_once(), two.try_once()) == (True, False)

    assert leases.spec["acquireTime"] == taken
    assert leases.spec["leaseTransitions"] == 0


def test_it_passes_on_when_it_was_not_seen_to_change_for_its_length(tmp_path: Path) -> None:
    leases, clock = Leases(), Clock()
    with run_api_server(tmp_path, leases) as server:
        one, two = lease(server, "one", clock), lease(server, "two", clock)
        one.try_once()
        clock.now += 100  # how long it stood there before does not count
        assert not two.try_once()
        clock.now += 14.9
        assert not two.try_once()
        clock.now += 0.1
        assert two.try_once()

    assert leases.spec["leaseTransitions"] == 1


def test_who_could_not_renew_it_stops_before_others_begin(tmp_path: Path) -> None:
    leases, clock = Leases(), Clock()
    with run_api_server(tmp_path, leases) as server:
        one = lease(server, "one", clock)
        one.try_once()
        leases.down = True
        clock.now += 9.9
        assert (one.try_once(), one.is_held) == (False, True)
        clock.now += 0.1
        assert not one.is_held


def test_of_two_that_take_it_together_one_has_it(tmp_path: Path) -> None:
    leases, clock = Leases(), Clock()
    with run_api_server(tmp_path, leases) as server:
        lease(server, "gone", clock).try_once()
        one, two = lease(server, "one", clock), lease(server, "two", clock)
        one.try_once()
        clock.now += 15
        leases.between = [{**(leases.kept or {}), "spec": {"holderIdentity": "two"}}]

        assert (one.try_once(), one.is_held) == (False, False)
        assert not two.is_held


def test_one_that_is_released_is_free_at_once(tmp_path: Path) -> None:
    leases, clock = Leases(), Clock()
    with run_api_server(tmp_path, leases) as server:
        one, two = lease(server, "one", clock), lease(server, "two", clock)
        one.try_once()
        two.try_once()
        one.release()

        assert (one.is_held, two.try_once()) == (False, True)


def test_who_has_it_no_more_releases_nothing(tmp_path: Path) -> None:
    leases, clock = Leases(), Clock()
    with run_api_server(tmp_path, leases) as server:
        one, two = lease(server, "one", clock), lease(server, "two", clock)
        one.try_once()
        two.try_once()
        clock.now += 15
        two.try_once()
        one.release()

    assert leases.spec["holderIdentity"] == "two"


@pytest.mark.parametrize("kept", [{}, {"spec": None}, {"spec": {"leaseDurationSeconds": "x"}}])
def test_a_lease_that_says_nothing_is_nobodys(tmp_path: Path, kept: dict[str, Any]) -> None:
    leases = Leases({"metadata": {"name": "troth", "resourceVersion": "0"}, **kept})
    with run_api_server(tmp_path, leases) as server:
        assert lease(server, "one", Clock()).try_once()


def test_a_seat_is_told_when_it_is_lost(tmp_path: Path) -> None:
    leases, clock, over = Leases(), Clock(), Event()
    with run_api_server(tmp_path, leases) as server:
        one = lease(server, "one", clock)
        seat = Seat(one, 0.01, over)
        assert seat.take(over)
        clock.now += 60  # it was paused

        was_told = over.wait(SECONDS)
        is_held = one.is_held
        seat.leave()  # first: its thread would go on after a failure
    assert (was_told, is_held) == (True, False)
    assert leases.spec["holderIdentity"] == "one"


def test_who_waits_for_a_seat_can_be_stopped(tmp_path: Path) -> None:
    over = Event()
    over.set()
    with run_api_server(tmp_path, Leases()) as server:
        assert not Seat(lease(server, "one", Clock()), 0.01, over).take(over)

    assert server.asked == []


def test_who_has_lost_it_reads_and_changes_nothing(tmp_path: Path) -> None:
    with run_api_server(tmp_path, lambda _: Answer(200, body=b"{}")) as server:
        cluster = Cluster.connect(server.kubeconfig).guarded(lambda: False)
        place = Place("", "v1", "things", "team")
        cluster.read(place, "one")
        for change in (
            lambda: cluster.patch_status(place, "one", {}),
            lambda: cluster.delete(place, "one"),
            lambda: cluster.apply(place, {"metadata": {"name": "one"}}),
        ):
            with pytest.raises(TransientError) as caught:
                change()
            assert caught.value.reason == Reason.LEASE_LOST

    assert [one.method for one in server.asked] == ["GET"]

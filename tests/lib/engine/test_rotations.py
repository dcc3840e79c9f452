"""Rotations: a cluster that has lost its keys gets its credentials anew, so many in each run."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from support.platform import Platform, config_map, destination, request

from troth.api import Destination, Fields, Json, JsonObject, RequestKey, dump_documents
from troth.engine import Item, RotationLimit, Settings, State, Submission, preview
from troth.errors import Reason
from troth.runners import StageJob, StageResult

NAMES = ["a", "b", "c", "d", "e"]


@dataclass
class Sealer:
    """A stage that makes a credential anew for other keys of its cluster, or another colour.

    Attributes:
        epoch: that of the cluster's keys now.
        down: for whom the provider does not answer; they keep what they have, and say so.
        made: for whom one was made, in order.
    """

    epoch: str = ""
    down: set[str] = field(default_factory=set[str])
    made: list[str] = field(default_factory=list[str])

    def __call__(self, job: StageJob) -> StageResult:
        name = job.environ["KRATIX_OBJECT_NAME"]
        state = Fields(job.object).section("status").section("sealed").section("key")
        kept: Json = dict(state.raw)
        wanted: JsonObject = {"effects": [f"make {name}"]}
        colour = Fields(job.object).section("spec").text("colour")
        same = state.text("epoch", "") == self.epoch and state.text("colour", "") == colour
        if state.has("ciphertext") and same:
            return self._result(name, kept)
        if job.context["effects"] == "recall":
            return self._result(name, {**state.raw, "ciphertext": "(known after apply)"}, wanted)
        if name in self.down:
            return self._result(name, kept, {**wanted, "reconcileAfter": "1m"})
        self.made.append(name)
        fresh: Json = {"ciphertext": f"{name}{self.epoch}", "destination": "cluster",
                       "epoch": self.epoch, "colour": colour}  # fmt: skip
        return self._result(name, fresh)

    def _result(self, name: str, value: Json, control: JsonObject | None = None) -> StageResult:
        text = str(value.get("ciphertext")) if isinstance(value, dict) else ""
        metadata = {"status.yaml": dump_documents([{"sealed": {"key": value}}])}
        if control is not None:
            metadata["workflow-control.yaml"] = dump_documents([control])
        return StageResult({"a.yaml": dump_documents([config_map(name, text=text)])}, metadata)


def cluster(epoch: str) -> Destination:
    return replace(destination("cluster"), certificate="a.pem", sealing_epoch=epoch)


def lost_keys(limit: int, sealer: Sealer) -> Platform:
    """A platform with five credentials whose cluster has just lost its keys."""
    platform = Platform(stages={"configure": sealer}, destinations=[cluster("")])
    platform.sync(*asked())
    sealer.made.clear()
    sealer.epoch = "2"
    platform.destinations = [cluster("2")]
    platform.settings = Settings(rotations=RotationLimit(limit))
    return platform


def asked() -> list[Submission]:
    return [request(name) for name in NAMES]


def waiting(items: dict[str, Item]) -> list[str]:
    return [name for name, item in items.items() if item.state is State.WAITING]


def test_so_many_rotate_in_a_run_and_the_others_in_the_next_ones_in_order() -> None:
    sealer = Sealer()
    platform = lost_keys(2, sealer)

    runs = [waiting(platform.sync(*asked())) for _ in range(4)]

    assert runs == [["c", "d", "e"], ["e"], [], []]
    assert sealer.made == NAMES


def test_those_that_wait_are_told_how_many_do_and_what_to_do() -> None:
    platform = lost_keys(2, Sealer())
    before = platform.files

    items = platform.sync(*asked())

    assert (items["a"].state, items["a"].reason) == (State.WRITTEN, Reason.KEY_REPLACED)
    assert (items["e"].state, items["e"].reason) == (State.WAITING, Reason.KEY_REPLACED)
    assert "2 requests are let in this run, and 3 wait" in items["e"].message
    assert "--rotation-limit" in items["e"].message
    changed = {path for path, content in platform.files.items() if before[path] != content}
    assert sorted(path.split("/")[4] for path in changed) == ["a", "b"]


def test_a_plan_tells_how_many_would_rotate_and_how_many_wait() -> None:
    platform = lost_keys(2, Sealer())

    found = [one.item for one in preview(platform.plan(*asked())) if one.item.name]

    assert [item.state for item in found] == [State.WRITTEN] * 2 + [State.WAITING] * 3
    assert {item.reason for item in found} == {Reason.KEY_REPLACED}


def test_those_that_fail_hold_up_nobody_in_the_next_run() -> None:
    sealer = Sealer()
    platform = lost_keys(2, sealer)
    sealer.down = {"a", "b"}

    for _ in range(3):
        platform.sync(*asked())
        platform.now += timedelta(minutes=1)
    sealer.down = set()
    platform.sync(*asked())

    assert sealer.made == ["c", "d", "e", "a", "b"]


def test_what_an_earlier_round_of_a_run_let_rotate_counts() -> None:
    sealer = Sealer()
    platform = lost_keys(2, sealer)
    begun = frozenset(RequestKey("team", "thing", name) for name in ("a", "c"))
    platform.settings = Settings(rotations=RotationLimit(2, begun))

    platform.sync(*asked())

    assert sealer.made == ["a", "c"]


@pytest.mark.parametrize("limit", [0, 100])
def test_none_or_all_may_rotate(limit: int) -> None:
    sealer = Sealer()

    lost_keys(limit, sealer).sync(*asked())

    assert sealer.made == (NAMES if limit else [])


def test_what_acts_for_another_reason_is_not_limited() -> None:
    sealer = Sealer(epoch="2")
    platform = Platform(stages={"configure": sealer}, destinations=[cluster("2")])
    platform.settings = Settings(rotations=RotationLimit(0))
    platform.sync(request("a"))

    items = platform.sync(request("a", colour="blue"), request("b"))

    assert sealer.made == ["a", "a", "b"]
    assert Reason.KEY_REPLACED not in {item.reason for item in items.values()}

"""The clerk serves what is handed in, together what came together, and looks again in time."""

from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest
from support.desk import TestDesk, at_work
from support.platform import Platform, config_map, follows_spec, request, writes

from troth.api import JsonObject, RequestKey, dump_documents
from troth.controller import Answer
from troth.engine import State
from troth.errors import InvalidInputError, Reason, TransientError
from troth.runners import StageJob, StageResult
from troth_statestore.memory import MemoryStore

SECONDS = 20.0


def told(future: Future[Answer]) -> Answer:
    return future.result(SECONDS)


def states(desk: TestDesk) -> list[tuple[str, State]]:
    return [(one.item.name, one.item.state) for one in desk.told]


class Held:
    """A stage that waits to be let go, so that more comes in meanwhile."""

    def __init__(self) -> None:
        self.begun, self.go_on = Event(), Event()

    def __call__(self, job: StageJob) -> StageResult:
        self.begun.set()
        assert self.go_on.wait(SECONDS)
        return follows_spec(job)


def test_a_request_is_written_and_its_record_is_told() -> None:
    desk = TestDesk(Platform())
    [key] = desk.ask(request("one", value="new"))

    with at_work(desk) as clerk:
        answer = told(clerk.hand_in(key))

    assert answer.item.state is State.WRITTEN
    assert answer.record is not None
    assert answer.record.spec == {"value": "new"}
    assert any(b"value: new" in content for content in desk.platform.files.values())


def test_what_comes_while_he_is_at_work_is_served_together() -> None:
    held = Held()
    desk = TestDesk(Platform(stages={"configure": held}))
    first, *rest = desk.ask(*(request(f"r{number}") for number in range(10)))

    with at_work(desk) as clerk:
        early = clerk.hand_in(first)
        assert held.begun.wait(SECONDS)
        later = [clerk.hand_in(key) for key in rest]
        held.go_on.set()
        assert {told(one).item.state for one in (early, *later)} == {State.WRITTEN}

    # The Promise's revision goes with the first that needs it.
    assert [len(flush) for flush in desk.platform.flushes] == [1 + 1, len(rest)]


def test_of_many_edits_the_last_one_is_served() -> None:
    held = Held()
    desk = TestDesk(Platform(stages={"configure": held}))
    [first] = desk.ask(request("first"))

    with at_work(desk) as clerk:
        clerk.hand_in(first)
        assert held.begun.wait(SECONDS)
        waits = []
        for number in range(50):
            [key] = desk.ask(request("edited", value=str(number)))
            waits.append(clerk.hand_in(key))
        held.go_on.set()
        answers = [told(one) for one in waits]

    assert len({id(answer) for answer in answers}) == 1
    assert [job.environ["KRATIX_OBJECT_NAME"] for job in desk.platform.runner.runs] == [
        "first",
        "edited",
    ]
    assert answers[0].record is not None
    assert answers[0].record.spec == {"value": "49"}


def test_one_that_is_gone_is_removed_and_nobody_else() -> None:
    desk = TestDesk(Platform())
    one, two = desk.ask(request("one"), request("two"))

    with at_work(desk) as clerk:
        told(clerk.hand_in(one))
        told(clerk.hand_in(two))
        del desk.asked[one]
        answer = told(clerk.hand_in(one))

    assert (answer.item.state, answer.record) == (State.REMOVED, None)
    assert [path for path in desk.platform.files if "/two/" in path]
    assert not [path for path in desk.platform.files if "/one/" in path]


def test_one_that_never_was_is_gone() -> None:
    desk = TestDesk(Platform())

    with at_work(desk) as clerk:
        answer = told(clerk.hand_in(RequestKey("team", "thing", "none")))

    assert answer.item.state is State.REMOVED


def test_what_waits_for_an_object_gets_it_once_it_is_free() -> None:
    desk = TestDesk(Platform(stages={"configure": writes(config_map("shared"))}))
    one, two = desk.ask(request("one"), request("two"))

    with at_work(desk) as clerk:
        told(clerk.hand_in(one))
        assert told(clerk.hand_in(two)).item.reason == Reason.OBJECT_HELD
        del desk.asked[one]
        told(clerk.hand_in(one))
        desk.pass_time(clerk, seconds=1)
        desk.hear(1)

    assert states(desk)[-1] == ("two", State.WRITTEN)


def test_a_suspended_request_is_tried_again_when_it_asked_for_that() -> None:
    runs: list[StageJob] = []

    def suspends_once(job: StageJob) -> StageResult:
        runs.append(job)
        control = {"workflow-control.yaml": b"retryAfter: 5m\n"}
        return StageResult({}, control) if len(runs) == 1 else follows_spec(job)

    desk = TestDesk(Platform(stages={"configure": suspends_once}))
    [key] = desk.ask(request("one"))

    with at_work(desk) as clerk:
        assert told(clerk.hand_in(key)).item.state is State.SUSPENDED
        looks = desk.looks
        desk.pass_time(clerk, minutes=4)
        told(clerk.hand_in(RequestKey("team", "thing", "none")))  # so he has looked at the clock
        assert desk.looks > looks
        assert len(runs) == 1
        desk.pass_time(clerk, minutes=1)
        desk.hear(1)

    assert states(desk) == [("one", State.WRITTEN)]


def test_while_the_store_is_away_all_wait_and_then_all_land() -> None:
    away = TransientError(Reason.STATE_STORE_UNREACHABLE, "no route to host.")
    desk = TestDesk(Platform(), trouble=[away, away, away])
    [key] = desk.ask(request("one"))

    with at_work(desk) as clerk:
        answer = told(clerk.hand_in(key))
        assert (answer.item.state, answer.item.message) == (State.FAILED, "no route to host.")
        for tries, seconds in enumerate((1, 2, 4), 1):
            desk.pass_time(clerk, seconds=seconds)
            desk.hear(tries)

    assert [state for _, state in states(desk)] == [State.FAILED] * 2 + [State.WRITTEN]


def test_once_what_was_in_the_way_is_gone_nobody_waits_any_longer() -> None:
    away = TransientError(Reason.STATE_STORE_UNREACHABLE, "no route to host.")
    desk = TestDesk(Platform(), trouble=[away])
    [key] = desk.ask(request("one"))

    with at_work(desk) as clerk:
        told(clerk.hand_in(key))
        clerk.try_again()
        desk.hear(1)

    assert states(desk) == [("one", State.WRITTEN)]


def test_a_failure_is_not_tried_again_at_once() -> None:
    away = TransientError(Reason.STATE_STORE_UNREACHABLE, "no route to host.")
    desk = TestDesk(Platform(), trouble=[away])
    [key] = desk.ask(request("one"))

    with at_work(desk) as clerk:
        told(clerk.hand_in(key))
        clerk.wake()

    assert states(desk) == []


def test_what_is_undone_outside_is_looked_at_again_when_it_is_due_and_not_before() -> None:
    runs: list[str] = []

    def cannot_act(job: StageJob) -> StageResult:
        if job.context["effects"] == "perform":
            runs.append(job.environ["KRATIX_OBJECT_NAME"])
        wanted: JsonObject = {"effects": ["end one-g1"], "reconcileAfter": "1h"}
        control = {"workflow-control.yaml": dump_documents([wanted])}
        return replace(follows_spec(job), metadata=control)

    desk = TestDesk(Platform(stages={"configure": cannot_act}))
    [key, other] = desk.ask(request("one"), request("two"))
    with at_work(desk) as clerk:
        answer = told(clerk.hand_in(key))
        desk.platform.now += timedelta(minutes=59)
        clerk.wake()
        told(clerk.hand_in(other))
        told(clerk.hand_in(other))  # by then all that was due is told
        early = (list(runs), states(desk))
        desk.platform.now += timedelta(minutes=1)
        clerk.wake()
        desk.hear(1)

    assert answer.item.reason == Reason.EFFECTS_UNDONE
    assert early == (["one", "two"], [])
    assert runs == ["one", "two", "one"]


def test_each_further_failure_is_tried_again_later() -> None:
    away = TransientError(Reason.STATE_STORE_UNREACHABLE, "no route to host.")
    desk = TestDesk(Platform(), trouble=[away, away])
    [key] = desk.ask(request("one"))

    with at_work(desk) as clerk:
        told(clerk.hand_in(key))
        desk.pass_time(clerk, seconds=1)
        desk.hear(1)
        desk.pass_time(clerk, seconds=1)

    assert [state for _, state in states(desk)] == [State.FAILED]


def test_a_listener_that_fails_keeps_nobody_from_an_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = TestDesk(Platform(), deaf=True)
    one, two = desk.ask(request("one"), request("two"))

    with at_work(desk) as clerk:
        clerk.remind([one])
        assert told(clerk.hand_in(two)).item.state is State.WRITTEN

    assert "team/one (thing) could not be told" in caplog.text


def test_what_is_due_and_cannot_be_done_is_not_asked_for_all_the_time() -> None:
    again = {"workflow-control.yaml": b"reconcileAfter: 1m\n"}
    platform = Platform(
        stages={"configure": lambda job: StageResult(follows_spec(job).files, again)}
    )
    desk = TestDesk(platform)
    [key] = desk.ask(request("one"))

    with at_work(desk) as clerk:
        told(clerk.hand_in(key))
        desk.ask(request("one", labels={"kratix.io/paused": "true"}))
        desk.pass_time(clerk, minutes=2)
        desk.hear(1)
        looks = desk.looks
        clerk.wake()
        told(clerk.hand_in(RequestKey("team", "thing", "none")))

    assert desk.looks - looks <= 2


def test_what_waits_is_tried_though_others_are_written_all_the_time() -> None:
    desk = TestDesk(Platform(stages={"configure": _shared_if_asked}))
    one, two, busy = desk.ask(request("one"), request("two"), request("busy", value="own"))

    with at_work(desk) as clerk:
        told(clerk.hand_in(one))
        told(clerk.hand_in(two))
        del desk.asked[one]
        told(clerk.hand_in(one))
        for number in range(3):
            desk.platform.now += timedelta(seconds=0.5)
            desk.ask(request("busy", value=f"own{number}"))
            told(clerk.hand_in(busy))
        desk.hear(1)

    assert states(desk) == [("two", State.WRITTEN)]


def _shared_if_asked(job: StageJob) -> StageResult:
    busy = job.environ["KRATIX_OBJECT_NAME"] == "busy"
    return follows_spec(job) if busy else writes(config_map("shared"))(job)


def test_what_may_still_stand_somewhere_is_not_said_to_be_gone() -> None:
    platform = Platform(others={"other": MemoryStore()}, out_of_reach=frozenset({"other"}))
    desk = TestDesk(platform)

    with at_work(desk) as clerk:
        answer = told(clerk.hand_in(RequestKey("team", "thing", "none")))

    assert answer.item.state is State.FAILED


def test_a_secret_that_is_not_there_yet_is_looked_for_again() -> None:
    missing = InvalidInputError(Reason.SECRET_NOT_FOUND, "Secret x not found in namespace team.")

    def lacks(_: StageJob) -> StageResult:
        if not desk.told:
            raise missing
        return StageResult({})

    desk = TestDesk(Platform(stages={"configure": lacks}))
    [key] = desk.ask(request("one"))

    with at_work(desk) as clerk:
        assert told(clerk.hand_in(key)).item.reason == Reason.SECRET_NOT_FOUND
        desk.pass_time(clerk, seconds=1)
        desk.hear(1)

    assert desk.told[0].item.name == "one"


def test_a_fault_costs_those_at_hand_and_not_the_clerk() -> None:
    desk = TestDesk(Platform(), trouble=[ZeroDivisionError()])
    one, two = desk.ask(request("one"), request("two"))

    with at_work(desk) as clerk:
        assert told(clerk.hand_in(one)).item.reason == Reason.INTERNAL_ERROR
        assert told(clerk.hand_in(two)).item.state is State.WRITTEN


def test_who_no_longer_waits_for_an_answer_keeps_nobody_from_being_served() -> None:
    held = Held()
    desk = TestDesk(Platform(stages={"configure": held}))
    first, second = desk.ask(request("first"), request("second"))

    with at_work(desk) as clerk:
        clerk.hand_in(first)
        assert held.begun.wait(SECONDS)
        assert clerk.hand_in(second).cancel()
        held.go_on.set()

    assert {path.split("/")[4] for path in desk.platform.files} == {"first", "second"}


def test_a_clerk_that_was_closed_takes_nothing_more() -> None:
    with at_work(TestDesk(Platform())) as clerk:
        pass

    with pytest.raises(RuntimeError, match="closed"):
        clerk.hand_in(RequestKey("team", "thing", "one"))

"""Preview: what a plan says of removals is what sync would do."""

from datetime import timedelta

from support.platform import Platform, config_map, follows_spec, promise, request, writes

from troth.engine import Preview, State, preview
from troth.errors import Reason


def removing(platform: Platform) -> list[Preview]:
    return preview(platform.plan())


def drained_first() -> Platform:
    """One request whose delete pipeline has asked to wait for an hour."""
    platform = Platform(
        promises=[promise(delete=["drain"])],
        stages={"configure": follows_spec, "drain": writes(control={"retryAfter": "1h"})},
    )
    platform.sync(request())
    platform.sync()
    return platform


def test_a_removal_is_shown_with_its_files_and_says_what_runs_before() -> None:
    platform = Platform()
    platform.sync(request())

    [one] = removing(platform)

    assert one.item.state is State.REMOVED
    assert [change.after for change in one.files] == [None]
    assert "delete pipelines" in one.item.message


def test_a_removal_that_waits_for_its_time_is_shown_as_sync_will_report_it() -> None:
    platform = drained_first()
    platform.now += timedelta(minutes=59)

    [one] = removing(platform)

    assert one.files == ()
    assert one.item == platform.sync()["one"]
    assert (one.item.state, one.item.reason) == (State.SUSPENDED, Reason.WORKFLOW_SUSPENDED)


def test_a_removal_whose_time_has_come_is_shown_as_removed() -> None:
    platform = drained_first()
    platform.now += timedelta(hours=1)

    [one] = removing(platform)

    assert one.item.state is State.REMOVED
    assert one.files


def test_a_promise_whose_request_waits_with_its_removal_is_shown_to_stay() -> None:
    platform = Platform(
        promises=[promise(delete=["drain"], install=["install"])],
        stages={
            "configure": follows_spec,
            "drain": writes(control={"retryAfter": "1h"}),
            "install": writes(config_map("own", "platform")),
        },
    )
    platform.sync(request())
    platform.promises = []
    platform.sync()

    whole, _ = removing(platform)

    assert whole.files == ()
    assert whole.item == platform.sync()["thing"]
    assert (whole.item.state, whole.item.reason) == (State.ORPHANED, Reason.PROMISE_IN_USE)


def test_what_a_holder_lets_go_of_in_the_same_run_is_said_to_be_tried_again() -> None:
    platform = Platform(stages={"configure": writes(config_map("shared"))})
    platform.sync(request("one"))

    said = {one.item.name: one.item for one in preview(platform.plan(request("two")))}
    kept = {
        one.item.name: one.item for one in preview(platform.plan(request("one"), request("two")))
    }

    assert said["two"].reason == Reason.OBJECT_HELD
    assert "sync tries it again" in said["two"].message
    assert "sync tries it again" not in kept["two"].message

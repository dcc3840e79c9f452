"""A Promise that is renamed: its requests are taken over, all at once or not at all."""

from collections.abc import Sequence

import pytest
from support.platform import (
    Platform,
    StageFunction,
    config_map,
    destination,
    follows_spec,
    promise,
    request,
    writes,
)
from support.routed import gate, stage

from troth.api import Json, Layout
from troth.engine import State, preview
from troth.errors import Reason, StageError
from troth.runners import StageJob, StageResult


def fails(_: StageJob) -> StageResult:
    raise StageError(Reason.STAGE_FAILED, "no.")


WAITS = writes(control={"retryAfter": "1h", "message": "later"})
OPERATOR = config_map("operator", "operator")


def renamed(
    new: StageFunction = follows_spec,
    *,
    undo: StageFunction | None = None,
    layout: Layout = Layout.NESTED,
    dependencies: Sequence[Json] = (),
) -> Platform:
    """A platform whose Promise old-name, with one request, has just become new-name."""
    delete = ["undo"] if undo is not None else []
    platform = Platform(
        stages={"configure": follows_spec, "next": new, "undo": undo or follows_spec},
        promises=[promise("old-name", delete=delete, dependencies=list(dependencies))],
        destinations=[destination("cluster", layout=layout)],
    )
    platform.sync(request(value="x"))
    platform.promises = [promise("new-name", configure=["next"], dependencies=list(dependencies))]
    return platform


@pytest.mark.parametrize("dependencies", [[], [OPERATOR]], ids=["plain", "with dependencies"])
def test_a_promise_that_was_renamed_takes_over_in_one_plan(dependencies: list[Json]) -> None:
    platform = renamed(dependencies=dependencies)
    files = len(platform.files)

    platform.sync(request(value="x"))

    assert len(platform.files) == files
    assert all("new-name" in path for path in platform.files)


def test_old_and_new_go_to_the_store_in_one_flush() -> None:
    platform = renamed()

    platform.sync(request(value="x"))

    [both] = [flush for flush in platform.flushes if any(one.delete for one in flush)]
    assert any(one.files for one in both)


@pytest.mark.parametrize(
    "new",
    [writes({"kind": "Broken"}), fails, WAITS, stage],
    ids=["refused", "failed", "waits", "no Gateway"],
)
def test_what_a_renamed_promise_cannot_serve_yet_stays_as_it_is(new: StageFunction) -> None:
    platform = renamed(new)
    before = platform.files

    for _ in range(2):
        platform.sync(request(value="x"))

    assert platform.files == before


def test_what_a_renamed_promise_is_not_allowed_to_write_stays_as_it_is() -> None:
    platform = renamed()
    before = platform.files
    platform.promises = [promise("new-name", configure=["next"], fence="{namespaces: [other]}")]

    items = platform.sync(request(value="x"))

    assert platform.files == before
    assert items["one"].state in {State.ORPHANED, State.REFUSED}


def test_nobody_else_gets_what_a_renamed_promise_frees() -> None:
    platform = renamed()
    platform.promises = [*platform.promises, promise("an-earlier-name", kind="Rival")]
    platform.stages["configure"] = writes(config_map("one"))

    items = platform.sync(request(value="x"), request("rival", kind="Rival"))

    assert items["rival"].reason == Reason.OBJECT_HELD
    assert any("new-name" in path for path in platform.files)
    assert not any("rival" in path for path in platform.files)


def test_nobody_else_gets_the_route_of_a_renamed_promise() -> None:
    gates, rivals = promise("gate", kind="Gate"), promise("a-rival", kind="Rival")
    platform = Platform(stages={"configure": stage}, promises=[gates, rivals, promise("old-name")])
    platform.sync(gate(), request(value="/a"))
    platform.promises = [gates, rivals, promise("new-name")]

    items = platform.sync(gate(), request(value="/a"), request("rival", kind="Rival", value="/a"))

    assert items["rival"].reason == Reason.ROUTE_HELD
    assert any("new-name" in path for path in platform.files)


def test_nobody_gets_the_route_of_a_promise_whose_new_name_does_not_serve_it_yet() -> None:
    gates, rivals = promise("gate", kind="Gate"), promise("z-rival", kind="Rival")
    platform = Platform(
        stages={"configure": stage, "next": WAITS}, promises=[gates, rivals, promise("old-name")]
    )
    platform.sync(gate(), request(value="/a"))
    platform.promises = [gates, rivals, promise("new-name", configure=["next"])]

    items = platform.sync(gate(), request(value="/a"), request("rival", kind="Rival", value="/a"))

    assert items["rival"].reason == Reason.ROUTE_HELD


@pytest.mark.parametrize("undo", [fails, WAITS], ids=["fails", "waits"])
def test_nothing_is_taken_over_before_the_delete_pipelines_are_done(undo: StageFunction) -> None:
    platform = renamed(undo=undo)
    before = platform.files

    plan = platform.plan(request(value="x"))
    lines = platform.write(plan)
    again = platform.plan(request(value="x"))

    assert platform.files == before
    assert lines["one"].state in {State.WAITING, State.FAILED, State.SUSPENDED}
    assert {one.item.state for one in preview(again)} == (
        {State.SUSPENDED, State.WAITING} if undo is WAITS else {State.REMOVED, State.WRITTEN}
    )


def test_a_file_that_both_write_stays_in_a_layout_without_folders() -> None:
    platform = renamed(layout=Layout.NONE)
    before = platform.files

    items = platform.sync(request(value="x"))
    again = platform.sync(request(value="x"))

    assert platform.files == before
    assert items["one"].state is not State.REFUSED
    assert again["one"].state is State.UNCHANGED


def test_a_plan_tells_of_both() -> None:
    platform = renamed()

    found = {one.item.promise: one.item.state for one in preview(platform.plan(request(value="x")))}

    assert found == {"old-name": State.REMOVED, "new-name": State.WRITTEN}

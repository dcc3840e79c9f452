"""Removing: never by absence alone, and only after the delete pipelines have run."""

from datetime import timedelta

import pytest
from support.platform import Platform, config_map, follows_spec, promise, request, writes

from troth.engine import Settings, State
from troth.errors import Reason, StageError
from troth.runners import StageJob, StageResult
from troth_statestore import ChangeSet


def test_a_request_that_is_gone_is_removed_with_exactly_its_files_and_its_record() -> None:
    platform = Platform()
    platform.sync(request("one", value="x"))
    before = platform.files
    platform.sync(request("one", value="x"), request("two", value="x"))

    items = platform.sync(request("one", value="x"))

    assert items["two"].state is State.REMOVED
    assert platform.files == before
    assert len(platform.records) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"complete": False}, Reason.INCOMPLETE_RUN),
        ({"roots": frozenset({"elsewhere"})}, Reason.OTHER_ROOTS),
        ({"doubtful": frozenset({("team", "one")})}, Reason.INCOMPLETE_RUN),
    ],
)
def test_absence_alone_removes_nothing(change: dict[str, object], reason: Reason) -> None:
    platform = Platform()
    platform.sync(request(value="x"))
    files = platform.files
    for name, value in change.items():
        setattr(platform, name, value)

    items = platform.sync()

    assert (items["one"].state, items["one"].reason) == (State.ORPHANED, reason)
    assert platform.files == files


def test_prune_removes_what_was_read_from_other_roots() -> None:
    platform = Platform()
    platform.sync(request(value="x"))
    platform.roots = frozenset({"elsewhere"})
    platform.settings = Settings(prune=True)

    assert platform.sync()["one"].state is State.REMOVED


def test_prune_does_not_remove_when_something_was_unreadable() -> None:
    platform = Platform()
    platform.sync(request(value="x"))
    platform.complete = False
    platform.settings = Settings(prune=True)

    assert platform.sync()["one"].state is State.ORPHANED


def test_a_request_read_from_two_roots_is_removed_only_when_both_are_read() -> None:
    platform = Platform(roots=frozenset({"a", "b"}))
    platform.sync(request(root="a"))
    platform.sync(request(root="b"))

    platform.roots = frozenset({"b"})
    kept = platform.sync()["one"]
    platform.roots = frozenset({"a", "b"})
    removed = platform.sync()["one"]

    assert kept.reason == Reason.OTHER_ROOTS
    assert removed.state is State.REMOVED


def test_another_inventory_is_neither_removed_nor_taken_over() -> None:
    platform = Platform(settings=Settings(inventory="blue"))
    platform.sync(request(value="x"))
    platform.settings = Settings(inventory="green")

    absent = platform.sync()
    present = platform.sync(request(value="y"))["one"]

    assert absent == {}
    assert present.reason == Reason.OTHER_INVENTORY
    assert len(platform.files) == 1


def test_a_request_that_became_invalid_keeps_its_files() -> None:
    platform = Platform()
    platform.sync(request(value="x"))
    files = platform.files

    items = platform.sync(request(value="far too long for this schema"))

    assert items["one"].reason == Reason.SCHEMA_VIOLATION
    assert platform.files == files


def test_a_request_that_lost_its_promise_keeps_its_files() -> None:
    platform = Platform()
    platform.sync(request(value="x"))
    files = platform.files
    platform.promises = []

    items = platform.sync(request(value="x"))

    assert items["one"].reason == Reason.PROMISE_NOT_FOUND
    assert platform.files == files


def test_a_mistyped_kind_removes_nothing() -> None:
    platform = Platform()
    platform.sync(request(value="x"))

    items = platform.sync(request("typo", kind="Thingg"))

    assert items["typo"].reason == Reason.PROMISE_NOT_FOUND
    assert items["one"].state is State.ORPHANED


def test_more_removals_than_the_budget_stop_before_the_first_delete_pipeline() -> None:
    platform = Platform(
        stages={"configure": follows_spec, "delete": writes()},
        promises=[promise(delete=["delete"])],
    )
    requests = [request(f"r{index:02}") for index in range(20)]
    platform.sync(*requests)
    platform.runner.runs.clear()

    items = platform.sync(*requests[:9])
    runs = len(platform.runner.runs)
    platform.allow(11)
    allowed = platform.sync(*requests[:9])

    assert {items[f"r{index:02}"].reason for index in range(9, 20)} == {Reason.DELETION_BUDGET}
    assert "--allow-deletions 11" in items["r19"].message
    assert runs == 0
    assert {allowed[f"r{index:02}"].state for index in range(9, 20)} == {State.REMOVED}


def test_a_protected_request_is_not_removed() -> None:
    platform = Platform()
    platform.sync(request(annotations={"troth.dev/deletion-protection": "true"}))

    items = platform.sync()

    assert (items["one"].state, items["one"].reason) == (State.REFUSED, Reason.DELETION_PROTECTED)
    assert len(platform.files) == 1


def test_protection_that_is_added_while_a_request_is_paused_protects() -> None:
    platform = Platform()
    platform.sync(request(value="x"))
    annotations = {"troth.dev/deletion-protection": "true"}
    platform.sync(request(annotations=annotations, labels={"kratix.io/workflow-suspended": "true"}))

    assert platform.sync()["one"].reason == Reason.DELETION_PROTECTED


def test_an_unreadable_record_is_reported_also_when_its_request_is_not_given() -> None:
    platform = Platform()
    platform.sync(request("one", value="x"))
    [(key, version)] = [
        (key, version)
        for key, (_, version) in platform.store.snapshot().records().items()
        if key.endswith("/one.yaml")
    ]
    platform.store.commit([ChangeSet(key, version, record=b"{")])

    items = platform.sync()

    assert (items["one"].state, items["one"].reason) == (State.REFUSED, Reason.RECORD_UNREADABLE)


def test_every_delete_pipeline_runs_in_order_on_what_the_store_remembers() -> None:
    platform = Platform(
        stages={
            "configure": writes(config_map("a"), status={"id": "42"}),
            "first": writes(),
            "second": writes(),
        },
        promises=[promise(delete=["first", "second"])],
    )
    platform.sync(request(value="x"))
    platform.runner.runs.clear()
    platform.promises = []

    items = platform.sync()

    assert items["one"].state is State.REMOVED
    assert [job.pipeline.name for job in platform.runner.runs] == ["first", "second"]
    job = platform.runner.runs[0]
    assert job.environ["KRATIX_WORKFLOW_ACTION"] == "delete"
    assert job.object["spec"] == {"value": "x", "colour": "red"}
    assert job.object["status"] == {"id": "42"}


def test_a_delete_pipeline_that_fails_keeps_the_files_and_is_tried_again() -> None:
    def fails(_: StageJob) -> StageResult:
        raise StageError(Reason.STAGE_FAILED, "the database still has tables.")

    platform = Platform(
        stages={"configure": follows_spec, "delete": fails},
        promises=[promise(delete=["delete"])],
    )
    platform.sync(request())

    failed = platform.sync()["one"]
    files = platform.files
    platform.runner.stages["delete"] = writes()
    removed = platform.sync()["one"]

    assert failed.state is State.FAILED
    assert "the database still has tables" in failed.message
    assert len(files) == 1
    assert removed.state is State.REMOVED
    assert platform.files == {}


def test_a_revision_stays_while_the_update_that_replaces_it_has_not_landed() -> None:
    platform = Platform()
    platform.sync(request(value="x"))
    [old] = [key for key in platform.store.snapshot().records() if key.startswith("revisions/")]
    plan = platform.plan(request(value="y"))
    platform.promises = [promise(annotations={"changed": "yes"})]
    late = platform.plan(request(value="y"))
    platform.write(plan)

    platform.write(late)

    assert old in platform.store.snapshot().records()


def test_a_promise_revision_is_kept_once_and_goes_with_its_last_request() -> None:
    platform = Platform()

    def revisions() -> list[str]:
        return [key for key in platform.store.snapshot().records() if key.startswith("revisions/")]

    platform.sync(request("one"), request("two"))
    with_both = revisions()
    platform.sync(request("one"))
    with_one = revisions()
    platform.sync()

    assert len(with_both) == 1
    assert with_one == with_both
    assert revisions() == []


def test_a_removal_that_asks_to_wait_is_tried_again_when_it_is_due_and_counts() -> None:
    runs: list[StageJob] = []

    def wait(job: StageJob) -> StageResult:
        runs.append(job)
        return writes(
            control={"retryAfter": "1h", "message": "still draining"}, status={"step": len(runs)}
        )(job)

    platform = Platform(
        promises=[promise(delete=["drain"])],
        stages={"configure": follows_spec, "drain": wait},
    )
    platform.sync(request())

    first = platform.sync()["one"]
    early = platform.sync()["one"]
    platform.now += timedelta(hours=1)
    second = platform.sync()["one"]

    assert [first.state, early.state, second.state] == [State.SUSPENDED] * 3
    assert len(runs) == 2
    assert runs[1].object["status"] == {"step": 1}
    assert "attempt 2" in second.message
    assert platform.files


def test_a_request_that_comes_back_while_its_removal_waits_is_rendered_again() -> None:
    platform = Platform(
        promises=[promise(delete=["drain"])],
        stages={"configure": follows_spec, "drain": writes(control={"retryAfter": "1h"})},
    )
    platform.sync(request(value="x"))
    platform.sync()

    items = platform.sync(request(value="y"))

    assert items["one"].state is State.WRITTEN
    assert b"value: 'y'" in b"".join(platform.files.values())


def test_a_request_that_is_left_alone_keeps_the_revision_it_was_made_of() -> None:
    platform = Platform(
        promises=[promise(delete=["undo"])],
        stages={"configure": follows_spec, "undo": writes()},
    )
    platform.sync(request())
    halted = {"kratix.io/workflow-suspended": "true"}
    platform.promises = [promise(delete=["undo"], selectors={"any": "other"})]
    platform.roots = frozenset({"requests", "elsewhere"})
    platform.sync(request(root="elsewhere", labels=halted))
    platform.promises = []

    items = platform.sync()

    assert items["one"].state is State.REMOVED
    assert [job.pipeline.name for job in platform.runner.runs] == ["configure", "undo"]


@pytest.mark.parametrize("on", ["request", "promise"])
def test_what_was_paused_is_not_removed_until_the_label_was_taken_off(on: str) -> None:
    label = {"kratix.io/paused": "true"}
    platform = Platform()
    platform.sync(request())
    platform.promises = [promise(labels=label if on == "promise" else {})]
    platform.sync(request(labels=label if on == "request" else {}))
    platform.promises = []

    kept = platform.sync()["one"]
    platform.promises = [promise()]
    platform.sync(request())
    gone = platform.sync()["one"]

    assert (kept.state, kept.reason) == (State.SUSPENDED, Reason.PAUSED)
    assert gone.state is State.REMOVED


PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA\n"


@pytest.mark.parametrize("place", ["status", "message"])
def test_a_secret_that_a_delete_pipeline_leaves_reaches_no_record(place: str) -> None:
    status = {"key": PEM} if place == "status" else {}
    control = {"retryAfter": "1h", "message": PEM if place == "message" else "wait"}
    platform = Platform(
        promises=[promise(delete=["undo"])],
        stages={"configure": follows_spec, "undo": writes(control=control, status=status)},
    )
    platform.sync(request())

    items = platform.sync()

    assert items["one"].reason == Reason.PLAIN_SECRET
    assert b"PRIVATE" not in b"".join(platform.records.values())


def test_a_promise_that_has_lost_its_pipelines_takes_no_files_along() -> None:
    platform = Platform()
    platform.sync(request(value="x"))
    before = platform.files
    platform.promises = [promise(configure=[])]

    items = platform.sync(request(value="x"))

    assert platform.files == before
    assert (items["one"].state, items["one"].reason) == (State.REFUSED, Reason.INVALID_OBJECT)
    assert "cut off" in items["one"].message

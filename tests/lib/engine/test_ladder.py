"""One request on its way up the ladder, and what the store holds afterwards."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.platform import (
    Platform,
    config_map,
    destination,
    follows_spec,
    promise,
    request,
    writes,
)

from troth.api import Reader
from troth.engine import Ledger, Record, Settings, State, View, survey
from troth.errors import InvalidInputError, Reason
from troth.runners import StageJob, StageResult
from troth_statestore import ChangeSet

FOLDER = "cluster/resources/team/thing/one/configure/5058f"


def test_a_request_is_rendered_into_the_folder_that_kratix_would_use() -> None:
    platform = Platform()

    items = platform.sync(request(value="x"))

    assert items["one"].state is State.WRITTEN
    assert items["one"].reason == Reason.CREATED
    assert items["one"].placements == (("cluster", FOLDER),)
    assert list(platform.files) == [f"{FOLDER}/objects.yaml"]


def test_a_second_pass_runs_no_stage_and_hands_the_store_nothing() -> None:
    platform = Platform()
    platform.sync(request(value="x"))
    platform.runner.runs.clear()

    items = platform.sync(request(value="x"))

    assert items["one"].state is State.UNCHANGED
    assert platform.runner.runs == []
    assert platform.handed_in == []


def test_a_changed_spec_counts_a_generation_and_rewrites_the_files() -> None:
    platform = Platform()
    platform.sync(request(value="x"))

    items = platform.sync(request(value="y"))

    [record] = platform.records.values()
    assert items["one"].reason == Reason.UPDATED
    assert json.loads(record)["generation"] == 2
    assert b"value: 'y'" in platform.files[f"{FOLDER}/objects.yaml"]


def test_edited_stage_code_runs_again_but_moves_no_file_when_the_bytes_are_the_same() -> None:
    platform = Platform()
    first = platform.sync(request(value="x"))["one"].revision
    platform.runner.runs.clear()
    platform.runner.code = "code-2"

    items = platform.sync(request(value="x"))

    assert len(platform.runner.runs) == 1
    assert items["one"].state is State.UNCHANGED
    assert items["one"].revision == first


def test_a_stage_sees_defaults_generation_and_the_status_it_left() -> None:
    platform = Platform(stages={"configure": writes(config_map("a"), status={"seen": "yes"})})
    platform.sync(request(value="x"))

    platform.sync(request(value="y"))

    last = platform.runner.runs[-1].object
    assert last["spec"] == {"value": "y", "colour": "red"}
    assert last["status"] == {"seen": "yes"}
    assert last["metadata"] == {"name": "one", "namespace": "team", "generation": 2}


def test_labels_that_steer_and_our_annotations_are_hidden_from_stages() -> None:
    platform = Platform()

    platform.sync(
        request(
            labels={"kratix.io/manual-reconciliation": "true", "team": "a"},
            annotations={"troth.dev/x": "1", "owner": "b"},
        )
    )

    metadata = platform.runner.runs[0].object["metadata"]
    assert isinstance(metadata, dict)
    assert metadata["labels"] == {"team": "a"}
    assert metadata["annotations"] == {"owner": "b"}


def test_pipelines_run_in_order_and_the_second_sees_the_status_of_the_first() -> None:
    platform = Platform(
        stages={
            "first": writes(config_map("a"), status={"x": "1", "y": "1"}),
            "second": writes(config_map("b"), status={"y": "2"}),
        },
        promises=[promise(configure=["first", "second"])],
    )

    platform.sync(request())

    assert platform.runner.runs[1].object["status"] == {"x": "1", "y": "1"}
    [record] = platform.records.values()
    assert json.loads(record)["status"] == {"x": "1", "y": "2"}
    assert sorted(path.split("/")[5] for path in platform.files) == ["first", "second"]


def test_conditions_of_the_status_are_merged_by_type() -> None:
    old = {"conditions": [{"type": "B", "status": "True"}, {"type": "A", "status": "True"}]}
    new = {"conditions": [{"type": "B", "status": "False"}]}
    platform = Platform(
        stages={"first": writes(status=old), "second": writes(config_map("a"), status=new)},
        promises=[promise(configure=["first", "second"])],
    )

    platform.sync(request())

    [record] = platform.records.values()
    assert json.loads(record)["status"]["conditions"] == [
        {"type": "A", "status": "True"},
        {"type": "B", "status": "False"},
    ]


def test_files_of_a_folder_that_is_no_longer_rendered_are_removed() -> None:
    platform = Platform(stages={"configure": writes(config_map("a"), path="old.yaml")})
    platform.sync(request(value="x"))
    platform.runner.stages["configure"] = writes(config_map("a"), path="new.yaml")

    platform.sync(request(value="y"))

    assert [path.rpartition("/")[2] for path in platform.files] == ["new.yaml"]


def test_a_hand_edit_is_put_back_and_said() -> None:
    platform = Platform()
    platform.sync(request(value="x"))
    good = platform.files
    platform.tamper({f"{FOLDER}/objects.yaml": b"edited", f"{FOLDER}/more.yaml": b"more"})

    items = platform.sync(request(value="x"))

    assert items["one"].reason == Reason.DRIFT_PUT_BACK
    assert platform.files == good


def test_a_stage_that_gives_other_bytes_for_the_same_state_is_unstable_and_not_written() -> None:
    platform = Platform(stages={"configure": writes(config_map("a", x="1"))})
    platform.sync(request(value="x"))
    platform.tamper({f"{FOLDER}/objects.yaml": b"edited"})
    platform.runner.stages["configure"] = writes(config_map("a", x="2"))

    items = platform.sync(request(value="x"))

    assert items["one"].state is State.FAILED
    assert items["one"].reason == Reason.UNSTABLE
    assert platform.files[f"{FOLDER}/objects.yaml"] == b"edited"


def test_a_rollback_to_an_earlier_output_is_kept_until_the_request_changes() -> None:
    platform = Platform()
    platform.sync(request(value="x"))
    old = platform.files
    platform.sync(request(value="y"))
    platform.tamper(old)

    kept = platform.sync(request(value="y"))["one"]
    rolled_back = platform.files
    moved_on = platform.sync(request(value="z"))["one"]

    assert (kept.state, kept.reason) == (State.UNCHANGED, Reason.REVERTED)
    assert rolled_back == old
    assert moved_on.reason == Reason.UPDATED


def test_files_that_were_left_in_a_folder_before_are_gone_after_the_first_write() -> None:
    platform = Platform()
    platform.tamper({f"{FOLDER}/left.yaml": b"left"})
    platform.sync(request(value="x"))

    again = platform.sync(request(value="x"))["one"]

    assert list(platform.files) == [f"{FOLDER}/objects.yaml"]
    assert again.reason == Reason.UP_TO_DATE


def test_files_of_a_dropped_pipeline_that_come_back_are_noticed() -> None:
    both = promise(configure=["first", "second"])
    platform = Platform(
        stages={"first": writes(config_map("a")), "second": writes(config_map("b"))},
        promises=[both],
        destinations=[destination("cluster")],
    )
    platform.sync(request(value="x"))
    old = platform.files
    platform.stages["second"] = writes()
    platform.sync(request(value="y"))
    platform.tamper(old)

    kept = platform.sync(request(value="y"))["one"]
    platform.sync()

    assert kept.reason == Reason.REVERTED
    assert platform.files == {}


def test_true_is_not_one() -> None:
    platform = Platform()
    platform.sync(request(value="x", colour="red"))
    [(key, (content, version))] = [
        item for item in platform.store.snapshot().records().items() if "/one." in item[0]
    ]
    as_true = content.replace(b'"colour": "red"', b'"colour": 1')
    platform.store.commit([ChangeSet(key, version, record=as_true)])

    item = platform.sync(request(value="x", colour=True))["one"]

    assert item.reason == Reason.SCHEMA_VIOLATION


def test_a_paused_request_is_left_alone() -> None:
    platform = Platform()
    platform.sync(request(value="x"))
    platform.runner.runs.clear()

    items = platform.sync(request(value="y", labels={"kratix.io/paused": "true"}))

    assert (items["one"].state, items["one"].reason) == (State.SUSPENDED, Reason.PAUSED)
    assert platform.runner.runs == []


def test_manual_reconciliation_runs_the_stages_again() -> None:
    platform = Platform()
    platform.sync(request(value="x"))
    platform.runner.runs.clear()

    platform.sync(request(value="x", labels={"kratix.io/manual-reconciliation": "true"}))

    assert len(platform.runner.runs) == 1


def test_a_suspended_request_keeps_its_files_and_runs_again_only_when_due_or_changed() -> None:
    platform = Platform()
    platform.sync(request(value="x"))
    files = platform.files
    control = {"retryAfter": "1h30m", "message": "waiting for the database"}
    platform.runner.stages["configure"] = writes(config_map("one"), control=control)

    suspended = platform.sync(request(value="y"))["one"]
    platform.runner.runs.clear()
    still = platform.sync(request(value="y"))["one"]
    runs_before_due = len(platform.runner.runs)
    platform.now += timedelta(hours=1, minutes=31)
    platform.sync(request(value="y"))

    assert suspended.state is still.state is State.SUSPENDED
    assert "waiting for the database" in still.message
    assert platform.files == files
    assert runs_before_due == 0
    assert len(platform.runner.runs) == 1


def test_a_suspension_without_a_time_ends_when_the_request_changes() -> None:
    platform = Platform(stages={"configure": writes(control={"suspend": True, "message": "no"})})
    platform.sync(request(value="x"))
    platform.now += timedelta(days=1000)
    platform.sync(request(value="x"))
    runs = len(platform.runner.runs)
    platform.runner.stages["configure"] = writes(config_map("one"))

    items = platform.sync(request(value="y"))

    assert runs == 1
    assert items["one"].state is State.WRITTEN


@pytest.mark.parametrize("duration", ["1d", "", "5", "-5m", "5 m", "٣s", "99999999999h"])
def test_a_duration_that_go_does_not_read_is_refused(duration: str) -> None:
    platform = Platform(stages={"configure": writes(control={"retryAfter": duration})})

    items = platform.sync(request())

    assert items["one"].reason == Reason.INVALID_WORKFLOW_CONTROL


def test_the_commit_carries_the_receipt() -> None:
    platform = Platform()

    platform.sync(request(value="x"))

    [change] = [one for one in platform.handed_in if one.files]
    assert change.title == "Create team/one (thing)"
    assert [name for name, _ in change.trailers] == [
        "Troth-Request",
        "Troth-Generation",
        "Troth-Promise",
        "Troth-Input",
        "Troth-Output",
    ]
    assert dict(change.trailers)["Troth-Request"] == "team/thing/one"


def test_a_status_with_the_key_kratix_is_refused_in_kratix_words() -> None:
    platform = Platform(stages={"configure": writes(config_map("a"), status={"kratix": {}})})

    items = platform.sync(request())

    assert items["one"].reason == Reason.INVALID_STATUS
    assert "'kratix' is a kratix managed status field" in items["one"].message


def test_a_record_that_cannot_be_read_stops_its_request_and_no_other() -> None:
    platform = Platform()
    platform.sync(request("one", value="x"), request("two", value="x"))
    [(key, version)] = [
        (key, version)
        for key, (_, version) in platform.store.snapshot().records().items()
        if key.endswith("/one.yaml")
    ]
    files = platform.files
    platform.store.commit([ChangeSet(key, version, record=b"{broken")])

    items = platform.sync(request("one", value="y"), request("two", value="y"))

    assert (items["one"].state, items["one"].reason) == (State.REFUSED, Reason.RECORD_UNREADABLE)
    assert items["two"].state is State.WRITTEN
    assert platform.files[f"{FOLDER}/objects.yaml"] == files[f"{FOLDER}/objects.yaml"]


def test_a_record_at_the_place_of_another_is_not_trusted() -> None:
    platform = Platform()
    platform.sync(request("one", value="x"))
    [content] = platform.records.values()
    key = "requests/00/team/thing/two.yaml"
    platform.store.commit([ChangeSet(key, None, record=content)])

    [item] = [
        one for one in survey(Ledger.read(View.of(platform.store.snapshot()))) if one.name == "two"
    ]

    assert item.reason == Reason.RECORD_UNREADABLE


def test_a_foreign_file_among_the_records_is_reported_as_what_it_is() -> None:
    platform = Platform()
    platform.store.commit([ChangeSet("requests/README.md", None, record=b"hello")])

    [item] = survey(Ledger.read(View.of(platform.store.snapshot())))

    assert (item.name, item.reason) == ("requests/README.md", Reason.RECORD_UNREADABLE)


@given(st.binary(max_size=200) | st.from_regex(r"\{.{0,100}\}").map(str.encode))
def test_no_bytes_of_a_record_end_in_anything_but_a_refusal(content: bytes) -> None:
    with pytest.raises(InvalidInputError) as refused:
        Record.decode(content, "requests/00/a/b/c.yaml")

    assert refused.value.reason == Reason.RECORD_UNREADABLE


def test_a_fault_of_ours_costs_its_request_alone_and_tells_no_text() -> None:
    def stage(job: StageJob) -> StageResult:
        if job.environ["KRATIX_OBJECT_NAME"] == "one":
            raise ZeroDivisionError("hunter2")
        return follows_spec(job)

    platform = Platform(stages={"configure": stage})

    items = platform.sync(request("one"), request("two"))

    assert items["one"].reason == Reason.INTERNAL_ERROR
    assert "ZeroDivisionError" in items["one"].message
    assert "hunter2" not in items["one"].message
    assert items["two"].state is State.WRITTEN


def test_an_inventory_needs_a_name() -> None:
    with pytest.raises(InvalidInputError):
        Settings(inventory=" ")


def test_an_object_of_files_only_destination_needs_no_kubernetes_shape() -> None:
    def terraform(_: StageJob) -> StageResult:
        return StageResult({"main.tf": b'resource "x" {}'})

    platform = Platform(
        stages={"configure": terraform},
        destinations=[replace(destination("cluster"), reader=Reader.FILES)],
    )

    assert platform.sync(request())["one"].state is State.WRITTEN


def test_attempts_of_a_suspension_are_counted_while_a_time_to_try_again_is_named() -> None:
    platform = Platform(stages={"configure": writes(control={"retryAfter": "1m", "message": "no"})})
    words: list[str] = []

    for _ in range(3):
        words.append(platform.sync(request())["one"].message)
        platform.now += timedelta(minutes=1)

    assert ["attempt 2" in one for one in words] == [False, True, False]
    assert "attempt 3" in words[2]


@pytest.mark.parametrize("live", [True, False])
def test_a_request_suspended_by_label_is_left_as_it_is(live: bool) -> None:
    platform = Platform()
    if live:
        platform.sync(request(value="x"))
    before = platform.records

    label = {"kratix.io/workflow-suspended": "true"}
    items = platform.sync(request(value="y", labels=label))

    assert items["one"].state is State.SUSPENDED
    assert platform.records == before

"""Records that cannot be read: put back from history where that is safe, or by name."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from support.git_platform import GitPlatform, two_stores
from support.platform import Platform, config_map, destination, follows_spec, promise, request
from support.repositories import RECORDS

from troth.api import Fields, Json, JsonObject, dump_documents
from troth.engine import Item, Record, Settings, State, Submission, preview
from troth.errors import InvalidInputError, Reason
from troth.local import Inputs, Session, SyncOptions
from troth.local.files import Walk
from troth.runners import StageJob, StageResult
from troth_statestore import ChangeSet

FILE = "cluster/resources/team/thing/one/configure/5058f/objects.yaml"


@pytest.fixture
def git(git: GitPlatform) -> GitPlatform:
    """A request "one" that was written with a, then with b."""
    for value in "ab":
        git.platform.sync(request(value=value))
    return git


def session(git: GitPlatform, *requests: Submission, inventory: str = "default") -> Session:
    platform = git.platform
    inputs = Inputs(
        promises={one.name: one for one in platform.promises},
        destinations={one.name: one for one in platform.destinations},
        submissions=list(requests),
        walks=[Walk("requests", (), ())],
    )
    options = SyncOptions(Settings(inventory=inventory))
    return Session(inputs, git.stores, platform.runner, options)


def sync(git: GitPlatform, *requests: Submission, repair: tuple[str, ...] = ()) -> dict[str, Item]:
    found = session(git, *(requests or (request(value="b"),))).sync(repair)
    return {item.name: item for item in found}


def record(git: GitPlatform, name: str = "one") -> bytes:
    [content] = [c for key, c in git.platform.records.items() if key.endswith(f"/{name}.yaml")]
    return content


def test_a_record_that_fits_its_files_is_put_back_and_reported(git: GitPlatform) -> None:
    before, tip = record(git), git.tip()
    git.break_record("one")

    item = sync(git)["one"]

    assert record(git) == before
    assert (item.state, item.reason) == (State.WRITTEN, Reason.RECORD_REPAIRED)
    assert "fits its files" in item.message
    assert git.tip() == tip


def test_a_record_that_was_put_back_is_quiet_from_then_on(git: GitPlatform) -> None:
    git.break_record("one")
    sync(git)

    item = sync(git)["one"]

    assert (item.state, item.reason, item.message) == (State.UNCHANGED, Reason.UP_TO_DATE, "")


def test_no_stage_runs_for_a_record_that_was_put_back(git: GitPlatform) -> None:
    git.break_record("one")
    runs = len(git.platform.runner.runs)

    sync(git)

    assert len(git.platform.runner.runs) == runs


def test_a_request_that_changed_meanwhile_is_written_on_the_record_that_was_put_back(
    git: GitPlatform,
) -> None:
    git.break_record("one")

    item = sync(git, request(value="c"))["one"]

    assert (item.state, item.reason) == (State.WRITTEN, Reason.UPDATED)
    assert "was put back" in item.message
    assert b'"generation": 3' in record(git)


def test_versions_that_cannot_be_read_are_passed_over(git: GitPlatform) -> None:
    before = record(git)
    git.break_record("one")
    git.break_record("one", "broken: again: [")

    sync(git)

    assert record(git) == before


@pytest.mark.parametrize("spoilt", ["", "{}", "kind: Record\n", '{"kind": "Record"}'])
def test_whatever_is_wrong_with_it_an_unreadable_record_is_put_back(
    git: GitPlatform, spoilt: str
) -> None:
    git.break_record("one", spoilt)

    assert sync(git)["one"].reason == Reason.RECORD_REPAIRED


def test_a_record_whose_files_differ_stops_its_request_and_says_how_to_go_on(
    git: GitPlatform,
) -> None:
    git.break_record("one")
    git.push({FILE: "edited: true\n"})
    refs = git.remotes[""].git("for-each-ref")

    item = sync(git)["one"]

    assert (item.state, item.reason) == (State.REFUSED, Reason.RECORD_UNREADABLE)
    assert "`--repair team/thing/one`" in item.message
    assert git.remotes[""].git("for-each-ref") == refs


@pytest.mark.parametrize("name", ["one", "thing/one", "team/thing/one"])
def test_asked_for_by_name_it_is_put_back_and_the_files_are_put_right(
    git: GitPlatform, name: str
) -> None:
    git.break_record("one")
    right = git.platform.files[FILE]
    git.push({FILE: "edited: true\n"})

    item = sync(git, repair=(name,))["one"]

    assert git.platform.files[FILE] == right
    assert (item.state, item.reason) == (State.WRITTEN, Reason.DRIFT_PUT_BACK)
    assert "which did not fit its files" in item.message


def keeps_state(job: StageJob) -> StageResult:
    """A stage that makes something outside for each new value, and knows it by its status."""
    made, value = follows_spec(job), Fields(job.object).section("spec").text("value")
    if Fields(job.object).section("status").text("made", "") == value:
        return made
    acts = job.context["effects"] == "perform"
    control: JsonObject = {"reconcileAfter": "1h"} if acts else {"effects": ["make it"]}
    files = {"workflow-control.yaml": dump_documents([control])}
    if acts:
        files["status.yaml"] = dump_documents([{"made": value}])
    return replace(made, metadata=files)


@pytest.fixture
def acting(tmp_path: Path, exits: ExitStack) -> GitPlatform:
    """As `git`, by a stage that has state."""
    made = GitPlatform.make(tmp_path, exits, Platform)
    made.platform.stages["configure"] = keeps_state
    for value in "ab":
        made.platform.sync(request(value=value))
    return made


def acted(git: GitPlatform) -> int:
    return sum(job.context["effects"] == "perform" for job in git.platform.runner.runs)


def test_how_old_the_state_is_that_was_put_back_is_said(acting: GitPlatform) -> None:
    acting.break_record("one")

    item = sync(acting)["one"]

    assert item.reason is Reason.RECORD_REPAIRED
    assert "What its stages keep, and when they run again, is as of that version" in item.message


@pytest.mark.parametrize(
    ("key", "value"), [("status", {"made": "c"}), ("reconcileAt", "2030-01-01T00:00:00Z")]
)
def test_a_record_that_tells_of_newer_state_is_not_overwritten_unasked(
    acting: GitPlatform, key: str, value: Json
) -> None:
    spoilt = json.dumps({**json.loads(record(acting)), key: value, "generation": "broken"})
    acting.break_record("one", spoilt)

    item = sync(acting)["one"]
    kept = record(acting)
    asked = sync(acting, repair=("one",))["one"]

    assert (item.state, item.reason) == (State.REFUSED, Reason.RECORD_UNREADABLE)
    assert f"tells of another {key} of its stages" in item.message
    assert kept.decode() == spoilt
    assert "may be done once more" in asked.message


def test_a_version_without_the_state_that_one_before_it_had_is_not_put_back_unasked(
    acting: GitPlatform,
) -> None:
    before = acted(acting)
    acting.break_record("one", json.dumps({**json.loads(record(acting)), "status": {}}))
    acting.break_record("one")

    item = sync(acting)["one"]
    asked = sync(acting, repair=("one",))["one"]

    assert item.reason is Reason.RECORD_UNREADABLE
    assert "has no status, though one before it had" in item.message
    assert "may be done once more" in asked.message
    assert acted(acting) == before + 1


def test_a_record_that_has_lost_its_status_is_put_back_and_makes_nothing_anew(
    acting: GitPlatform,
) -> None:
    before, right = acted(acting), json.loads(record(acting))
    without = {key: value for key, value in right.items() if key != "status"}
    acting.break_record("one", json.dumps(without))

    item = sync(acting)["one"]

    assert item.reason is Reason.RECORD_REPAIRED
    assert json.loads(record(acting))["status"] == right["status"]
    assert acted(acting) == before


def test_a_name_that_several_have_is_refused_and_nothing_is_written(git: GitPlatform) -> None:
    both = request(value="b"), request(namespace="side", value="b")
    git.platform.sync(*both)
    for namespace in ("team", "side"):
        git.break_record("one", namespace=namespace)
    refs = git.remotes[""].git("for-each-ref")

    with pytest.raises(InvalidInputError, match=r"several such records .*NAMESPACE/PROMISE/NAME"):
        sync(git, *both, repair=("one",))

    assert git.remotes[""].git("for-each-ref") == refs


@pytest.mark.parametrize("name", ["one", "nobody"])
def test_a_name_with_nothing_to_repair_is_refused(git: GitPlatform, name: str) -> None:
    with pytest.raises(InvalidInputError, match="no record of that name is one that cannot"):
        sync(git, repair=(name,))


def never_readable(git: GitPlatform) -> None:
    """Let the record of "one" be broken from its first version on."""
    [key] = git.platform.records
    version = git.platform.store.snapshot().records()[key][1]
    git.platform.store.commit([ChangeSet(key, version)])
    git.platform.store.commit([ChangeSet(key, None, record=b"broken: [")])


def test_where_no_version_can_be_read_the_request_is_left_alone(git: GitPlatform) -> None:
    never_readable(git)

    item = sync(git)["one"]

    assert item.reason == Reason.RECORD_UNREADABLE
    assert "`--repair team/thing/one` starts anew" in item.message


def test_asked_for_by_name_it_starts_anew_and_takes_its_files_over(git: GitPlatform) -> None:
    never_readable(git)
    tip = git.tip()

    item = sync(git, repair=("one",))["one"]

    assert "started anew" in item.message
    assert "a credential for one, is made anew" in item.message
    assert b'"generation": 1' in record(git)
    assert git.tip() == tip


def test_starting_anew_leaves_the_files_of_what_is_not_handed_in(git: GitPlatform) -> None:
    never_readable(git)
    other = request("other", value="x")

    items = sync(git, other, repair=("one",))

    assert (items["one"].state, items["one"].reason) == (State.WRITTEN, Reason.RECORD_REPAIRED)
    assert FILE in git.platform.files


def test_a_record_of_another_inventory_is_left_to_that(git: GitPlatform) -> None:
    git.break_record("one")
    before = record(git)

    [item] = session(git, request(value="b"), inventory="other").sync(("one",))

    assert item.reason == Reason.RECORD_UNREADABLE
    assert "inventory 'default'" in item.message
    assert record(git) == before


def test_a_record_of_another_version_of_troth_is_not_written_over(git: GitPlatform) -> None:
    newer = '{"apiVersion": "troth.dev/v1", "kind": "Record"}'
    git.break_record("one", newer)

    item = sync(git, repair=("one",))["one"]

    assert item.reason == Reason.RECORD_UNREADABLE
    assert "It is of troth.dev/v1" in item.message
    assert record(git).decode() == newer


def test_a_request_that_is_gone_is_removed_by_the_record_that_was_put_back(
    git: GitPlatform,
) -> None:
    git.platform.sync(request(value="b"), request("two", value="x"))
    git.break_record("one")

    item = sync(git, request("two", value="x"))["one"]

    assert (item.state, item.reason) == (State.REMOVED, Reason.REMOVED)
    assert FILE not in git.platform.files


def test_a_record_of_files_that_were_rolled_back_fits_what_stands(git: GitPlatform) -> None:
    first = git.remotes[""].git("show", f"main~1:{FILE}")
    git.push({FILE: f"{first}\n"})
    assert sync(git)["one"].reason == Reason.REVERTED
    git.break_record("one")

    item = sync(git)["one"]

    assert item.reason == Reason.REVERTED
    assert "was put back" in item.message


def test_a_plan_tells_what_would_be_put_back_and_writes_nothing(git: GitPlatform) -> None:
    git.break_record("one")
    refs = git.remotes[""].git("for-each-ref")

    found, repairs = session(git, request(value="b")).foresee()

    [one] = preview(found)
    assert one.item.state is State.UNCHANGED
    assert repairs.tell(one.item).reason == Reason.RECORD_REPAIRED
    assert git.remotes[""].git("for-each-ref") == refs


def test_the_own_record_of_a_promise_is_put_back_too(git: GitPlatform) -> None:
    git.platform.promises = [promise(dependencies=[config_map("base")])]
    git.platform.sync(request(value="b"))
    records = git.platform.store.snapshot().records()
    before, version = records["promises/thing.yaml"]
    git.platform.store.commit([ChangeSet("promises/thing.yaml", version, record=b"broken: [")])

    sync(git)

    assert git.platform.store.snapshot().records()["promises/thing.yaml"][0] == before


def test_two_records_of_one_request_are_a_matter_for_people(
    tmp_path: Path, exits: ExitStack
) -> None:
    git = two_stores(tmp_path, exits)
    git.platform.sync(request(value="a", colour="a"))
    home = next(name for name, one in git.stores.items() if _record_in(one.snapshot().records()))
    path, content = _record_in(git.stores[home].snapshot().records())[0]
    [other] = git.stores.keys() - {home}
    git.stores[other].commit([ChangeSet(path, None, record=content)])

    [item] = [i for i in session(git, request(value="a", colour="a")).sync() if i.name]

    assert item.reason == Reason.RECORD_UNREADABLE
    assert "has another record" in item.message
    with pytest.raises(InvalidInputError, match="no record of that name"):
        session(git, request(value="a", colour="a")).sync(("one",))


def _record_in(records: Mapping[str, tuple[bytes, str]]) -> list[tuple[str, bytes]]:
    return [(k, content) for k, (content, _) in records.items() if k.startswith("requests/")]


def test_a_plain_memory_has_no_history_to_put_back_from() -> None:
    platform = Platform()
    platform.sync(request(value="a"))
    [key] = platform.records
    version = platform.store.snapshot().records()[key][1]
    platform.store.commit([ChangeSet(key, version, record=b"broken: [")])

    item = platform.sync(request(value="a"))["one"]

    assert item.reason == Reason.RECORD_UNREADABLE


def test_many_records_are_put_back_in_one_push(git: GitPlatform) -> None:
    some = [request(f"r{number}", value="x") for number in range(5)]
    git.platform.sync(*some, request(value="b"))
    for one in some:
        git.break_record(one.request.name)
    pushes = len(git.remotes[""].pushes())

    items = sync(git, *some, request(value="b"))

    assert {items[one.request.name].reason for one in some} == {Reason.RECORD_REPAIRED}
    assert git.remotes[""].pushes()[pushes:] == [[f"refs/heads/{RECORDS}"]]


def stateful(job: StageJob) -> StageResult:
    """Keeps for ever what it saw first."""
    spec, status = job.object["spec"], job.object.get("status", {})
    assert isinstance(spec, Mapping)
    assert isinstance(status, Mapping)
    first = str(status.get("first", spec["value"]))
    files = follows_spec(job).files
    return StageResult(files, {"status.yaml": dump_documents([{"first": first}])})


def test_the_state_of_the_stages_comes_back_with_the_record(git: GitPlatform) -> None:
    git.platform.stages["configure"] = stateful
    git.platform.destinations = [destination("cluster")]
    git.platform.sync(request("kept", value="first"))
    git.platform.sync(request("kept", value="later"))
    git.break_record("kept")

    sync(git, request("kept", value="newest"))

    [(key, content)] = [(k, c) for k, c in git.platform.records.items() if "kept" in k]
    assert Record.decode(content, key).status == {"first": "first"}

"""Several state stores in one run: each request has one home, its files may lie elsewhere."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest
from support.platform import (
    Platform,
    config_map,
    destination,
    promise,
    request,
)

from troth.api import dump_documents
from troth.engine import Settings, State, Writer
from troth.errors import Reason
from troth.runners import StageJob, StageResult
from troth_statestore import ChangeSet, Receipt, StateStore
from troth_statestore.directory import DirectoryStore
from troth_statestore.memory import MemoryStore

NEAR = "near/resources/team/thing/one/configure/5058f/near.yaml"
FAR = "far/resources/team/thing/one/configure/6f0b2/far/far.yaml"


def two_places(job: StageJob) -> StageResult:
    spec, name = job.object["spec"], job.environ["KRATIX_OBJECT_NAME"]
    value = str(spec.get("value", "")) if isinstance(spec, dict) else ""
    files = {"near.yaml": dump_documents([config_map(f"near-{name}", value=value)])}
    if value != "near only":
        files["far/far.yaml"] = dump_documents([config_map(f"far-{name}", value=value)])
        selectors = dump_documents([[{"directory": "far", "matchLabels": {"role": "far"}}]])
        return StageResult(files, {"destination-selectors.yaml": selectors})
    return StageResult(files)


def two_stores() -> Platform:
    return Platform(
        stages={"configure": two_places},
        promises=[promise(selectors={"role": "near"})],
        destinations=[
            destination("near", store="main", role="near"),
            destination("far", store="other", role="far"),
        ],
        others={"other": MemoryStore()},
    )


def files(store: StateStore) -> list[str]:
    return sorted(store.snapshot().digests(""))


def records(store: StateStore) -> list[str]:
    return sorted(key for key in store.snapshot().records() if key.startswith("requests/"))


def test_each_store_gets_its_files_and_the_first_placements_store_the_record() -> None:
    platform = two_stores()

    items = platform.sync(request(value="x"))

    assert items["one"].state is State.WRITTEN
    # Groups are placed by folder, the default group last; so "far" comes first.
    assert [path.split("/")[0] for path in files(platform.store)] == ["near"]
    assert [path.split("/")[0] for path in files(platform.others["other"])] == ["far"]
    homes = [bool(records(store)) for store in (platform.store, platform.others["other"])]
    assert sorted(homes) == [False, True]


def test_a_report_names_what_was_written_with_its_store() -> None:
    platform = two_stores()

    items = platform.sync(request(value="x"))

    assert sorted(items["one"].changed) == [
        *(f"main:{path}" for path in files(platform.store)),
        *(f"other:{path}" for path in files(platform.others["other"])),
    ]


def test_a_second_run_changes_no_store() -> None:
    platform = two_stores()
    platform.sync(request(value="x"))

    items = platform.sync(request(value="x"))

    assert items["one"].state is State.UNCHANGED
    assert platform.handed_in == []


def test_what_is_no_longer_rendered_goes_from_the_store_it_lies_in() -> None:
    platform = two_stores()
    platform.sync(request(value="x"))

    platform.sync(request(value="near only"))

    assert len(files(platform.store)) == 1
    assert files(platform.others["other"]) == []


def test_a_removed_request_leaves_nothing_in_either_store() -> None:
    platform = two_stores()
    platform.sync(request(value="x"))

    items = platform.sync()

    assert items["one"].state is State.REMOVED
    assert files(platform.store) == files(platform.others["other"]) == []
    assert not platform.store.snapshot().records()
    assert not platform.others["other"].snapshot().records()


def test_an_edit_in_either_store_is_put_back() -> None:
    platform = two_stores()
    platform.sync(request(value="x"))
    far = platform.others["other"]
    [path] = files(far)
    before = far.snapshot().read([path])
    far.commit([ChangeSet("requests/by-hand", None, {path: b"edited: true\n"})])

    items = platform.sync(request(value="x"))

    assert items["one"].reason == Reason.DRIFT_PUT_BACK
    assert far.snapshot().read([path]) == before


def test_a_run_with_one_store_reads_what_a_run_with_several_wrote_and_the_other_way_round() -> None:
    platform = two_stores()
    platform.destinations = [destination("near", store="main", role="near")]
    platform.sync(request(value="near only"))
    platform.others = {}

    alone = platform.sync(request(value="near only"))
    platform.others = {"other": MemoryStore()}
    again = platform.sync(request(value="near only"))

    assert (alone["one"].state, again["one"].state) == (State.UNCHANGED, State.UNCHANGED)
    assert platform.handed_in == []


def test_a_store_out_of_reach_costs_only_the_requests_that_need_it() -> None:
    platform = two_stores()
    platform.destinations.append(destination("third", store="third", role="third"))
    platform.others["third"] = MemoryStore()
    platform.sync(request(value="x"), request("two", value="near only"))
    platform.out_of_reach = frozenset({"third"})

    items = platform.sync(request(value="y"), request("new", value="near only"))

    assert items["one"].state is State.WRITTEN
    # Its record may stand in the store that cannot be read, so it is not made a second time.
    assert items["new"].reason == Reason.STATE_STORE_UNREACHABLE
    # And what is absent is not removed by a run that saw half.
    assert items["two"].state is State.ORPHANED


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("handed_in", [True, False])
def test_several_records_of_one_request_are_trusted_by_nobody(copies: int, handed_in: bool) -> None:
    platform = two_stores()
    platform.others["third"] = MemoryStore()
    platform.destinations.append(destination("third", store="third", role="third"))
    platform.sync(request(value="x"))
    stores = [platform.store, *platform.others.values()]
    [home] = [store for store in stores if records(store)]
    [key] = records(home)
    content, _ = home.snapshot().records()[key]
    for other in [store for store in stores if store is not home][:copies]:
        other.commit([ChangeSet(key, None, record=content)])
    before = [files(store) for store in stores]

    items = platform.sync(*([request(value="y")] if handed_in else []))

    assert items["one"].reason == Reason.RECORD_UNREADABLE
    assert "another record" in items["one"].message
    assert [files(store) for store in stores] == before


@pytest.mark.parametrize("cut", ["main", "other"])
def test_what_a_run_that_was_cut_off_left_elsewhere_is_found_by_the_next(cut: str) -> None:
    platform = two_stores()
    plan = platform.plan(request(value="x"))
    [(_, change)] = plan.drafts
    assert change is not None
    foreign = next(name for name in change.parts if name != change.home)
    store = platform.store if foreign == "main" else platform.others["other"]
    store.commit([change.parts[foreign]])

    platform.sync(request(value="near only"))

    assert files(platform.others["other"]) == []
    assert len(files(platform.store)) == 1


def shared_near(job: StageJob) -> StageResult:
    """As `two_places`, with one and the same object near for every request."""
    result = two_places(job)
    near = dump_documents([config_map("shared")])
    return replace(result, files={**result.files, "near.yaml": near})


def test_nothing_is_taken_back_that_another_run_has_written_for_the_same_request(
    tmp_path: Path,
) -> None:
    def in_another_process() -> Platform:
        platform = two_stores()
        platform.store = DirectoryStore(tmp_path / "main")
        platform.others = {"other": DirectoryStore(tmp_path / "other")}
        return platform

    one, other = in_another_process(), in_another_process()
    plan = other.plan(request(value="x"))
    flushes: list[str] = []

    def submit(store: str, changes: Sequence[ChangeSet]) -> list[Future[Receipt]]:
        flushes.append(store)
        if len(flushes) == 2:  # its files elsewhere are there, and its record is not
            one.sync(request(value="x"))
        return other.submit(store, changes)

    Writer(other.world, other.renderer, other.settings, submit).write(plan)

    assert len(flushes) >= 2
    assert len(files(one.store)) == len(files(one.others["other"])) == 1


def test_what_landed_elsewhere_is_taken_back_where_its_record_is_refused(tmp_path: Path) -> None:
    def in_another_process(inventory: str) -> Platform:
        platform = two_stores()
        platform.stages["configure"] = shared_near
        platform.store = DirectoryStore(tmp_path / "main")
        platform.others = {"other": DirectoryStore(tmp_path / "other")}
        platform.settings = Settings(inventory=inventory)
        return platform

    one, other = in_another_process("default"), in_another_process("other")
    plan = other.plan(request("two", value="x"))
    one.sync(request("one", value="x"))

    items = other.write(plan)
    again = other.sync(request("two", value="x"))

    assert items["two"].reason == Reason.STATE_STORE_BUSY
    assert again["two"].reason == Reason.OBJECT_HELD
    assert all("/thing/one/" in path for store in (one.store, one.others["other"])
               for path in files(store))  # fmt: skip

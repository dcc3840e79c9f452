"""A Destination whose path, store or layout changes moves: new place written, old place cleaned."""

from dataclasses import replace
from itertools import permutations

import pytest
from support.mortal import cut_off
from support.platform import Platform, config_map, destination, promise, request

from troth.api import Destination, Layout, dump_documents
from troth.engine import State
from troth.engine.ledger import Ledger
from troth.engine.proof import Flaw
from troth.engine.values import Spot
from troth.engine.verify import verify
from troth.engine.view import View
from troth.errors import Reason
from troth.runners import StageJob, StageResult
from troth_statestore.memory import MemoryStore

PLACES = {
    "nested": destination("cluster", store="main"),
    "none": destination("cluster", store="main", layout=Layout.NONE),
    "aggregated": destination("cluster", store="main", layout=Layout.AGGREGATED),
    "another path": destination("cluster", "moved", store="main"),
    "another file": replace(
        destination("cluster", store="main", layout=Layout.AGGREGATED), filename="all.yaml"
    ),
    "another store": destination("cluster", store="other"),
    "the third store": destination("cluster", "third", store="third"),
    "all at once": replace(
        destination("cluster", "x/y", store="other", layout=Layout.AGGREGATED), filename="z.yaml"
    ),
    "none elsewhere": destination("cluster", "", store="third", layout=Layout.NONE),
}


def named(job: StageJob) -> StageResult:
    name = job.environ["KRATIX_OBJECT_NAME"]
    return StageResult({f"{name}.yaml": dump_documents([config_map(name)])})


def platform(place: Destination) -> Platform:
    return Platform(
        stages={"configure": named},
        promises=[promise(dependencies=[config_map("operator", "operator")])],
        destinations=[place, replace(place, name="beside", path="beside", labels={"no": "one"})],
        others={"other": MemoryStore(), "third": MemoryStore()},
    )


def move(found: Platform, place: Destination) -> None:
    found.destinations = [place]


def files(found: Platform) -> dict[str, dict[str, bytes]]:
    stores = {"main": found.store, **found.others}
    snapshots = {name: store.snapshot() for name, store in stores.items()}
    return {name: dict(one.read(list(one.digests("")))) for name, one in snapshots.items()}


def at(place: Destination, *names: str) -> dict[str, dict[str, bytes]]:
    """What a fresh sync writes at a place."""
    fresh = platform(place)
    move(fresh, place)
    fresh.sync(*(request(name) for name in names))
    return files(fresh)


def fresh_start(place: Destination, *names: str) -> Platform:
    found = platform(place)
    move(found, place)
    found.sync(*(request(name) for name in names))
    return found


MOVES = list(permutations(PLACES, 2))


@pytest.mark.parametrize(("old", "new"), MOVES, ids=[f"{a} to {b}" for a, b in MOVES])
def test_everything_moves_from_anywhere_to_anywhere(old: str, new: str) -> None:
    found = fresh_start(PLACES[old], "one", "two")
    move(found, PLACES[new])

    items = found.sync(request("one"), request("two"))
    again = found.sync(request("one"), request("two"))

    assert files(found) == at(PLACES[new], "one", "two")
    assert {item.reason for item in items.values()} == {Reason.UPDATED}
    assert all("its files move from" in item.message for item in items.values())
    assert {item.state for item in again.values()} == {State.UNCHANGED}
    assert found.handed_in == []


@pytest.mark.parametrize(
    ("new", "needed"), [("another path", False), ("another store", True), ("all at once", True)]
)
def test_a_store_that_keeps_records_of_what_has_moved_out_is_said_to_be_needed(
    new: str, *, needed: bool
) -> None:
    found = fresh_start(PLACES["nested"], "one")
    move(found, PLACES[new])

    item = found.sync(request("one"))["one"]

    stays = "Its record stays in the state store main: keep that given."
    assert (stays in item.message) is needed


# Moves of what has its record in the store "main", and how many commits a sync makes of each: the
# new place elsewhere, the record with what is in its store, the old place elsewhere, the record.
LASTS = {
    ("nested", "another store"): 2,
    ("another store", "nested"): 3,
    ("another store", "the third store"): 4,
    ("all at once", "none elsewhere"): 4,
    ("none elsewhere", "aggregated"): 3,
}


@pytest.mark.parametrize("commits", range(5))
@pytest.mark.parametrize(("old", "new"), LASTS, ids=[f"{a} to {b}" for a, b in LASTS])
def test_a_move_that_was_cut_off_loses_nothing_and_is_finished_by_the_next_run(
    old: str, new: str, commits: int
) -> None:
    found = fresh_start(PLACES["nested"], "one")
    move(found, PLACES[old])
    found.sync(request("one"))
    move(found, PLACES[new])

    killed = cut_off(found, commits, request("one"))
    somewhere = [c for store in files(found).values() for c in store.values()]
    assert any(b"name: one" in content for content in somewhere)
    assert any(b"name: operator" in content for content in somewhere)
    found.sync(request("one"))
    again = found.sync(request("one"))

    assert killed is (commits < LASTS[old, new])
    assert files(found) == at(PLACES[new], "one")
    assert {item.state for item in again.values()} == {State.UNCHANGED}
    assert found.handed_in == []


def test_an_old_place_out_of_reach_is_said_and_cleaned_when_it_is_back() -> None:
    found = fresh_start(PLACES["nested"], "one")
    move(found, PLACES["another store"])
    found.sync(request("one"))
    move(found, PLACES["the third store"])
    found.out_of_reach = frozenset({"other"})

    items = found.sync(request("one"))
    again = found.sync(request("one"))
    left = files(found)
    found.out_of_reach = frozenset()
    finished = found.sync(request("one"))
    settled = found.sync(request("one"))

    assert items["one"].state is State.WRITTEN
    assert "other:cluster/resources/team/thing/one" in items["one"].message
    assert again["one"].state is State.UNCHANGED
    assert "is removed once its state store can be reached" in again["one"].message
    assert left["other"]
    assert left["third"]
    assert "reached" not in finished["one"].message
    assert files(found) == at(PLACES["the third store"], "one")
    assert settled["one"].message == ""
    assert found.handed_in == []


def test_an_old_place_in_a_store_that_is_none_of_the_runs_is_remembered_too() -> None:
    found = fresh_start(PLACES["nested"], "one")
    move(found, PLACES["another store"])
    found.sync(request("one"))
    gone = found.others.pop("other")
    move(found, PLACES["the third store"])

    items = found.sync(request("one"))
    removed = found.sync()
    found.others["other"] = gone
    found.sync(request("one"))

    assert "other:cluster" in items["one"].message
    assert removed["one"].state is State.ORPHANED
    assert "Give that store again" in removed["one"].message
    assert files(found) == at(PLACES["the third store"], "one")


def test_a_request_that_is_removed_takes_its_old_place_along() -> None:
    found = fresh_start(PLACES["nested"], "one")
    move(found, PLACES["another store"])
    found.sync(request("one"))
    move(found, PLACES["the third store"])
    cut_off(found, 2, request("one"))

    found.sync()

    assert not any(b"name: one" in c for store in files(found).values() for c in store.values())


def test_a_new_place_out_of_reach_changes_nothing() -> None:
    found = fresh_start(PLACES["nested"], "one")
    before = files(found)
    move(found, PLACES["another store"])
    found.out_of_reach = frozenset({"other"})

    items = found.sync(request("one"))

    assert items["one"].reason == Reason.STATE_STORE_UNREACHABLE
    assert files(found) == before


def test_an_old_file_is_held_until_it_is_gone() -> None:
    found = fresh_start(PLACES["nested"], "one")
    move(found, PLACES["none elsewhere"])
    found.sync(request("one"))
    move(found, PLACES["nested"])
    found.out_of_reach = frozenset({"third"})
    found.sync(request("one"))
    stores = {"main": found.store, "third": found.others["third"]}

    ledger = Ledger.read(View({name: store.snapshot() for name, store in stores.items()}))

    assert ledger.holdings.files[Spot("third", "one.yaml")].name == "one"


def test_verify_says_that_an_old_place_was_not_looked_at() -> None:
    found = fresh_start(PLACES["nested"], "one")
    move(found, PLACES["another store"])
    found.sync(request("one"))
    move(found, PLACES["the third store"])
    found.out_of_reach = frozenset({"other"})
    found.sync(request("one"))
    stores = {"main": found.store, "third": found.others["third"]}

    proofs = verify(Ledger.read(View({name: one.snapshot() for name, one in stores.items()})))

    [proof] = [one for one in proofs if one.key.name == "one"]
    assert [problem.flaw for problem in proof.problems] == [Flaw.STORE_NOT_SEEN]


def writes_the_shared_name(job: StageJob) -> StageResult:
    """One request writes a file that is called like the one which all share in another layout."""
    name = job.environ["KRATIX_OBJECT_NAME"]
    path = "aggregated.yaml" if name == "one" else f"{name}.yaml"
    return StageResult({path: dump_documents([config_map(name)])})


def test_a_file_that_becomes_the_shared_one_loses_nothing() -> None:
    found = Platform(
        stages={"configure": writes_the_shared_name},
        destinations=[destination("cluster", layout=Layout.NONE)],
    )
    found.sync(request("one"), request("two"))
    found.destinations = [destination("cluster", layout=Layout.AGGREGATED)]

    found.sync(request("one"), request("two"))
    [(path, content)] = found.files.items()
    again = found.sync(request("one"), request("two"))

    assert path == "cluster/aggregated.yaml"
    assert (content.count(b"name: one"), content.count(b"name: two")) == (1, 1)
    assert {item.state for item in again.values()} == {State.UNCHANGED}


def test_a_shared_file_that_becomes_one_requests_waits_until_the_others_are_out_of_it() -> None:
    found = Platform(
        stages={"configure": writes_the_shared_name},
        destinations=[destination("cluster", layout=Layout.AGGREGATED)],
    )
    found.sync(request("one"), request("two"))
    found.destinations = [destination("cluster", layout=Layout.NONE)]

    items = found.sync(request("one"), request("two"))

    assert items["one"].reason == Reason.PATH_HELD
    assert items["two"].state is State.WRITTEN
    assert b"name: one" in found.files["cluster/aggregated.yaml"]

"""What is nobody's where a Destination is, or was, is kept, and said in one line for each."""

from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from support.git_platform import GitPlatform
from support.kratix_repository import CANARIES, KratixRepository, Workload
from support.platform import Platform, config_map, destination, promise, request

from troth.api import Destination, Layout, dump_documents
from troth.engine import Item, Ledger, State, View, survey
from troth.engine.preview import preview
from troth.engine.proof import Flaw
from troth.engine.verify import verify
from troth.errors import Reason
from troth.runners import StageJob, StageResult
from troth_statestore import ChangeSet
from troth_statestore.memory import MemoryStore

Move = Callable[[Destination], Destination]

NESTED_GROUP = "resources/team/thing/other/configure/5058f"


def manifest(name: str) -> bytes:
    return dump_documents([config_map(name)])


def named(job: StageJob) -> StageResult:
    """Writes one file that is called after the request."""
    name = job.environ["KRATIX_OBJECT_NAME"]
    return StageResult({f"{name}.yaml": manifest(name)})


def written(name: str) -> Workload:
    return Workload(name, {f"{name}.yaml": manifest(name)})


def kratixs(layout: Layout, *, canaries: bool = True) -> dict[str, bytes]:
    """What Kratix wrote for two requests and a Promise, of which only one request is handed in."""
    operator = {"static/gone-dependencies.yaml": manifest("operator")}
    brought = Workload("", operator, promise="gone", pipeline="")
    workloads = [written("one"), written("other"), brought]
    return KratixRepository(layout, workloads=workloads, canaries=canaries).files()


def platform(layout: Layout = Layout.NESTED, *, canaries: bool = False) -> Platform:
    made = Platform(
        stages={"configure": named}, destinations=[destination("cluster", layout=layout)]
    )
    made.tamper(kratixs(layout, canaries=canaries))
    return made


def to(**changes: object) -> Move:
    return lambda one: replace(one, **changes)  # type: ignore[arg-type]


def move(found: Platform, **changes: object) -> None:
    found.destinations = [to(**changes)(found.destinations[0])]


def standing(found: Platform, store: str = "main") -> list[str]:
    """Paths of all files but those of the request that is handed in."""
    held = found.others.get(store, found.store).snapshot()
    return [p for p in held.digests("") if not p.endswith(("/one.yaml", "aggregated.yaml"))]


def on_status(found: Platform) -> dict[str, Item]:
    return {item.name: item for item in survey(Ledger.read(View.of(found.store.snapshot())))}


def places(item: Item) -> list[str]:
    return [path for _, path in item.placements]


@pytest.fixture
def git(tmp_path: Path) -> Generator[GitPlatform]:
    with ExitStack() as exits:
        yield GitPlatform.make(tmp_path, exits, Platform)


@pytest.mark.parametrize("layout", Layout)
def test_a_real_repository_of_kratixs_is_taken_over_and_what_is_left_of_it_said(
    git: GitPlatform, layout: Layout
) -> None:
    made = git.platform
    made.stages["configure"] = named
    made.destinations = [destination("cluster", layout=layout)]
    git.push({path: text.decode() for path, text in kratixs(layout).items()})

    first = made.sync(request("one"))["cluster"]
    again = made.sync(request("one"))["cluster"]
    shown = on_status(made)["cluster"]
    move(made, path="moved")
    moved = made.sync(request("one"))["cluster"]
    later = made.sync(request("one"))["cluster"]

    for item in (first, again, shown, moved, later):
        assert (item.state, item.reason) == (State.ORPHANED, Reason.UNOWNED)
        assert "by hand if nobody needs it" in item.message
    assert first.message == again.message == shown.message
    assert moved.message == later.message == on_status(made)["cluster"].message
    assert "where it was before it moved" in moved.message
    left = [p for p in git.remotes[""].files() if not p.startswith("moved")]
    assert all(any(path.startswith(one) for one in places(later)) for path in left
               if not path.endswith("aggregated.yaml"))  # fmt: skip


def test_folders_and_loose_files_of_nobody_are_said_where_requests_have_folders() -> None:
    found = platform()
    found.tamper({"cluster/resources/by-hand.yaml": b"{}"})

    items = found.sync(request("one"))

    assert places(items["cluster"]) == [
        "cluster/dependencies/gone",
        "cluster/resources/by-hand.yaml",
        "cluster/resources/team/thing/other",
    ]
    assert "Hand in what brought it, or remove it by hand" in items["cluster"].message


@pytest.mark.parametrize("layout", Layout)
def test_what_is_said_goes_away_when_it_is_handed_in(layout: Layout) -> None:
    found = platform(layout)
    found.promises.append(promise("gone", kind="Gone", dependencies=[config_map("operator")]))

    items = found.sync(request("one"), request("other"))

    assert "cluster" not in items
    assert "cluster" not in on_status(found)


def test_whoever_is_handed_in_is_somebody_although_it_is_refused() -> None:
    found = platform()

    items = found.sync(request("one"), request("other", value="far too long a value for this"))

    assert items["other"].state is State.REFUSED
    assert places(items["cluster"]) == ["cluster/dependencies/gone"]


def test_whoever_has_a_record_that_cannot_be_read_is_somebody() -> None:
    found = platform()
    found.promises.append(promise("gone", kind="Gone", dependencies=[config_map("operator")]))
    found.sync(request("one"), request("other"))
    [key] = [key for key in found.records if key.endswith("/other.yaml")]
    _, version = found.store.snapshot().records()[key]
    found.store.commit([ChangeSet(key, version, record=b"{")])

    assert "cluster" not in found.sync(request("one"))
    assert "cluster" not in on_status(found)


def test_a_part_of_a_shared_file_whose_request_nobody_knows_is_said() -> None:
    found = Platform(destinations=[destination("cluster", layout=Layout.AGGREGATED)])
    found.sync(request("one"), request("two"))
    [key] = [key for key in found.records if key.endswith("/two.yaml")]
    _, version = found.store.snapshot().records()[key]
    found.store.commit([ChangeSet(key, version, record=None)])

    items = found.sync(request("one"))

    assert places(items["cluster"]) == ["cluster/aggregated.yaml//resources/team/thing/two"]
    where = "kept: resources/team/thing/two in cluster/aggregated.yaml. "
    assert where in items["cluster"].message


def test_canaries_of_kratixs_are_no_business_where_the_destination_is() -> None:
    found = platform(canaries=True)

    items = found.sync(request("one"), request("other"))

    assert places(items["cluster"]) == ["cluster/dependencies/gone"]


@pytest.mark.parametrize("layout", [Layout.NONE, Layout.AGGREGATED])
def test_what_lies_as_in_another_layout_is_told_apart_from_what_people_put_there(
    layout: Layout,
) -> None:
    found = Platform(destinations=[destination("cluster", layout=layout)])
    found.tamper(
        {
            f"cluster/{NESTED_GROUP}/x.yaml": b"{}",
            "cluster/dependencies/thing/5058f/static/x.yaml": b"{}",
            "cluster/resources/mine/x.yaml": b"{}",
            "cluster/dependencies/a/b/c/12345/x.yaml": b"{}",
        }
    )

    items = found.sync(request("one"))

    assert places(items["cluster"]) == [
        "cluster/dependencies/thing",
        "cluster/resources/team/thing/other",
    ]
    assert items["cluster"].message.startswith("of another layout, nobody's, and kept: ")
    assert "Hand in" not in items["cluster"].message


def test_what_a_stage_writes_like_another_layout_is_its_own() -> None:
    found = Platform(destinations=[destination("cluster", layout=Layout.NONE)])
    path = f"{NESTED_GROUP}/x.yaml"
    found.stages["configure"] = lambda _: StageResult({path: manifest("one")})

    first = found.sync(request("one"))
    again = found.sync(request("one"))

    assert "cluster" not in first
    assert "cluster" not in again
    assert "cluster" not in on_status(found)


@pytest.mark.parametrize("layout", [Layout.NESTED, Layout.AGGREGATED])
def test_kratixs_lists_are_said_where_the_layout_is_another_one(layout: Layout) -> None:
    found = Platform(destinations=[destination("cluster", layout=layout)])
    found.tamper(kratixs(Layout.NONE, canaries=False))

    items = found.sync(request("one"))

    assert sum("/.kratix/" in path for path in places(items["cluster"])) == 3
    assert "cluster/other.yaml" in places(items["cluster"])


MOVES: dict[str, Move] = {
    "path": to(path="moved"),
    "layout": lambda one: replace(
        one, layout=Layout.NONE if one.layout is not Layout.NONE else Layout.NESTED
    ),
    "store": lambda one: replace(one, store=destination("x", store="other").store),
}


@pytest.mark.parametrize("how", MOVES)
@pytest.mark.parametrize("layout", Layout)
def test_nothing_that_stays_behind_is_left_unsaid(layout: Layout, how: str) -> None:
    found = platform(layout, canaries=True)
    found.others = {"other": MemoryStore()}
    found.destinations = [
        destination("cluster", store="main", layout=layout),
        destination("beside", store="other", no="one"),
    ]
    found.promises = [promise(selectors={})]
    found.sync(request("one"))
    found.destinations[0] = MOVES[how](found.destinations[0])

    moved = found.sync(request("one"))["cluster"]
    again = found.sync(request("one"))["cluster"]

    assert moved.message == again.message
    told = places(again)
    unsaid = [p for p in standing(found) if not any(p.startswith(one) for one in told)]
    canaries = {f"cluster/{p.rpartition('/')[2]}" for p in CANARIES}
    assert set(unsaid) <= (canaries if (how, layout) == ("layout", Layout.AGGREGATED) else set())
    assert found.handed_in == []


def test_what_another_layout_left_in_the_same_place_is_said_once() -> None:
    found = platform()
    found.sync(request("one"))
    move(found, layout=Layout.NONE)

    item = found.sync(request("one"))["cluster"]

    assert item.message.count("cluster/resources/team/thing/other") == 1
    assert "before it moved" not in item.message


def test_canaries_of_kratixs_that_are_where_they_would_be_now_are_not_behind() -> None:
    found = platform(Layout.AGGREGATED, canaries=True)
    found.sync(request("one"))
    move(found, layout=Layout.NONE)

    item = found.sync(request("one"))["cluster"]

    assert places(item) == ["cluster/aggregated.yaml//kept"]


def test_a_folder_of_who_is_handed_in_with_the_move_is_behind() -> None:
    found = platform()
    found.sync(request("one"))
    move(found, path="moved")

    item = found.sync(request("one"), request("other"))["cluster"]

    assert places(item) == ["cluster/dependencies/gone", "cluster/resources/team/thing/other"]


def test_documents_that_nobody_took_along_are_told_by_their_file() -> None:
    found = platform(Layout.AGGREGATED)
    found.sync(request("one"))
    move(found, filename="all.yaml")

    item = found.sync(request("one"))["cluster"]

    assert places(item) == ["cluster/aggregated.yaml//kept"]
    assert "and kept: documents in cluster/aggregated.yaml. Remove it by hand" in item.message


def test_what_is_behind_is_said_until_it_is_gone() -> None:
    found = platform()
    found.sync(request("one"))
    move(found, path="moved")
    found.sync(request("one"))
    before = found.files

    found.tamper({}, delete=["cluster/dependencies/gone/5058f/static/gone-dependencies.yaml"])
    fewer = found.sync(request("one"))["cluster"]
    found.tamper({}, delete=[path for path in before if "/other/" in path])
    gone = found.sync(request("one"))["cluster"]
    after = found.sync(request("one"))

    assert places(fewer) == ["cluster/resources/team/thing/other"]
    assert (gone.state, gone.message) == (
        State.UNCHANGED,
        "nothing is left where it was before it moved.",
    )
    assert "cluster" not in after
    assert not any(k.startswith("destinations/") for k in found.store.snapshot().records())


def test_what_is_behind_is_said_over_several_moves() -> None:
    found = platform()
    found.sync(request("one"))
    move(found, path="moved")
    found.sync(request("one"))
    found.tamper({"moved/resources/by-hand.yaml": b"{}"})
    move(found, path="again")

    found.sync(request("one"))
    item = found.sync(request("one"))["cluster"]

    assert places(item) == [
        "cluster/dependencies/gone",
        "cluster/resources/team/thing/other",
        "moved/resources/by-hand.yaml",
    ]


def test_a_destination_that_comes_back_finds_its_old_place_as_it_was() -> None:
    found = platform()
    first = found.sync(request("one"))["cluster"].message
    move(found, path="moved")
    found.sync(request("one"))
    move(found, path="cluster")

    found.sync(request("one"))
    back = found.sync(request("one"))["cluster"]

    assert back.message == first
    assert not any(k.startswith("destinations/") for k in found.store.snapshot().records())


@pytest.mark.parametrize("layout", [Layout.NESTED, Layout.AGGREGATED])
def test_what_is_taken_over_in_an_old_place_that_is_the_place_again_is_somebodys(
    layout: Layout,
) -> None:
    found = platform(layout)
    found.sync(request("one"))
    place = found.destinations[0]
    move(found, path="moved", filename="moved.yaml")
    found.sync(request("one"))
    found.destinations = [place]

    found.sync(request("one"), request("other"))
    item = found.sync(request("one"), request("other"))["cluster"]

    assert "other" not in item.message
    assert "before it moved" not in item.message


@pytest.mark.parametrize("layout", [Layout.NESTED, Layout.NONE])
def test_what_another_destination_has_taken_over_in_an_old_place_is_not_behind(
    layout: Layout,
) -> None:
    found = platform(layout)
    found.sync(request("one"))
    move(found, path="moved")
    found.sync(request("one"))
    moved = found.destinations
    found.destinations = [destination("late", "cluster", layout=layout)]
    found.sync(request("other"))
    found.destinations = moved

    item = found.sync(request("one"), request("other"))["cluster"]

    assert "before it moved" in item.message
    assert "other" not in item.message


def test_an_old_place_is_its_own_business_when_another_destination_takes_it() -> None:
    found = platform()
    found.sync(request("one"))
    move(found, path="moved")
    found.sync(request("one"))
    found.destinations.append(destination("late", "cluster", only="late"))

    items = found.sync(request("one"))
    again = found.sync(request("one"))

    assert items["cluster"].message == "nothing is left where it was before it moved."
    assert places(again["late"]) == [
        "cluster/dependencies/gone",
        "cluster/resources/team/thing/other",
    ]
    assert "cluster" not in again


@pytest.mark.parametrize("changes", [{"path": "moved"}, {"layout": Layout.NONE}])
def test_a_request_that_could_not_move_yet_is_not_left_behind(changes: dict[str, object]) -> None:
    found = platform()
    found.sync(request("one"), request("other"))
    move(found, **changes)
    found.stages["configure"] = lambda job: (
        named(job) if job.environ["KRATIX_OBJECT_NAME"] == "one" else StageResult({"x.yaml": b"{"})
    )

    items = found.sync(request("one"), request("other"))

    assert items["other"].state is State.REFUSED
    assert places(items["cluster"]) == ["cluster/dependencies/gone"]
    assert on_status(found)["cluster"].message.count("cluster/dependencies/gone") == 1


def test_what_is_behind_is_noted_beside_the_canaries() -> None:
    found = platform()
    move(found, canaries=True)
    found.sync(request("one"))
    move(found, path="moved")

    moved = found.sync(request("one"))["cluster"]
    move(found, canaries=False)
    off = found.sync(request("one"))["cluster"]
    again = found.sync(request("one"))["cluster"]

    assert moved.state is State.WRITTEN
    assert moved.message.startswith("its canaries are written. where it was")
    assert "kratix-canary" not in moved.message
    assert off.state is State.REMOVED
    assert again.state is State.ORPHANED
    assert "cluster/resources/team/thing/other" in again.message
    assert found.handed_in == []


def test_a_plan_says_what_would_stay_behind_and_notes_nothing() -> None:
    found = platform()
    found.sync(request("one"))
    move(found, path="moved")

    previews = {one.item.name: one for one in preview(found.plan(request("one")))}

    assert "where it was before it moved" in previews["cluster"].item.message
    assert previews["cluster"].files == ()
    assert not any(k.startswith("destinations/") for k in found.store.snapshot().records())


def test_what_is_behind_in_a_store_out_of_reach_is_not_forgotten() -> None:
    found = platform()
    found.others = {"other": MemoryStore()}
    found.destinations = [destination("cluster", store="main")]
    found.sync(request("one"))
    found.destinations = [destination("cluster", store="other")]
    found.sync(request("one"))
    found.out_of_reach = frozenset({"main"})

    found.sync(request("one"))
    found.out_of_reach = frozenset()
    item = found.sync(request("one"))["cluster"]

    assert "main:cluster/resources/team/thing/other" in item.message


def test_verify_names_the_files_that_are_behind() -> None:
    found = platform()
    found.sync(request("one"))
    move(found, path="moved")
    found.sync(request("one"))

    proofs = verify(Ledger.read(View.of(found.store.snapshot())))

    [proof] = [one for one in proofs if one.key.name == "cluster"]
    [problem] = proof.problems
    assert problem.flaw is Flaw.UNOWNED_FILE
    assert len(problem.paths) == 2

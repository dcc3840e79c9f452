"""Where output goes: Kratix's matching, then rendezvous hashing, then staying there."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.platform import Platform, config_map, destination, promise, request, writes

from troth.api import Destination, RequestKey
from troth.engine import State
from troth.engine.place import candidates, place
from troth.engine.values import Group, World
from troth.errors import Reason
from troth.runners import StageJob, StageResult


def names(found: list[Destination]) -> list[str]:
    return [one.name for one in found]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({}, ["dev", "plain", "prod"]),
        ({"env": "dev"}, ["dev", "strict"]),
        ({"env": "none"}, []),
        ({"env": "dev", "zone": "a"}, ["strict"]),
    ],
)
def test_labels_match_by_equality_and_strict_ones_want_a_selector(
    selector: dict[str, str], expected: list[str]
) -> None:
    destinations = [
        destination("dev", env="dev"),
        destination("prod", env="prod"),
        destination("plain"),
        replace(destination("strict", env="dev", zone="a"), strict=True),
    ]

    assert names(candidates(selector, destinations)) == expected


def test_the_promise_wins_over_the_workflow_label_by_label() -> None:
    selectors = [{"matchLabels": {"env": "dev", "zone": "b"}}]
    platform = Platform(
        stages={"configure": writes(config_map("a"), selectors=selectors)},
        promises=[promise(selectors={"env": "prod"})],
        destinations=[
            destination("dev", env="dev", zone="b"),
            destination("prod-a", env="prod", zone="a"),
            destination("prod-b", env="prod", zone="b"),
        ],
    )

    items = platform.sync(request())

    assert [place for place, _ in items["one"].placements] == ["prod-b"]


def test_a_folder_with_its_own_selector_goes_its_own_way_without_the_promises() -> None:
    selectors = b"- directory: backup\n  matchLabels: {role: backup}\n"

    def both(job: StageJob) -> StageResult:
        files = {
            **writes(config_map("a"))(job).files,
            **writes(config_map("b"), path="backup/job.yaml")(job).files,
        }
        return StageResult(files, {"destination-selectors.yaml": selectors})

    platform = Platform(
        stages={"configure": both},
        promises=[promise(selectors={"environment": "dev"})],
        destinations=[
            destination("worker-1", environment="dev"),
            destination("vault", role="backup"),
        ],
    )

    platform.sync(request())

    folder = "resources/team/thing/one/configure"
    assert sorted(platform.files) == [
        f"vault/{folder}/40205/backup/job.yaml",
        f"worker-1/{folder}/5058f/objects.yaml",
    ]


def test_nothing_is_rendered_when_no_destination_matches_the_promise() -> None:
    platform = Platform(
        promises=[promise(selectors={"env": "prod"})],
        destinations=[destination("dev", env="dev")],
    )

    items = platform.sync(request())

    assert items["one"].state is State.UNSCHEDULED
    assert "env=prod" in items["one"].message
    assert "dev has env=dev" in items["one"].message
    assert platform.runner.runs == []
    assert platform.files == {}


def test_an_unscheduled_request_is_recorded_once_and_written_when_a_destination_comes() -> None:
    platform = Platform(
        promises=[promise(selectors={"env": "prod"})],
        destinations=[destination("dev", env="dev")],
    )
    platform.sync(request())
    recorded = platform.records
    platform.sync(request())
    again = platform.handed_in
    platform.destinations.append(destination("prod", env="prod"))

    items = platform.sync(request())

    assert len(recorded) == 1
    assert again == []
    assert items["one"].state is State.WRITTEN


def test_a_placed_request_stays_when_a_better_destination_comes() -> None:
    platform = Platform(destinations=[destination("a")])
    platform.sync(*(request(f"r{index}") for index in range(20)))
    platform.destinations.append(destination("b"))

    items = platform.sync(*(request(f"r{index}", value="new") for index in range(20)))

    assert {place for item in items.values() for place, _ in item.placements} == {"a"}


def test_a_destination_that_no_longer_matches_keeps_its_files_up_to_date_and_says_so() -> None:
    platform = Platform(
        promises=[promise(selectors={"env": "dev"})],
        destinations=[destination("a", env="dev")],
    )
    platform.sync(request(value="x"))
    platform.destinations = [destination("a", env="prod"), destination("b", env="dev")]

    items = platform.sync(request(value="new"))

    assert items["one"].state is State.MISPLACED
    assert items["one"].reason == Reason.DESTINATION_SELECTOR_MISMATCH
    assert [b"new" in content for content in platform.files.values()] == [True]


def test_a_destination_that_is_gone_keeps_everything_as_it_is() -> None:
    platform = Platform(destinations=[destination("a")])
    platform.sync(request(value="x"))
    files = platform.files
    platform.destinations = [destination("b")]

    items = platform.sync(request(value="new"))

    assert (items["one"].state, items["one"].reason) == (State.MISPLACED, Reason.DESTINATION_GONE)
    assert platform.files == files


def test_a_destination_that_moved_is_written_at_its_new_path_and_cleaned_at_the_old() -> None:
    platform = Platform(destinations=[destination("a", "old")])
    platform.sync(request(value="x"))
    platform.destinations = [destination("a", "new")]

    items = platform.sync(request(value="x"))

    assert [path.partition("/")[0] for path in platform.files] == ["new"]
    assert items["one"].reason == Reason.UPDATED
    assert "files move" in items["one"].message


def test_a_group_without_a_place_keeps_the_status_that_its_stage_left() -> None:
    selectors = [{"matchLabels": {"env": "none"}}]
    stage = writes(config_map("a"), selectors=selectors, status={"id": "42"})
    platform = Platform(stages={"configure": stage}, destinations=[destination("a", env="dev")])
    platform.sync(request())

    platform.sync(request())

    assert platform.runner.runs[-1].object["status"] == {"id": "42"}


def spread(name: str, destinations: list[str]) -> str:
    known = {one: destination(one) for one in destinations}
    group = Group("configure", ".", {}, {"a.yaml": b""})
    return (
        place(RequestKey("team", "thing", name), [group], World({}, known), ())
        .placements[0]
        .destination
    )


@given(
    name=st.text("abcdef", min_size=1, max_size=8),
    destinations=st.lists(st.text("xyz", min_size=1, max_size=3), min_size=1, unique=True),
    data=st.data(),
)
def test_the_choice_depends_on_names_alone_and_moves_only_to_what_is_new(
    name: str, destinations: list[str], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(destinations))
    chosen = spread(name, destinations)

    assert spread(name, list(shuffled)) == chosen
    assert spread(name, [*destinations, "new"]) in {chosen, "new"}


def test_the_choice_spreads_requests_over_all_that_match() -> None:
    destinations = ["a", "b", "c", "d"]

    chosen = [spread(f"request-{index}", destinations) for index in range(400)]

    assert all(60 < chosen.count(one) < 140 for one in destinations)

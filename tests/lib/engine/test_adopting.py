"""What Kratix wrote is taken over as it stands, in each of its layouts."""

from dataclasses import replace

import pytest
from support.kratix_repository import KratixRepository, Workload
from support.platform import Platform, config_map, destination, promise, request

from troth.api import Json, Layout, Reader, dump_documents
from troth.engine import State
from troth.errors import Reason
from troth.runners import StageJob, StageResult

LAYOUTS = list(Layout)


def manifest(name: str, namespace: str = "team", value: str = "1") -> bytes:
    return dump_documents([config_map(name, namespace, value=value)])


def named(job: StageJob) -> StageResult:
    """Writes one file that is called after the request, and has its value."""
    name, namespace = job.environ["KRATIX_OBJECT_NAME"], job.environ["KRATIX_OBJECT_NAMESPACE"]
    spec = job.object["spec"]
    assert isinstance(spec, dict)
    path = f"{namespace}-{name}.yaml"
    return StageResult({path: manifest(name, namespace, str(spec.get("value", "1")))})


def written(name: str, namespace: str = "team", **more: bytes) -> Workload:
    files = {f"{namespace}-{name}.yaml": manifest(name, namespace)}
    files |= {f"{key}.yaml": content for key, content in more.items()}
    return Workload(name, files, namespace)


def platform(layout: Layout, *workloads: Workload, prefixed: bool = True) -> Platform:
    made = Platform(
        stages={"configure": named}, destinations=[destination("cluster", layout=layout)]
    )
    repository = KratixRepository(layout, workloads=list(workloads), prefixed=prefixed)
    made.tamper(repository.files())
    return made


def fresh(layout: Layout, *names: str) -> dict[str, bytes]:
    """What a sync into an empty store would write."""
    made = Platform(
        stages={"configure": named}, destinations=[destination("cluster", layout=layout)]
    )
    made.sync(*(request(name) for name in names))
    return made.files


def without_canaries(files: dict[str, bytes]) -> dict[str, bytes]:
    return {path: content for path, content in files.items() if "kratix-canary" not in path}


@pytest.mark.parametrize("prefixed", [True, False], ids=["prefixed", "unprefixed"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_repository_of_kratixs_becomes_what_a_fresh_sync_would_write(
    layout: Layout, *, prefixed: bool
) -> None:
    adopting = platform(layout, written("one"), written("two"), prefixed=prefixed)

    items = adopting.sync(request("one"), request("two"))
    again = adopting.sync(request("one"), request("two"))

    assert without_canaries(adopting.files) == fresh(layout, "one", "two")
    assert {items["one"].state, items["two"].state} == {State.WRITTEN}
    assert {item.state for item in again.values()} == {State.UNCHANGED}
    assert adopting.handed_in == []


@pytest.mark.parametrize("layout", [Layout.NESTED, Layout.NONE])
def test_files_that_are_right_already_are_not_committed(layout: Layout) -> None:
    adopting = platform(layout, written("one"))
    before = adopting.files

    adopting.sync(request("one"))

    lists = {path for path in before if "/.kratix/" in path}
    assert adopting.files == {p: c for p, c in before.items() if p not in lists}


@pytest.mark.parametrize("prefixed", [True, False], ids=["prefixed", "unprefixed"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_kratix_would_have_removed_goes_with_the_first_sync(
    layout: Layout, *, prefixed: bool
) -> None:
    stale = Workload(
        "one",
        {
            "a-first.yaml": manifest("one"),
            "old.yaml": manifest("old"),
            "team-one.yaml": manifest("last"),
        },
    )
    adopting = platform(layout, stale, prefixed=prefixed)
    last = dump_documents([config_map("one", value="1"), config_map("last", value="1")])
    adopting.stages["configure"] = lambda _: StageResult({"team-one.yaml": last})
    pristine = Platform(
        stages=adopting.stages, destinations=[destination("cluster", layout=layout)]
    )
    pristine.sync(request("one"))

    adopting.sync(request("one"))

    assert without_canaries(adopting.files) == pristine.files


@pytest.mark.parametrize("layout", [Layout.NONE, Layout.AGGREGATED])
def test_what_cannot_be_told_whose_it_is_stays_and_is_said_in_every_run(layout: Layout) -> None:
    adopting = platform(layout, written("one"), written("other"))

    items = adopting.sync(request("one"))
    again = adopting.sync(request("one"))

    for report in (items, again):
        assert (report["cluster"].state, report["cluster"].reason) == (
            State.ORPHANED,
            Reason.UNOWNED,
        )
        assert "other" in report["cluster"].message
    assert any(manifest("other") in content for content in adopting.files.values())
    assert again["one"].state is State.UNCHANGED


@pytest.mark.parametrize("layout", [Layout.NONE, Layout.AGGREGATED])
def test_who_comes_later_takes_over_what_is_left(layout: Layout) -> None:
    adopting = platform(layout, written("one"), written("other"))
    adopting.sync(request("one"))

    items = adopting.sync(request("one"), request("other"))

    assert items["other"].state is State.WRITTEN
    assert "cluster" not in items
    assert without_canaries(adopting.files) == fresh(layout, "one", "other")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_request_that_is_refused_keeps_what_kratix_wrote(layout: Layout) -> None:
    adopting = platform(layout, written("one"), written("two"))

    adopting.sync(request("one"), request("two", value="far too long a value for this"))

    assert any(manifest("two") in content for content in adopting.files.values())


def test_documents_between_those_of_two_requests_are_nobodys() -> None:
    adopting = platform(
        Layout.AGGREGATED, written("a", more=manifest("stray")), written("b"), written("c")
    )

    items = adopting.sync(request("a"), request("b"))

    assert "ConfigMap team/stray, ConfigMap team/c" in items["cluster"].message


def test_documents_that_are_no_objects_are_known_by_their_text() -> None:
    texts = Workload("one", {"x.yaml": b"just: text\n", "y.yaml": b"other: text\n"})
    adopting = platform(Layout.AGGREGATED, texts)
    adopting.destinations = [replace(adopting.destinations[0], reader=Reader.FILES)]
    adopting.stages["configure"] = lambda _: StageResult({"a.yaml": b"just: text\n"})

    items = adopting.sync(request("one"))

    assert adopting.files["cluster/aggregated.yaml"].count(b"just: text") == 1
    assert "kept" in items["cluster"].message


def test_what_a_promise_brings_is_taken_over_too() -> None:
    brought = Workload("", {"static/thing-dependencies.yaml": manifest("operator")}, pipeline="")
    adopting = platform(Layout.AGGREGATED, brought, written("one"))
    adopting.promises = [promise(dependencies=[config_map("operator", "team", value="1")])]

    items = adopting.sync(request("one"))

    assert "cluster" not in items
    assert adopting.files["cluster/aggregated.yaml"].count(b"kind: ConfigMap") == 2


@pytest.mark.parametrize(
    ("listed", "left"),
    [
        (["cluster/x.yaml", "cluster/team-one.yaml"], ["cluster/cluster/x.yaml"]),
        (["cluster/x.yaml", "/team-one.yaml"], []),
    ],
    ids=["with", "without"],
)
def test_a_list_names_its_files_with_the_destinations_path_or_all_without(
    listed: list[Json], left: list[str]
) -> None:
    adopting = platform(Layout.NONE)
    adopting.tamper(
        {
            "cluster/cluster/x.yaml": b"old: 1\n",
            "cluster/team-one.yaml": b"old: 1\n",
            "cluster/.kratix/team-thing-one-configure-abcde.cluster-5058f.yaml": dump_documents(
                [{"files": listed}]
            ),
        }
    )

    adopting.sync(request("one"))

    assert sorted(without_canaries(adopting.files)) == [*left, "cluster/team-one.yaml"]


@pytest.mark.parametrize("path", ["../nested/x.yaml", "cluster/../../x", "//x"])
def test_a_list_that_leads_out_of_its_destination_is_not_followed(path: str) -> None:
    adopting = platform(Layout.NONE)
    name = "cluster/.kratix/team-thing-one-configure-abcde.cluster-5058f.yaml"
    foreign = {"nested/x.yaml": b"keep: 1\n", "x": b"keep: 1\n"}
    listed = dump_documents([{"files": ["team-one.yaml", path]}])
    adopting.tamper({**foreign, "cluster/team-one.yaml": b"old: 1\n", name: listed})

    adopting.sync(request("one"))

    assert foreign.items() <= adopting.files.items()
    assert name not in adopting.files


def test_what_kratix_wrote_for_a_promise_that_brings_nothing_any_more_goes() -> None:
    brought = Workload("", {"static/thing-dependencies.yaml": manifest("operator")}, pipeline="")
    adopting = platform(Layout.NESTED, brought, written("one"))

    items = adopting.sync(request("one"))
    titles = [change.title for change in adopting.handed_in]
    again = adopting.sync(request("one"))

    assert without_canaries(adopting.files) == fresh(Layout.NESTED, "one")
    assert "cluster" not in items
    assert items["thing"].state is State.WRITTEN
    assert "Adopt Promise thing" in titles
    assert again["thing"].state is State.UNCHANGED

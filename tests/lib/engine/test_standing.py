"""Files that somebody set back to an earlier output: kept, held, and given up again."""

from dataclasses import replace

import pytest
from support.platform import Platform, config_map, request
from support.routed import API, apis, gate

from troth.api import Json, JsonObject, dump_documents
from troth.engine import Settings, State, Submission
from troth.errors import Reason
from troth.runners import StageJob, StageResult


def named_by_value(job: StageJob) -> StageResult:
    """One object, named by spec.value."""
    spec = job.object["spec"]
    assert isinstance(spec, dict)
    manifest = config_map(str(spec["value"]))
    return StageResult({"objects.yaml": dump_documents([manifest])})


def rolled_back(platform: Platform) -> Platform:
    """A request "one" that had "/a" or "a", was moved to b, and whose files were set back."""
    value = "/a" if "Gate" in str(platform.promises[0].raw) else "a"
    others = [gate()] if value == "/a" else []
    platform.sync(request(value=value), *others)
    before = platform.files
    platform.sync(request(value=value.replace("a", "b")), *others)
    platform.tamper({path: content for path, content in before.items() if "/one/" in path})
    return platform


def routes() -> Platform:
    return rolled_back(apis())


def objects() -> Platform:
    return rolled_back(Platform(stages={"configure": named_by_value}))


@pytest.mark.parametrize("name", ["earlier", "two"])
def test_what_stands_in_rolled_back_files_is_held_in_the_run_that_notices(name: str) -> None:
    platform = objects()

    items = platform.sync(request(value="b"), request(name, value="a"))

    assert items["one"].reason == Reason.REVERTED
    assert items[name].reason == Reason.OBJECT_HELD


@pytest.mark.parametrize("name", ["earlier", "two"])
def test_a_route_in_rolled_back_files_is_held_in_the_run_that_notices(name: str) -> None:
    platform = routes()

    items = platform.sync(request(value="/b"), request(name, value="/a"), gate())

    assert items["one"].reason == Reason.REVERTED
    assert items[name].reason == Reason.ROUTE_HELD


@pytest.mark.parametrize("value", ["a", "b"], ids=["what stands", "what is to come back"])
@pytest.mark.parametrize("noticed", [True, False], ids=["noticed", "unnoticed"])
def test_both_are_held_against_runs_without_the_request(value: str, *, noticed: bool) -> None:
    platform = objects()
    if noticed:
        platform.sync(request(value="b"))
    other = replace(platform, settings=Settings(inventory="other"))

    items = other.sync(request("two", value=value))

    assert items["two"].reason == Reason.OBJECT_HELD


@pytest.mark.parametrize("value", ["/a", "/b"], ids=["what stands", "what is to come back"])
def test_both_routes_are_held_against_runs_without_the_request(value: str) -> None:
    platform = routes()
    other = replace(platform, settings=Settings(inventory="other"))

    items = other.sync(request("two", value=value))

    assert items["two"].reason == Reason.ROUTE_HELD


@pytest.mark.parametrize(
    "asked",
    [
        request(value="b", labels={"kratix.io/paused": "true"}),
        request(value="b", labels={"kratix.io/workflow-suspended": "true"}),
        request(value="x" * 21),
    ],
    ids=["paused", "suspended", "refused"],
)
def test_what_stands_is_held_while_nothing_is_done_with_its_request(asked: Submission) -> None:
    platform = objects()

    items = platform.sync(asked, request("two", value="a"))

    assert items["two"].reason == Reason.OBJECT_HELD


def test_a_rollback_whose_gateway_is_gone_still_holds_its_route() -> None:
    platform = routes()
    platform.allow(9)
    platform.sync(request(value="/b"))

    items = platform.sync(request(value="/b"), request("another", value="/a"), gate())

    assert items["one"].reason == Reason.REVERTED
    assert items["another"].reason == Reason.ROUTE_HELD


def test_a_rollback_is_quiet() -> None:
    platform = objects()
    platform.sync(request(value="b"))

    items = platform.sync(request(value="b"))

    assert (items["one"].state, items["one"].reason) == (State.UNCHANGED, Reason.REVERTED)
    assert platform.handed_in == []


def test_a_rollback_that_is_itself_reverted_gives_up_what_stood() -> None:
    platform = objects()
    platform.sync(request(value="b"))
    [path] = platform.files
    platform.tamper({path: dump_documents([config_map("b")])})

    items = platform.sync(request(value="b"), request("two", value="a"))

    assert items["one"].reason == Reason.UP_TO_DATE
    assert items["two"].state is State.WRITTEN


def test_a_rollback_ends_when_the_request_changes() -> None:
    platform = objects()
    platform.sync(request(value="b"))

    items = platform.sync(request(value="c"))
    again = platform.sync(request(value="c"), request("two", value="a"))

    assert items["one"].reason == Reason.UPDATED
    assert again["two"].state is State.WRITTEN


def test_of_two_rolled_back_to_one_object_the_first_keeps_it() -> None:
    platform = objects()
    platform.sync(request(value="b"))
    [path] = platform.files
    standing = platform.files[path]
    platform.sync(request(value="c"))
    platform.sync(request(value="c"), request("two", value="a"))
    platform.sync(request(value="c"), request("two", value="d"))
    platform.tamper({path: standing, path.replace("one", "two"): standing})

    items = platform.sync(request(value="c"), request("two", value="d"))

    assert items["one"].reason == Reason.REVERTED
    assert items["two"].reason == Reason.DRIFT_PUT_BACK


def test_a_rollback_to_what_another_has_taken_meanwhile_is_put_back_and_says_who() -> None:
    platform = routes()
    before = {path: content for path, content in platform.files.items() if "/one/" in path}
    platform.sync(request(value="/c"), gate())
    platform.sync(request(value="/c"), request("two", value="/a"), gate())
    platform.tamper(before)

    items = platform.sync(request(value="/c"), request("two", value="/a"), gate())

    assert items["one"].reason == Reason.DRIFT_PUT_BACK
    assert "rolled back" in items["one"].message
    assert "team/two" in items["one"].message
    [path] = [path for path in platform.files if "/thing/one/" in path]
    assert b"/c" in platform.files[path]


def test_a_gateway_is_rolled_back_though_its_newest_routes_do_not_fit_it() -> None:
    def aggregator(job: StageJob) -> StageResult:
        spec = job.object["spec"]
        assert isinstance(spec, dict)
        host = f"{spec['value']}.example.com"
        name: JsonObject = {"name": "edge", "namespace": "team"}
        listener: JsonObject = {"name": host, "hostname": host, "port": 80, "protocol": "HTTP"}
        body: JsonObject = {"gatewayClassName": "any", "listeners": [listener]}
        parent: JsonObject = {"name": "edge", "sectionName": host}
        route: JsonObject = {
            "parentRefs": [parent],
            "hostnames": [host],
            "rules": [dict[str, Json]()],
        }
        manifests: list[JsonObject] = [
            {"apiVersion": API, "kind": "Gateway", "metadata": name, "spec": body},
            {"apiVersion": API, "kind": "HTTPRoute", "metadata": name, "spec": route},
        ]
        return StageResult({"objects.yaml": dump_documents(manifests)})

    platform = rolled_back(Platform(stages={"configure": aggregator}))

    items = platform.sync(request(value="b"))

    assert items["one"].reason == Reason.REVERTED


def test_an_object_that_moved_is_kept_where_both_were_set_back() -> None:
    def moving(job: StageJob) -> StageResult:
        spec = job.object["spec"]
        assert isinstance(spec, dict)
        names = [job.environ["KRATIX_OBJECT_NAME"], *(["moved"] if spec["value"] == "has" else [])]
        return StageResult({"objects.yaml": dump_documents([config_map(n) for n in names])})

    platform = Platform(stages={"configure": moving})
    platform.sync(request("x", value="no"), request("y", value="has"))
    before = platform.files
    asked = [request("x", value="has"), request("y", value="no")]
    platform.sync(*asked)
    platform.sync(*asked)
    platform.tamper(before)

    items = platform.sync(*asked)

    assert {items[name].reason for name in "xy"} == {Reason.REVERTED}
    assert platform.files == before

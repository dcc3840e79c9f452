"""What Kratix wrote below the namespace of its pipelines goes with the request that has it now."""

from contextlib import ExitStack
from pathlib import Path

from support.git_platform import GitPlatform
from support.kratix_repository import KratixRepository, Workload
from support.platform import Platform, config_map, destination, promise, request, writes

from troth.api import Layout, dump_documents
from troth.engine import State, preview
from troth.errors import Reason
from troth_statestore.memory import MemoryStore

SHARED = "cluster/resources/jobs/thing/one/configure/5058f/objects.yaml"


def platform(*names: str, destinations: int = 1) -> Platform:
    found = Platform()
    prepare(found)
    found.destinations += [destination(f"d{number}") for number in range(1, destinations)]
    found.tamper(kratixs(*names or ("one",)))
    return found


def prepare(found: Platform) -> None:
    workflows = found.promises[0].raw["spec"]
    assert isinstance(workflows, dict)
    given = {**workflows["workflows"], "config": {"pipelineNamespace": "jobs"}}
    found.promises = [promise(workflows=given)]


def kratixs(*names: str) -> dict[str, bytes]:
    """What Kratix wrote for requests of these names, of whatever namespaces."""
    workloads = [
        Workload(name, {"objects.yaml": dump_documents([config_map(name, value="")])}, "jobs")
        for name in names
    ]
    return KratixRepository(Layout.NESTED, workloads=workloads, canaries=False).files()


def titles(found: Platform) -> list[str]:
    return [one.title for one in found.handed_in if one.files or one.delete]


def test_the_first_sync_moves_it_in_one_commit(tmp_path: Path) -> None:
    with ExitStack() as exits:
        git = GitPlatform.make(tmp_path, exits, Platform)
        prepare(git.platform)
        git.push({path: content.decode() for path, content in kratixs("one").items()})

        items = git.platform.sync(request())
        again = git.platform.sync(request())

        assert list(git.remotes[""].files()) == [
            "cluster/resources/team/thing/one/configure/5058f/objects.yaml"
        ]
        assert git.remotes[""].subjects()[1:] == ["Adopt team/one (thing)"]
        assert items["one"].state is State.WRITTEN
        assert again["one"].state is State.UNCHANGED
        assert git.platform.handed_in == []


def test_it_goes_wherever_kratix_had_placed_it() -> None:
    found = platform(destinations=3)

    found.sync(request())

    assert [path.split("/")[2] for path in found.files] == ["team"]


def test_a_request_that_was_taken_over_before_lets_it_go_later() -> None:
    found = platform()
    found.tamper({}, delete=[SHARED])
    found.sync(request())
    found.tamper(kratixs("one"))

    items = found.sync(request())
    said = titles(found)
    after = found.sync(request())

    assert SHARED not in found.files
    assert (items["one"].state, items["one"].changed) == (State.WRITTEN, (SHARED,))
    assert items["one"].message == "what Kratix wrote for it elsewhere is removed."
    assert said == ["Adopt team/one (thing)"]
    assert after["one"].state is State.UNCHANGED
    assert found.handed_in == []


def test_a_plan_shows_what_would_go() -> None:
    found = platform()

    previews = {one.item.name: one for one in preview(found.plan(request()))}

    assert [(one.spot.path, one.after is None) for one in previews["one"].files] == [
        (SHARED, True),
        (SHARED.replace("/jobs/", "/team/"), False),
    ]
    assert "cluster" not in previews


def test_what_requests_of_two_namespaces_share_goes_once_both_have_been_written() -> None:
    found = platform()
    both = (request(), request(namespace="others"))

    first = found.sync(*both)
    there = SHARED in found.files
    found.sync(*both)

    assert there
    assert "cluster/resources/jobs/thing/one" in first["cluster"].message
    assert SHARED not in found.files
    assert titles(found) == ["Adopt others/one (thing)"]


def test_it_stays_while_a_namesake_is_refused() -> None:
    found = platform()
    refused = request(namespace="others", value="far too long a value for this")

    for _ in range(2):
        found.sync(request(), refused)

    assert SHARED in found.files


def test_it_stays_while_the_request_is_paused() -> None:
    found = platform()

    found.tamper({}, delete=[SHARED])
    found.sync(request())
    found.tamper(kratixs("one"))

    found.sync(request(labels={"kratix.io/paused": "true"}))

    assert SHARED in found.files


def test_it_stays_while_a_namesake_has_a_record_and_no_files() -> None:
    found = platform()
    usual = found.stages["configure"]
    waits = writes(control={"suspend": True, "message": "not yet"})
    found.stages["configure"] = lambda job: (
        waits if job.environ["KRATIX_OBJECT_NAMESPACE"] == "others" else usual
    )(job)

    for _ in range(2):
        found.sync(request(), request(namespace="others"))

    assert SHARED in found.files


def test_the_folder_of_a_request_that_lives_in_that_namespace_is_its_own() -> None:
    found = platform()

    for _ in range(2):
        found.sync(request(), request(namespace="jobs"))

    assert SHARED in found.files
    assert len(found.files) == 2


def test_without_such_a_namespace_the_folder_is_somebody_elses() -> None:
    found = platform()
    found.promises = [promise()]

    items = found.sync(request())

    assert SHARED in found.files
    assert items["cluster"].reason == Reason.UNOWNED


def test_in_another_store_it_goes_once_the_record_is_written() -> None:
    found = platform()
    found.others = {"other": MemoryStore()}
    found.destinations = [
        destination("cluster", store="main", at="main"),
        destination("far", store="other", at="far"),
    ]
    found.promises[0].selectors["at"] = "far"

    found.sync(request())

    assert found.files == {}
    assert [bool(change.record) for change in found.handed_in if change.files or change.delete] == [
        True,
        False,
    ]

"""What a Promise brings itself: dependencies, its own workflow, and what it requires of others."""

import json
from collections.abc import Mapping

import pytest
from support.platform import (
    Platform,
    config_map,
    destination,
    follows_spec,
    promise,
    request,
    writes,
)

from troth.api import JsonObject, Promise
from troth.engine import State
from troth.errors import Reason
from troth.runners import StageJob, StageResult

PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA\n"
NAMESPACE: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "operator"}}
OPERATOR = config_map("operator", "operator")

STATIC = "cluster/dependencies/thing/5058f/static/thing-dependencies.yaml"
OWN = "cluster/dependencies/thing/install/5058f/objects.yaml"
OF_REQUEST = "cluster/resources/team/thing/one/configure/5058f/objects.yaml"


def with_dependencies() -> Platform:
    return Platform(promises=[promise(dependencies=[NAMESPACE, OPERATOR])])


def test_static_dependencies_lie_where_kratix_puts_them() -> None:
    platform = with_dependencies()

    items = platform.sync()

    assert list(platform.files) == [STATIC]
    assert items["thing"].state is State.WRITTEN
    assert platform.files[STATIC].count(b"kind:") == 2


def test_dependencies_go_to_every_destination_that_matches() -> None:
    platform = with_dependencies()
    platform.destinations = [destination("a"), destination("b")]
    platform.sync(request())

    platform.destinations.append(destination("c"))
    items = platform.sync(request())

    assert [path[0] for path in platform.files if "/static/" in path] == ["a", "b", "c"]
    assert items["one"].state is State.UNCHANGED


def test_nothing_changes_when_a_promise_is_handed_in_again() -> None:
    platform = with_dependencies()
    platform.sync(request())

    items = platform.sync(request())

    assert platform.handed_in == []
    assert items["thing"].state is State.UNCHANGED


def test_a_promise_workflow_sees_the_promise_and_renders_its_own_files() -> None:
    seen: list[StageJob] = []

    def install(job: StageJob) -> StageResult:
        seen.append(job)
        return writes(OPERATOR, status={"message": "installed"})(job)

    platform = Platform(
        promises=[promise(install=["install"])],
        stages={"install": install, "configure": follows_spec},
    )

    platform.sync(request())

    assert set(platform.files) == {OWN, OF_REQUEST}
    [job] = seen
    assert job.object["kind"] == "Promise"
    assert isinstance(job.object["metadata"], Mapping)
    assert "namespace" not in job.object["metadata"]
    expected = {
        "KRATIX_WORKFLOW_TYPE": "promise",
        "KRATIX_CRD_PLURAL": "promises",
        "KRATIX_CLUSTER_SCOPED": "true",
        "KRATIX_OBJECT_NAMESPACE": "",
        "KRATIX_OBJECT_NAME": "thing",
    }
    assert expected.items() <= job.environ.items()


def test_a_promise_status_other_than_a_message_is_left_out_and_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    status: JsonObject = {"size": 3, "message": "done"}
    platform = Platform(
        promises=[promise(install=["install"])],
        stages={"install": writes(OPERATOR, status=status), "configure": follows_spec},
    )

    items = platform.sync(request())

    assert items["thing"].state is items["one"].state is State.WRITTEN
    assert "unsupported keys: size in status.yaml" in caplog.text
    record = platform.store.snapshot().records()["promises/thing.yaml"][0]
    assert json.loads(record)["status"] == {"message": "done"}


def test_a_promise_with_a_secret_in_it_is_refused_although_it_has_no_output_of_its_own() -> None:
    platform = Platform(promises=[promise(annotations={"note": PEM})])

    items = platform.sync(request())

    assert items["thing"].reason == Reason.PLAIN_SECRET
    assert items["one"].reason == Reason.PROMISE_UNAVAILABLE
    assert platform.store.snapshot().records() == {}


def fails(_: StageJob) -> StageResult:
    raise AssertionError("this stage must not run")


@pytest.mark.parametrize(
    ("install", "state"),
    [
        (writes(OPERATOR, control={"suspend": True, "message": "wait"}), State.SUSPENDED),
        (writes({"kind": "Broken"}), State.REFUSED),
    ],
)
def test_requests_wait_while_the_workflow_of_their_promise_is_not_done(
    install: object, state: State
) -> None:
    assert callable(install)
    platform = Platform(
        promises=[promise(install=["install"])], stages={"install": install, "configure": fails}
    )

    items = platform.sync(request())

    assert items["thing"].state is state
    assert (items["one"].state, items["one"].reason) == (State.WAITING, Reason.PROMISE_UNAVAILABLE)
    assert platform.files == {}


def test_a_live_request_keeps_its_files_while_its_promise_is_unavailable() -> None:
    platform = Platform()
    platform.sync(request(value="x"))
    platform.promises = [promise(requiredPromises=[{"name": "database", "version": "v1"}])]

    items = platform.sync(request(value="y"))

    assert b"value: x" in platform.files[OF_REQUEST]
    assert items["one"].state is State.WAITING
    assert "Requirement not installed" in items["one"].message


def test_an_object_another_promise_holds_leaves_the_second_unavailable() -> None:
    platform = Platform(
        promises=[
            promise("first", kind="First", dependencies=[NAMESPACE]),
            promise("second", kind="Second", dependencies=[NAMESPACE]),
        ]
    )

    items = platform.sync(request(kind="Second"))

    assert items["first"].state is State.WRITTEN
    assert items["second"].reason == Reason.OBJECT_HELD
    assert items["one"].reason == Reason.PROMISE_UNAVAILABLE


def test_dependencies_are_not_fenced() -> None:
    platform = with_dependencies()  # its fence allows the own namespace alone

    assert platform.sync()["thing"].state is State.WRITTEN


def test_dependencies_with_plain_secrets_are_refused() -> None:
    secret: JsonObject = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "operator"},
        "stringData": {"password": "hunter2"},
    }
    platform = Platform(promises=[promise(dependencies=[secret])])

    items = platform.sync()

    assert items["thing"].reason == Reason.PLAIN_SECRET
    assert platform.files == {}


def test_a_promise_without_an_api_is_installed_and_uninstalled() -> None:
    platform = Platform(promises=[promise(api=False, dependencies=[NAMESPACE])])
    platform.sync()
    installed = set(platform.files)

    platform.promises = []
    items = platform.sync()

    assert installed == {STATIC}
    assert items["thing"].state is State.REMOVED
    assert platform.files == {}
    assert platform.store.snapshot().records() == {}


REQUIRES = "requiredPromises"


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ([], "Requirement not installed"),
        ([promise("database", kind="Db", version="v2")],
         "Requirement not installed at the specified version (there is v2)"),
        ([promise("database", kind="Db", version="v1",
                  requiredPromises=[{"name": "network", "version": "v1"}])],
         "Requirement not available"),
    ],
)  # fmt: skip
def test_a_requirement_that_is_not_fulfilled_is_named_in_kratixs_words(
    others: list[Promise], words: str
) -> None:
    needy = promise(dependencies=[NAMESPACE], requiredPromises=[
        {"name": "database", "version": "v1"},
    ])  # fmt: skip
    platform = Platform(promises=[needy, *others])

    items = platform.sync()

    assert items["thing"].state is State.WAITING
    assert items["thing"].reason == Reason.REQUIREMENTS_NOT_FULFILLED
    assert f'Promise "database" at version "v1": {words}' in items["thing"].message
    assert platform.files == {}


@pytest.mark.parametrize("version", ["v1", ""])
def test_a_requirement_that_is_there_lets_everything_be_written_in_one_run(version: str) -> None:
    database = promise("zz-database", kind="Db", version="v1", dependencies=[OPERATOR])
    needy = promise(
        dependencies=[NAMESPACE],
        requiredPromises=[{"name": "zz-database", "version": version}],
    )
    platform = Platform(promises=[needy, database])

    items = platform.sync(request())

    assert {item.state for item in items.values()} == {State.WRITTEN}


def test_a_promise_of_an_earlier_run_counts_as_installed() -> None:
    platform = Platform(promises=[promise("database", kind="Db", version="v1")])
    platform.sync(request("db", kind="Db"))
    platform.promises = [promise(requiredPromises=[{"name": "database", "version": "v1"}])]
    platform.roots = frozenset()

    assert platform.sync(request())["one"].state is State.WRITTEN


def test_promises_that_require_each_other_are_told_so() -> None:
    platform = Platform(
        promises=[
            promise("a", kind="A", requiredPromises=[{"name": "b", "version": ""}]),
            promise("b", kind="B", requiredPromises=[{"name": "c", "version": ""}]),
            promise("c", kind="C", requiredPromises=[{"name": "b", "version": ""}]),
        ]
    )

    items = platform.sync()

    assert items["b"].state is State.REFUSED
    assert "circle: b -> c -> b; take one of them out of its Promise" in items["b"].message
    assert "circle: b -> c -> b" in items["c"].message
    assert "Requirement not available" in items["a"].message


def test_a_promise_goes_after_its_requests_and_runs_its_delete_pipelines() -> None:
    order: list[str] = []

    def remember(job: StageJob) -> StageResult:
        order.append(f"{job.pipeline.name} {job.environ['KRATIX_OBJECT_NAME']}")
        return StageResult()

    installed = promise(dependencies=[OPERATOR], delete=["undo"], uninstall=["wipe"])
    platform = Platform(
        promises=[installed],
        stages={"configure": follows_spec, "undo": remember, "wipe": remember},
    )
    platform.sync(request("one"), request("two"))
    platform.promises = []
    platform.allow(3)

    items = platform.sync()

    assert sorted(order[:2]) == ["undo one", "undo two"]
    assert order[2:] == ["wipe thing"]
    assert {item.state for item in items.values()} == {State.REMOVED}
    assert platform.files == {}
    assert platform.store.snapshot().records() == {}


def test_a_promise_stays_while_a_request_of_it_cannot_be_removed() -> None:
    platform = with_dependencies()
    platform.sync(
        request("one", annotations={"troth.dev/deletion-protection": "true"}), request("two")
    )
    platform.promises = []

    items = platform.sync()

    assert items["two"].state is State.REMOVED
    assert (items["thing"].state, items["thing"].reason) == (State.ORPHANED, Reason.PROMISE_IN_USE)
    assert "team/one" in items["thing"].message
    assert STATIC in platform.files


def test_a_promise_that_drops_its_dependencies_has_them_removed() -> None:
    platform = with_dependencies()
    platform.sync(request())

    platform.promises = [promise()]
    platform.sync(request())

    assert set(platform.files) == {OF_REQUEST}


@pytest.mark.parametrize("reason", ["paused", "workflow-suspended"])
def test_a_label_on_a_promise_stops_it_and_its_requests(reason: str) -> None:
    platform = with_dependencies()
    platform.promises = [promise(dependencies=[OPERATOR], labels={f"kratix.io/{reason}": "true"})]

    items = platform.sync(request())

    assert items["thing"].state is State.SUSPENDED
    assert items["one"].state in {State.WAITING, State.SUSPENDED}
    assert platform.files == {}


def test_nothing_of_a_paused_promise_is_removed() -> None:
    platform = Platform()
    platform.sync(request())
    platform.promises = [promise(labels={"kratix.io/paused": "true"})]

    items = platform.sync()

    assert (items["one"].state, items["one"].reason) == (State.SUSPENDED, Reason.PAUSED)
    assert OF_REQUEST in platform.files


def test_a_destination_out_of_service_does_not_keep_a_promise_from_the_others() -> None:
    platform = with_dependencies()
    platform.destinations = [destination("a"), destination("b")]
    platform.sync()
    before = platform.files
    platform.destinations = [destination("a")]
    platform.promises = [promise(dependencies=[config_map("newer", "operator")])]

    changed = platform.sync(request())
    again = platform.sync(request())

    [at_a, at_b] = [path for path in sorted(platform.files) if "/static/" in path]
    assert b"newer" in platform.files[at_a]
    assert platform.files[at_b] == before[at_b]
    assert changed["one"].state is State.WRITTEN
    assert "Destination b is not among those given" in changed["thing"].message
    assert platform.handed_in == []
    assert again["thing"].state is State.MISPLACED


def test_a_destination_that_is_back_is_brought_up_to_date() -> None:
    platform = with_dependencies()
    platform.destinations = [destination("a"), destination("b")]
    platform.sync()
    platform.destinations = [destination("a")]
    platform.promises = [promise(dependencies=[config_map("newer", "operator")])]
    platform.sync()
    platform.destinations = [destination("a"), destination("b")]

    items = platform.sync()

    assert items["thing"].state is State.WRITTEN
    assert all(b"newer" in content for content in platform.files.values())

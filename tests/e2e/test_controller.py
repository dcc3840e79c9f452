"""The controller on a real API server: what is asked for with kubectl comes to Git, and is told."""

from collections.abc import Generator
from pathlib import Path

import pytest
from support.cluster import KubectlError, eventually, run_cluster
from support.served_cluster import ServedCluster, holds, run_controller
from support.workspace import ROOT

from troth.api import Fields, JsonObject, load_object

NAMESPACE = ROOT / "promises/namespace"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[ServedCluster]:
    """Run a cluster with the controller and the Promise ``namespace``."""
    folder = tmp_path_factory.mktemp("served")
    with run_cluster(folder / "cluster") as cluster, run_controller(cluster, folder) as served:
        served.install(NAMESPACE / "promise.yaml")
        yield served


def team(name: str, **spec: object) -> JsonObject:
    found = load_object((NAMESPACE / "resource-request.yaml").read_text(), "request")
    asked = {**Fields(found).mapping("spec"), "team": name, **spec}
    return {**found, "metadata": {"name": name, "namespace": "default"}, "spec": asked}  # type: ignore[dict-item]


def written(served: ServedCluster, name: str) -> JsonObject:
    return served.condition("teamnamespace", name, "default", "Written")


def files(served: ServedCluster, name: str) -> list[str]:
    paths = served.remote.git("ls-tree", "-r", "--name-only", "main").splitlines()
    return [path for path in paths if f"/{name}/" in path]


def test_a_request_comes_to_git_and_says_which_commit_carries_it(served: ServedCluster) -> None:
    served.kubectl.apply(team("shop"))

    status = Fields(written(served, "shop")).section("status")

    commit = status.section("troth").text("commit")
    assert served.remote.git("cat-file", "-t", commit) == "commit"
    assert "default/shop" in served.remote.git("log", "-1", "--format=%s", commit)
    assert files(served, "shop")
    assert status.text("message") == "Resource requested"


def test_a_change_is_written_and_a_second_apply_changes_nothing(served: ServedCluster) -> None:
    served.kubectl.apply(team("changing"))
    before = written(served, "changing")
    served.kubectl.apply(team("changing", size="large"))
    after = written(served, "changing")
    tip = served.remote.git("rev-parse", "main")
    served.kubectl.apply(team("changing", size="large"))

    assert (
        Fields(before).section("status").raw["troth"]
        != Fields(after).section("status").raw["troth"]
    )
    assert served.remote.git("rev-parse", "main") == tip
    assert written(served, "changing")["metadata"] == after["metadata"]


def test_a_request_that_is_deleted_is_gone_from_git_before_it_is_gone(
    served: ServedCluster,
) -> None:
    served.kubectl.apply(team("leaving"))
    written(served, "leaving")

    served.kubectl.delete("teamnamespace", "leaving", "default")

    assert not files(served, "leaving")


def test_what_the_schema_forbids_is_refused_by_the_api_server(served: ServedCluster) -> None:
    with pytest.raises(KubectlError, match="size"):
        served.kubectl.apply(team("wrong", size="gigantic"))


def test_two_requests_of_one_name_in_two_namespaces_do_not_touch_each_other(
    served: ServedCluster,
) -> None:
    for namespace in ("one", "two"):
        served.kubectl.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        )
        served.kubectl.apply(
            {**team(f"twin-{namespace}"), "metadata": {"name": "twin", "namespace": namespace}}
        )
        served.condition("teamnamespace", "twin", namespace, "Written")

    served.kubectl.delete("teamnamespace", "twin", "one")

    assert files(served, "two")
    assert not files(served, "one")


def test_one_that_holds_what_another_asks_for_is_named_and_gives_it_free(
    served: ServedCluster,
) -> None:
    served.kubectl.apply(team("first", team="same"))
    written(served, "first")
    served.kubectl.apply(team("second", team="same"))

    def refused() -> str | None:
        found = served.kubectl.get("teamnamespace", "second", "default")
        message = Fields(found or {}).section("status").text("message", "")
        return message if "first" in message else None

    assert "is held by" in eventually(refused)
    served.kubectl.delete("teamnamespace", "first", "default")

    assert files(served, "second") if written(served, "second") else False


def test_a_controller_that_starts_again_writes_nothing(served: ServedCluster) -> None:
    served.kubectl.apply(team("lasting"))
    before = written(served, "lasting")
    tip, pushes = served.remote.git("rev-parse", "main"), len(served.remote.pushes())
    served.stop()
    served.start()
    served.kubectl.apply(team("later"))
    written(served, "later")

    after = served.kubectl.get("teamnamespace", "lasting", "default")

    assert after is not None
    assert after["metadata"] == before["metadata"]
    assert served.remote.git("rev-parse", "main~1") == tip
    assert len(served.remote.pushes()) == pushes + 1


def test_what_was_deleted_while_no_controller_ran_is_removed_by_the_next(
    served: ServedCluster,
) -> None:
    served.kubectl.apply(team("unseen"))
    written(served, "unseen")
    served.stop()
    served.kubectl.run("delete", "teamnamespace", "unseen", "--wait=false")
    served.start()

    eventually(lambda: True if not files(served, "unseen") else None)
    eventually(
        lambda: True if served.kubectl.get("teamnamespace", "unseen", "default") is None else None
    )


def test_a_promise_that_is_deleted_takes_its_requests_along(tmp_path: Path) -> None:
    with run_cluster(tmp_path / "cluster") as cluster, run_controller(cluster, tmp_path) as served:
        served.install(NAMESPACE / "promise.yaml")
        served.kubectl.apply(team("shop"))
        assert holds(written(served, "shop"), "Reconciled")

        served.kubectl.delete("promise", "namespace")

        assert not files(served, "shop")
        assert served.kubectl.get("crd", "teamnamespaces.marketplace.troth.dev") is None

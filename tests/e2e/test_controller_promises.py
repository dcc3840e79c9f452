"""Promises that come, wait and go, on a real API server."""

from collections.abc import Generator
from pathlib import Path

import pytest
from support.cluster import eventually, run_cluster
from support.served_cluster import ServedCluster, run_controller
from support.workspace import ROOT

from troth.api import Fields, Json, JsonObject, load_object

NAMESPACE = ROOT / "promises/namespace"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[ServedCluster]:
    """Run a cluster with the controller and the Promise ``namespace``."""
    folder = tmp_path_factory.mktemp("served")
    with run_cluster(folder / "cluster") as cluster, run_controller(cluster, folder) as served:
        served.install(NAMESPACE / "promise.yaml")
        yield served


def promise(name: str, **spec: Json) -> JsonObject:
    found = load_object((NAMESPACE / "promise.yaml").read_text(), "promise")
    metadata = {**Fields(found).mapping("metadata"), "name": name}
    return {**found, "metadata": metadata, "spec": {**Fields(found).mapping("spec"), **spec}}


def team(name: str) -> JsonObject:
    found = load_object((NAMESPACE / "resource-request.yaml").read_text(), "request")
    asked: JsonObject = {**Fields(found).mapping("spec"), "team": name}
    return {**found, "metadata": {"name": name, "namespace": "default"}, "spec": asked}


def said_of(served: ServedCluster, name: str) -> str:
    found = served.kubectl.get("promise", name)
    return Fields(found or {}).section("status").text("message", "")


def wait_for_words(served: ServedCluster, name: str, words: str) -> None:
    eventually(lambda: True if words in said_of(served, name) else None)


def test_a_second_promise_of_one_kind_is_refused_and_takes_nothing_along(
    served: ServedCluster,
) -> None:
    served.kubectl.apply(team("kept"))
    served.condition("teamnamespace", "kept", "default", "Written")
    served.kubectl.apply(promise("twin"))
    wait_for_words(served, "twin", "Promise namespace offers kind TeamNamespace")

    served.kubectl.delete("promise", "twin")

    kept = served.kubectl.get("teamnamespace", "kept", "default")
    assert kept is not None
    assert "deletionTimestamp" not in Fields(kept).mapping("metadata")


def test_a_promise_that_requires_another_serves_once_that_is_there(served: ServedCluster) -> None:
    kind: dict[str, Json] = {"apiVersion": "platform.kratix.io/v1alpha1", "kind": "Promise"}
    needs: JsonObject = {"requiredPromises": [{"name": "later", "version": ""}]}
    served.kubectl.apply({**kind, "metadata": {"name": "eager"}, "spec": needs})
    unmet = "--for=condition=RequirementsFulfilled=false"
    served.kubectl.run("wait", unmet, "promise/eager", "--timeout=60s")

    served.kubectl.apply({**kind, "metadata": {"name": "later"}, "spec": {"dependencies": []}})

    served.kubectl.run("wait", "--for=condition=Available", "promise/eager", "--timeout=60s")


def test_a_promise_with_many_requests_goes_only_when_somebody_agrees(tmp_path: Path) -> None:
    with run_cluster(tmp_path / "cluster") as cluster, run_controller(cluster, tmp_path) as served:
        served.install(NAMESPACE / "promise.yaml")
        served.kubectl.apply(*(team(f"t{number}") for number in range(12)))
        for number in range(12):
            served.condition("teamnamespace", f"t{number}", "default", "Written")
        served.kubectl.run("delete", "promise", "namespace", "--wait=false")
        wait_for_words(served, "namespace", "12 of 12 requests would be removed")

        served.kubectl.run("annotate", "promise", "namespace", "troth.dev/allow-deletions=12")
        served.kubectl.run("wait", "--for=delete", "promise/namespace", "--timeout=60s")

        assert not served.remote.git("ls-tree", "-r", "--name-only", "main")

"""Two controllers at once: one serves, the other takes over, and nothing is written twice."""

import signal
from collections.abc import Generator

import pytest
from support.cluster import eventually, run_cluster
from support.served_cluster import ServedCluster, run_controller
from support.workspace import ROOT

from troth.api import JsonObject, load_object

NAMESPACE = ROOT / "promises/namespace"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[ServedCluster]:
    folder = tmp_path_factory.mktemp("served")
    with (
        run_cluster(folder / "cluster") as cluster,
        run_controller(cluster, folder, "--lease-seconds=3") as served,
    ):
        served.install(NAMESPACE / "promise.yaml")
        yield served


def team(name: str) -> JsonObject:
    text = (NAMESPACE / "resource-request.yaml").read_text().replace("payments", name)
    return load_object(text, "request")


def commits_about(served: ServedCluster, name: str) -> int:
    subjects = served.remote.git("log", "--format=%B", "main").splitlines()
    return sum(f"default/{name}-dev" in line for line in subjects if line.startswith("Create"))


def test_one_that_is_paused_in_the_middle_of_a_push_is_harmless(served: ServedCluster) -> None:
    first = served.daemon
    assert first is not None
    holder = served.holder()
    second = served.start_another("second")
    hold = served.remote.folder / "hold"
    hold.touch()
    # Only the first push waits, until it is let go; others pass.
    served.remote.hook(
        "pre-receive", "if mkdir first; then while [ -e hold ]; do sleep 0.05; done; fi"
    )
    served.kubectl.apply(team("shop"))
    eventually(lambda: True if (served.remote.folder / "first").is_dir() else None)
    first.process.send_signal(signal.SIGSTOP)

    served.condition("teamnamespace", "shop-dev", "default", "Written")
    assert served.holder() not in {"", holder}
    tip = served.remote.git("rev-parse", "main")
    before = served.kubectl.get("teamnamespace", "shop-dev", "default")
    hold.unlink()
    first.process.send_signal(signal.SIGCONT)

    assert eventually(first.process.poll) == 1
    assert "LeaseLost" in first.tail() or "was lost" in first.tail()
    assert served.remote.git("rev-parse", "main") == tip
    assert commits_about(served, "shop") == 1
    assert served.kubectl.get("teamnamespace", "shop-dev", "default") == before
    assert second.runs


def test_one_that_is_killed_is_followed_by_another(served: ServedCluster) -> None:
    third = served.start_another("third")
    holder = served.holder()
    killed = served.cluster.daemons["second"]
    killed.process.kill()
    killed.process.wait()
    served.kubectl.apply(team("paint"))

    served.condition("teamnamespace", "paint-dev", "default", "Written")

    assert served.holder() not in {"", holder}
    assert commits_about(served, "paint") == 1
    assert third.runs


def test_one_that_is_stopped_gives_the_lease_back(served: ServedCluster) -> None:
    served.cluster.stop("third")

    assert served.holder() == ""

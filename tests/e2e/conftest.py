"""The real clusters that tests here share; what their programs said goes with a failure.

TROTH_E2E_KUBECONFIG names another cluster to take for the first one, of no other use. (KUBECONFIG
is not read: it may lead to a cluster that matters.)
"""

import hashlib
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from support.cluster import (
    Cluster,
    ControlPlane,
    SealedSecrets,
    given_cluster,
    run_cluster,
    run_controller_manager,
    run_sealed_secrets,
)

_GIVEN = os.environ.get("TROTH_E2E_KUBECONFIG")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Generator[Cluster]:
    """Run the cluster that most tests share."""
    folder = tmp_path_factory.mktemp("cluster")
    if _GIVEN:
        yield given_cluster(Path(_GIVEN), folder)
    else:
        with run_cluster(folder) as made:
            yield made


@pytest.fixture(scope="session")
def sealed_secrets(cluster: Cluster) -> Generator[SealedSecrets]:
    """Run the sealed-secrets controller of that cluster."""
    with run_sealed_secrets(cluster) as controller:
        yield controller


@pytest.fixture(scope="session")
def garbage_collection(cluster: Cluster, sealed_secrets: SealedSecrets) -> Generator[None]:
    """Collect garbage in that cluster, SealedSecrets being among the kinds that it has."""
    with run_controller_manager(cluster):
        yield


@pytest.fixture(scope="session")
def other_sealed_secrets(
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[SealedSecrets]:
    """Run another cluster, with a controller and keys of its own."""
    with (
        run_cluster(tmp_path_factory.mktemp("other-cluster")) as made,
        run_sealed_secrets(made) as controller,
    ):
        yield controller


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Generator[str]:
    """Make a namespace for one test, in the cluster that most tests share."""
    name = f"test-{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:10]}"
    cluster.kubectl.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    if not isinstance(cluster, ControlPlane):
        cluster.kubectl.run("delete", "namespace", name, "--wait=false")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the logs of those clusters that a failed test used."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        used = [
            value.cluster if isinstance(value, SealedSecrets) else value
            for value in item.funcargs.values()
        ]
        daemons = [
            daemon for one in used if isinstance(one, Cluster) for daemon in one.daemons.values()
        ]
        for log, daemon in {daemon.log: daemon for daemon in daemons}.items():
            report.sections.append((f"end of {log}", daemon.tail()))
    return report

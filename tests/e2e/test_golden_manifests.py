"""A real API server takes what the bundles in promises/ render, to be there and to be changed."""

from pathlib import Path

import pytest
from support.bundles import bundles, requests
from support.cluster import Cluster, Kubectl, KubectlError
from support.kubeseal import changed
from support.tools import manifests
from support.workspace import ROOT

from troth.api import Fields, JsonObject, load_documents, load_object
from troth.sdk.files import METADATA_FILES

# Folders of golden output; a request that renders nothing has files of the contract alone.
GOLDEN = sorted(
    {
        path.parent
        for path in ROOT.glob("promises/*/expected/**/*.yaml")
        if path.name not in METADATA_FILES
    }
)
# The CRDs of the Gateway API and of what implementations of it add; see the README there.
GATEWAY_API = ROOT / "tests/data/gateway-api"


def named(path: Path) -> str:
    return path.relative_to(ROOT / "promises").as_posix().replace("/expected", "")


@pytest.fixture(scope="module")
def kubectl(cluster: Cluster) -> Kubectl:
    """Install the kinds that bundles render beside Kubernetes' own."""
    kubectl = cluster.kubectl
    folders = (GATEWAY_API, manifests("sealed-secrets-controller"))
    crds = [
        crd for folder in folders for path in sorted(folder.glob("*.yaml")) for crd in objects(path)
    ]
    kubectl.apply(*crds)
    names = [f"crd/{Fields(crd).section('metadata').text('name')}" for crd in crds]
    kubectl.run("wait", "--for=condition=Established", *names, "--timeout=60s")
    return kubectl


def objects(path: Path) -> list[JsonObject]:
    documents = load_documents(path.read_text(encoding="utf-8"), path.name)
    return [document.data for document in documents]


def rendered(folder: Path) -> list[JsonObject]:
    files = [path for path in sorted(folder.glob("*.yaml")) if path.name not in METADATA_FILES]
    return [found for path in files for found in objects(path)]


def namespaces_of(found: list[JsonObject]) -> list[JsonObject]:
    """Return the namespaces of objects: a dry run makes none for what follows it."""
    names = {Fields(one).section("metadata").text("namespace", "") for one in found} - {""}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        for name in ["default", *sorted(names)]
    ]


@pytest.mark.parametrize("folder", GOLDEN, ids=named)
def test_the_api_server_takes_what_a_request_renders(kubectl: Kubectl, folder: Path) -> None:
    manifests_of_request = rendered(folder)
    kubectl.apply(*namespaces_of(manifests_of_request))

    kubectl.apply(*manifests_of_request, dry_run=True)


@pytest.mark.parametrize("bundle", bundles(), ids=named)
def test_the_api_server_takes_the_kind_of_a_promise_and_its_requests(
    kubectl: Kubectl, bundle: Path
) -> None:
    promise = load_object((bundle / "promise.yaml").read_text(encoding="utf-8"), "promise.yaml")
    crd = Fields(promise).section("spec").mapping("api")
    kubectl.apply(crd)
    name = Fields(crd).section("metadata").text("name")
    kubectl.run("wait", "--for=condition=Established", f"crd/{name}", "--timeout=60s")

    asked = [found for path in requests(bundle) for found in objects(path)]
    kubectl.apply(*namespaces_of(asked))
    kubectl.apply(*asked, dry_run=True)


def test_the_api_server_refuses_a_manifest_that_is_wrong(kubectl: Kubectl) -> None:
    [gateway] = objects(ROOT / "promises/api-aggregator/expected/plain/gateway.yaml")
    kubectl.apply(*namespaces_of([gateway]))

    with pytest.raises(KubectlError, match="gatewayClassName"):
        kubectl.apply(changed(gateway, "spec", "gatewayClassName", to=""), dry_run=True)

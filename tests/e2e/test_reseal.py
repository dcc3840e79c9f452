"""Sealing, and sealing anew, with the real controller: its Secrets stay what they are."""

import json
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.cluster import SealedSecrets, run_cluster, run_sealed_secrets
from support.cluster.daemon import eventually
from support.cluster.sealed_secrets import NAMESPACE
from support.kubeseal import secret
from support.relay import relayed
from support.sealed_workspace import SealedWorkspace
from support.tools import require
from support.workspace import TROTH

from troth.api import Fields, Json, JsonObject, load_object

SERVICE = "controller-by-proxy"
DATA = {"password": b"correct horse\n", "bytes": bytes(range(256))}


def apply(controller: SealedSecrets, workspace: SealedWorkspace) -> JsonObject:
    """Do what an agent does; return the live Secret."""
    kubectl = controller.cluster.kubectl
    kubectl.apply(load_object(workspace.sealed().decode(), "sealed"))
    assert controller.outcome("orders", "default") == ""
    found = kubectl.get("secret", "orders", "default")
    assert found is not None
    return found


def states(workspace: SealedWorkspace) -> list[object]:
    workspace.lay()
    return [item["state"] for item in workspace.sealing("sync", "-o", "json").all_items]


def test_a_renewed_key_opens_what_was_sealed_anew_and_the_secret_is_not_changed(
    other_sealed_secrets: SealedSecrets, tmp_path: Path
) -> None:
    controller, workspace = other_sealed_secrets, SealedWorkspace(tmp_path)
    kubectl = controller.cluster.kubectl
    workspace.cluster("west", None, **{"troth.dev/sealing-certificate": controller.url})
    assert states(workspace) == ["Written"]
    before, sealed = apply(controller, workspace), workspace.sealed()
    plain = kubectl.secret("orders", "default")
    old_keys = controller.keys()

    controller.renew_key()
    assert states(workspace) == ["Unchanged"]
    run = workspace.sealing("reseal")

    assert (run.code, run.out.splitlines()[-1]) == (0, "Values: 1 sealed anew.")
    assert workspace.sealed() != sealed
    assert apply(controller, workspace) == before  # its resourceVersion among all else
    assert states(workspace) == ["Unchanged"]

    controller.forget_keys(*old_keys)
    kubectl.delete("secret", "orders", "default")
    assert eventually(lambda: kubectl.secret("orders", "default")) == plain


def test_more_than_the_controller_lets_through_at_once_are_all_sealed_anew(
    other_sealed_secrets: SealedSecrets, tmp_path: Path
) -> None:
    controller, workspace = other_sealed_secrets, SealedWorkspace(tmp_path)
    workspace.cluster("west", None, **{"troth.dev/sealing-certificate": controller.url})
    for number in range(6):
        workspace.write(
            f"requests/r{number}.yaml",
            {
                "apiVersion": "marketplace.troth.dev/v1alpha1",
                "kind": "GeneratedSecret",
                "metadata": {"name": f"r{number}"},
                "spec": {"type": "token", "secretName": f"r{number}"},
            },
        )
    assert states(workspace) == ["Written"] * 7
    controller.renew_key()

    run = workspace.sealing("reseal")

    assert (run.code, run.out.splitlines()[-1]) == (0, "Values: 7 sealed anew.")


def test_a_rebuilt_cluster_is_given_new_values_once_and_opens_just_these(tmp_path: Path) -> None:
    workspace = SealedWorkspace(tmp_path / "workspace")
    with run_cluster(tmp_path / "one") as cluster, run_sealed_secrets(cluster) as lost:
        workspace.cluster("west", None, **{"troth.dev/sealing-certificate": lost.url})
        assert states(workspace) == ["Written"]
        apply(lost, workspace)
        before, old = lost.cluster.kubectl.secret("orders", "default"), workspace.sealed()

    with run_cluster(tmp_path / "two") as cluster, run_sealed_secrets(cluster) as rebuilt:
        epoch = {"troth.dev/sealing-epoch": "rebuilt"}
        workspace.cluster("west", None, **{"troth.dev/sealing-certificate": rebuilt.url}, **epoch)
        assert states(workspace) == ["Written"]
        new = workspace.sealed()
        assert states(workspace) == ["Unchanged"]
        assert workspace.sealed() == new
        assert generations(workspace) == [2]

        kubectl = rebuilt.cluster.kubectl
        kubectl.apply(load_object(old.decode(), "old"))
        assert rebuilt.outcome("orders", "default").startswith("no key could decrypt secret")
        assert kubectl.secret("orders", "default") is None
        apply(rebuilt, workspace)
        after = kubectl.secret("orders", "default")
        assert after is not None
        assert before is not None
        assert after.keys() == before.keys()
        assert after != before


def generations(workspace: SealedWorkspace) -> list[object]:
    credentials = Fields(workspace.status()).items("credentials")
    return [Fields(one.raw).value("generation") for one in credentials]


@contextmanager
def behind_the_api_server(controller: SealedSecrets) -> Generator[tuple[str, str]]:
    """Put a Service before the controller; give its address at the API server, and a token.

    An API server sends on only to an address that is a Pod's, so there is one of that address.
    """
    kubectl = controller.cluster.kubectl
    with relayed(urlsplit(controller.url).port or 80) as (address, port):
        meta: JsonObject = {"name": SERVICE, "namespace": NAMESPACE}
        ports: Json = [{"name": "http", "port": port}]
        pod: JsonObject = {
            "serviceAccountName": SERVICE,
            "containers": [{"name": "controller", "image": "none"}],
        }
        target: JsonObject = {"kind": "Pod", **meta}
        kubectl.apply(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
            {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod},
            {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": ports}},
            {
                "apiVersion": "v1",
                "kind": "Endpoints",
                "metadata": meta,
                "subsets": [{"addresses": [{"ip": address, "targetRef": target}], "ports": ports}],
            },
            *account_that_may_ask(meta),
        )
        running: JsonObject = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}
        kubectl.run(
            *("patch", "pod", SERVICE, f"--namespace={NAMESPACE}", "--subresource=status"),
            f"--patch={json.dumps({'status': running})}",
        )
        token = kubectl.run("create", "token", SERVICE, f"--namespace={NAMESPACE}")
        base = f"{controller.cluster.server}/api/v1/namespaces/{NAMESPACE}/services"
        yield f"{base}/http:{SERVICE}:http/proxy", token.strip()


def account_that_may_ask(meta: JsonObject) -> list[JsonObject]:
    """Return what lets a service account do what docs/operations.md says that it has to."""
    rbac = "rbac.authorization.k8s.io"
    rule: JsonObject = {
        "apiGroups": [""], "resources": ["services/proxy"], "verbs": ["get", "create"],
    }  # fmt: skip
    return [
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": meta, "rules": [rule]},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": SERVICE},
            "subjects": [{"kind": "ServiceAccount", **meta}],
        },
    ]


def test_through_the_api_server_a_service_account_seals_and_seals_anew(
    sealed_secrets: SealedSecrets, tmp_path: Path
) -> None:
    controller, workspace = sealed_secrets, SealedWorkspace(tmp_path)
    with behind_the_api_server(controller) as (address, token):
        workspace.write("secrets/platform/west-api/token", token)
        authority = controller.cluster.authority.decode()
        workspace.write("secrets/platform/west-api/ca.crt", authority)
        annotations = {
            "troth.dev/sealing-certificate": f"{address}/v1/cert.pem",
            "troth.dev/sealing-access": "platform/west-api",
        }
        workspace.cluster("west", None, **annotations)
        assert states(workspace) == ["Written"]
        before = apply(controller, workspace)

        controller.renew_key()
        run = workspace.sealing("reseal")

        assert (run.code, run.out.splitlines()[-1]) == (0, "Values: 1 sealed anew.")
        assert apply(controller, workspace) == before
        workspace.write("secrets/platform/west-api/token", "no.such.token")
        listed = workspace.troth(
            *("secrets", "list", "platform", "-s", workspace.store, "--secrets-dir", "secrets")
        )
        assert "InvalidCredentials" in listed.out
        assert token not in run.out + run.err + listed.out


@pytest.mark.parametrize("sealer", ["in-process", "kubeseal"])
@pytest.mark.parametrize("scope", ["strict", "namespace-wide", "cluster-wide"])
def test_what_is_sealed_by_hand_is_opened_to_the_byte(
    sealed_secrets: SealedSecrets, namespace: str, tmp_path: Path, sealer: str, scope: str
) -> None:
    plain = secret("login", namespace, DATA)
    command = [str(TROTH), "seal", "--certificate", sealed_secrets.url, "--scope", scope]
    path = f"{require('kubeseal').parent}:{Path('/usr/bin')}"

    done = subprocess.run(
        [*command, "--sealer", sealer],
        input=json.dumps(plain).encode(),
        cwd=tmp_path,
        env={"PATH": path},
        capture_output=True,
        check=True,
        timeout=60,
    )

    sealed_secrets.cluster.kubectl.apply(load_object(done.stdout.decode(), "sealed"))
    assert sealed_secrets.outcome("login", namespace) == ""
    assert sealed_secrets.cluster.kubectl.secret("login", namespace) == DATA


def test_one_value_that_is_sealed_by_hand_is_opened_to_the_byte(
    sealed_secrets: SealedSecrets, namespace: str
) -> None:
    names = ("--name", "one", "--namespace", namespace, "--key", "password", "--type", "example/x")
    done = subprocess.run(
        [str(TROTH), "seal", *names, "--certificate", sealed_secrets.url],
        input=DATA["bytes"],
        capture_output=True,
        check=True,
        timeout=60,
    )

    sealed_secrets.cluster.kubectl.apply(load_object(done.stdout.decode(), "sealed"))
    assert sealed_secrets.outcome("one", namespace) == ""
    found = Fields(sealed_secrets.cluster.kubectl.get("secret", "one", namespace) or {})
    assert found.text("type") == "example/x"
    assert sealed_secrets.cluster.kubectl.secret("one", namespace) == {"password": DATA["bytes"]}

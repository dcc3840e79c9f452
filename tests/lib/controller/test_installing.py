"""The CRD of a Promise is installed, and served before anybody counts on it."""

import json
from pathlib import Path

import pytest
from support.api_server import ApiServer, Asked, run_api_server, said
from support.loopback import Answer
from support.platform import promise
from support.workspace import ROOT

from troth.api import JsonObject, Promise, load_object
from troth.controller.cluster import Cluster
from troth.controller.installing import ask_requests_to_go, install_crd, remove_crd
from troth.errors import PermanentError

BUNDLE = ROOT / "promises/namespace/promise.yaml"
NAMESPACE = Promise.parse(load_object(BUNDLE.read_text(encoding="utf-8"), "promise"))
NAME = "teamnamespaces.marketplace.troth.dev"
OFFERED = "troth.dev/offered-generation"
CRD = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{NAME}"


def crd(*conditions: tuple[str, str], **metadata: dict[str, str]) -> Answer:
    spelled = [{"type": name, "status": status} for name, status in conditions]
    return ok({"metadata": {"generation": 7, **metadata}, "status": {"conditions": spelled}})


def ok(found: JsonObject | dict[str, object]) -> Answer:
    return Answer(200, body=json.dumps(found).encode())


def steps(server: ApiServer) -> list[tuple[str, str]]:
    return [(one.method, one.path) for one in server.asked]


def test_it_is_waited_for_until_it_is_served(tmp_path: Path) -> None:
    left = [
        said(404),
        crd(),
        crd(("NamesAccepted", "True")),
        crd(("Established", "False")),
        said(404),
        crd(("NamesAccepted", "True"), ("Established", "True")),
        said(404),
        crd(("Established", "True")),
        ok({"resources": [{"name": "others"}]}),
        crd(("Established", "True")),
        ok({"resources": [{"name": "teamnamespaces"}]}),
        crd(("Established", "True")),
    ]
    with run_api_server(tmp_path, lambda _: left.pop(0)) as server:
        install_crd(Cluster.connect(server.kubeconfig), NAMESPACE)

    assert left == []
    changed = [one.body["metadata"] for one in server.asked if one.method == "PATCH"]
    assert [one["labels"] for one in changed] == [{"kratix.io/promise-name": "namespace"}] * 2
    assert [one.get("annotations") for one in changed] == [None, {OFFERED: "7"}]


def test_one_that_is_offered_already_is_not_changed_again(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Answer:
        offered = asked.path == "/apis/marketplace.troth.dev/v1alpha1"
        return ok({"resources": [{"name": "teamnamespaces"}]}) if offered else known

    known = crd(("Established", "True"), annotations={OFFERED: "7"})
    with run_api_server(tmp_path, answer) as server:
        install_crd(Cluster.connect(server.kubeconfig), NAMESPACE)

    assert [method for method, _ in steps(server)] == ["GET", "PATCH", "GET"]
    assert server.asked[1].body["metadata"]["annotations"] == {OFFERED: "7"}


def test_one_that_is_refused_is_not_waited_for(tmp_path: Path) -> None:
    def refuse(asked: Asked) -> Answer:
        return said(404) if asked.method == "GET" else said(422, "storedVersions[0]")

    with (
        run_api_server(tmp_path, refuse) as server,
        pytest.raises(PermanentError, match="storedVersions"),
    ):
        install_crd(Cluster.connect(server.kubeconfig), NAMESPACE)

    assert [method for method, _ in steps(server)] == ["GET", "PATCH"]


def test_a_promise_without_an_api_has_nothing_to_install_or_remove(tmp_path: Path) -> None:
    with run_api_server(tmp_path, lambda _: said(500)) as server:
        cluster, bare = Cluster.connect(server.kubeconfig), promise(api=False)
        install_crd(cluster, bare)
        remove_crd(cluster, bare)
        assert ask_requests_to_go(cluster, bare) == 0

    assert server.asked == []


def test_requests_are_asked_to_go_once(tmp_path: Path) -> None:
    leaving: JsonObject = {"metadata": {"name": "a", "namespace": "x", "deletionTimestamp": "now"}}
    staying: JsonObject = {"metadata": {"name": "b", "namespace": "y"}}

    def answer(asked: Asked) -> Answer:
        return ok({"items": [leaving, staying]}) if asked.method == "GET" else ok({})

    with run_api_server(tmp_path, answer) as server:
        assert ask_requests_to_go(Cluster.connect(server.kubeconfig), promise()) == 2

    group = "/apis/test.example.com/v1"
    assert steps(server) == [
        ("GET", f"{group}/things"),
        ("DELETE", f"{group}/namespaces/y/things/b"),
    ]

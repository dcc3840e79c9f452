"""``troth crds``: what it prints, of the platform and of a Promise, and how it ends."""

import json

import pytest
from support.workspace import ROOT, Workspace

from troth.api import dump_documents, load_documents
from troth.api.crds import platform_crds

BUNDLE = ROOT / "promises" / "namespace"


def test_all_crds_come_as_documents_in_one_order(workspace: Workspace) -> None:
    run = workspace.troth("crds")

    assert run.code == 0
    assert run.out.encode() == dump_documents(list(platform_crds().values()))


@pytest.mark.parametrize("name", platform_crds())
def test_one_crd_is_the_file_in_deploy(workspace: Workspace, name: str) -> None:
    run = workspace.troth("crds", name)

    assert run.code == 0
    assert run.out == (ROOT / "deploy" / "crds" / f"{name}.yaml").read_text()


def test_as_json_one_is_an_object_and_all_are_a_list(workspace: Workspace) -> None:
    one, every = (workspace.troth("crds", *names, "-o", "json") for names in (["promises"], []))

    assert json.loads(one.out) == platform_crds()["promises"]
    assert json.loads(every.out)["kind"] == "List"
    assert json.loads(every.out)["items"] == list(platform_crds().values())


@pytest.mark.parametrize("path", [BUNDLE, BUNDLE / "promise.yaml"])
def test_the_crd_of_a_promise_has_the_status_that_is_written(
    workspace: Workspace, path: object
) -> None:
    run = workspace.troth("crds", "--promise", str(path))

    [document] = load_documents(run.out, "printed")
    assert run.code == 0
    assert document.data["metadata"] == {
        "name": "teamnamespaces.marketplace.troth.dev",
        "labels": {"kratix.io/promise-name": "namespace"},
    }
    assert "              troth:\n" in run.out


def test_a_promise_without_an_api_is_told_so(workspace: Workspace) -> None:
    workspace.write(
        "plain.yaml",
        {
            "apiVersion": "platform.kratix.io/v1alpha1",
            "kind": "Promise",
            "metadata": {"name": "plain"},
            "spec": {},
        },
    )

    run = workspace.troth("crds", "--promise", "plain.yaml")

    assert (run.code, run.out) == (2, "")
    assert "The Promise plain has no spec.api: it installs no CRD." in run.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["works"], "'works' is not one of 'bucketstatestores'"),
        (["promises", "--promise", "promise.yaml"], "give NAME or --promise, not both."),
        (["--promise", "requests"], "holds no promise.yaml"),
        (["--output", "xml"], "'xml' is not one of 'yaml', 'json'"),
    ],
)
def test_wrong_usage_is_told(workspace: Workspace, arguments: list[str], said: str) -> None:
    run = workspace.troth("crds", *arguments)

    assert run.code == 2
    assert said in run.err


def test_names_are_completed(workspace: Workspace) -> None:
    workspace.environ.update(
        {"_TROTH_COMPLETE": "bash_complete", "COMP_WORDS": "troth crds promiser", "COMP_CWORD": "2"}
    )

    run = workspace.troth()

    assert run.out.split() == ["plain,promisereleases", "plain,promiserevisions"]

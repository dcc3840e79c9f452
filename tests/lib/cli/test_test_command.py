"""``troth test``: what it prints, what it writes, and how it ends."""

import json
import shutil
from xml.etree import ElementTree as ET

import pytest
from support.workshop import Workshop
from support.workspace import ROOT, Run, Workspace


@pytest.fixture
def bundle(workspace: Workspace) -> Workspace:
    """A workspace with a copy of the bundle ``namespace``."""
    shutil.copytree(ROOT / "promises" / "namespace", workspace.path / "namespace")
    return workspace


def craft(workspace: Workspace, stage: str, *arguments: str) -> Run:
    """Test a bundle of the distribution ``craft``, installed for that."""
    workshop = Workshop(workspace.path / "shop")
    workshop.install()
    workshop.bundle(stage)
    workspace.environ["PYTHONPATH"] = str(workshop.site)
    return workspace.troth("test", "shop/bundle", "--image", "craft-stage:*=craft", *arguments)


def test_help_shows_an_example(workspace: Workspace) -> None:
    run = workspace.troth("test", "--help")

    assert run.code == 0
    assert "troth test promises/namespace --update" in run.out


def test_a_good_bundle_is_a_line_a_check_and_ends_with_zero(bundle: Workspace) -> None:
    run = bundle.troth("test", "namespace")

    assert run.code == 0
    lines = [line.split() for line in run.out.splitlines()]
    assert lines[0] == ["BUNDLE", "REQUEST", "CHECK", "OUTCOME", "NOTE"]
    assert lines[1] == ["namespace", "-", "bundle", "passed"]
    assert ["namespace", "payments-dev", "stable", "passed"] in lines
    assert run.out.splitlines()[-1] == "52 passed."


def test_a_difference_is_shown_and_ends_with_one(bundle: Workspace) -> None:
    golden = bundle.path / "namespace/expected/minimal/quota.yaml"
    golden.write_text(golden.read_text().replace("4Gi", "5Gi"))

    run = bundle.troth("test", "namespace")

    assert run.code == 1
    assert "failed: namespace: minimal: expected" in run.out
    assert "-    requests.memory: 5Gi" in run.out
    assert run.out.splitlines()[-1] == "51 passed, 1 failed."


def test_an_update_writes_and_says_so(bundle: Workspace) -> None:
    golden = bundle.path / "namespace/expected/minimal/quota.yaml"
    before = golden.read_text()
    golden.write_text(before.replace("4Gi", "5Gi"))

    run = bundle.troth("test", "namespace", "--update")

    assert run.code == 0
    assert "written: 1 changed." in run.out
    assert golden.read_text() == before


def test_json_holds_every_finding(bundle: Workspace) -> None:
    shutil.rmtree(bundle.path / "namespace/expected/minimal")

    run = bundle.troth("test", "namespace", "-o", "json")

    report = json.loads(run.out)
    [failed] = [item for item in report["items"] if item["outcome"] == "failed"]
    assert (report["apiVersion"], report["kind"]) == ("troth.dev/v1alpha1", "TestReport")
    assert failed == {
        "bundle": "namespace",
        "request": "minimal",
        "check": "expected",
        "outcome": "failed",
        "message": "namespace/expected/minimal holds no golden output yet; run again with "
        "--update.",
    }
    assert report["items"][0]["request"] is None


def test_several_bundles_are_suites_of_one_junit_file(bundle: Workspace) -> None:
    shutil.copytree(bundle.path / "namespace", bundle.path / "other")

    run = bundle.troth("test", "namespace", "other", "--junit", "reports/bundles.xml")

    root = ET.parse(bundle.path / "reports/bundles.xml").getroot()  # noqa: S314  (it is ours)
    assert run.code == 0
    assert [suite.get("name") for suite in root] == ["namespace", "other"]
    assert [suite.get("tests") for suite in root] == ["52", "52"]


def test_stages_of_another_package_are_served_by_their_image(workspace: Workspace) -> None:
    run = craft(workspace, "plain", "--update")

    assert run.code == 0
    assert (workspace.path / "shop/bundle/expected/one/objects.yaml").is_file()


def test_a_stage_that_prints_at_import_does_not_spoil_the_report(workspace: Workspace) -> None:
    craft(workspace, "plain", "--update")
    module = workspace.path / "shop/site/craft_stages.py"
    module.write_text(module.read_text() + "print('hello')\n")

    run = workspace.troth("test", "shop/bundle", "--image", "craft-stage:*=craft", "-o", "json")

    assert json.loads(run.out)["kind"] == "TestReport"


def test_what_is_not_checked_is_told_in_the_line_and_does_not_fail(workspace: Workspace) -> None:
    craft(workspace, "plain", "--update")
    promise = workspace.path / "shop/bundle/promise.yaml"
    promise.write_text(promise.read_text().replace("troth.dev/fence", "example.com/fence"))

    run = workspace.troth("test", "shop/bundle", "--image", "craft-stage:*=craft")

    assert run.code == 0
    assert "not checked  the Promise declares no fence" in run.out
    assert "1 not checked." in run.out


def test_a_destination_that_takes_no_output_fails_the_objects(bundle: Workspace) -> None:
    bundle.write(
        "destination.yaml",
        "apiVersion: platform.kratix.io/v1alpha1\nkind: Destination\n"
        "metadata: {name: far, labels: {zone: far}}\n"
        "spec: {path: far, strictMatchLabels: true, "
        "stateStoreRef: {kind: GitStateStore, name: a}}\n",
    )

    run = bundle.troth("test", "namespace", "--destination", "destination.yaml")

    assert run.code == 1
    assert "NoMatchingDestination" in run.out


def test_a_stage_that_hangs_is_stopped(workspace: Workspace) -> None:
    run = craft(workspace, "hangs", "--stage-timeout", "0.5")

    assert run.code == 1
    assert "StageTimeout" in run.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "BUNDLE"),
        (["requests"], "requests is no bundle: it holds no promise.yaml."),
        (["nowhere"], "nowhere"),
        ([".", "namespace"], "There are bundles in it: namespace."),
        (["namespace", "--schemas", "namespace"], "holds no CustomResourceDefinition"),
        (["namespace", "--destination", "namespace"], "there is no Destination in namespace"),
        (["namespace", "--image", "x"], "PATTERN=PACKAGE"),
    ],
)
def test_wrong_usage_ends_with_two_and_says_what_to_do(
    bundle: Workspace, arguments: list[str], words: str
) -> None:
    (bundle.path / "promise.yaml").unlink()

    run = bundle.troth("test", *arguments)

    assert run.code == 2
    assert words in run.err
    assert "Traceback" not in run.err

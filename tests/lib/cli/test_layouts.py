"""The layouts as people use them: real commands, a real repository, a real ``git revert``."""

import subprocess
from pathlib import Path

import pytest
from support.repositories import Remote
from support.workspace import Workspace

FILE = "worker/aggregated.yaml"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def tree(workspace: Workspace) -> list[str]:
    return workspace.git("ls-tree", "-r", "--name-only", "main").splitlines()


def revert(workspace: Workspace, revision: str) -> None:
    """Do what a person does: clone, revert, push."""
    clone = workspace.path / "clone"
    for command in (
        [
            "git",
            "clone",
            "-q",
            "--branch",
            "main",
            str(workspace.path / workspace.store),
            str(clone),
        ],
        ["git", "-C", str(clone), "revert", "--no-edit", revision],
        ["git", "-C", str(clone), "push", "-q", "origin", "main"],
    ):
        subprocess.run(command, check=True, capture_output=True)


def test_one_file_holds_all_is_proved_and_a_reverted_commit_is_a_rollback(
    workspace: Workspace,
) -> None:
    workspace.destination("aggregatedYAML")
    workspace.ask("payments")
    workspace.ask("shop")
    first = workspace.sync()
    workspace.ask("shop", owners=["others"])
    second = workspace.sync()
    revert(workspace, str(second.items["shop"]["revision"]))

    third = workspace.sync()
    proof = workspace.troth("verify", "--state-store", workspace.store, "requests")

    assert tree(workspace) == [FILE]
    assert len({item["revision"] for item in first.items.values()}) == 1
    assert workspace.commits()[1:] == ["Update default/shop (namespace)", "Create 2 requests"]
    assert (third.items["shop"]["reason"], third.items["payments"]["reason"]) == (
        "Reverted",
        "UpToDate",
    )
    assert "Reverted" in proof.out
    assert "default/payments" not in proof.out.split("Reverted", 1)[1]


def test_a_destination_goes_through_all_layouts_with_one_commit_for_each_request(
    workspace: Workspace,
) -> None:
    workspace.ask("payments")
    workspace.destination("none", canaries=True)
    workspace.sync()
    none = tree(workspace)
    workspace.destination("aggregatedYAML", canaries=True)
    workspace.sync()
    aggregated = tree(workspace)
    workspace.destination("nestedByMetadata", canaries=False)
    workspace.sync()
    proof = workspace.troth("verify", "--state-store", workspace.store, "requests")

    assert "worker/kratix-canary-namespace.yaml" in none
    assert [path for path in aggregated if "canary" not in path] == [FILE]
    assert all(path.startswith("worker/resources/default/") for path in tree(workspace))
    assert workspace.commits().count("Move default/payments (namespace)") == 2
    assert proof.code == 0


def test_what_is_nobodys_is_said_by_sync_and_status_and_does_not_fail_them(
    workspace: Workspace,
) -> None:
    workspace.destination("nestedByMetadata")
    workspace.ask("payments")
    folder = "worker/resources/default/namespace/gone"
    remote = Remote.create(workspace.path / workspace.store)
    clone = remote.clone(workspace.path / "clone")
    clone.push({f"{folder}/configure/5058f/x.yaml": "{}"}, "As Kratix left it")

    run = workspace.sync()
    status = workspace.troth("status", "-s", workspace.store, "-o", "json")
    people = workspace.troth("status", "-s", workspace.store)

    for said in (run, status):
        assert said.code == 0
        assert said.items["worker"]["reason"] == "Unowned"
        assert said.items["worker"]["placements"] == [{"destination": "worker", "path": folder}]
    assert people.out.count(folder) == 1

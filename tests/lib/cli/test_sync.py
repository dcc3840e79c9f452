"""``troth sync``, as a user would: the main job on real Git, and what every change leads to."""

import json
import subprocess

from support.workspace import Workspace

RECORDS = "troth/records/main"


def test_the_first_sync_makes_the_store_and_a_commit_for_each_request(
    workspace: Workspace,
) -> None:
    workspace.ask("payments")
    workspace.ask("shop")

    run = workspace.sync()

    assert run.code == 0
    assert {item["state"] for item in run.items.values()} == {"Written"}
    assert sorted(workspace.commits()) == [
        "Create default/payments (namespace)",
        "Create default/shop (namespace)",
    ]
    assert len(workspace.commits(RECORDS)) == 1


def test_the_second_sync_adds_no_commit_to_either_branch(workspace: Workspace) -> None:
    workspace.ask("payments")
    workspace.sync()
    before = workspace.git("for-each-ref")

    run = workspace.sync()

    assert run.items["payments"]["state"] == "Unchanged"
    assert workspace.git("for-each-ref") == before


def test_a_changed_request_is_one_commit_on_each_branch_that_touches_it_alone(
    workspace: Workspace,
) -> None:
    workspace.ask("payments")
    workspace.ask("shop")
    workspace.sync()
    files, records = len(workspace.commits()), len(workspace.commits(RECORDS))
    workspace.ask("payments", size="large")

    run = workspace.sync()

    folder = "default/resources/default/namespace/payments/configure/5058f"
    assert len(workspace.commits()) == files + 1
    assert workspace.touched("main") == [f"{folder}/quota.yaml"]
    assert len(workspace.commits(RECORDS)) == records + 1
    [record] = workspace.touched(RECORDS)
    assert record.endswith("/default/namespace/payments.yaml")
    assert run.items["payments"]["revision"] == workspace.git("rev-parse", "main")


def test_a_report_names_the_tree_and_the_files_of_what_was_written(workspace: Workspace) -> None:
    workspace.ask("payments")
    workspace.sync()
    workspace.ask("payments", size="large")

    first, second = workspace.sync().items["payments"], workspace.sync().items["payments"]

    assert first["tree"] == workspace.git("rev-parse", "main^{tree}")
    assert first["changed"] == workspace.touched("main")
    assert (second["state"], second["tree"], second["changed"]) == ("Unchanged", None, [])


def test_a_report_names_the_files_that_were_removed(workspace: Workspace) -> None:
    gone = workspace.ask("payments")
    workspace.ask("shop")
    workspace.sync()
    gone.unlink()

    item = workspace.sync().items["payments"]

    assert item["tree"] == workspace.git("rev-parse", "main^{tree}")
    assert item["changed"] == workspace.touched("main")


def test_a_change_is_pushed_once(workspace: Workspace) -> None:
    workspace.ask("payments")
    workspace.sync()
    hook = workspace.path / workspace.store / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\nsort > "pushes.$$"\n')
    hook.chmod(0o755)
    workspace.ask("payments", size="large")
    workspace.ask("shop")

    workspace.sync()

    [push] = (workspace.path / workspace.store).glob("pushes.*")
    refs = [line.split()[2] for line in push.read_text().splitlines()]
    assert sorted(refs) == ["refs/heads/main", f"refs/heads/{RECORDS}"]


def test_a_removed_request_is_one_commit_that_removes_exactly_its_files(
    workspace: Workspace,
) -> None:
    workspace.ask("payments")
    workspace.sync()
    before = workspace.git("ls-tree", "-r", "main")
    shop = workspace.ask("shop")
    workspace.sync()
    count = len(workspace.commits())
    shop.unlink()

    run = workspace.sync()

    assert run.items["shop"]["state"] == "Removed"
    assert workspace.commits()[0] == "Remove default/shop (namespace)"
    assert len(workspace.commits()) == count + 1
    assert workspace.git("ls-tree", "-r", "main") == before


def test_a_directory_store_holds_the_same_files_as_a_repository(workspace: Workspace) -> None:
    workspace.ask("payments")
    workspace.sync()

    run = workspace.troth("sync", "promise.yaml", "requests", "-s", "dir:plain")

    assert run.code == 0
    listed = [
        str(path.relative_to(workspace.path / "plain"))
        for path in (workspace.path / "plain" / "default").rglob("*.yaml")
    ]
    assert sorted(listed) == workspace.git("ls-tree", "-r", "--name-only", "main").splitlines()


def test_a_store_on_another_branch_keeps_its_records_beside_that(workspace: Workspace) -> None:
    workspace.ask("payments")

    workspace.sync("--branch", "prod")

    assert len(workspace.commits("prod")) == 1
    assert len(workspace.commits("troth/records/prod")) == 1


def test_the_state_store_of_the_files_is_used_when_no_option_says_otherwise(
    workspace: Workspace,
) -> None:
    workspace.ask("payments")
    workspace.troth("sync", "promise.yaml", "-s", workspace.store)
    workspace.write(
        "platform.yaml",
        f"""apiVersion: platform.kratix.io/v1alpha1
kind: GitStateStore
metadata: {{name: fleet}}
spec: {{url: "file://{workspace.path}/{workspace.store}", path: clusters, branch: live}}
---
apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata: {{name: worker-1}}
spec: {{path: worker-1, stateStoreRef: {{kind: GitStateStore, name: fleet}}}}
""",
    )

    run = workspace.troth("sync", "promise.yaml", "platform.yaml", "requests", "-o", "json")

    assert run.items["payments"]["state"] == "Written", run
    [first, *_] = workspace.git("ls-tree", "-r", "--name-only", "live").splitlines()
    assert first.startswith("clusters/worker-1/resources/default/namespace/payments/")


def test_the_environment_names_the_store_too(workspace: Workspace) -> None:
    workspace.ask("payments")
    workspace.environ["TROTH_STATE_STORE"] = workspace.store

    run = workspace.troth("sync", "promise.yaml", "requests")

    assert run.code == 0
    assert len(workspace.commits()) == 1


def test_a_git_revert_is_kept_as_a_rollback_until_the_request_changes(
    workspace: Workspace,
) -> None:
    workspace.ask("payments", size="small")
    workspace.sync()
    workspace.ask("payments", size="large")
    workspace.sync()
    clone = workspace.path / "clone"
    store = workspace.path / workspace.store
    for command in (
        ["git", "clone", "--quiet", str(store), str(clone)],
        ["git", "-C", str(clone), "revert", "--no-edit", "HEAD"],
        ["git", "-C", str(clone), "push", "--quiet"],
    ):
        subprocess.run(command, check=True, capture_output=True)

    kept = workspace.sync()
    tree = workspace.git("rev-parse", "main^{tree}")
    workspace.ask("payments", size="medium")
    moved_on = workspace.sync()

    assert kept.items["payments"]["reason"] == "Reverted"
    assert tree == workspace.git("rev-parse", "main~1^{tree}")
    assert moved_on.items["payments"]["state"] == "Written"


def test_a_sync_elsewhere_from_the_same_store_goes_on_where_the_last_stopped(
    workspace: Workspace,
) -> None:
    workspace.ask("payments")
    workspace.sync()
    before = workspace.git("for-each-ref")
    (workspace.path / workspace.store).rename(workspace.path / "moved.git")
    workspace.store = "moved.git"

    run = workspace.sync()

    assert run.items["payments"]["state"] == "Unchanged"
    assert workspace.git("for-each-ref") == before


def test_another_folder_of_the_same_name_removes_nothing(workspace: Workspace) -> None:
    workspace.ask("payments")
    workspace.sync()
    shop = workspace.ask("shop")
    other = workspace.path / "other" / "requests"
    other.mkdir(parents=True)
    shop.rename(other / "shop.yaml")

    run = workspace.troth(
        "sync", "promise.yaml", "other/requests", "-s", workspace.store, "-o", "json"
    )

    assert run.items["shop"]["state"] == "Written"
    assert (run.items["payments"]["state"], run.items["payments"]["reason"]) == (
        "Orphaned",
        "OtherRoots",
    )


def test_a_moved_checkout_with_a_source_is_the_same_place(workspace: Workspace) -> None:
    workspace.ask("payments")
    shop = workspace.ask("shop")
    workspace.sync("--source", "platform")
    shop.unlink()
    moved = workspace.path.with_name("moved-checkout")
    workspace.path.rename(moved)
    workspace.path = moved

    run = workspace.sync("--source", "platform")

    assert run.items["shop"]["state"] == "Removed"


def test_names_are_printed_as_they_are_and_never_as_markup(workspace: Workspace) -> None:
    workspace.ask("payments")
    text = "apiVersion: example.com/v1\nkind: '[/x]'\nmetadata: {name: ':smile:'}\n"
    workspace.write("requests/foreign.yaml", text)

    run = workspace.troth("sync", "promise.yaml", "requests", "-s", workspace.store)

    assert run.code == 0
    assert "example.com/[/x]" in run.err


def test_json_goes_to_standard_output_alone(workspace: Workspace) -> None:
    workspace.ask("payments")

    run = workspace.sync()

    assert json.loads(run.out)["kind"] == "SyncReport"
    assert "no Destination was given" in run.err

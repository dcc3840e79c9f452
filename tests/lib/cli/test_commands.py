"""``plan``, ``render``, ``status``, ``completion``, and help: what they print and how they end."""

import pytest
from support.workspace import ROOT, Workspace

from troth.api import load_documents

COMMANDS = [
    "sync", "plan", "render", "status", "verify", "test", "docs", "init promise", "completion",
    "seal", "secrets list", "reseal",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example_in_its_help(workspace: Workspace, command: str) -> None:
    run = workspace.troth(*command.split(), "--help")

    assert run.code == 0
    assert f"troth {command}" in run.out.split("Example", 1)[1]


def test_a_plan_shows_the_diff_and_writes_nothing(workspace: Workspace) -> None:
    workspace.ask("payments", size="small")
    workspace.sync()
    before = workspace.git("for-each-ref")
    workspace.ask("payments", size="large")
    workspace.ask("shop")

    run = workspace.troth("plan", "promise.yaml", "requests", "-s", workspace.store)

    assert "-    pods: '16'" in run.out.splitlines()
    assert "+++ b/default/resources/default/namespace/shop/configure/5058f/quota.yaml" in run.out
    assert "Would be: 2 written." in run.out
    assert workspace.git("for-each-ref") == before


def test_a_plan_against_a_store_that_is_not_there_does_not_make_it(workspace: Workspace) -> None:
    workspace.ask("payments")

    run = workspace.troth("plan", "promise.yaml", "requests", "-s", workspace.store)

    assert "Would be: 1 written." in run.out
    assert not (workspace.path / workspace.store).exists()


def test_a_plan_shows_what_would_be_removed(workspace: Workspace) -> None:
    workspace.ask("payments")
    workspace.ask("shop").unlink()
    shop = workspace.ask("shop")
    workspace.sync()
    shop.unlink()

    run = workspace.troth("plan", "promise.yaml", "requests", "-s", workspace.store)

    assert "--- a/default/resources/default/namespace/shop/configure/5058f/quota.yaml" in run.out
    assert "1 removed" in run.out


@pytest.mark.parametrize(("change", "code"), [("nothing", 0), ("size", 2), ("broken", 1)])
def test_the_detailed_exit_code_of_a_plan(workspace: Workspace, change: str, code: int) -> None:
    workspace.ask("payments", size="small")
    workspace.sync()
    if change == "size":
        workspace.ask("payments", size="large")
    if change == "broken":
        workspace.ask("payments", size="enormous")

    run = workspace.troth(
        "plan", "promise.yaml", "requests", "-s", workspace.store, "--detailed-exitcode"
    )

    assert run.code == code


@pytest.mark.parametrize(
    "arguments", [["nowhere"], ["requests", "--branch", "a..b"], ["requests", "--bogus"]]
)
def test_under_the_detailed_exit_code_whatever_goes_wrong_ends_with_one(
    workspace: Workspace, arguments: list[str]
) -> None:
    workspace.ask("payments")
    workspace.sync()

    run = workspace.troth("plan", *arguments, "-s", workspace.store, "--detailed-exitcode")

    assert run.code == 1


def test_render_prints_what_sync_would_write(workspace: Workspace) -> None:
    bundle = ROOT / "promises" / "namespace"

    run = workspace.troth("render", str(bundle / "resource-request.yaml"))

    golden = "".join(
        path.read_text()
        for path in sorted((bundle / "expected" / "payments-dev").rglob("*.yaml"))
        if path.name != "status.yaml"
    )
    printed = [document.data for document in load_documents(run.out, "printed")]
    kinds = [document["kind"] for document in printed]
    assert run.code == 0
    assert "Namespace" in kinds
    assert all(f"kind: {kind}" in golden for kind in kinds)


def test_render_into_a_folder_writes_the_files(workspace: Workspace) -> None:
    workspace.ask("payments")

    run = workspace.troth(
        "render", "requests/payments.yaml", "--promise", "promise.yaml", "--output", "out"
    )

    assert run.code == 0
    assert sorted(path.name for path in (workspace.path / "out").iterdir()) == [
        "access.yaml",
        "namespace.yaml",
        "network.yaml",
        "quota.yaml",
    ]


def test_render_without_a_promise_says_what_to_do(workspace: Workspace) -> None:
    workspace.ask("payments")

    run = workspace.troth("render", "requests/payments.yaml")

    assert run.code == 2
    assert "--promise" in run.err


def test_status_tells_of_one_request_what_its_stages_wrote(workspace: Workspace) -> None:
    workspace.ask("payments")
    workspace.sync()

    run = workspace.troth("status", "namespace/payments", "-s", workspace.store)

    assert run.code == 0
    assert "namespace: payments-dev" in run.out


def test_status_ends_with_one_when_a_record_cannot_be_read(workspace: Workspace) -> None:
    workspace.ask("payments")
    workspace.troth("sync", "promise.yaml", "requests", "-s", "dir:plain")
    [record] = (workspace.path / "plain").glob(".troth/records/requests/*/default/namespace/*")
    record.write_text("{")

    listed = workspace.troth("status", "-s", "dir:plain", "-o", "json")
    one = workspace.troth("status", "namespace/payments", "-s", "dir:plain")

    assert listed.code == 1
    assert listed.items["payments"]["reason"] == "RecordUnreadable"
    assert "cannot be read" in one.err


def test_status_notices_an_edited_branch(workspace: Workspace) -> None:
    workspace.ask("payments")
    workspace.troth("sync", "promise.yaml", "requests", "-s", "dir:plain")
    [quota] = (workspace.path / "plain").rglob("quota.yaml")
    quota.write_text("edited")

    run = workspace.troth("status", "-s", "dir:plain", "-o", "json")

    assert run.items["payments"]["reason"] == "Drifted"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["status", "namespace/none", "-s", "fleet.git"], "knows no request"),
        (["status", "payments", "-s", "fleet.git"], "PROMISE/NAME"),
        (["status", "-s", "nowhere.git"], "no state store at"),
        (["status"], "TROTH_STATE_STORE"),
        (["sync", "nowhere", "-s", "fleet.git"], "nowhere"),
        (["sync", "requests"], "--state-store"),
        (["sync", "requests", "-s", "promise.yaml"], "dir:"),
        (["sync", "requests", "-s", "https://me:hunter2@example.com/a.git"], "user name"),
        (["sync", "requests", "-s", "https://example.com/a.git?token=hunter2"], "query"),
        (["sync", "requests", "-s", "new.git", "-b", "troth/records/main"], "branch"),
        (["sync"], "PATH"),
        (["snyc"], "snyc"),
    ],
)
def test_wrong_usage_ends_with_two_and_says_what_to_do(
    workspace: Workspace, arguments: list[str], words: str
) -> None:
    workspace.ask("payments")
    workspace.sync()

    run = workspace.troth(*arguments)

    assert run.code == 2
    assert words in run.err
    assert not (workspace.path / "new.git").exists()
    assert "hunter2" not in run.err + run.out
    assert "Traceback" not in run.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(workspace: Workspace, shell: str) -> None:
    run = workspace.troth("completion", shell)

    assert run.code == 0
    assert "_TROTH_COMPLETE" in run.out

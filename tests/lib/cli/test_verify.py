"""``troth verify``: what it prints and how it ends, over real stores."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from support.workspace import ROOT, Workspace

from troth.engine.proof import Flaw, Verdict

QUOTA = "default/resources/default/namespace/payments/configure/5058f/quota.yaml"

DESTINATIONS = """\
apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata: {name: near, labels: {place: near}}
spec: {path: near, stateStoreRef: {kind: GitStateStore, name: near}}
---
apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata: {name: far, labels: {place: far}}
spec: {path: far, stateStoreRef: {kind: GitStateStore, name: far}}
---
apiVersion: platform.kratix.io/v1alpha1
kind: GitStateStore
metadata: {name: near}
spec: {url: NEAR, branch: main}
---
apiVersion: platform.kratix.io/v1alpha1
kind: GitStateStore
metadata: {name: far}
spec: {url: FAR, branch: main}
"""


@pytest.fixture
def plain(workspace: Workspace) -> Workspace:
    """Two requests in a plain folder, which can be edited by hand."""
    workspace.ask("payments")
    workspace.ask("shop")
    workspace.troth("sync", "promise.yaml", "requests", "-s", "dir:plain")
    return workspace


def tamper(workspace: Workspace, path: str, content: str) -> None:
    target = workspace.path / "plain" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(content)


def test_a_git_store_is_proved_from_itself_alone(workspace: Workspace) -> None:
    workspace.ask("payments")
    workspace.sync()
    before = workspace.git("for-each-ref")

    run = workspace.troth("verify", "-s", workspace.store, "-o", "json")

    assert (run.code, json.loads(run.out)) == (
        0,
        {
            "apiVersion": "troth.dev/v1alpha1",
            "kind": "VerifyReport",
            "items": [
                {
                    "namespace": "default",
                    "promise": "namespace",
                    "name": "payments",
                    "state": "Proved",
                    "problems": [],
                    "revision": workspace.git("rev-parse", "main"),
                }
            ],
        },
    )
    assert workspace.git("for-each-ref") == before


def test_an_edit_pushed_to_the_branch_is_found(workspace: Workspace) -> None:
    workspace.ask("payments")
    workspace.sync()
    clone = workspace.path / "clone"
    workspace.git("clone", "-q", "-b", "main", str(workspace.path / workspace.store), str(clone))
    (clone / QUOTA).write_text("edited: true\n")
    who = ["-c", "user.name=me", "-c", "user.email=me@example.com"]
    for command in (["commit", "-qam", "by hand"], ["push", "-q", "origin", "main"]):
        workspace.git("--work-tree", str(clone), "--git-dir", str(clone / ".git"), *who, *command)

    run = workspace.troth("verify", "-s", workspace.store, "-o", "json")

    [drifted, _] = json.loads(json.dumps(run.items["payments"]["problems"]))
    assert run.code == 1
    assert run.items["payments"]["state"] == "NotProved"
    assert (drifted["kind"], drifted["paths"]) == ("Drifted", [QUOTA])


def test_a_record_that_was_set_back_is_told_from_an_edit(workspace: Workspace) -> None:
    for size in ("small", "large"):
        workspace.ask("payments", size=size)
        workspace.sync()
    clone, branch = workspace.path / "clone", "troth/records/main"
    workspace.git("clone", "-q", "-b", branch, str(workspace.path / workspace.store), str(clone))
    own = ["-c", "user.name=me", "-c", "user.email=me@example.com", "-C", str(clone)]
    for command in (["revert", "--no-edit", "HEAD"], ["push", "-q", "origin", branch]):
        subprocess.run(["git", *own, *command], check=True, capture_output=True)

    run = workspace.troth("verify", "-s", workspace.store, "-o", "json")

    problems = json.loads(json.dumps(run.items["payments"]["problems"]))
    assert run.code == 1
    assert [problem["kind"] for problem in problems] == ["StaleRecord"]


def test_what_is_not_proved_is_told_with_its_files_and_the_rest_is_counted(
    plain: Workspace,
) -> None:
    tamper(plain, QUOTA, "edited")
    tamper(plain, "default/resources/default/namespace/payments/by-hand.yaml", "a: b")

    run = plain.troth("verify", "--state-store", "dir:plain")

    assert run.code == 1
    assert "Drifted: default/payments (namespace): at least one of its files" in run.out
    assert "\n  default/resources/default/namespace/payments/by-hand.yaml\n" in run.out
    assert "shop" not in run.out
    assert run.out.endswith("1 proved, 1 not proved.\n")


def test_files_that_no_record_owns_fail_the_run(plain: Workspace) -> None:
    tamper(plain, "default/resources/default/namespace/ghost/a/b.yaml", "a: b")

    run = plain.troth("verify", "-s", "dir:plain", "-o", "json")

    [problem] = json.loads(json.dumps(run.items["ghost"]["problems"]))
    assert run.code == 1
    assert problem["kind"] == "UnownedFile"
    assert problem["paths"] == ["default/resources/default/namespace/ghost/a/b.yaml"]


def test_a_long_list_of_files_is_cut_in_a_table_and_whole_in_json(plain: Workspace) -> None:
    for number in range(25):
        tamper(plain, f"default/resources/x/{number:02}.yaml", "a: b")

    table = plain.troth("verify", "-s", "dir:plain")
    report = plain.troth("verify", "-s", "dir:plain", "-o", "json")

    assert "  and 5 more\n" in table.out
    assert report.out.count("default/resources/x/") == 25


def test_a_note_does_not_fail_the_run(plain: Workspace) -> None:
    tamper(plain, f".troth/records/revisions/{'0' * 64}.yaml", "{}")

    run = plain.troth("verify", "-s", "dir:plain")

    assert run.code == 0
    assert run.out.endswith("2 proved, 1 noted.\n")


def test_a_quick_run_leaves_out_the_objects(plain: Workspace) -> None:
    [record] = (plain.path / "plain").glob(".troth/records/requests/*/default/namespace/shop.yaml")
    record.write_text(record.read_text().replace('"allow-dns"', '"allow-all"'))

    slow = plain.troth("verify", "-s", "dir:plain")
    quick = plain.troth("verify", "-s", "dir:plain", "--quick")

    assert (slow.code, quick.code) == (1, 0)
    assert "ObjectsDiffer: default/shop (namespace): pipeline configure" in slow.out


def two_stores(workspace: Workspace) -> None:
    text = DESTINATIONS.replace("NEAR", str(workspace.path / "near.git"))
    workspace.write(
        "platform/destinations.yaml", text.replace("FAR", str(workspace.path / "f.git"))
    )
    workspace.ask("payments")
    workspace.troth("sync", "promise.yaml", "requests", "platform")


def test_destinations_in_files_tell_of_several_stores(workspace: Workspace) -> None:
    two_stores(workspace)

    run = workspace.troth("verify", "platform", "-o", "json")

    assert run.code == 0
    assert run.items["payments"]["state"] == "Proved"


def test_a_destination_in_files_tells_of_a_folder_that_no_record_names(plain: Workspace) -> None:
    near = DESTINATIONS.split("---", maxsplit=1)[0]
    plain.write("platform/near.yaml", near)
    tamper(plain, "near/resources/left.yaml", "a: b")

    without = plain.troth("verify", "-s", "dir:plain")
    given = plain.troth("verify", "platform", "-s", "dir:plain")

    assert (without.code, given.code) == (0, 1)
    assert "\n  near/resources/left.yaml\n" in given.out


def test_a_store_of_requests_that_found_no_place_is_proved(workspace: Workspace) -> None:
    near = DESTINATIONS.split("---", maxsplit=1)[0]
    promise = (workspace.path / "promise.yaml").read_text()
    workspace.write("platform/near.yaml", near)
    workspace.write(
        "promise.yaml",
        promise.replace("\nspec:\n", "\nspec:\n  destinationSelectors: [{matchLabels: {a: b}}]\n"),
    )
    workspace.ask("payments")
    workspace.troth("sync", "promise.yaml", "requests", "platform", "-s", "dir:plain")

    run = workspace.troth("verify", "-s", "dir:plain")

    assert (run.code, run.out) == (0, "1 proved.\n")


def test_a_destination_that_cannot_be_read_leaves_something_unproved(workspace: Workspace) -> None:
    two_stores(workspace)
    workspace.write(
        "platform/bad.yaml",
        {"apiVersion": "platform.kratix.io/v1alpha1", "kind": "Destination",
         "metadata": {"name": "bad"}, "spec": {}},
    )  # fmt: skip

    run = workspace.troth("verify", "platform")

    assert run.code == 1
    assert "InputUnreadable" in run.out
    assert "path field is required" in run.out


def test_a_request_that_cannot_be_read_is_nothing_to_a_proof(workspace: Workspace) -> None:
    two_stores(workspace)
    workspace.write(
        "requests/bad.yaml",
        {"apiVersion": "marketplace.troth.dev/v1alpha1", "kind": "TeamNamespace",
         "metadata": {"name": "bad"}, "bogus": {}},
    )  # fmt: skip

    run = workspace.troth("verify", "platform", "requests", "promise.yaml")

    assert (run.code, run.out) == (0, "1 proved.\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "TROTH_STATE_STORE"),
        (["-s", "nowhere.git"], "no state store at"),
        (["nowhere"], "nowhere"),
        (["requests"], "--state-store"),
        (["-s", "fleet.git", "--branch", "other"], "--branch"),
        (["-s", "dir:nowhere"], "nothing to prove"),
        (["-s", "fleet.git", "--bogus"], "bogus"),
    ],
)
def test_wrong_usage_ends_with_two_and_says_what_to_do(
    workspace: Workspace, arguments: list[str], words: str
) -> None:
    workspace.ask("payments")
    workspace.sync()

    run = workspace.troth("verify", *arguments)

    assert run.code == 2
    assert words in run.err
    assert "Traceback" not in run.err


def test_an_emptied_store_has_nothing_to_prove_and_nothing_wrong(plain: Workspace) -> None:
    for request in (plain.path / "requests").iterdir():
        request.unlink()
    plain.troth("sync", "promise.yaml", "requests", "-s", "dir:plain", "--prune")

    run = plain.troth("verify", "-s", "dir:plain")

    assert (run.code, run.out) == (0, "Nothing to prove: there is no record.\n")


def test_the_help_shows_an_example(workspace: Workspace) -> None:
    run = workspace.troth("verify", "--help")

    assert run.code == 0
    assert "troth verify" in run.out.split("Example", 1)[1]


def test_a_shell_completes_its_options(workspace: Workspace) -> None:
    workspace.environ = {
        "_TROTH_COMPLETE": "bash_complete", "COMP_WORDS": "troth verify --qu", "COMP_CWORD": "2"
    }  # fmt: skip

    assert workspace.troth().out == "plain,--quick\n"


def test_every_state_and_problem_stands_in_the_contract_and_no_other() -> None:
    page = Path(ROOT, "docs", "contract.md").read_text().split("VerifyReport", 1)[1]
    section = page.split("\n## ", 1)[0]

    listed = re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)

    assert listed == [*Verdict, *sorted(Flaw)]

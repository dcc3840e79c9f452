"""``troth rollback``: what it shows, asks and writes."""

import json
import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest
from support.workspace import TROTH, Workspace

QUOTA = "default/resources/default/namespace/payments/configure/5058f/quota.yaml"


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A request that was written small, then large."""
    workspace = Workspace(tmp_path_factory.mktemp("grown"))
    for size in ("small", "large"):
        workspace.ask("payments", size=size)
        workspace.sync()
    return workspace


@pytest.fixture
def lived(grown: Workspace, tmp_path: Path) -> Workspace:
    """A copy of its own for each test."""
    copy = Workspace(tmp_path)
    shutil.copytree(grown.path, tmp_path, dirs_exist_ok=True)
    return copy


def first(workspace: Workspace) -> str:
    return workspace.git("rev-list", "--max-parents=0", "main")


def test_a_dry_run_shows_the_diff_and_writes_nothing(lived: Workspace) -> None:
    before = lived.git("for-each-ref")

    run = lived.troth("rollback", "payments", "--to", first(lived), "-s", lived.store, "--dry-run")

    assert run.code == 0
    assert f"+++ b/{QUOTA}" in run.out
    assert "Would be: 1 written." in run.out
    assert lived.git("for-each-ref") == before


def test_a_rollback_is_written_and_kept_by_the_next_sync(lived: Workspace) -> None:
    small = lived.git("rev-parse", f"{first(lived)}^{{tree}}")

    run = lived.troth(
        *("rollback", "payments", "--to", first(lived)[:9], "-s", lived.store, "--yes"),
        *("-o", "json"),
    )

    item = run.items["payments"]
    assert (run.code, json.loads(run.out)["kind"]) == (0, "RollbackReport")
    assert (item["state"], item["reason"]) == ("Written", "Reverted")
    assert item["revision"] == lived.git("rev-parse", "main")
    assert item["tree"] == lived.git("rev-parse", "main^{tree}") == small
    assert item["changed"] == [QUOTA]
    assert item["changes"] == [{"path": QUOTA, "action": "update"}]
    assert lived.sync().items["payments"]["reason"] == "Reverted"
    assert lived.commits()[0] == "Roll back default/payments (namespace)"


def test_a_rollback_that_is_lost_when_the_branch_is_set_back_is_noticed(lived: Workspace) -> None:
    lived.troth("rollback", "payments", "--to", first(lived), "-s", lived.store, "--yes")
    lived.git("update-ref", "refs/heads/main", "main~1")

    run = lived.sync()

    assert run.code == 1
    assert "HistoryRewritten" in run.err


def test_where_nobody_can_be_asked_it_wants_to_be_told(lived: Workspace) -> None:
    before = lived.git("for-each-ref")

    run = lived.troth("rollback", "payments", "--to", first(lived), "-s", lived.store)

    assert run.code == 2
    assert "add --yes, or --dry-run" in run.err
    assert lived.git("for-each-ref") == before


@pytest.mark.parametrize(("answer", "code", "commits"), [("y\n", 0, 3), ("n\n", 1, 2)])
def test_on_a_terminal_it_asks(lived: Workspace, answer: str, code: int, commits: int) -> None:
    ours, theirs = pty.openpty()
    command = [str(TROTH), "rollback", "payments", "--to", first(lived), "-s", lived.store]
    with subprocess.Popen(
        command, cwd=lived.path, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as asked:
        os.write(ours, answer.encode())
        _, said = asked.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)

    assert b"Write 1 file?" in said
    assert asked.returncode == code
    assert len(lived.commits()) == commits


def test_a_second_time_there_is_nothing_to_do(lived: Workspace) -> None:
    command = ("rollback", "payments", "--to", first(lived), "-s", lived.store, "--yes")
    lived.troth(*command)
    before = lived.git("for-each-ref")

    run = lived.troth(*command)

    assert run.code == 0
    assert "its files are so already." in run.out
    assert lived.git("for-each-ref") == before


def test_a_refusal_fails_and_says_why(lived: Workspace) -> None:
    lived.ask("shop")
    lived.sync()

    run = lived.troth(
        *("rollback", "payments", "--to", lived.git("rev-parse", "main"), "-s", lived.store)
    )

    assert run.code == 2
    assert "changed no file of default/payments (namespace)" in run.err


def test_a_paused_request_is_refused_with_its_reason(lived: Workspace) -> None:
    path = lived.path / "requests" / "payments.yaml"
    label = "  name: payments\n  labels: {kratix.io/paused: 'true'}"
    path.write_text(path.read_text().replace("  name: payments", label))
    lived.sync()

    run = lived.troth("rollback", "payments", "--to", first(lived), "-s", lived.store, "--yes")

    assert run.code == 1
    assert "[Paused]" in run.err

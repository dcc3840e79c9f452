"""``troth sync`` killed at random moments, and on a store that was set back, as people meet it."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.drills import Mark, committed_steps, rounds
from support.repositories import Remote
from support.workspace import TROTH, Workspace

RECORDS = "troth/records/main"
TEAMS = ("accounts", "billing", "payments", "search", "shop")
KILLS = 4  # times that a command is killed in the middle of its work
SIZES = ("small", "medium", "large")


def is_killed_after(workspace: Workspace, seconds: float, *, alone: bool) -> bool:
    """Kill ``troth sync`` with all that it has started, or alone; tell whether it was at work."""
    running = subprocess.Popen(
        [str(TROTH), "sync", workspace.promise, "requests", "-s", workspace.store],
        cwd=workspace.path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **workspace.environ},
        start_new_session=True,
    )
    try:
        running.wait(seconds)
    except subprocess.TimeoutExpired:
        (os.kill if alone else os.killpg)(running.pid, signal.SIGKILL)
    return running.wait() == -signal.SIGKILL


@pytest.fixture
def mark(workspace: Workspace) -> Iterator[Mark]:
    """What all commands bear; what is left of them is ended."""
    found = Mark(str(workspace.path))
    workspace.environ |= found.environ
    yield found
    found.end()


@pytest.fixture
def temporary(workspace: Workspace, tmp_path: Path) -> Path:
    """Where commands put temporary files."""
    found = tmp_path / "tmp"
    found.mkdir()
    workspace.environ |= {"TMPDIR": str(found)}
    return found


@pytest.mark.drill
@pytest.mark.parametrize("layout", ["nestedByMetadata", "aggregatedYAML"])
@pytest.mark.parametrize("seed", rounds(usual=1, long=5))
def test_a_sync_that_is_killed_at_random_moments_is_finished_by_the_next(
    workspace: Workspace, mark: Mark, temporary: Path, layout: str, seed: int
) -> None:
    chance = random.Random(f"{layout} {seed}")  # noqa: S311  (a drill, not a secret)
    workspace.destination(layout)
    for team in TEAMS:
        workspace.ask(team, size=SIZES[-1])
    started = time.monotonic()
    assert workspace.sync().code == 0
    undisturbed, alive = time.monotonic() - started, 0
    for number in range(10 * KILLS):
        for team in TEAMS:  # so that there is work to be killed at
            workspace.ask(team, size=SIZES[number % len(SIZES)])
        seconds, alone = chance.uniform(0, undisturbed), chance.random() < 1 / 2
        alive += is_killed_after(workspace, seconds, alone=alone)
        if alive == KILLS:
            break

    first, second = workspace.sync(), workspace.sync()

    assert alive == KILLS
    assert (first.code, second.code) == (0, 0)
    assert {item["state"] for item in first.items.values()} <= {"Written", "Unchanged"}
    assert {item["state"] for item in second.items.values()} == {"Unchanged"}
    remote = Remote(workspace.path / workspace.store)
    history = remote.git("rev-list", "main").split()
    written = [item["revision"] for item in first.items.values() if item["state"] == "Written"]
    assert set(written) <= set(history)
    assert not remote.git("rev-list", "--min-parents=2", "main")
    counted = committed_steps(remote)
    assert set(counted.values()) == {1}
    for team in TEAMS:
        mine = sorted(int(number) for name, number in counted if name.endswith(f"/{team}"))
        assert mine == list(range(1, len(mine) + 1))
    assert workspace.troth("verify", "-s", workspace.store).code == 0
    mark.wait()
    assert not list(temporary.glob("troth-cache-*"))


def test_a_branch_that_was_set_back_stops_every_command_until_it_is_accepted(
    workspace: Workspace,
) -> None:
    for team in TEAMS[:2]:
        workspace.ask(team)
        workspace.sync()
    workspace.git("update-ref", "refs/heads/main", "main~1")
    before = workspace.git("for-each-ref")

    refused = [workspace.sync(), workspace.troth("status", "-s", workspace.store)]
    tried = workspace.troth("stores", "-s", workspace.store)
    looked = workspace.troth(
        *("plan", workspace.promise, "requests", "-s", workspace.store, "--accept-remote")
    )

    for run in refused:
        assert run.code == 1
        assert "troth sync --accept-remote" in run.err
    assert tried.code == 1
    assert "HistoryRewritten" in tried.out
    assert looked.code == 0
    assert workspace.git("for-each-ref") == before

    accepted = workspace.sync("--accept-remote")

    assert accepted.code == 0
    assert {name: item["reason"] for name, item in accepted.items.items()} == {
        "accounts": "UpToDate",
        "billing": "DriftPutBack",
    }
    assert {item["state"] for item in workspace.sync().items.values()} == {"Unchanged"}


def test_records_that_were_deleted_stop_a_sync_until_that_is_accepted(
    workspace: Workspace,
) -> None:
    workspace.ask("payments")
    workspace.sync()
    workspace.git("update-ref", "-d", f"refs/heads/{RECORDS}")

    assert "HistoryRewritten" in workspace.sync().err
    accepted = workspace.sync("--accept-remote")

    assert accepted.code == 0
    assert {item["state"] for item in workspace.sync().items.values()} == {"Unchanged"}


# Refuses files below a folder called "guilty".
NO_GUILT = """
while read old new ref; do
    case $ref in */records/*) continue;; esac
    git log --format= --name-only $new --not --all | grep -q guilty && {
        echo "POLICY-7: this is not allowed here" >&2; exit 1; }
done
exit 0
"""


def test_the_words_of_a_hook_stand_in_the_report_of_the_request_and_the_rest_goes_on(
    workspace: Workspace,
) -> None:
    workspace.ask("payments")
    workspace.sync()
    Remote(workspace.path / workspace.store).hook("pre-receive", NO_GUILT)
    for name in ("accounts", "guilty", "shop"):
        workspace.ask(name)

    run = workspace.sync()

    assert run.code == 1
    assert {name: (item["state"], item["reason"]) for name, item in run.items.items()} == {
        "accounts": ("Written", "Created"),
        "guilty": ("Failed", "StateStoreRefused"),
        "payments": ("Unchanged", "UpToDate"),
        "shop": ("Written", "Created"),
    }
    assert "POLICY-7: this is not allowed here" in str(run.items["guilty"]["message"])


def test_a_sync_that_was_cut_off_between_two_pushes_is_made_good_by_the_next(
    workspace: Workspace,
) -> None:
    workspace.ask("payments")
    workspace.sync()
    remote = Remote(workspace.path / workspace.store)
    remote.git("config", "receive.advertiseAtomic", "false")
    files = remote.tip()
    workspace.ask("payments", size="large")
    workspace.ask("shop")
    workspace.sync()
    whole = remote.files()
    remote.git("update-ref", "refs/heads/main", files)  # as if it had been killed between the two

    run = workspace.sync()

    assert {item["state"] for item in run.items.values()} == {"Unchanged"}
    assert remote.files() == whole
    assert "finishing a push that was cut off" in run.err

"""Budgets through the command: options, variables and annotations, and what a run says of them."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from support.workspace import Run, Workspace

COUNT = 12


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds a request that stays, and many of which none is asked for any more."""
    workspace = Workspace(tmp_path_factory.mktemp("filled"))
    files = [workspace.ask(f"team-{index:02}") for index in range(COUNT)]
    workspace.ask("stays")
    # Named by --source, the folder may be copied: else its own name would count.
    assert workspace.sync("--source", "here").code == 0
    for file in files:
        file.unlink()
    return workspace.path


@pytest.fixture
def filled(prepared: Path, tmp_path: Path) -> Workspace:
    folder = tmp_path / "filled"
    shutil.copytree(prepared, folder)
    (folder / "requests").rename(folder / "kept")  # a new workspace makes its own
    workspace = Workspace(folder)
    (folder / "requests").rmdir()
    (folder / "kept").rename(folder / "requests")
    return workspace


def sync(workspace: Workspace, *arguments: str) -> Run:
    return workspace.sync("--source", "here", *arguments)


def states(run: Run) -> Counter[str]:
    return Counter(str(item["state"]) for item in run.all_items)


def agree(workspace: Workspace, **annotations: str) -> None:
    """A GitStateStore with these annotations, and a Destination in it."""
    marks = {f"troth.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
    workspace.write(
        "platform.yaml",
        f"""apiVersion: platform.kratix.io/v1alpha1
kind: GitStateStore
metadata: {{name: fleet, annotations: {json.dumps(marks)}}}
spec: {{url: "file://{workspace.path}/{workspace.store}"}}
---
apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata: {{name: default}}
spec: {{path: default, stateStoreRef: {{kind: GitStateStore, name: fleet}}}}
""",
    )


def sync_by_object(workspace: Workspace, *arguments: str) -> Run:
    paths = (workspace.promise, "platform.yaml", "requests")
    return workspace.troth("sync", *paths, "-o", "json", "--source", "here", *arguments)


@pytest.mark.parametrize(("allowed", "removed"), [(None, 0), (COUNT - 1, 0), (COUNT, COUNT)])
def test_many_removals_need_an_agreement_to_that_many(
    filled: Workspace, allowed: int | None, removed: int
) -> None:
    run = sync(filled, *([] if allowed is None else ["--allow-deletions", str(allowed)]))

    assert states(run)["Removed"] == removed
    assert run.code == (0 if removed else 1)
    assert removed or f"--allow-deletions {COUNT}" in str(run.items["team-00"]["message"])


def test_a_plan_says_what_would_be_stopped(filled: Workspace) -> None:
    paths = (filled.promise, "requests", "--source", "here")

    run = filled.troth("plan", *paths, "-s", filled.store, "-o", "json")

    assert {str(item["reason"]) for item in run.all_items} == {"DeletionBudget", "UpToDate"}
    assert run.code == 1


@pytest.mark.parametrize("way", ["option", "variable", "annotation"])
def test_the_deletion_budget_can_be_set(filled: Workspace, way: str) -> None:
    agree(filled, **({"deletion_budget": "4,10%"} if way == "annotation" else {}))
    if way == "variable":
        filled.environ["TROTH_DELETION_BUDGET"] = "4,10%"

    run = sync_by_object(filled, *(["--deletion-budget", "4,10%"] if way == "option" else []))

    assert run.items["team-00"]["reason"] == "DeletionBudget"
    assert "more than 4 and more than 10 %" in str(run.items["team-00"]["message"])
    assert states(run)["Removed"] == 0


@pytest.mark.parametrize(("agreed", "removed"), [(COUNT - 1, 0), (COUNT, COUNT)])
def test_an_annotation_on_the_state_store_agrees_to_that_many(
    filled: Workspace, agreed: int, removed: int
) -> None:
    agree(filled, allow_deletions=str(agreed))

    run = sync_by_object(filled)

    assert states(run)["Removed"] == removed
    assert f"agrees to {agreed} removals in every run; take it off when they are done" in run.err
    used = [str(item["name"]) for item in run.all_items if "Take it off now" in str(item)]
    assert used == (["team-00"] if removed else [])


def test_a_state_store_with_an_annotation_that_says_nothing_is_refused(
    filled: Workspace,
) -> None:
    agree(filled, allow_deletions="all of them")

    run = sync_by_object(filled)

    assert run.code == 2
    assert "platform.yaml:" in run.err
    assert "metadata.annotations['troth.dev/allow-deletions']: 'all of them' is no whole" in run.err
    assert len(filled.commits()) == COUNT + 1


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        ("--deletion-budget", "10", "COUNT,PERCENT%"),
        ("--pushes-per-minute", "0", "pushes a minute"),
        ("--push-burst", "0", "x>=1"),
    ],
)
def test_an_option_that_says_nothing_is_wrong_usage(
    workspace: Workspace, option: str, text: str, words: str
) -> None:
    run = workspace.sync(option, text)

    assert run.code == 2
    assert words in run.err
    assert not (workspace.path / workspace.store).exists()


@pytest.mark.parametrize("name", ["TROTH_DELETION_BUDGET", "TROTH_PUSHES_PER_MINUTE"])
def test_a_variable_that_says_nothing_is_wrong_usage(workspace: Workspace, name: str) -> None:
    workspace.environ[name] = "plenty"

    run = workspace.sync()

    assert run.code == 2
    assert f"'{name}'" in run.err
    assert "'plenty' is no" in run.err


def test_a_run_says_that_it_waits_for_the_push_budget(workspace: Workspace) -> None:
    workspace.ask("payments")
    agree(workspace, pushes_per_minute="30", push_burst="1")
    workspace.sync()
    # The revision of the Promise that nothing uses any more is forgotten in a push of its own.
    text = (workspace.path / workspace.promise).read_text()
    workspace.write(workspace.promise, text.replace("v0.1.0", "v0.2.0"))

    run = sync_by_object(workspace)

    assert run.code == 0
    assert re.search(
        r"^Waiting [12] s for the push budget of the state store\.$", run.err, re.MULTILINE
    )
    assert json.loads(run.out)["kind"] == "SyncReport"


def test_without_a_budget_no_run_on_this_machine_waits(filled: Workspace) -> None:
    run = sync(filled, "--allow-deletions", str(COUNT))

    assert "Waiting" not in run.err

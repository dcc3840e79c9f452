"""Drills: what is absent because something went wrong is not removed, and that is said.

In each a request was taken away on purpose, and in the same moment something happens to the
others. Nothing goes, the report tells why, and once all is well again the one that was taken away
goes, and it alone.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.workspace import Run, Workspace

NAMES = ("gone", "beside", "other")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds three requests, which lie in two folders; one has been taken away."""
    workspace = Workspace(tmp_path_factory.mktemp("prepared"))
    for name in NAMES:
        workspace.ask(name)
    (workspace.path / "requests" / "far").mkdir()
    (workspace.path / "requests" / "other.yaml").rename(
        workspace.path / "requests" / "far" / "other.yaml"
    )
    assert sync(workspace).code == 0
    (workspace.path / "requests" / "gone.yaml").unlink()
    return workspace.path


@pytest.fixture
def drill(prepared: Path, tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path)
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return workspace


def sync(workspace: Workspace, *arguments: str, paths: tuple[str, ...] = ("requests",)) -> Run:
    # Named by --source, the folder may be copied: else its own name would count.
    given = (workspace.promise, *paths, "-s", workspace.store, "--source", "here")
    return workspace.troth("sync", *given, *(arguments or ("-o", "json")))


def fates(run: Run) -> dict[str, tuple[str, str]]:
    found = {str(one["name"]): (str(one["state"]), str(one["reason"])) for one in run.all_items}
    return {name: found[name] for name in NAMES if name in found}


Harm = Callable[[Workspace], Callable[[], object]]
"""Does harm to the inputs, and returns what undoes it."""


def _instead(workspace: Workspace, text: str) -> Callable[[], object]:
    path = workspace.path / "requests" / "beside.yaml"
    whole = path.read_text()
    path.write_text(text)
    return lambda: path.write_text(whole)


def a_file_is_broken(workspace: Workspace) -> Callable[[], object]:
    return _instead(workspace, "apiVersion: v1\nkind: [\n")


def a_file_is_empty(workspace: Workspace) -> Callable[[], object]:
    return _instead(workspace, "")


def a_file_was_cut_off_in_its_first_line(workspace: Workspace) -> Callable[[], object]:
    return _instead(workspace, (workspace.path / "requests/beside.yaml").read_text()[:14])


def a_file_was_cut_off_before_its_name(workspace: Workspace) -> Callable[[], object]:
    whole = (workspace.path / "requests/beside.yaml").read_text()
    return _instead(workspace, whole[: whole.index("metadata:")])


def a_file_was_cut_off_in_a_letter(workspace: Workspace) -> Callable[[], object]:
    path = workspace.path / "requests" / "beside.yaml"
    whole = path.read_bytes()
    path.write_bytes("# Ü".encode()[:-1])
    return lambda: path.write_bytes(whole)


def a_file_holds_a_tag_that_no_value_fits(workspace: Workspace) -> Callable[[], object]:
    return _instead(workspace, "kind: !!timestamp never\n")


def a_link_leads_nowhere(workspace: Workspace) -> Callable[[], object]:
    path = workspace.path / "requests" / "beside.yaml"
    whole = path.read_text()
    path.unlink()
    path.symlink_to("nowhere.yaml")

    def mend() -> None:
        path.unlink()
        path.write_text(whole)

    return mend


def a_folder_is_a_link(workspace: Workspace) -> Callable[[], object]:
    folder, elsewhere = workspace.path / "requests" / "far", workspace.path / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)

    def mend() -> None:
        folder.unlink()
        elsewhere.rename(folder)

    return mend


def a_pipe_lies_in_the_folder(workspace: Workspace) -> Callable[[], object]:
    path = workspace.path / "requests" / "pipe.yaml"
    os.mkfifo(path)
    return path.unlink


def _without_permission(path: Path) -> Callable[[], object]:
    mode = path.stat().st_mode
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("platform: to the superuser nothing is forbidden")
    return lambda: path.chmod(mode)


def a_file_may_not_be_read(workspace: Workspace) -> Callable[[], object]:
    return _without_permission(workspace.path / "requests" / "beside.yaml")


def a_folder_may_not_be_read(workspace: Workspace) -> Callable[[], object]:
    return _without_permission(workspace.path / "requests" / "far")


HARMS: list[Harm] = [
    a_file_is_broken,
    a_file_is_empty,
    a_file_was_cut_off_in_its_first_line,
    a_file_was_cut_off_before_its_name,
    a_file_was_cut_off_in_a_letter,
    a_file_holds_a_tag_that_no_value_fits,
    a_link_leads_nowhere,
    a_folder_is_a_link,
    a_pipe_lies_in_the_folder,
    a_file_may_not_be_read,
    a_folder_may_not_be_read,
]


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: str(harm.__name__))
def test_nothing_is_removed_while_something_cannot_be_read(drill: Workspace, harm: Harm) -> None:
    before = drill.git("rev-parse", "main")
    mend = harm(drill)

    harmed = sync(drill)
    unharmed = drill.git("rev-parse", "main")
    mend()
    whole = sync(drill)

    assert unharmed == before
    assert fates(harmed)["gone"] == ("Orphaned", "IncompleteRun")
    assert all(state != "Removed" for state, _ in fates(harmed).values())
    assert fates(whole) == {
        "gone": ("Removed", "Removed"),
        "beside": ("Unchanged", "UpToDate"),
        "other": ("Unchanged", "UpToDate"),
    }


def test_a_table_says_too_that_nothing_is_removed_and_not_with_prune_either(
    drill: Workspace,
) -> None:
    a_file_is_broken(drill)

    run = sync(drill, "--prune")

    assert run.code == 1
    assert "requests/beside.yaml:3:" in run.out
    assert "gone: no longer found, but not everything could be read in this run" in run.out
    assert "1 refused, 2 orphaned" in run.out


def hidden(folder: Path) -> Callable[[], object]:
    """Let a folder be empty, as one is whose volume was not mounted."""
    away = folder.with_name("away")
    folder.rename(away)
    folder.mkdir()

    def mend() -> None:
        folder.rmdir()
        away.rename(folder)

    return mend


def test_nothing_is_removed_while_the_folder_is_not_mounted(drill: Workspace) -> None:
    before = drill.git("rev-parse", "main")
    mend = hidden(drill.path / "requests")

    as_json, as_table = sync(drill), sync(drill, "-o", "table")
    unharmed = drill.git("rev-parse", "main")
    mend()
    whole = sync(drill)

    assert unharmed == before
    assert set(fates(as_json).values()) == {("Orphaned", "OtherRoots")}
    assert "here/requests, which this run did not read or found empty" in as_table.out
    assert "3 orphaned." in as_table.out
    assert fates(whole)["gone"] == ("Removed", "Removed")


def test_a_folder_that_is_not_there_is_wrong_usage(drill: Workspace) -> None:
    before = drill.git("rev-parse", "main")
    (drill.path / "requests").rename(drill.path / "away")

    run = sync(drill)

    assert run.code == 2
    assert "'requests' does not exist" in run.err
    assert drill.git("rev-parse", "main") == before


def test_nothing_is_removed_in_a_run_over_half_of_the_inputs(drill: Workspace) -> None:
    before = drill.git("rev-parse", "main")

    half = sync(drill, paths=("requests/far",))
    as_table = sync(drill, "-o", "table", paths=("requests/far",))

    assert drill.git("rev-parse", "main") == before
    assert half.code == 0
    assert fates(half) == {
        "gone": ("Orphaned", "OtherRoots"),
        "beside": ("Orphaned", "OtherRoots"),
        "other": ("Unchanged", "UpToDate"),
    }
    assert "2 orphaned" in as_table.out
    assert "here/requests, which this run did not read" in as_table.out


def test_after_a_run_over_half_of_the_inputs_only_both_halves_are_the_whole(
    drill: Workspace,
) -> None:
    sync(drill, paths=("requests/far",))
    (drill.path / "requests" / "far" / "other.yaml").unlink()

    whole = sync(drill)

    assert fates(whole)["gone"] == ("Removed", "Removed")
    assert fates(whole)["other"] == ("Removed", "Removed")


def test_requests_stay_while_their_promise_cannot_be_read(drill: Workspace) -> None:
    text = (drill.path / drill.promise).read_text()
    drill.write(drill.promise, text[: text.index("openAPIV3Schema") + 5])

    harmed = sync(drill)
    drill.write(drill.promise, text)
    whole = sync(drill)

    assert fates(harmed)["gone"] == ("Orphaned", "IncompleteRun")
    assert all(state != "Removed" for state, _ in fates(harmed).values())
    assert fates(whole)["gone"] == ("Removed", "Removed")


def test_another_inventory_in_the_store_keeps_what_is_its_own(drill: Workspace) -> None:
    drill.write("theirs/mine.yaml", (drill.path / "requests/beside.yaml").read_text().replace(
        "beside", "mine"
    ))  # fmt: skip
    given = ("--inventory", "theirs", "-o", "json", "--prune", "--allow-deletions", "99")
    files = drill.git("ls-tree", "-r", "--name-only", "main").splitlines()
    sync(drill, *given, paths=("theirs",))
    (drill.path / "theirs" / "mine.yaml").unlink()
    drill.write("theirs/again.yaml", (drill.path / "requests/beside.yaml").read_text().replace(
        "beside", "again"
    ))  # fmt: skip

    theirs = sync(drill, *given, paths=("theirs",))
    held = drill.git("ls-tree", "-r", "--name-only", "main").splitlines()
    ours = sync(drill)

    assert {str(one["name"]): one["state"] for one in theirs.all_items} == {
        "mine": "Removed",
        "again": "Written",
    }
    assert set(files) <= set(held)
    assert fates(ours)["gone"] == ("Removed", "Removed")
    assert "again" not in ours.items


def test_a_request_of_another_inventory_is_not_taken_over(drill: Workspace) -> None:
    before = drill.git("rev-parse", "main")

    run = sync(drill, "--inventory", "theirs", "-o", "json")

    assert run.code == 1
    assert fates(run) == {
        "beside": ("Refused", "OtherInventory"),
        "other": ("Refused", "OtherInventory"),
    }
    assert drill.git("rev-parse", "main") == before

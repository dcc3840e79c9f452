"""Edited files: where a store has a history, just those are named."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from support.git_platform import GitPlatform, two_stores
from support.platform import Platform, config_map, destination, request
from support.repositories import git as run

from troth.api import Layout, RequestKey, dump_documents
from troth.engine.edited import tell_edited
from troth.engine.history import Past
from troth.engine.proof import Flaw, Problem
from troth.engine.stale import tell_stale
from troth.engine.verify import verify
from troth.runners import StageJob, StageResult
from troth_statestore.git import GitSettings, GitStore

ONE = RequestKey("team", "thing", "one")
NESTED = "cluster/resources/team/thing/one/configure/5058f/"


def four_files(job: StageJob) -> StageResult:
    """Writes one file that follows the spec, and three that never change."""
    spec, name = job.object["spec"], job.environ["KRATIX_OBJECT_NAME"]
    assert isinstance(spec, dict)
    values = {"a": str(spec["value"]), "b": "x", "c": "x", "d": "x"}
    return StageResult(
        {f"{name}-{letter}.yaml": dump_documents([config_map(f"{name}-{letter}", value=value)])
         for letter, value in values.items()}
    )  # fmt: skip


def lived_in(folder: Path, exits: ExitStack, layout: Layout = Layout.NESTED) -> GitPlatform:
    made = GitPlatform.make(folder, exits, Platform)
    made.platform.stages["configure"] = four_files
    made.platform.destinations = [destination("cluster", layout=layout)]
    for value in "ab":
        made.platform.sync(request(value=value), request("two", value=value))
    return made


@pytest.fixture
def git(tmp_path: Path, exits: ExitStack) -> GitPlatform:
    return lived_in(tmp_path, exits)


def problems(past: Past, key: RequestKey = ONE) -> list[Problem]:
    proofs = tell_edited(tell_stale(verify(past.ledger, past.world), past), past)
    [found] = [proof.problems for proof in proofs if proof.key == key]
    return list(found)


def drifted(git: GitPlatform, key: RequestKey = ONE) -> tuple[str, ...]:
    [problem] = [one for one in problems(git.past, key) if one.flaw is Flaw.DRIFTED]
    return problem.paths


def edit(git: GitPlatform, *paths: str, store: str = "") -> None:
    """Add a comment to files as a person does."""
    there = git.remotes[store].files("main")
    git.push({path: f"{there[path]}# edited\n" for path in paths}, store=store)


@pytest.mark.parametrize("names", ["a", "b", "bd", "abcd"])
def test_just_the_edited_files_of_a_request_are_named(git: GitPlatform, names: str) -> None:
    edited = tuple(f"{NESTED}one-{name}.yaml" for name in names)
    edit(git, *edited)

    assert drifted(git) == edited


def test_the_commit_that_has_them_as_they_were_is_named(git: GitPlatform) -> None:
    wrote = next(step.commit.revision for step in git.past.of(ONE))
    edit(git, f"{NESTED}one-a.yaml")

    [problem] = problems(git.past)

    assert problem.message == f"not as commit {wrote[:12]} left them: 1 of its 4 files."


def test_an_edit_of_an_edit_is_held_against_what_was_written(git: GitPlatform) -> None:
    for _ in range(2):
        edit(git, f"{NESTED}one-b.yaml")

    assert drifted(git) == (f"{NESTED}one-b.yaml",)


def test_what_was_edited_before_the_newest_output_was_put_back_by_it(git: GitPlatform) -> None:
    edit(git, f"{NESTED}one-b.yaml", f"{NESTED}one-c.yaml")
    git.platform.sync(request(value="c"), request("two", value="b"))
    edit(git, f"{NESTED}one-c.yaml")

    assert drifted(git) == (f"{NESTED}one-c.yaml",)


def test_an_output_that_came_again_is_looked_up_where_it_came_last(git: GitPlatform) -> None:
    git.platform.sync(request(value="a"), request("two", value="b"))
    edit(git, f"{NESTED}one-a.yaml")

    assert drifted(git) == (f"{NESTED}one-a.yaml",)


def test_a_missing_file_does_not_hide_which_of_the_others_were_edited(git: GitPlatform) -> None:
    edit(git, f"{NESTED}one-a.yaml")
    remove(git, f"{NESTED}one-b.yaml")

    found = {one.flaw: one.paths for one in problems(git.past)}

    assert found[Flaw.MISSING_FILE] == (f"{NESTED}one-b.yaml",)
    assert found[Flaw.DRIFTED] == (f"{NESTED}one-a.yaml",)


def test_beside_a_missing_file_the_others_are_proved(git: GitPlatform) -> None:
    remove(git, f"{NESTED}one-b.yaml")

    assert Flaw.DRIFTED not in {one.flaw for one in problems(git.past)}


def remove(git: GitPlatform, path: str) -> None:
    clone = git.clones[""].folder
    run("-C", clone, "fetch", "-q", "origin")
    run("-C", clone, "checkout", "-q", "-f", "-B", "main", "origin/main")
    run("-C", clone, "rm", "-q", path)
    run("-C", clone, "commit", "-q", "-m", "Remove it")
    run("-C", clone, "push", "-q", "origin", "main")


def test_an_extra_file_is_not_called_edited(git: GitPlatform) -> None:
    git.push({f"{NESTED}more.yaml": "{}\n"})
    edit(git, f"{NESTED}one-a.yaml")

    found = {one.flaw: one.paths for one in problems(git.past)}

    assert found[Flaw.EXTRA_FILE] == (f"{NESTED}more.yaml",)
    assert found[Flaw.DRIFTED] == (f"{NESTED}one-a.yaml",)


def test_a_file_that_became_a_program_is_named_with_the_edited_ones(git: GitPlatform) -> None:
    edit(git, f"{NESTED}one-a.yaml")
    clone = git.clones[""].folder
    run("-C", clone, "update-index", "--chmod=+x", f"{NESTED}one-b.yaml")
    run("-C", clone, "commit", "-q", "-m", "Make it a program")
    run("-C", clone, "push", "-q", "origin", "main")

    [problem] = [one for one in problems(git.past) if one.flaw is Flaw.DRIFTED]

    assert problem.paths == (f"{NESTED}one-a.yaml", f"{NESTED}one-b.yaml")
    assert "2 of its 4 files; no plain files any more, but links or executable: 1" in (
        problem.message
    )


@pytest.mark.parametrize("layout", list(Layout))
def test_in_every_layout_the_edited_file_is_named(
    tmp_path: Path, exits: ExitStack, layout: Layout
) -> None:
    git = lived_in(tmp_path, exits, layout)
    there = git.remotes[""].files("main")
    [file] = [path for path, text in there.items() if "name: one-b" in text]
    git.push({file: there[file].replace("name: one-b\n", "name: one-b # edited\n")})

    [place] = drifted(git)

    assert place.startswith(file)
    assert place.endswith("/one-b.yaml")


def test_shared_files_are_read_a_bounded_number_of_times(tmp_path: Path, exits: ExitStack) -> None:
    git = lived_in(tmp_path, exits, Layout.AGGREGATED)
    there = git.remotes[""].files("main")
    [file] = [path for path, text in there.items() if "name: one-b" in text]
    git.push({file: there[file].replace("-b\n", "-b # edited\n")})
    past = git.past

    proofs = tell_edited(verify(past.ledger, past.world), past, reads=1)

    named = [len(one.paths) for proof in proofs for one in proof.problems]
    assert named == [1, 4]


def test_commits_of_whole_flushes_tell_as_well(git: GitPlatform, exits: ExitStack) -> None:
    store = GitStore(str(git.remotes[""].folder), settings=GitSettings(one_commit_a_flush=True))
    exits.callback(store.close)
    git.platform.store = store
    git.platform.sync(request(value="c"), request("two", value="c"))
    edit(git, f"{NESTED}one-b.yaml", f"{NESTED.replace('one', 'two')}two-a.yaml")

    assert drifted(git) == (f"{NESTED}one-b.yaml",)
    assert drifted(git, RequestKey("team", "thing", "two")) == (
        f"{NESTED.replace('one', 'two')}two-a.yaml",
    )


def test_a_branch_that_was_merged_later_does_not_confuse(
    git: GitPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, clone = f"{NESTED}one-b.yaml", git.clones[""]
    content = git.remotes[""].git("cat-file", "blob", f"main:{path}")
    # The log goes by date, so what a branch did may stand below commits that never saw it.
    for year, text in ((2001, "edited: true\n"), (2002, f"{content}\n")):
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"{year}-01-01T00:00:00Z")
        git.push({path: text})
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2003-01-01T00:00:00Z")
    run("-C", clone.folder, "checkout", "-q", "-b", "side")
    (clone.folder / path).write_text("merged: true\n")
    run("-C", clone.folder, "commit", "-q", "-a", "-m", "On a branch")
    monkeypatch.delenv("GIT_COMMITTER_DATE")
    git.platform.sync(request(value="c"), request("two", value="b"))
    run("-C", clone.folder, "fetch", "-q", "origin")
    run("-C", clone.folder, "checkout", "-q", "-B", "main", "origin/main")
    run("-C", clone.folder, "merge", "-q", "--no-ff", "-m", "Merge it", "side")
    run("-C", clone.folder, "push", "-q", "origin", "main")

    assert drifted(git) == (path,)


def test_of_several_stores_each_is_held_against_its_own_commit(
    tmp_path: Path, exits: ExitStack
) -> None:
    git = two_stores(tmp_path, exits)
    git.platform.sync(request(value="a", colour="a"))
    git.platform.sync(request(value="b", colour="a"))
    far = [path for path in git.remotes["other"].files("main") if path.endswith("far.yaml")]
    edit(git, *far, store="other")

    assert drifted(git) == tuple(f"other:{path}" for path in far)


def test_a_receipt_that_somebody_else_wrote_proves_nothing(git: GitPlatform) -> None:
    newest = git.past.of(ONE)[0].commit
    git.push({f"{NESTED}one-b.yaml": "edited: true\n"}, newest.message)

    [problem] = [one for one in problems(git.past) if one.flaw is Flaw.DRIFTED]

    assert len(problem.paths) == 4
    assert "cannot tell which" in problem.message


def test_without_a_history_of_every_store_it_is_not_told(tmp_path: Path, exits: ExitStack) -> None:
    git = two_stores(tmp_path, exits)
    git.platform.sync(request(value="a", colour="a"))
    far = [path for path in git.remotes["other"].files("main") if path.endswith("far.yaml")]
    edit(git, *far, store="other")
    past = git.past

    halved = replace(past, histories={"main": past.histories["main"]})

    [problem] = [one for one in problems(halved) if one.flaw is Flaw.DRIFTED]
    assert "cannot tell which" in problem.message


def test_where_all_is_proved_no_history_is_asked(git: GitPlatform) -> None:
    past = replace(git.past, histories={})

    assert problems(past) == []

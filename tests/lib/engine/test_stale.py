"""Stale records: what was set back is the record, not the files."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from support.git_platform import GitPlatform, two_stores
from support.platform import Platform, destination, request
from support.repositories import RECORDS
from support.repositories import git as run

from troth.api import Layout, RequestKey
from troth.engine.proof import Flaw, Proof, Verdict
from troth.engine.rollback import roll_back
from troth.engine.stale import tell_stale
from troth.engine.verify import verify
from troth_statestore.git import GitSettings, GitStore

ONE = RequestKey("team", "thing", "one")
FILE = "cluster/resources/team/thing/one/configure/5058f/objects.yaml"


@pytest.fixture
def git(git: GitPlatform) -> GitPlatform:
    for value in "ab":
        git.platform.sync(request(value=value))
    return git


def set_back(git: GitPlatform, branch: str = RECORDS, store: str = "", commits: int = 1) -> None:
    """Undo the newest commits of a branch by one on top, as a person does."""
    clone = git.clones[store].folder
    run("-C", clone, "fetch", "-q", "origin")
    run("-C", clone, "checkout", "-q", "-f", "--detach", f"origin/{branch}")
    run("-C", clone, "revert", "--no-edit", f"HEAD~{commits}..HEAD")
    run("-C", clone, "push", "-q", "origin", f"HEAD:{branch}")


def prove(git: GitPlatform) -> dict[RequestKey, Proof]:
    past = git.past
    proofs = tell_stale(verify(past.ledger, past.world), past)
    return {proof.key: proof for proof in proofs if proof.verdict is Verdict.NOT_PROVED}


def flaws(git: GitPlatform, key: RequestKey = ONE) -> list[Flaw]:
    return [problem.flaw for problem in prove(git)[key].problems]


def test_a_record_that_was_set_back_is_stale_and_its_commit_is_named(git: GitPlatform) -> None:
    set_back(git)

    [problem] = prove(git)[ONE].problems

    assert problem.flaw is Flaw.STALE_RECORD
    assert git.tip()[:12] in problem.message


def test_in_a_file_that_requests_share_a_stale_record_is_told_too(
    tmp_path: Path, exits: ExitStack
) -> None:
    git = GitPlatform.make(tmp_path, exits, Platform)
    git.platform.destinations = [destination("cluster", layout=Layout.AGGREGATED)]
    for value in "ab":
        git.platform.sync(request(value=value))
    set_back(git)

    assert flaws(git) == [Flaw.STALE_RECORD]


def test_files_that_a_stale_record_does_not_name_are_not_called_extra(git: GitPlatform) -> None:
    git.platform.sync(request(value="b"), request("two", value="x"))
    git.platform.sync(request(value="c"), request("two", value="x"))
    set_back(git)

    assert list(prove(git)) == [ONE]
    assert flaws(git) == [Flaw.STALE_RECORD]


def test_an_edit_by_hand_is_no_stale_record(git: GitPlatform) -> None:
    git.push({FILE: "edited: true\n"})

    assert Flaw.STALE_RECORD not in flaws(git)
    assert Flaw.DRIFTED in flaws(git)


def test_an_edit_over_a_stale_record_is_an_edit(git: GitPlatform) -> None:
    git.push({FILE: "edited: true\n"})
    set_back(git)

    assert Flaw.STALE_RECORD not in flaws(git)


def test_files_that_were_set_back_are_no_stale_record(git: GitPlatform) -> None:
    set_back(git, "main")

    assert flaws(git) == [Flaw.REVERTED]


def test_a_branch_of_files_that_was_set_back_is_no_stale_record(
    git: GitPlatform, exits: ExitStack
) -> None:
    remote = git.remotes[""]
    remote.git("update-ref", "refs/heads/main", "main~1")
    accepting = GitSettings(accept_remote=True)
    git.platform.store = GitStore(str(remote.folder), settings=accepting)
    exits.callback(git.platform.store.close)

    assert flaws(git) == [Flaw.REVERTED]


def test_a_rollback_is_no_stale_record(git: GitPlatform) -> None:
    git.hand_over(roll_back(git.past, ONE, [git.remotes[""].git("rev-parse", "main~1")]).change)

    assert flaws(git) == [Flaw.REVERTED]


def test_a_record_of_an_output_that_came_again_is_stale(git: GitPlatform) -> None:
    git.platform.sync(request(value="a"))
    set_back(git)

    assert flaws(git) == [Flaw.STALE_RECORD]


def test_many_stale_records_are_told_apart_from_the_others(git: GitPlatform) -> None:
    many = [request(f"r{number}", value="x") for number in range(201)]
    git.platform.sync(*many, request(value="b"))
    git.push({FILE: "edited: true\n"})
    git.platform.sync(*(request(one.request.name, value="y") for one in many))
    set_back(git)

    found = prove(git)

    stale = [key for key, proof in found.items() if proof.problems[0].flaw is Flaw.STALE_RECORD]
    assert len(stale) == 201
    assert ONE not in stale


def test_a_promise_has_a_stale_record_too(git: GitPlatform) -> None:
    for value in "xy":
        raw = git.platform.promises[0].raw
        spec = raw["spec"]
        assert isinstance(spec, dict)
        manifest = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "base", "namespace": "team"},
            "data": {"value": value},
        }
        changed = {**raw, "spec": {**spec, "dependencies": [manifest]}}
        git.platform.promises = [type(git.platform.promises[0]).parse(changed)]
        git.platform.sync(request(value="b"))
    set_back(git, commits=2)

    assert Flaw.STALE_RECORD in flaws(git, RequestKey.of_promise("thing"))


def test_of_several_stores_the_newest_commit_of_any_tells(tmp_path: Path, exits: ExitStack) -> None:
    git = two_stores(tmp_path, exits)
    git.platform.sync(request(value="a", colour="a"))
    git.platform.sync(request(value="b", colour="a"))
    home = next(name for name, one in git.remotes.items() if one.has(RECORDS) and any(
        "requests/" in path for path in one.files(RECORDS)))  # fmt: skip
    set_back(git, store=home)

    assert flaws(git) == [Flaw.STALE_RECORD]


def test_where_there_is_no_history_it_stays_drifted() -> None:
    platform = Platform()
    platform.sync(request(value="a"))
    platform.tamper({FILE: b"edited: true\n"})
    git = GitPlatform(platform, {}, {})

    assert Flaw.DRIFTED in flaws(git)

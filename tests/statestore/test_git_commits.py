"""Commit objects, made with and without a signature: the same in all else."""

import re
from pathlib import Path

import pytest
from support.repositories import Remote
from support.signing_keys import make_key

from troth_statestore.git import Author
from troth_statestore.git._command import GitCommand
from troth_statestore.git._commits import Maker, make_commits
from troth_statestore.git._fast_import import Commit, Growth
from troth_statestore.git._sshsig import SigningKey


@pytest.fixture
def git(remote: Remote) -> GitCommand:
    return GitCommand(remote.folder, timeout=60)


@pytest.fixture
def signing(tmp_path: Path) -> Maker:
    key = SigningKey.parse(make_key(tmp_path / "key").file.read_bytes())
    return Maker(Author(), 1_700_000_000, key)


PLAIN = Maker(Author(), 1_700_000_000, None)


def one(name: str) -> Commit:
    return Commit(f"Write {name}\n", {name: name.encode()}, [])


def unsigned(remote: Remote, commit: str) -> str:
    return re.sub(r"gpgsig (.*\n )*.*\n", "", remote.git("cat-file", "commit", commit))


def test_a_signature_is_all_that_is_added_to_a_commit(
    remote: Remote, git: GitCommand, signing: Maker
) -> None:
    growth = Growth(None, [one("a")])

    [[plain]] = make_commits(git, [growth], PLAIN)
    [[signed]] = make_commits(git, [growth], signing)

    assert unsigned(remote, signed) == unsigned(remote, plain)
    assert signed != plain


@pytest.mark.parametrize("kind", ["plain", "signed"])
def test_the_first_commit_of_a_growth_may_have_a_second_parent(
    remote: Remote, git: GitCommand, signing: Maker, kind: str
) -> None:
    maker = PLAIN if kind == "plain" else signing
    [[first], [second]] = make_commits(
        git, [Growth(None, [one("a")]), Growth(None, [one("b")])], maker
    )

    [[merged, after]] = make_commits(git, [Growth(first, [one("c"), one("d")], also=second)], maker)

    assert remote.git("rev-list", "--parents", "--max-count=1", after).split() == [after, merged]
    assert remote.git("rev-list", "--parents", "--max-count=1", merged).split() == [
        merged,
        first,
        second,
    ]
    assert remote.git("ls-tree", "--name-only", after).split() == ["a", "c", "d"]


@pytest.mark.parametrize("kind", ["plain", "signed"])
def test_no_ref_is_left_behind(remote: Remote, git: GitCommand, signing: Maker, kind: str) -> None:
    make_commits(git, [Growth(None, [one("a")])], PLAIN if kind == "plain" else signing)

    assert remote.git("for-each-ref") == ""

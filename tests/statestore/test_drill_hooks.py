"""A remote whose hooks refuse: all of it, one branch of it, or one request among many."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.certificates import Certificates
from support.git_http import serve_git
from support.repositories import RECORDS, OpenStore, Remote, git

from troth.errors import WriteRefusedError
from troth_statestore import ChangeSet, Outcome
from troth_statestore.flusher import Flusher
from troth_statestore.git import BasicLogin, GitSettings, GitStore

# Refuses pushes whose commits change a path that holds `guilty`, and counts them all.
NO_GUILT = """
echo x >> attempts
while read old new ref; do
    case $ref in */records/*) continue;; esac
    git log --format= --name-only $new --not --all | grep guilty > paths && {
        echo "POLICY-7: $(head -1 paths) is not allowed here" >&2; exit 1; }
done
exit 0
"""


def one(key: str) -> ChangeSet:
    return ChangeSet(key, None, {f"{key}/f": b"1"}, record=b"1", title=f"Update {key}")


@pytest.fixture
def store(open_store: OpenStore) -> GitStore:
    return open_store()


@pytest.fixture
def flusher(store: GitStore) -> Iterator[Flusher]:
    flusher = Flusher(store)
    yield flusher
    flusher.close()


def attempts(remote: Remote) -> int:
    return len((remote.folder / "attempts").read_text().splitlines())


def outcomes(flusher: Flusher, keys: Sequence[str]) -> dict[str, Outcome | str]:
    """Hand in a change set for each key; return its outcome, or the words of the refusal."""
    futures = flusher.submit_all([one(key) for key in keys])
    found: dict[str, Outcome | str] = {}
    for key, future in zip(keys, futures, strict=True):
        error = future.exception(120)
        found[key] = str(error) if error is not None else future.result().outcome
    return found


@pytest.mark.parametrize(
    "guilty",
    [{0}, {99}, {41}, {0, 99}, {40, 41}, {3, 30, 60, 90}],
    ids=lambda one: str(sorted(one)),
)
def test_what_a_hook_refuses_fails_alone_and_carries_its_words(
    remote: Remote, flusher: Flusher, guilty: set[int]
) -> None:
    remote.hook("pre-receive", NO_GUILT)
    keys = [f"{number:03}{'-guilty' if number in guilty else ''}" for number in range(100)]

    found = outcomes(flusher, keys)

    for key in keys:
        if "guilty" in key:
            assert f"POLICY-7: {key}/f is not allowed here" in str(found[key])
        else:
            assert found[key] is Outcome.WRITTEN
    innocent = [key for key in keys if "guilty" not in key]
    assert sorted(remote.files(RECORDS)) == innocent
    assert sorted(remote.subjects()) == [f"Update {key}" for key in innocent]
    assert attempts(remote) <= 64


@dataclass
class Password:
    name: str = "a password"

    def read(self) -> BasicLogin:
        return BasicLogin("open sesame", "team")


def test_what_a_hook_refuses_fails_alone_where_one_has_to_log_in(
    tmp_path: Path, remote: Remote, open_store: OpenStore
) -> None:
    made = Certificates.make(tmp_path / "certificates")
    users = {"team": "open sesame"}
    with serve_git(remote.folder.parent, tls=made.good, users=users) as host:
        remote.hook("pre-receive", NO_GUILT)
        settings = GitSettings(credentials=Password(), ca_file=made.bundle)
        flusher = Flusher(open_store(host.url(remote.folder.name), settings=settings))

        found = outcomes(flusher, ["a", "b-guilty", "c"])
        flusher.close()

    assert (found["a"], found["c"]) == (Outcome.WRITTEN, Outcome.WRITTEN)
    assert "POLICY-7: b-guilty/f is not allowed here" in str(found["b-guilty"])
    assert "It was tried with a password." in str(found["b-guilty"])


def test_when_nothing_is_let_in_that_is_found_out_soon(remote: Remote, flusher: Flusher) -> None:
    remote.hook(
        "pre-receive", "echo x >> attempts; cat > /dev/null; echo 'no pushes today' >&2; exit 1"
    )

    found = outcomes(flusher, [f"{number:04}" for number in range(1000)])

    assert all("no pushes today" in str(words) for words in found.values())
    assert attempts(remote) <= 20
    assert not remote.has("main")


@pytest.mark.parametrize("branch", ["main", RECORDS])
def test_a_branch_that_is_protected_keeps_the_other_as_it_is(
    remote: Remote, store: GitStore, branch: str
) -> None:
    store.commit([one("a")])
    before = remote.git("for-each-ref")
    remote.hook("update", f'[ "$1" != "refs/heads/{branch}" ] || {{ echo protected >&2; exit 1; }}')

    with pytest.raises(WriteRefusedError, match="refused the push: protected"):
        store.commit([one("b")])

    assert remote.git("for-each-ref") == before
    remote.hook("update", "exit 0")
    [receipt] = store.commit([one("b")])
    assert receipt.revision == remote.tip()


def test_what_is_refused_whatever_is_written_is_not_tried_in_parts(
    tmp_path: Path, open_store: OpenStore
) -> None:
    git("init", "-q", "-b", "main", tmp_path / "worktree")
    git("-C", tmp_path / "worktree", "commit", "-q", "--allow-empty", "-m", "Begin")
    remote = Remote(tmp_path / "worktree/.git")
    remote.hook("pre-receive", "echo x >> attempts")
    flusher = Flusher(open_store(str(tmp_path / "worktree")))

    found = outcomes(flusher, ["a", "b", "c", "d"])

    assert all("branch is currently checked out" in str(words) for words in found.values())
    assert attempts(remote) == 1
    flusher.close()

"""A host that takes no two branches at once: records first, then files, and the same promises."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from support.repositories import RECORDS, Clone, OpenStore, Remote

from troth.errors import StoreError, TransientError, WriteRefusedError
from troth_statestore import ChangeSet, Outcome
from troth_statestore.git import GitSettings


@pytest.fixture(params=[True, False], ids=["borrowing", "fetching"])
def settings(request: pytest.FixtureRequest) -> GitSettings:
    return GitSettings(borrow=bool(request.param))


@pytest.fixture
def remote(remote: Remote) -> Remote:
    remote.git("config", "receive.advertiseAtomic", "false")
    return remote


def one(key: str, version: str | None = None, content: bytes = b"1") -> ChangeSet:
    return ChangeSet(key, version, {f"{key}/f": content}, record=content, title=f"Update {key}")


CHILD = """
    import sys
    from troth_statestore import ChangeSet
    from troth_statestore.git import GitSettings, GitStore

    store = GitStore(sys.argv[1], settings=GitSettings(borrow=sys.argv[2] == "True"))
    records = store.snapshot().records()
    removed = ChangeSet("a", records["a"][1], delete=frozenset({"a/f"}), title="Remove a")
    changed = ChangeSet("b", records["b"][1], {"b/f": b"2"}, record=b"2", title="Update b")
    made = ChangeSet("c", None, {"c/f": b"1"}, record=b"1", title="Update c")
    store.commit([removed, changed, made])
"""

# Kills the writer once the records are there and before its files are.
KILL = """
while read old new ref; do
    case $ref in */records/*) kill -9 -$(cat writer);; esac
done
"""


def cut_off(remote: Remote, settings: GitSettings) -> None:
    """Let a writer remove a, change b and make c, and be killed between the two pushes."""
    remote.hook("post-receive", KILL)
    child = subprocess.Popen(
        [
            *(sys.executable, "-c", "import sys; sys.stdin.read(1); exec(sys.argv.pop(1))"),
            *(textwrap.dedent(CHILD), str(remote.folder), str(settings.borrow)),
        ],
        stdin=subprocess.PIPE,
        env={**os.environ},
        start_new_session=True,
    )
    (remote.folder / "writer").write_text(str(child.pid))
    child.communicate(b"x", timeout=60)
    assert child.returncode == -signal.SIGKILL
    remote.hook("post-receive", "exit 0")


@pytest.fixture
def half(remote: Remote, open_store: OpenStore, settings: GitSettings) -> Remote:
    """A remote whose records are a flush ahead of its files."""
    open_store().commit([one("a"), one("b")])
    cut_off(remote, settings)
    assert remote.files() == {"a/f": "1", "b/f": "1"}
    assert remote.files(RECORDS) == {"b": "2", "c": "1"}
    return remote


def test_records_go_before_files(remote: Remote, open_store: OpenStore) -> None:
    store = open_store()

    first = store.commit([one("a"), one("b")])
    second = store.commit([one("c")])

    assert [receipt.outcome for receipt in (*first, *second)] == [Outcome.WRITTEN] * 3
    assert remote.pushes() == [[f"refs/heads/{RECORDS}"], ["refs/heads/main"]] * 2
    assert second[0].revision == remote.tip()
    assert remote.subjects() == ["Update a", "Update b", "Update c"]
    assert remote.files(RECORDS) == dict.fromkeys("abc", "1")


def test_what_was_cut_off_between_the_two_is_finished_by_the_next(
    half: Remote, open_store: OpenStore, settings: GitSettings
) -> None:
    snapshot = open_store(settings=settings).snapshot()

    assert half.files() == {"b/f": "2", "c/f": "1"}
    assert half.subjects() == ["Update a", "Update b", "Remove a", "Update b", "Update c"]
    assert sorted(snapshot.digests("")) == ["b/f", "c/f"]
    assert {key: content for key, (content, _) in snapshot.records().items()} == {
        "b": b"2",
        "c": b"1",
    }


def test_what_was_cut_off_is_finished_before_anything_else_is_written(
    half: Remote, open_store: OpenStore, settings: GitSettings
) -> None:
    [receipt] = open_store(settings=settings).commit([one("d")])

    assert receipt.outcome is Outcome.WRITTEN
    assert half.subjects()[-4:] == ["Remove a", "Update b", "Update c", "Update d"]


def test_files_that_no_record_went_with_are_finished_as_well(
    remote: Remote, open_store: OpenStore, settings: GitSettings
) -> None:
    store = open_store()
    for content in (b"1", b"2"):
        store.commit([ChangeSet("a", None, {"f": content})])
    remote.git("update-ref", "refs/heads/main", "main~1")

    open_store(settings=settings).snapshot()

    assert remote.files() == {"f": "2"}


def test_who_only_looks_finishes_nothing(
    half: Remote, open_store: OpenStore, settings: GitSettings
) -> None:
    before = half.git("for-each-ref")

    open_store(settings=GitSettings(borrow=settings.borrow, read_only=True)).snapshot()

    assert half.git("for-each-ref") == before


def test_what_was_cut_off_is_taken_back_when_somebody_was_at_the_files(
    half: Remote, open_store: OpenStore, settings: GitSettings, tmp_path: Path
) -> None:
    half.clone(tmp_path / "clone").push({"foreign": "1"})

    snapshot = open_store(settings=settings).snapshot()

    assert half.files() == {"a/f": "1", "b/f": "1", "foreign": "1"}
    assert half.files(RECORDS) == {"a": "1", "b": "1"}
    assert sorted(snapshot.records()) == ["a", "b"]
    open_store(settings=settings).commit([one("c")])
    assert half.files(RECORDS) == dict.fromkeys("abc", "1")


def test_the_first_flush_of_all_is_finished_too(
    remote: Remote, open_store: OpenStore, settings: GitSettings
) -> None:
    open_store().commit([one("a")])
    remote.git("update-ref", "-d", "refs/heads/main")

    open_store(settings=settings).snapshot()

    assert remote.files() == {"a/f": "1"}


def test_a_file_that_is_refused_after_its_record_landed_takes_the_record_back(
    remote: Remote, open_store: OpenStore, settings: GitSettings
) -> None:
    store = open_store(settings=settings)
    store.commit([one("a")])
    remote.hook("update", '[ "$1" != refs/heads/main ] || { echo POLICY-7 >&2; exit 1; }')
    version = store.snapshot().records()["a"][1]

    with pytest.raises(WriteRefusedError, match="POLICY-7"):
        store.commit([one("a", version, b"2"), one("b")])

    assert remote.files(RECORDS) == remote_records(remote) == {"a": "1"}
    remote.hook("update", "exit 0")
    receipts = store.commit([one("a", version, b"2"), one("b")])
    assert [receipt.outcome for receipt in receipts] == [Outcome.WRITTEN] * 2
    assert remote.files() == {"a/f": "2", "b/f": "1"}
    assert open_store(settings=settings).snapshot().revision == remote.tip()


def remote_records(remote: Remote) -> dict[str, str]:
    return {path.removesuffix("/f"): content for path, content in remote.files().items()}


def test_what_was_cut_off_and_is_refused_now_stops_nobody(
    half: Remote, open_store: OpenStore, settings: GitSettings
) -> None:
    half.hook("update", '[ "$1" != refs/heads/main ] || { echo POLICY-7 >&2; exit 1; }')

    snapshot = open_store(settings=settings).snapshot()

    assert sorted(snapshot.records()) == ["a", "b"]
    assert half.files(RECORDS) == {"a": "1", "b": "1"}


def test_somebody_who_pushes_between_the_two_loses_nothing(
    remote: Remote, open_store: OpenStore, settings: GitSettings, tmp_path: Path
) -> None:
    store = open_store(settings=settings)
    store.commit([one("a")])
    clone: Clone = remote.clone(tmp_path / "clone")
    remote.hook(
        "post-receive",
        f"mkdir {tmp_path}/once 2>&- || exit 0\n"
        f"unset GIT_DIR GIT_QUARANTINE_PATH; cd {clone.folder} && echo 1 > foreign && git add . "
        "&& git -c user.name=x -c user.email=x commit -qm 'By hand' "
        "&& git push -q origin HEAD:main",
    )

    [receipt] = store.commit([one("b")])

    assert (receipt.outcome, receipt.revision) == (Outcome.WRITTEN, remote.tip())
    assert remote.subjects() == ["Update a", "By hand", "Update b"]
    assert remote.files(RECORDS) == {"a": "1", "b": "1"}


def test_two_writers_never_leave_records_without_their_files(
    remote: Remote, open_store: OpenStore
) -> None:
    mine, theirs = open_store(), open_store()
    for number in range(5):
        for name, store in (("mine", mine), ("theirs", theirs)):
            store.commit([one(f"{name}{number}")])

    assert len(remote.files()) == len(remote.files(RECORDS)) == 10
    assert not [subject for subject in remote.subjects(RECORDS) if "Take back" in subject]


@pytest.mark.parametrize("rewrite", ["main~1", "delete"])
def test_a_branch_that_was_set_back_further_is_not_taken_for_one_that_was_cut_off(
    remote: Remote, open_store: OpenStore, settings: GitSettings, rewrite: str
) -> None:
    store = open_store()
    for key in "abc":
        store.commit([one(key)])
    if rewrite == "delete":
        remote.git("update-ref", "-d", "refs/heads/main")
    else:
        remote.git("update-ref", "refs/heads/main", "main~2")

    with pytest.raises(StoreError, match="--accept-remote"):
        open_store(settings=settings).snapshot()


def test_a_host_that_goes_away_between_the_two_is_told_as_such(
    remote: Remote, open_store: OpenStore, settings: GitSettings
) -> None:
    store = open_store(settings=settings)
    store.commit([one("a")])
    remote.hook("post-receive", "mv ../remote.git ../away.git; exit 0")

    with pytest.raises((TransientError, StoreError)):
        store.commit([one("b")])
    (remote.folder.parent / "away.git").rename(remote.folder)
    remote.hook("post-receive", "exit 0")
    store.snapshot()

    assert remote.files() == {"a/f": "1", "b/f": "1"}

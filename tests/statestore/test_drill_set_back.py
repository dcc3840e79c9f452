"""A remote that was set back, replaced or deleted between two runs, with nothing kept of the first.

What tells is in the repository alone: the commits of each branch speak of the other.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.git_http import Request, serve_git
from support.repositories import RECORDS, OpenStore, Remote, git

from troth.errors import Reason, StoreError
from troth_statestore import ChangeSet, Outcome, digest_bytes
from troth_statestore.git import GitSettings, GitStore


@pytest.fixture(params=[True, False], ids=["borrowing", "fetching"])
def borrow(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def one(key: str, version: str | None = None, content: bytes = b"1") -> ChangeSet:
    return ChangeSet(key, version, {f"{key}/f": content}, record=content, title=f"Update {key}")


def written(open_store: OpenStore) -> None:
    """Let a first run write three times and end."""
    store = open_store()
    for key in "abc":
        store.commit([one(key)])
    store.close()


def again(open_store: OpenStore, *, borrow: bool, accept: bool = False) -> GitStore:
    """Open a store for a second run, which knows nothing of the first."""
    return open_store(settings=GitSettings(borrow=borrow, accept_remote=accept))


def rewind(remote: Remote) -> None:
    remote.git("update-ref", "refs/heads/main", "main~2")


def rewind_and_forget(remote: Remote) -> None:
    rewind(remote)
    remote.git("gc", "-q", "--prune=now")


def rewind_and_go_on(remote: Remote) -> None:
    rewind(remote)
    by_hand(remote, "main")


def replace(remote: Remote) -> None:
    other = remote.git("commit-tree", "-m", "Another history", "main^{tree}")
    remote.git("update-ref", "refs/heads/main", other)


def delete(remote: Remote) -> None:
    remote.git("update-ref", "-d", "refs/heads/main")


def rewind_records(remote: Remote) -> None:
    remote.git("update-ref", f"refs/heads/{RECORDS}", f"{RECORDS}~1")


def delete_records(remote: Remote) -> None:
    remote.git("update-ref", "-d", f"refs/heads/{RECORDS}")


def delete_records_and_go_on(remote: Remote) -> None:
    delete_records(remote)
    by_hand(remote, "main", 5)


def by_hand(remote: Remote, branch: str, times: int = 1) -> None:
    """Let a person commit on a branch, without a change."""
    tip = remote.tip(branch)
    for number in range(times):
        tree = f"{tip}^{{tree}}"
        tip = remote.git("commit-tree", "-m", f"By hand {number}", "-p", tip, tree)
    remote.git("update-ref", f"refs/heads/{branch}", tip)


REWRITES = [
    rewind,
    rewind_and_forget,
    rewind_and_go_on,
    replace,
    delete,
    rewind_records,
    delete_records,
    delete_records_and_go_on,
]


def refs(remote: Remote) -> str:
    return remote.git("for-each-ref")


@pytest.mark.parametrize("rewrite", REWRITES)
def test_what_was_rewritten_between_two_runs_is_noticed_and_not_pushed_over(
    remote: Remote, open_store: OpenStore, borrow: bool, rewrite: Callable[[Remote], None]
) -> None:
    written(open_store)
    rewrite(remote)
    before = refs(remote)
    store = again(open_store, borrow=borrow)

    for act in (store.snapshot, lambda: store.commit([one("d")]), store.snapshot):
        with pytest.raises(StoreError, match=r"troth sync --accept-remote") as caught:
            act()
        assert caught.value.reason is Reason.HISTORY_REWRITTEN
    assert refs(remote) == before


@pytest.mark.parametrize("rewrite", REWRITES)
def test_what_was_rewritten_is_taken_as_it_is_when_it_is_accepted(
    remote: Remote, open_store: OpenStore, borrow: bool, rewrite: Callable[[Remote], None]
) -> None:
    written(open_store)
    rewrite(remote)
    tips = {branch: remote.tip(branch) for branch in ("main", RECORDS) if remote.has(branch)}
    store = again(open_store, borrow=borrow, accept=True)

    store.snapshot()
    [receipt] = store.commit([one("d")])

    assert receipt.outcome is Outcome.WRITTEN
    for branch, tip in tips.items():
        remote.git("merge-base", "--is-ancestor", tip, branch)
    again(open_store, borrow=borrow).commit([one("e")])
    assert remote.subjects()[-2:] == ["Update d", "Update e"]


def test_what_is_accepted_is_accepted_once_even_if_nothing_is_written(
    remote: Remote, open_store: OpenStore, borrow: bool
) -> None:
    written(open_store)
    rewind(remote)

    again(open_store, borrow=borrow, accept=True).snapshot()

    assert remote.subjects(RECORDS)[-1] == "Accept the files as they are"
    assert again(open_store, borrow=borrow).snapshot().revision == remote.tip()


def test_who_only_looks_accepts_without_writing_it_down(
    remote: Remote, open_store: OpenStore
) -> None:
    written(open_store)
    rewind(remote)
    before = refs(remote)

    snapshot = open_store(settings=GitSettings(accept_remote=True, read_only=True)).snapshot()

    assert sorted(snapshot.digests("")) == ["a/f"]
    assert refs(remote) == before


def test_the_message_says_how_to_put_the_branch_back(
    remote: Remote, open_store: OpenStore, tmp_path: Path
) -> None:
    written(open_store)
    known = remote.tip()
    by_hand(remote, "main", 2)
    clone, tip = remote.clone(tmp_path / "clone"), remote.tip()
    rewind(remote)
    rewind(remote)
    with pytest.raises(StoreError) as caught:
        again(open_store, borrow=True).snapshot()

    line = "git push --force origin refs/remotes/origin/main:refs/heads/main"
    assert f"was at {known} or later" in caught.value.message
    assert line in caught.value.message
    git("-C", clone.folder, *line.split()[1:])
    assert again(open_store, borrow=True).snapshot().revision == tip


@pytest.mark.parametrize("times", [1, 40])
def test_a_persons_own_commits_are_no_rewriting(
    remote: Remote, open_store: OpenStore, borrow: bool, times: int
) -> None:
    written(open_store)
    by_hand(remote, "main", times)
    by_hand(remote, RECORDS)

    store = again(open_store, borrow=borrow)

    assert sorted(store.snapshot().records()) == ["a", "b", "c"]
    store.commit([one("d")])
    assert remote.subjects()[-2:] == [f"By hand {times - 1}", "Update d"]


def test_a_persons_commit_on_the_records_hides_nothing(
    remote: Remote, open_store: OpenStore, borrow: bool
) -> None:
    written(open_store)
    by_hand(remote, RECORDS)
    rewind(remote)

    with pytest.raises(StoreError, match="does not descend"):
        again(open_store, borrow=borrow).snapshot()


def put_back(open_store: OpenStore, key: str, content: bytes) -> None:
    """Write files of a request whose record stays as it is, as for drift and rollbacks."""
    store = open_store()
    version = store.snapshot().records()[key][1]
    store.commit([ChangeSet(key, version, {f"{key}/f": content}, record=b"1", title="Put back")])
    store.close()


def test_records_of_a_shared_commit_are_missed_whichever_of_its_receipts_is_last(
    remote: Remote, open_store: OpenStore, borrow: bool
) -> None:
    store = open_store(settings=GitSettings(one_commit_a_flush=True))
    store.commit([one("a"), one("b")])
    before = digest_bytes(b"1")
    put_back = ChangeSet("b", before, {"b/f": b"2"}, record=b"1", title="Put back b")
    store.commit([one("a", before, b"2"), put_back])
    store.close()
    rewind_records(remote)

    with pytest.raises(StoreError, match=r"older than that") as caught:
        again(open_store, borrow=borrow).snapshot()

    assert caught.value.reason is Reason.HISTORY_REWRITTEN


@pytest.mark.parametrize("atomic", ["true", "false"])
def test_lost_files_that_no_record_went_with_are_noticed_too(
    remote: Remote, open_store: OpenStore, borrow: bool, atomic: str
) -> None:
    remote.git("config", "receive.advertiseAtomic", atomic)
    written(open_store)
    for content in (b"2", b"3"):
        put_back(open_store, "a", content)
    noted = remote.tip()
    # By two: one is what a push in two halves looks like when it is cut off, and is finished.
    rewind(remote)

    with pytest.raises(StoreError, match=f"was at {noted} or later") as caught:
        again(open_store, borrow=borrow).snapshot()
    assert caught.value.reason is Reason.HISTORY_REWRITTEN


def test_lost_files_of_a_store_that_keeps_no_records_are_noticed_too(
    remote: Remote, open_store: OpenStore, borrow: bool
) -> None:
    for number in (b"1", b"2"):
        open_store().commit([ChangeSet("a", None, {"f": number})])
    remote.git("update-ref", "refs/heads/main", "main~1")

    with pytest.raises(StoreError, match="does not descend"):
        again(open_store, borrow=borrow).snapshot()


@pytest.mark.parametrize("rewrite", REWRITES)
def test_a_probe_says_what_every_other_use_would_and_writes_nothing(
    remote: Remote, open_store: OpenStore, borrow: bool, rewrite: Callable[[Remote], None]
) -> None:
    written(open_store)
    rewrite(remote)
    before = refs(remote)
    store = again(open_store, borrow=borrow)

    for act in (store.probe, store.probe, store.snapshot):
        with pytest.raises(StoreError, match=r"troth sync --accept-remote") as caught:
            act()
        assert caught.value.reason is Reason.HISTORY_REWRITTEN
    assert refs(remote) == before


def test_a_probe_notices_what_was_set_back_since_the_last_look(
    remote: Remote, open_store: OpenStore, borrow: bool
) -> None:
    written(open_store)
    store = again(open_store, borrow=borrow)
    seen = store.snapshot().revision
    assert store.probe().revision == seen
    for branch in ("main", RECORDS):  # so that what is left belongs together
        remote.git("update-ref", f"refs/heads/{branch}", f"{branch}~1")

    with pytest.raises(StoreError, match=f"was at {seen} or later"):
        store.probe()


def test_a_probe_is_no_look_that_later_ones_rely_on(
    remote: Remote, open_store: OpenStore, borrow: bool
) -> None:
    written(open_store)
    store = again(open_store, borrow=borrow)
    store.probe()
    rewind(remote)

    with pytest.raises(StoreError, match="does not descend"):
        store.snapshot()


def test_a_probe_of_what_is_accepted_writes_nothing_down(
    remote: Remote, open_store: OpenStore, borrow: bool
) -> None:
    written(open_store)
    rewind(remote)
    before = refs(remote)
    store = again(open_store, borrow=borrow, accept=True)

    assert store.probe().refusal is None
    assert refs(remote) == before
    store.snapshot()
    assert remote.subjects(RECORDS)[-1] == "Accept the files as they are"


def test_files_that_were_written_without_a_record_are_no_rewriting(
    remote: Remote, open_store: OpenStore, borrow: bool
) -> None:
    written(open_store)
    store = open_store()
    version = store.snapshot().records()["a"][1]
    store.commit([ChangeSet("a", version, {"a/f": b"drift, put back"}, record=b"1")])
    store.commit([ChangeSet("elsewhere", None, {"e": b"the record lies in another store"})])

    assert len(again(open_store, borrow=borrow).snapshot().records()) == 3


def test_branches_that_do_not_speak_of_each_other_yet_are_taken_as_they_are(
    remote: Remote, open_store: OpenStore, borrow: bool, tmp_path: Path
) -> None:
    clone = remote.clone(tmp_path / "clone")
    clone.push({"a/f": "1"}, "Update a\n\nTroth-Request: a\nTroth-Generation: 1")
    git("-C", clone.folder, "checkout", "-q", "--orphan", "records")
    git("-C", clone.folder, "rm", "-q", "-rf", ".")
    (clone.folder / "a").write_text("1")
    git("-C", clone.folder, "add", "a")
    git("-C", clone.folder, "commit", "-q", "-m", "Record 1 change")
    git("-C", clone.folder, "push", "-q", "origin", f"HEAD:{RECORDS}")

    store = again(open_store, borrow=borrow)
    store.commit([one("b")])

    assert sorted(store.snapshot().records()) == ["a", "b"]
    rewind = remote.tip("main~1")
    remote.git("update-ref", "refs/heads/main", rewind)
    with pytest.raises(StoreError, match="does not descend"):
        again(open_store, borrow=borrow).snapshot()


def test_two_branches_that_move_while_they_are_looked_at_are_no_rewriting(
    remote: Remote, open_store: OpenStore
) -> None:
    # Whoever lists the branches between the two moves of one push sees them disagree for a moment.
    written(open_store)
    newest = remote.tip(RECORDS)
    rewind_records(remote)
    listings = iter(range(9))

    def move_at_the_third_listing(request: Request) -> None:
        if b"ls-refs" in request.body and next(listings) == 2:
            remote.git("update-ref", f"refs/heads/{RECORDS}", newest)

    with serve_git(remote.folder.parent, fault=move_at_the_third_listing) as host:
        store = open_store(host.url("remote.git"))

        assert sorted(store.snapshot().records()) == ["a", "b", "c"]


def test_a_store_beside_another_in_the_same_branch_is_no_rewriting(
    remote: Remote, open_store: OpenStore, borrow: bool
) -> None:
    open_store(path="blue").commit([one("a")])
    open_store(path="red").commit([one("a")])

    settings = GitSettings(borrow=borrow)
    assert list(open_store(path="blue", settings=settings).snapshot().records()) == ["a"]
    assert remote.subjects() == ["Update a", "Update a"]

"""A Git store and somebody else at the same branch: nobody's work is lost.

The clock of a store is asked once between looking at the remote and pushing, so a clock that
pushes is somebody who is faster.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from support.repositories import RECORDS, Clone, OpenStore, Remote

from troth.errors import Reason, StoreError, TransientError
from troth_statestore import ChangeSet, Outcome
from troth_statestore.git import GitSettings, GitStore


@pytest.fixture(params=[True, False], ids=["borrowing", "fetching"])
def borrow(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def clone(remote: Remote, tmp_path: Path) -> Clone:
    clone = remote.clone(tmp_path / "clone")
    clone.push({"foreign": "0"})
    return clone


def one(key: str, version: str | None = None, content: bytes = b"1") -> ChangeSet:
    return ChangeSet(key, version, {f"{key}/f": content}, record=content, title=f"Update {key}")


def interrupted(times: int, interrupt: Callable[[], object]) -> Callable[[], int]:
    """Return a clock that does something the first few times that it is asked."""
    left = iter(range(times))

    def clock() -> int:
        if next(left, None) is not None:
            interrupt()
        return 1_700_000_000

    return clock


def test_a_push_in_between_is_built_upon(
    remote: Remote, clone: Clone, open_store: OpenStore, borrow: bool
) -> None:
    clock = interrupted(1, lambda: clone.push({"foreign": "1"}, "In between"))
    store = open_store(settings=GitSettings(borrow=borrow, clock=clock))

    [receipt] = store.commit([one("a")])

    assert receipt.outcome is Outcome.WRITTEN
    assert receipt.revision == remote.tip()
    assert remote.subjects() == ["By hand", "In between", "Update a"]
    assert remote.files() == {"foreign": "1", "a/f": "1"}


def test_a_push_between_two_commits_is_built_upon(
    remote: Remote, clone: Clone, open_store: OpenStore, borrow: bool
) -> None:
    store = open_store(settings=GitSettings(borrow=borrow))
    store.commit([one("a")])
    clone.push({"foreign": "1", "a/other": "2"}, "In between")

    store.commit([one("b")])

    assert remote.subjects() == ["By hand", "Update a", "In between", "Update b"]
    assert dict(store.snapshot().read(["a/other"])) == {"a/other": b"2"}


def test_a_record_that_moved_in_between_is_stale_and_the_rest_is_written(
    remote: Remote, open_store: OpenStore, borrow: bool
) -> None:
    other = open_store()
    clock = interrupted(1, lambda: other.commit([one("a", content=b"other")]))
    store = open_store(settings=GitSettings(borrow=borrow, clock=clock))

    receipts = store.commit([one("a"), one("b")])

    assert [receipt.outcome for receipt in receipts] == [Outcome.STALE, Outcome.WRITTEN]
    assert remote.files() == {"a/f": "other", "b/f": "1"}
    assert remote.files(RECORDS) == {"a": "other", "b": "1"}


def test_when_others_always_win_it_is_said_and_nothing_is_written(
    remote: Remote, clone: Clone, open_store: OpenStore
) -> None:
    numbers = iter("123456789")
    clock = interrupted(9, lambda: clone.push({"foreign": next(numbers)}))
    store = open_store(settings=GitSettings(clock=clock, attempts=2))

    with pytest.raises(TransientError, match="others pushed in between each of 2") as caught:
        store.commit([one("a")])

    assert caught.value.reason is Reason.STATE_STORE_BUSY
    assert remote.files() == {"foreign": "2"}


def rewind(remote: Remote) -> None:
    remote.git("update-ref", "refs/heads/main", "main~1")


def replace(remote: Remote) -> None:
    tree = remote.git("rev-parse", "main^{tree}")
    other = remote.git("commit-tree", "-m", "Another history", "-p", "main~1", tree)
    remote.git("update-ref", "refs/heads/main", other)


def rewind_and_forget(remote: Remote) -> None:
    rewind(remote)
    remote.git("gc", "-q", "--prune=now")


def delete(remote: Remote) -> None:
    remote.git("update-ref", "-d", "refs/heads/main")


@pytest.fixture(params=[rewind, rewind_and_forget, replace, delete])
def rewrite(request: pytest.FixtureRequest, remote: Remote) -> Callable[[], None]:
    return lambda: request.param(remote)


def refused(act: Callable[[], object]) -> None:
    with pytest.raises(
        StoreError, match=r"refs/heads/main was at [0-9a-f]{40} or later and is now"
    ) as caught:
        act()
    assert caught.value.reason is Reason.HISTORY_REWRITTEN


def seen(open_store: OpenStore, clone: Clone, settings: GitSettings) -> GitStore:
    """Return a store that has seen two commits of somebody else."""
    clone.push({"foreign": "1"})
    store = open_store(settings=settings)
    store.snapshot()
    return store


def test_a_rewritten_history_is_not_read(
    clone: Clone, open_store: OpenStore, rewrite: Callable[[], None], borrow: bool
) -> None:
    store = seen(open_store, clone, GitSettings(borrow=borrow))

    rewrite()

    refused(store.snapshot)


def test_a_rewritten_history_is_not_pushed_over(
    remote: Remote,
    clone: Clone,
    open_store: OpenStore,
    rewrite: Callable[[], None],
    borrow: bool,
) -> None:
    store = seen(open_store, clone, GitSettings(borrow=borrow))

    rewrite()

    refused(lambda: store.commit([one("a")]))
    assert not remote.has(RECORDS)


def test_a_history_that_is_rewritten_while_we_write_is_not_pushed_over(
    remote: Remote,
    clone: Clone,
    open_store: OpenStore,
    rewrite: Callable[[], None],
    borrow: bool,
) -> None:
    settings = GitSettings(borrow=borrow, clock=interrupted(1, rewrite))
    store = seen(open_store, clone, settings)

    refused(lambda: store.commit([one("a")]))

    assert not remote.has(RECORDS)


def test_a_history_that_is_rewritten_again_and_again_is_refused_each_time(
    clone: Clone, open_store: OpenStore, rewrite: Callable[[], None]
) -> None:
    store = seen(open_store, clone, GitSettings())
    rewrite()

    refused(store.snapshot)
    refused(store.snapshot)


def test_a_store_that_starts_again_takes_the_history_as_it_is(
    remote: Remote, clone: Clone, open_store: OpenStore, rewrite: Callable[[], None], borrow: bool
) -> None:
    seen(open_store, clone, GitSettings(borrow=borrow))
    rewrite()

    open_store(settings=GitSettings(borrow=borrow)).commit([one("a")])

    assert remote.subjects()[-1] == "Update a"


def test_a_records_branch_that_was_rewound_is_refused_too(
    remote: Remote, open_store: OpenStore
) -> None:
    store = open_store()
    store.commit([one("a")])
    store.commit([one("b")])
    remote.git("update-ref", f"refs/heads/{RECORDS}", f"{RECORDS}~1")

    with pytest.raises(StoreError, match=f"refs/heads/{RECORDS} was at"):
        store.snapshot()


def test_a_remote_that_denies_forced_pushes_takes_ours(
    remote: Remote, open_store: OpenStore
) -> None:
    remote.git("config", "receive.denyNonFastForwards", "true")
    remote.git("config", "receive.denyDeletes", "true")
    store = open_store()

    store.commit([one("a")])
    store.commit([one("b")])

    assert remote.subjects() == ["Update a", "Update b"]


def test_a_guard_is_told_what_others_have_written_and_what_it_refuses_is_stale(
    open_store: OpenStore,
) -> None:
    mine, theirs = open_store(), open_store()
    theirs.commit([ChangeSet("requests/gone", None, record=b"0")])
    [(_, version)] = mine.snapshot().records().values()
    theirs.commit([
        ChangeSet("requests/a", None, {"a": b"1"}, record=b"1"),
        ChangeSet("requests/gone", version, record=None),
    ])  # fmt: skip
    told: list[Mapping[str, bytes | None]] = []

    def refuse(moved: Mapping[str, bytes | None]) -> bool:
        told.append(moved)
        return False

    taking = ChangeSet("requests/b", None, {"b": b"2"}, record=b"2", guard=refuse)
    other = ChangeSet("requests/c", None, {"c": b"3"}, record=b"3")

    stale, written = mine.commit([taking, other])
    mine.snapshot()
    [again] = mine.commit([taking])

    assert told == [{"requests/a": b"1", "requests/gone": None}]
    assert (stale.outcome, written.outcome) == (Outcome.STALE, Outcome.WRITTEN)
    assert again.outcome is Outcome.WRITTEN


def test_a_guard_that_is_content_lets_through_what_others_have_not_touched(
    open_store: OpenStore,
) -> None:
    mine, theirs = open_store(), open_store()
    mine.snapshot()
    theirs.commit([ChangeSet("requests/a", None, record=b"1")])

    [receipt] = mine.commit(
        [ChangeSet("requests/b", None, record=b"2", guard=lambda moved: "requests/b" not in moved)]
    )

    assert receipt.outcome is Outcome.WRITTEN


def test_no_guard_is_told_of_what_a_store_wrote_itself(open_store: OpenStore) -> None:
    store = open_store()
    store.snapshot()

    receipts = [
        store.commit([ChangeSet(f"requests/{name}", None, record=b"1", guard=lambda _: False)])[0]
        for name in ("a", "b", "c")
    ]

    assert {receipt.outcome for receipt in receipts} == {Outcome.WRITTEN}


def test_no_guard_is_told_of_what_the_last_snapshot_has_shown(open_store: OpenStore) -> None:
    mine, theirs = open_store(), open_store()
    mine.snapshot()
    mine.commit([ChangeSet("requests/a", None, record=b"1")])
    [(_, version)] = theirs.snapshot().records().values()
    theirs.commit([ChangeSet("requests/a", version, record=b"2")])
    mine.snapshot()

    [receipt] = mine.commit([ChangeSet("requests/b", None, record=b"1", guard=lambda _: False)])

    assert receipt.outcome is Outcome.WRITTEN

"""A cache that is kept: it stays as small as what stands at the tips, and as fast."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.repositories import OpenStore, Remote, git

from troth_statestore import ChangeSet, Outcome
from troth_statestore.git import GitSettings, GitStore, _upkeep


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def tidies_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_upkeep, "_PACK_LIMIT", 4)
    monkeypatch.setattr(_upkeep, "_SLACK", 0)


@pytest.fixture(autouse=True)
def nothing_is_let_go_late() -> Iterator[None]:
    # What is in a cycle would go sometime; until then it would keep the cache from shrinking.
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def fetching(open_store: OpenStore, cache: Path) -> Callable[[], GitStore]:
    return lambda: open_store(settings=GitSettings(cache=cache, borrow=False))


def write(store: GitStore, number: int, size: int = 1) -> None:
    # Text that does not compress, and is never the same.
    text = "".join(f"{(number + 1) * (one + 7) ** 9:x}" for one in range(size))
    known = store.snapshot().records().get("a")
    version = None if known is None else known[1]
    [receipt] = store.commit(
        [ChangeSet("a", version, {"a/f": text.encode()}, record=f"{number}".encode())]
    )
    assert receipt.outcome is Outcome.WRITTEN


def bytes_in(cache: Path) -> int:
    return sum(file.stat().st_size for file in cache.rglob("*") if file.is_file())


def commits_in(cache: Path) -> int:
    listed = git(
        *("--git-dir", cache / "troth-cache.git", "cat-file", "--batch-all-objects"),
        "--batch-check=%(objecttype)",
    )
    return listed.split().count("commit")


@pytest.mark.parametrize("borrow", [False, True])
def test_a_cache_does_not_grow_with_the_history_that_it_has_seen(
    open_store: OpenStore, remote: Remote, cache: Path, *, borrow: bool
) -> None:
    store = open_store(settings=GitSettings(cache=cache, borrow=borrow))
    for number in range(30):
        write(store, number, size=20_000)

    assert int(remote.git("rev-list", "--count", "main")) == 30
    content = len(remote.files()["a/f"])
    assert bytes_in(cache) < 8 * content


def test_what_is_left_behind_is_not_asked_for_again(
    fetching: Callable[[], GitStore], remote: Remote, cache: Path, tmp_path: Path
) -> None:
    store = fetching()
    for number in range(12):
        write(store, number)
        remote.clone(tmp_path / f"clone{number}").push({"foreign": str(number)})
        write(store, number + 100)

    assert commits_in(cache) < 30
    assert int(remote.git("rev-list", "--count", "main")) == 36
    assert not git("--git-dir", remote.folder, "fsck", "--strict", "--no-dangling")


def test_a_snapshot_stays_readable_however_much_is_written_after_it(
    fetching: Callable[[], GitStore],
) -> None:
    store = fetching()
    write(store, 0)
    old = store.snapshot()
    before = old.read(["a/f"])
    for number in range(1, 20):
        write(store, number)

    assert old.read(["a/f"]) == before
    assert old.records()["a"][0] == b"0"


def test_a_cache_that_was_tidied_is_used_by_the_next_run(
    fetching: Callable[[], GitStore], remote: Remote
) -> None:
    for number in range(12):
        store = fetching()
        write(store, number)
        store.close()

    assert remote.subjects() == ["a"] * 12


def test_a_branch_that_is_set_back_is_noticed_after_tidying(
    fetching: Callable[[], GitStore], remote: Remote
) -> None:
    store = fetching()
    for number in range(8):
        write(store, number)
    remote.git("update-ref", "refs/heads/main", "main~3")

    with pytest.raises(Exception, match="does not descend from it"):
        store.snapshot()


def test_nothing_but_the_tips_holds_what_is_kept(
    fetching: Callable[[], GitStore], cache: Path
) -> None:
    store = fetching()
    for number in range(12):
        write(store, number)

    refs = git("--git-dir", cache / "troth-cache.git", "for-each-ref", "--format=%(refname)")
    assert refs.split() == ["refs/troth/remote/files", "refs/troth/remote/records"]

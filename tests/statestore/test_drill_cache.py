"""A cache in which anything may be broken, at rest or in use: it is made anew by itself."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.drills import rounds
from support.repositories import RECORDS, OpenStore, Remote

from troth_statestore import ChangeSet, Outcome
from troth_statestore.git import GitSettings, GitStore

DAMAGES = 6  # times that the cache of one repository is damaged


def one(key: str, content: bytes = b"1") -> ChangeSet:
    return ChangeSet(key, None, {f"{key}/f": content}, record=content, title=f"Update {key}")


def truncate(path: Path, chance: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: chance.randrange(max(1, path.stat().st_size))])


def scribble(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes() or b"x")
    for _ in range(chance.randrange(1, 20)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    path.write_bytes(bytes(content))


def remove(path: Path, _: random.Random) -> None:
    path.unlink()


def replace_by_folder(path: Path, _: random.Random) -> None:
    path.unlink()
    path.mkdir()


def lock(path: Path, _: random.Random) -> None:
    path.with_name(f"{path.name}.lock").touch()


KINDS: list[Callable[[Path, random.Random], None]] = [
    truncate, scribble, remove, replace_by_folder, lock,
]  # fmt: skip


def damage(cache: Path, chance: random.Random) -> None:
    """Break a few files of the repository in the cache."""
    for _ in range(chance.randrange(1, 4)):
        files = sorted(path for path in (cache / "troth-cache.git").rglob("*") if path.is_file())
        if files:
            path = chance.choice(files)
            path.chmod(0o644)
            chance.choice(KINDS)(path, chance)


@pytest.mark.drill
@pytest.mark.parametrize("borrow", [True, False])
@pytest.mark.parametrize("at_rest", [True, False], ids=["at rest", "in use"])
@pytest.mark.parametrize("seed", rounds(usual=2, long=8))
def test_whatever_is_broken_in_a_cache_nothing_is_lost_or_written_twice(
    remote: Remote, open_store: OpenStore, tmp_path: Path, borrow: bool, at_rest: bool, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  (a drill, not a secret)
    settings = GitSettings(cache=tmp_path / "cache", borrow=borrow)
    store, other = open_store(settings=settings), open_store()
    keys = [f"{number}" for number in range(2 * DAMAGES)]

    for mine, theirs in zip(keys[::2], keys[1::2], strict=True):
        other.commit([one(theirs, chance.randbytes(500).hex().encode())])
        damage(tmp_path / "cache", chance)
        if at_rest:
            store.close()
            store = open_store(settings=settings)
        [receipt] = store.commit([one(mine, chance.randbytes(500).hex().encode())])
        assert (receipt.outcome, receipt.revision) == (Outcome.WRITTEN, remote.tip())
        assert sorted(store.snapshot().records()) == sorted(remote.files(RECORDS))

    assert sorted(remote.subjects()) == sorted(f"Update {key}" for key in keys)
    remote.git("fsck", "--strict")
    whole = {path: content.decode() for path, content in everything(store).items()}
    assert whole == remote.files()


def everything(store: GitStore) -> dict[str, bytes]:
    snapshot = store.snapshot()
    return dict(snapshot.read(list(snapshot.digests(""))))


@pytest.mark.parametrize("borrow", [True, False])
@pytest.mark.parametrize("kept", [True, False])
def test_a_cache_that_somebody_takes_away_is_made_anew(
    remote: Remote, open_store: OpenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    borrow: bool, kept: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    cache = tmp_path / "cache" if kept else None
    store = open_store(settings=GitSettings(cache=cache, borrow=borrow))
    store.commit([one("a")])

    for folder in (tmp_path / "cache", *(tmp_path / "tmp").glob("troth-*")):
        shutil.rmtree(folder, ignore_errors=True)
    store.commit([one("b")])

    assert remote.subjects() == ["Update a", "Update b"]
    assert sorted(store.snapshot().records()) == ["a", "b"]


def test_a_cache_of_another_user_is_used_by_who_may(
    remote: Remote, open_store: OpenStore, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("platform: only root can give a folder to another user")
    settings = GitSettings(cache=tmp_path / "cache", borrow=False)
    first = open_store(settings=settings)
    first.commit([one("a")])
    first.close()
    for path in (tmp_path / "cache", *(tmp_path / "cache").rglob("*")):
        os.chown(path, 12345, 12345)

    open_store(settings=settings).commit([one("b")])

    assert remote.subjects() == ["Update a", "Update b"]


def test_what_a_killed_git_left_in_a_kept_cache_does_not_pile_up(
    open_store: OpenStore, tmp_path: Path
) -> None:
    settings = GitSettings(cache=tmp_path / "cache", borrow=False)
    first = open_store(settings=settings)
    first.commit([one("a")])
    first.close()
    packs = tmp_path / "cache/troth-cache.git/objects/pack"
    names = ("tmp_pack_Ab12Cd", "tmp_idx_Ab12Cd", f".tmp-4711-pack-{'1' * 40}.pack")
    left = [packs / name for name in names]
    for path in left:
        path.write_bytes(b"x")

    second = open_store(settings=settings)
    second.commit([one("b")])

    assert not [path for path in left if path.exists()]
    assert sorted(second.snapshot().records()) == ["a", "b"]


def test_locks_that_a_killed_git_left_in_a_kept_cache_cost_nothing(
    open_store: OpenStore, tmp_path: Path
) -> None:
    settings = GitSettings(cache=tmp_path / "cache", borrow=False)
    first = open_store(settings=settings)
    first.commit([one("a")])
    first.close()
    repository = tmp_path / "cache/troth-cache.git"
    (repository / "would-be-gone-if-made-anew").touch()
    locks = [repository / name for name in ("packed-refs.lock", "refs/troth/import/0.lock")]
    for path in locks:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    second = open_store(settings=settings)
    second.commit([one("b")])

    assert not [path for path in locks if path.exists()]
    assert (repository / "would-be-gone-if-made-anew").exists()
    assert sorted(second.snapshot().records()) == ["a", "b"]

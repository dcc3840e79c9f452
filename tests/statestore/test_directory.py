"""What is particular to a store in a plain folder: links, locks, foreign files."""

import fcntl
import os
from pathlib import Path

import pytest

from troth.errors import Reason, StoreError, TransientError
from troth_statestore import ChangeSet, Outcome, digest_bytes
from troth_statestore.directory import DirectoryStore


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


def files_below(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".troth" not in path.parts
    }


def test_looking_at_a_folder_that_is_not_there_does_not_make_it(root: Path) -> None:
    store = DirectoryStore(root)

    store.probe()
    store.snapshot()

    assert not root.exists()


def test_files_lie_where_their_paths_say_and_records_apart(root: Path) -> None:
    DirectoryStore(root).commit([ChangeSet("r/one", None, {"d/f": b"1"}, record=b"x")])

    assert files_below(root) == {"d/f": "1"}
    assert (root / ".troth/records/r/one").read_bytes() == b"x"


def test_another_store_on_the_same_folder_knows_what_the_first_wrote(root: Path) -> None:
    [receipt] = DirectoryStore(root).commit([ChangeSet("r", None, {"f": b"1"}, record=b"x")])

    snapshot = DirectoryStore(root).snapshot()

    assert snapshot.revision == receipt.revision
    assert snapshot.records() == {"r": (b"x", digest_bytes(b"x"))}


def test_foreign_files_are_listed_and_left_alone(root: Path) -> None:
    (root / "d").mkdir(parents=True)
    (root / "d/foreign").write_text("keep")
    store = DirectoryStore(root)

    store.commit([ChangeSet("r", None, {"d/f": b"1"})])
    store.commit([ChangeSet("r", None, delete=frozenset({"d/f"}))])

    assert files_below(root) == {"d/foreign": "keep"}
    assert dict(store.snapshot().digests("")) == {"d/foreign": digest_bytes(b"keep")}


def test_a_git_folder_is_neither_listed_nor_entered(root: Path) -> None:
    (root / ".git").mkdir(parents=True)
    (root / ".git/config").write_text("x")

    snapshot = DirectoryStore(root).snapshot()

    assert dict(snapshot.digests("")) == {}
    assert snapshot.read([".git/config"]) == {}


def test_folders_left_empty_are_removed_up_to_the_root(root: Path) -> None:
    store = DirectoryStore(root)
    store.commit([ChangeSet("r", None, {"a/b/c/f": b"1", "a/g": b"2"})])

    store.commit([ChangeSet("r", None, delete=frozenset({"a/b/c/f"}))])

    assert sorted(path.name for path in root.iterdir()) == [".troth", "a"]
    assert [path.name for path in (root / "a").iterdir()] == ["g"]


def test_an_empty_folder_gives_way_to_a_file(root: Path) -> None:
    (root / "d").mkdir(parents=True)

    DirectoryStore(root).commit([ChangeSet("r", None, {"d": b"1"})])

    assert files_below(root) == {"d": "1"}


def test_a_link_on_the_way_is_refused_and_not_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    root.mkdir()
    (root / "d").symlink_to(tmp_path / "outside")

    with pytest.raises(StoreError, match="d/f cannot be written, since d is in its way") as caught:
        DirectoryStore(root).commit([ChangeSet("r", None, {"d/f": b"1"})])

    assert caught.value.reason is Reason.UNSAFE_PATH
    assert list((tmp_path / "outside").iterdir()) == []


def test_nothing_is_read_or_removed_through_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/f").write_text("secret")
    root.mkdir()
    (root / "d").symlink_to(tmp_path / "outside")
    store = DirectoryStore(root)

    [receipt] = store.commit([ChangeSet("r", None, delete=frozenset({"d/f"}))])

    assert receipt.outcome is Outcome.UNCHANGED
    assert store.snapshot().read(["d/f", "d"]) == {}
    assert (tmp_path / "outside/f").read_text() == "secret"


def test_a_link_in_a_files_place_is_replaced_and_not_written_through(
    root: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").write_text("mine")
    root.mkdir()
    (root / "f").symlink_to(tmp_path / "outside")

    [receipt] = DirectoryStore(root).commit([ChangeSet("r", None, {"f": b"mine"})])

    assert receipt.outcome is Outcome.WRITTEN
    assert not (root / "f").is_symlink()
    assert (tmp_path / "outside").read_text() == "mine"


def test_its_own_folder_may_be_no_link_either(root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    root.mkdir()
    (root / ".troth").symlink_to(tmp_path / "outside")

    with pytest.raises(StoreError, match="Not a directory"):
        DirectoryStore(root).commit([ChangeSet("r", None, {"f": b"1"}, record=b"x")])

    assert list((tmp_path / "outside").iterdir()) == []
    assert not (root / "f").exists()


def test_a_root_that_is_a_link_is_the_users_choice(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    root.symlink_to(tmp_path / "elsewhere")

    DirectoryStore(root).commit([ChangeSet("r", None, {"f": b"1"})])

    assert files_below(tmp_path / "elsewhere") == {"f": "1"}


def test_a_pipe_among_the_files_is_passed_over(root: Path) -> None:
    root.mkdir()
    os.mkfifo(root / "pipe")

    assert dict(DirectoryStore(root).snapshot().digests("")) == {}


def test_a_root_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(StoreError, match="is not a folder") as caught:
        DirectoryStore(tmp_path / "file").probe()

    assert caught.value.reason is Reason.STATE_STORE_UNSUPPORTED


def test_a_second_writer_waits_and_then_says_so(root: Path) -> None:
    store = DirectoryStore(root, patience=0)
    store.commit([ChangeSet("r", None, {"f": b"1"})])

    with (root / ".troth/lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(TransientError, match="held by another writer") as caught:
            store.commit([ChangeSet("r", None, {"f": b"2"})])

    assert caught.value.reason is Reason.STATE_STORE_BUSY
    assert files_below(root) == {"f": "1"}


def test_what_a_killed_writer_left_half_written_is_not_seen(root: Path) -> None:
    store = DirectoryStore(root)
    store.commit([ChangeSet("r", None, {"f": b"1"})])
    (root / ".troth/new").write_text("half")

    assert list(store.snapshot().digests("")) == ["f"]
    store.commit([ChangeSet("r", None, {"f": b"2"})])
    assert files_below(root) == {"f": "2"}


def test_nothing_is_touched_when_nothing_changed(root: Path) -> None:
    store = DirectoryStore(root)
    change = ChangeSet("r", None, {"f": b"1"})
    store.commit([change])
    before = (root / "f").stat()

    store.commit([change])

    assert (root / "f").stat().st_ino == before.st_ino

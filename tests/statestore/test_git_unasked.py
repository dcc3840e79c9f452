"""A flush on top of what was known last: nothing is asked before it, and nothing is overlooked."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.git_http import GitHost, serve_git
from support.repositories import RECORDS, Clone, OpenStore, Remote

from troth.errors import Reason, StoreError
from troth_statestore import ChangeSet, Outcome, digest_bytes
from troth_statestore.git import GitStore


@pytest.fixture
def host(tmp_path: Path, remote: Remote) -> Iterator[GitHost]:
    with serve_git(remote.folder.parent) as served:
        yield served


@pytest.fixture
def store(open_store: OpenStore) -> GitStore:
    """A store that has written ``a``, so that it knows where the remote is."""
    opened = open_store()
    write(opened, "a", "1")
    return opened


@pytest.fixture
def clone(store: GitStore, remote: Remote, tmp_path: Path) -> Clone:
    return remote.clone(tmp_path / "clone")


def change(key: str, content: str, before: str | None = None, record: str = "") -> ChangeSet:
    version = None if before is None else digest_bytes(before.encode())
    known = record or content
    return ChangeSet(key, version, {f"{key}/f": content.encode()}, record=known.encode())


def write(store: GitStore, key: str, content: str, before: str | None = None) -> Outcome:
    [receipt] = store.commit([change(key, content, before)])
    return receipt.outcome


def asked(host: GitHost) -> int:
    return sum("service=git-upload-pack" in request.path for request in host.requests)


def test_the_remote_is_not_asked_before_each_push(host: GitHost, open_store: OpenStore) -> None:
    store = open_store(host.url("remote.git"))
    write(store, "a", "1")
    before = asked(host)

    for number in range(2, 5):
        write(store, "a", str(number), before=str(number - 1))

    assert asked(host) == before


def test_what_is_said_to_be_there_was_asked_for(host: GitHost, open_store: OpenStore) -> None:
    store = open_store(host.url("remote.git"))
    write(store, "a", "1")
    before = asked(host)

    assert write(store, "a", "1", before="1") is Outcome.UNCHANGED

    assert asked(host) == before + 1


def test_where_others_push_too_asking_comes_first(
    host: GitHost, open_store: OpenStore, remote: Remote, tmp_path: Path
) -> None:
    store = open_store(host.url("remote.git"))
    write(store, "a", "1")
    remote.clone(tmp_path / "clone").push({"foreign": "x"})
    write(store, "b", "1")
    before = asked(host)

    write(store, "c", "1")
    write(store, "d", "1")

    assert asked(host) == before + 1


def test_what_others_pushed_meanwhile_is_kept(
    store: GitStore, clone: Clone, remote: Remote
) -> None:
    clone.push({"foreign": "x"})

    assert write(store, "b", "1") is Outcome.WRITTEN

    assert remote.files() == {"a/f": "1", "b/f": "1", "foreign": "x"}
    assert len(remote.subjects()) == 3


def test_an_edit_by_hand_is_seen_where_nothing_else_is_to_be_written(
    store: GitStore, clone: Clone, remote: Remote
) -> None:
    clone.push({"a/f": "by hand"})

    assert write(store, "a", "1", before="1") is Outcome.WRITTEN

    assert remote.files()["a/f"] == "1"


def test_an_edit_by_hand_is_seen_where_only_a_record_is_to_be_written(
    store: GitStore, clone: Clone, remote: Remote
) -> None:
    clone.push({"a/f": "by hand"})

    store.commit([change("a", "1", before="1", record="2")])

    assert remote.files() == {"a/f": "1"}
    assert remote.files(RECORDS) == {"a": "2"}


def test_a_record_that_others_wrote_makes_it_stale(
    store: GitStore, open_store: OpenStore, remote: Remote
) -> None:
    write(open_store(), "a", "2", before="1")

    assert write(store, "a", "3", before="1") is Outcome.STALE

    assert remote.files() == {"a/f": "2"}


def test_what_was_computed_from_a_newer_record_than_is_known_is_written(
    store: GitStore, open_store: OpenStore, remote: Remote
) -> None:
    write(open_store(), "a", "2", before="1")

    assert write(store, "a", "3", before="2") is Outcome.WRITTEN

    assert remote.files() == {"a/f": "3"}


def test_stale_and_written_in_one_flush_are_told_by_the_newest_state(
    store: GitStore, open_store: OpenStore, remote: Remote
) -> None:
    write(open_store(), "a", "2", before="1")

    receipts = store.commit([change("a", "3", before="2"), change("b", "1")])

    assert [receipt.outcome for receipt in receipts] == [Outcome.WRITTEN, Outcome.WRITTEN]


@pytest.mark.parametrize("branch", ["main", RECORDS])
def test_a_branch_that_was_set_back_is_not_pushed_over(
    store: GitStore, remote: Remote, branch: str
) -> None:
    write(store, "b", "1")
    remote.git("update-ref", f"refs/heads/{branch}", f"{branch}~1")
    tips = [remote.tip(one) for one in ("main", RECORDS)]

    with pytest.raises(StoreError) as caught:
        write(store, "c", "1")

    assert caught.value.reason is Reason.HISTORY_REWRITTEN
    assert [remote.tip(one) for one in ("main", RECORDS)] == tips


def test_what_is_known_after_a_flush_is_what_a_look_would_show(
    open_store: OpenStore, remote: Remote, tmp_path: Path
) -> None:
    remote.clone(tmp_path / "clone").push({"p/d/x": "foreign", "q": "elsewhere"})
    store = open_store(path="p")
    store.snapshot()
    store.commit([change("a", "1"), change("b", "1"), ChangeSet("c", None, {"d/y": b"1"})])
    store.commit([ChangeSet("a", digest_bytes(b"1"), {"a": b"2"}, frozenset({"a/f"}))])
    store.commit([ChangeSet("b", digest_bytes(b"1"), {"b/f/g": b"2"}, frozenset({"b/f"}), b"2")])

    known, looked = store.snapshot(), open_store(path="p").snapshot()

    assert known.digests("") == looked.digests("")
    assert known.records() == looked.records()
    assert known.revision == looked.revision

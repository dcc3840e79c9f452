"""The Git twin's `History`: commits of paths, files and records as they were."""

from itertools import islice
from pathlib import Path

import pytest
from support.repositories import OpenStore, Remote, git

from troth.errors import InvalidInputError, Reason
from troth_statestore import ChangeSet, FileStep, digest_bytes
from troth_statestore.git import GitSettings, GitStore


def put(store: GitStore, key: str, files: dict[str, str], record: str = "r", *gone: str) -> str:
    """Write files and a record; return the commit of the files."""
    version = store.snapshot().records().get(key, (b"", None))[1]
    contents = {path: content.encode() for path, content in files.items()}
    trailers = (("Troth-Request", key), ("Troth-Generation", "1"))
    [receipt] = store.commit(
        [
            ChangeSet(
                key, version, contents, frozenset(gone), record.encode(), f"Update {key}", trailers
            )
        ]
    )
    return str(receipt.revision)


@pytest.fixture
def store(open_store: OpenStore) -> GitStore:
    return open_store()


def test_the_log_of_a_folder_names_its_commits_newest_first(store: GitStore) -> None:
    first = put(store, "one", {"a/f": "1"})
    put(store, "two", {"ab/f": "1"})
    second = put(store, "one", {"a/g": "1"}, "s")

    commits = store.history().log(["a"])

    assert [commit.revision for commit in commits] == [second, first]
    assert [commit.subject for commit in commits] == ["Update one", "Update one"]


def test_a_commit_of_the_log_tells_what_became_of_each_file(store: GitStore) -> None:
    put(store, "one", {"a/f": "1", "a/g": "1", "b/elsewhere": "1"})
    put(store, "one", {"a/f": "2", "a/h": "1", "b/elsewhere": "2"}, "s", "a/g")

    newest = store.history().log(["a"])[0]

    one, two = digest_bytes(b"1"), digest_bytes(b"2")
    assert newest.files == (
        FileStep("a/f", one, two), FileStep("a/g", one, None), FileStep("a/h", None, one)
    )  # fmt: skip


def test_a_commit_of_the_log_has_all_of_its_message_and_its_author(
    remote: Remote, open_store: OpenStore, tmp_path: Path
) -> None:
    remote.clone(tmp_path / "clone").push({"a/f": "1"}, "By hand\n\nFor reasons:\n\n\x01 é")

    [commit] = open_store().history().log(["a"])

    assert commit.author == "Somebody Else <else@example.com>"
    assert commit.message == "By hand\n\nFor reasons:\n\n\x01 é"
    assert commit.seconds == int(remote.git("log", "-1", "--format=%at", "main"))


def test_a_merge_tells_what_it_brought_to_the_branch(
    remote: Remote, open_store: OpenStore, tmp_path: Path
) -> None:
    clone = remote.clone(tmp_path / "clone")
    clone.push({"a/f": "1"}, "First")
    git("-C", clone.folder, "checkout", "-q", "-b", "side")
    (clone.folder / "a" / "f").write_text("2")
    git("-C", clone.folder, "commit", "-q", "-a", "-m", "Beside")
    git("-C", clone.folder, "checkout", "-q", "main")
    clone.push({"other": "1"}, "Elsewhere")
    git("-C", clone.folder, "merge", "-q", "-m", "Merge", "side")
    git("-C", clone.folder, "push", "-q", "origin", "HEAD:main")

    commits = open_store().history().log(["a"])

    assert [one.subject for one in commits] == ["Merge", "Beside", "First"]
    assert commits[0].files == commits[1].files


def test_a_log_stops_where_it_is_told(store: GitStore) -> None:
    revisions = [put(store, "one", {"a/f": str(number)}, str(number)) for number in range(4)]

    commits = store.history().log(["a"], limit=2, until=revisions[2][:10])

    assert [commit.revision for commit in commits] == [revisions[2], revisions[1]]


@pytest.mark.parametrize("named", ["0" * 40, "main", "HEAD", "--all", "abc", "", "../x"])
def test_what_names_no_commit_of_the_branch_is_refused(store: GitStore, named: str) -> None:
    put(store, "one", {"a/f": "1"})

    with pytest.raises(InvalidInputError, match="names no commit of the branch main") as refused:
        store.history().read_at(named, ["a"])

    assert refused.value.reason is Reason.INVALID_OBJECT


def test_a_commit_of_another_branch_is_none_of_this_one(
    remote: Remote, open_store: OpenStore
) -> None:
    put(open_store(branch="other"), "one", {"a/f": "1"})
    store = open_store()
    put(store, "one", {"a/f": "2"})

    with pytest.raises(InvalidInputError, match="names no commit of the branch main"):
        store.history().log(["a"], until=remote.tip("other"))


def test_files_are_read_as_they_were(store: GitStore) -> None:
    first = put(store, "one", {"a/f": "1", "a/d/g": "1", "ab": "1"})
    put(store, "one", {"a/f": "2"}, "s", "a/d/g")

    assert store.history().read_at(first, ["a"]) == {"a/f": b"1", "a/d/g": b"1"}


def test_links_and_executables_are_no_plain_files(
    remote: Remote, open_store: OpenStore, tmp_path: Path
) -> None:
    clone = remote.clone(tmp_path / "clone")
    (clone.folder / "a").mkdir()
    (clone.folder / "a" / "link").symlink_to("f")
    (clone.folder / "a" / "run").write_text("1")
    (clone.folder / "a" / "run").chmod(0o755)
    commit = clone.push({"a/f": "1"})

    assert open_store().history().read_at(commit, ["a"]) == {"a/f": b"1"}


def test_what_the_log_tells_of_can_be_read(store: GitStore) -> None:
    put(store, "one", {"a/f": "1"})
    put(store, "one", {"a/f": "2"}, "s")
    history = store.history()
    [step] = history.log(["a"])[0].files

    contents = history.contents(filter(None, (step.before, step.after)))

    assert sorted(contents.values()) == [b"1", b"2"]


def test_paths_are_found_by_a_line_of_the_message(store: GitStore) -> None:
    put(store, "team/a.b", {"old/f": "1"})
    put(store, "team/a.b", {"new/f": "1"}, "s")
    put(store, "team/a-b", {"other/f": "1"})
    put(store, "team/a.b.c", {"another/f": "1"})

    touched = store.history().touched("Troth-Request: team/a.b")

    assert touched == {"old/f", "new/f"}


def test_versions_of_a_record_come_newest_first(store: GitStore) -> None:
    for number in range(3):
        put(store, "one", {}, f"version {number}")
        put(store, "two", {}, f"other {number}")

    versions = [content for _, content in store.history().record_versions("one")]

    assert versions == [b"version 2", b"version 1", b"version 0"]


def test_versions_of_a_record_end_where_it_was_removed(store: GitStore) -> None:
    put(store, "one", {}, "earlier life")
    version = store.snapshot().records()["one"][1]
    store.commit([ChangeSet("one", version)])
    put(store, "one", {}, "new life")

    assert [content for _, content in store.history().record_versions("one")] == [b"new life"]


def test_many_versions_are_read_no_further_than_asked(store: GitStore) -> None:
    for number in range(25):
        put(store, "one", {}, str(number))

    versions = store.history().record_versions("one")

    assert [content for _, content in islice(versions, 22)][-1] == b"3"


def test_a_version_of_a_record_names_its_commit(remote: Remote, open_store: OpenStore) -> None:
    store = open_store()
    put(store, "one", {}, "x")

    assert next(store.history().record_versions("one"))[0] == remote.tip("troth/records/main")


def test_a_folder_of_the_repository_is_all_that_is_seen(
    remote: Remote, open_store: OpenStore
) -> None:
    put(open_store(path="near"), "one", {"a/f": "1"}, "near")
    store = open_store(path="far")
    far = put(store, "one", {"a/f": "2"}, "far")
    history = store.history()

    assert [(one.revision, one.files[0].path) for one in history.log(["a"])] == [(far, "a/f")]
    assert history.read_at(far, ["a"]) == {"a/f": b"2"}
    assert history.touched("Troth-Request: one") == {"a/f"}
    assert [content for _, content in history.record_versions("one")] == [b"far"]


def test_a_store_that_was_never_written_has_no_history(store: GitStore) -> None:
    history = store.history()

    assert list(history.log(["a"])) == []
    assert history.touched("Troth-Request: one") == frozenset()
    assert list(history.record_versions("one")) == []


def test_of_no_paths_there_is_no_commit(store: GitStore) -> None:
    put(store, "one", {"a/f": "1"})

    assert list(store.history().log([])) == []


def test_a_cache_without_history_fetches_it_when_it_is_asked_for(
    remote: Remote, open_store: OpenStore, tmp_path: Path
) -> None:
    author = open_store()
    revisions = [put(author, "one", {"a/f": str(n)}, str(n)) for n in range(3)]
    settings = GitSettings(cache=tmp_path / "cache", borrow=False)
    store = open_store(f"file://{remote.folder}", settings=settings)
    store.snapshot()

    assert [one.revision for one in store.history().log(["a"])] == revisions[::-1]
    assert [content for _, content in store.history().record_versions("one")] == [b"2", b"1", b"0"]
    newest = put(store, "one", {"a/f": "more"}, "more")
    assert [one.revision for one in store.history().log(["a"], limit=2)] == [newest, revisions[2]]


def test_history_tells_of_what_others_pushed_since(
    remote: Remote, open_store: OpenStore, tmp_path: Path
) -> None:
    store = open_store()
    put(store, "one", {"a/f": "1"})
    history = store.history()
    history.log(["a"])

    pushed = remote.clone(tmp_path / "clone").push({"a/f": "2"}, "By hand")

    assert history.log(["a"])[0].revision == pushed

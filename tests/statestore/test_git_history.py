"""What a Git store leaves in the repository: commits, pushes, and everything it lets alone."""

from pathlib import Path

import pytest
from support.repositories import RECORDS, OpenStore, Remote, git

from troth.errors import Reason, StoreError
from troth_statestore import ChangeSet, Outcome, digest_bytes
from troth_statestore.git import Author, GitSettings, create_bare


def change(key: str, **files: str) -> ChangeSet:
    return ChangeSet(
        key,
        None,
        {f"{key}/{name}": content.encode() for name, content in files.items()},
        record=f"record of {key}".encode(),
        title=f"Update {key}",
        trailers=(("Troth-Request", key), ("Troth-Generation", "1")),
    )


def test_a_commit_says_whose_it_is_in_subject_and_trailers(
    remote: Remote, open_store: OpenStore
) -> None:
    open_store().commit([change("one", f="1")])

    record = digest_bytes(b"record of one")
    assert remote.messages() == [
        f"Update one\n\nTroth-Request: one\nTroth-Generation: 1\nTroth-Record: {record}"
    ]
    assert remote.git("log", "-1", "--format=%(trailers:key=Troth-Request,valueonly)").strip() == (
        "one"
    )


def test_each_change_set_gets_a_commit_in_order_of_key(
    remote: Remote, open_store: OpenStore
) -> None:
    changes = [change(key, f="1") for key in ("c", "a", "b")]

    receipts = open_store().commit(changes)

    assert remote.subjects() == ["Update a", "Update b", "Update c"]
    by_key = {receipt.key: receipt.revision for receipt in receipts}
    assert list(map(by_key.get, "abc")) == remote.git("rev-list", "--reverse", "main").split()


def test_a_commit_holds_the_files_of_its_own_change_set_and_no_other(
    remote: Remote, open_store: OpenStore
) -> None:
    first, second = open_store().commit([change("a", f="1"), change("b", f="1", g="2")])

    names = [
        remote.git("show", "--format=", "--name-only", str(receipt.revision))
        for receipt in (first, second)
    ]
    assert names == ["a/f", "b/f\nb/g"]


@pytest.mark.parametrize("path", ["", "clusters", "clusters/with space"])
def test_a_receipt_names_the_tree_of_the_folder_of_the_store_in_its_commit(
    remote: Remote, open_store: OpenStore, path: str
) -> None:
    receipts = open_store(path=path).commit([change("a", f="1"), change("b", f="2")])

    assert [receipt.tree for receipt in receipts] == [
        remote.git("rev-parse", f"{receipt.revision}:{path}") for receipt in receipts
    ]
    assert receipts[0].tree != receipts[1].tree


def test_of_a_folder_that_was_emptied_the_tree_is_the_empty_one(
    remote: Remote, open_store: OpenStore
) -> None:
    store = open_store(path="clusters")
    store.commit([change("a", f="1")])

    [receipt] = store.commit([ChangeSet("b", None, delete=frozenset({"a/f"}))])

    assert receipt.tree == remote.git("hash-object", "-t", "tree", "/dev/null")


def test_one_commit_for_a_flush_has_one_tree(open_store: OpenStore) -> None:
    store = open_store(settings=GitSettings(one_commit_a_flush=True))

    first, second = store.commit([change("a", f="1"), change("b", f="2")])

    assert first.tree is not None
    assert first.tree == second.tree


def test_a_flush_is_one_commit_on_the_branch_of_the_records(
    remote: Remote, open_store: OpenStore
) -> None:
    open_store().commit([change("a", f="1"), change("b", f="1")])

    assert remote.subjects(RECORDS) == ["Record 2 changes"]
    assert remote.files(RECORDS) == {"a": "record of a", "b": "record of b"}


def test_a_flush_is_one_push_of_both_branches(remote: Remote, open_store: OpenStore) -> None:
    open_store().commit([change(key, f="1") for key in "abcdef"])

    assert remote.pushes() == [["refs/heads/main", f"refs/heads/{RECORDS}"]]


def test_both_branches_are_taken_or_neither(remote: Remote, open_store: OpenStore) -> None:
    remote.hook("update", 'case "$1" in */records/*) echo no records today >&2; exit 1;; esac')

    with pytest.raises(StoreError, match="no records today"):
        open_store().commit([change("a", f="1")])

    assert not remote.has("main")


def test_a_change_set_that_only_moves_its_record_makes_no_commit_on_the_files(
    remote: Remote, open_store: OpenStore
) -> None:
    store = open_store()
    store.commit([change("a", f="1")])
    version = store.snapshot().records()["a"][1]

    store.commit([ChangeSet("a", version, {"a/f": b"1"}, record=b"new")])

    assert remote.subjects() == ["Update a"]
    assert remote.pushes()[1:] == [[f"refs/heads/{RECORDS}"]]


def test_files_that_change_without_a_record_are_noted_on_its_branch_by_the_same_push(
    remote: Remote, open_store: OpenStore
) -> None:
    store = open_store()
    tips: list[str] = []
    for content in (b"1", b"2"):
        store.commit([ChangeSet("a", None, {"f": content})])
        tips.append(remote.tip())

    assert remote.pushes() == [["refs/heads/main", f"refs/heads/{RECORDS}"]] * 2
    assert remote.subjects(RECORDS) == [f"Note {tip[:12]}" for tip in tips]
    assert remote.git("log", "-1", "--format=%b", RECORDS).strip() == f"Troth-Files: {tips[1]}"
    assert remote.files(RECORDS) == {}


def test_a_note_leaves_every_record_as_it_was(remote: Remote, open_store: OpenStore) -> None:
    store = open_store()
    store.commit([change("a", f="1")])
    before = store.snapshot().records()

    store.commit([ChangeSet("a", before["a"][1], {"a/f": b"2"}, record=b"record of a")])

    assert remote.subjects(RECORDS) == ["Record 1 change", f"Note {remote.tip()[:12]}"]
    assert store.snapshot().records() == open_store().snapshot().records() == before


def test_nothing_is_noted_when_no_file_changed(remote: Remote, open_store: OpenStore) -> None:
    store = open_store()
    for _ in range(2):
        store.commit([ChangeSet("a", None, {"f": b"1"})])

    assert len(remote.subjects(RECORDS)) == len(remote.pushes()) == 1


def test_nothing_is_committed_or_pushed_when_nothing_changed(
    remote: Remote, open_store: OpenStore
) -> None:
    store = open_store()
    store.commit([change("a", f="1")])
    version = store.snapshot().records()["a"][1]

    receipts = store.commit([ChangeSet("a", version, {"a/f": b"1"}, record=b"record of a")])

    assert [receipt.outcome for receipt in receipts] == [Outcome.UNCHANGED]
    assert len(remote.pushes()) == 1


def test_a_flush_can_be_one_commit_that_tells_of_every_change_set(
    remote: Remote, open_store: OpenStore
) -> None:
    store = open_store(settings=GitSettings(one_commit_a_flush=True))

    receipts = store.commit([change("b", f="1"), change("a", f="1")])

    assert {receipt.revision for receipt in receipts} == {remote.tip()}
    [message] = remote.messages()
    assert message.splitlines() == [
        "Make 2 changes",
        "",
        *("Update a", "", "Troth-Request: a", "Troth-Generation: 1"),
        *(f"Troth-Record: {digest_bytes(b'record of a')}", ""),
        *("Update b", "", "Troth-Request: b", "Troth-Generation: 1"),
        f"Troth-Record: {digest_bytes(b'record of b')}",
    ]


def test_commits_are_by_the_author_at_the_time_of_the_clock(
    remote: Remote, open_store: OpenStore
) -> None:
    author = Author("A Platform Team", "platform@example.com")
    store = open_store(settings=GitSettings(author=author, clock=lambda: 1_700_000_000))

    store.commit([change("a", f="1")])

    expected = "A Platform Team <platform@example.com> 1700000000 +0000"
    raw = remote.git("cat-file", "commit", "main").splitlines()
    assert raw[1:3] == [f"author {expected}", f"committer {expected}"]


def test_the_same_change_sets_make_the_same_commits(tmp_path: Path, open_store: OpenStore) -> None:
    tips: set[str] = set()
    for name, order in (("one", 1), ("two", -1)):
        remote = Remote.create(tmp_path / f"{name}.git")
        store = open_store(str(remote.folder), settings=GitSettings(clock=lambda: 1_700_000_000))
        store.commit([change("a", f="1", g="2"), change("b", f="1")][::order])
        tips |= {f"{remote.tip()} {remote.tip(RECORDS)}"}

    assert len(tips) == 1


def test_an_empty_repository_gets_its_branch_from_the_first_commit(
    remote: Remote, open_store: OpenStore, tmp_path: Path
) -> None:
    open_store().commit([change("a", f="1")])

    clone = remote.clone(tmp_path / "clone")
    assert (clone.folder / "a/f").read_text() == "1"


def test_a_missing_branch_is_made_beside_the_others(remote: Remote, open_store: OpenStore) -> None:
    open_store().commit([change("a", f="1")])

    open_store(branch="team/blue").commit([change("b", f="1")])

    assert remote.subjects("team/blue") == ["Update b"]
    assert remote.files("troth/records/team/blue") == {"b": "record of b"}
    assert remote.files() == {"a/f": "1"}


def test_what_others_keep_in_the_repository_is_never_touched(
    remote: Remote, open_store: OpenStore, tmp_path: Path
) -> None:
    clone = remote.clone(tmp_path / "clone")
    foreign = {"README.md": "read me", "a/foreign": "x", "b/c/d": "y"}
    tip = clone.push(foreign)
    store = open_store()

    store.commit([change("a", f="1")])
    store.commit([ChangeSet("b", None, {"b/c/e": b"1"}, frozenset({"b/c/nothing"}))])

    assert remote.files() == {**foreign, "a/f": "1", "b/c/e": "1"}
    assert remote.git("rev-list", "--reverse", "main").split()[0] == tip


def test_a_path_puts_files_and_records_below_a_folder(
    remote: Remote, open_store: OpenStore, tmp_path: Path
) -> None:
    remote.clone(tmp_path / "clone").push({"clusters-too/f": "x", "top": "y"})

    store = open_store(path="/clusters/blue/")
    store.commit([change("a", f="1")])

    assert remote.files() == {"clusters-too/f": "x", "top": "y", "clusters/blue/a/f": "1"}
    assert remote.files(RECORDS) == {"clusters/blue/a": "record of a"}
    assert list(store.snapshot().digests("")) == ["a/f"]
    assert list(store.snapshot().records()) == ["a"]


def test_a_path_is_a_name_and_no_pattern(
    remote: Remote, open_store: OpenStore, tmp_path: Path
) -> None:
    store = open_store(path="blue*")
    store.commit([change("a", f="1")])
    remote.clone(tmp_path / "clone").push({"blue-too/f": "x"})

    assert list(store.snapshot().digests("")) == ["a/f"]


@pytest.mark.parametrize("path", ["clusters", "clusters/blue"])
def test_a_file_where_the_stores_folder_should_be_is_not_destroyed(
    remote: Remote, open_store: OpenStore, tmp_path: Path, path: str
) -> None:
    remote.clone(tmp_path / "clone").push({"clusters": "a file"})

    with pytest.raises(StoreError, match="clusters is a file in the repository"):
        open_store(path=path).commit([change("a", f="1")])

    assert remote.files() == {"clusters": "a file"}


def test_ignore_and_attributes_files_have_no_say(
    remote: Remote, open_store: OpenStore, tmp_path: Path
) -> None:
    clone = remote.clone(tmp_path / "clone")
    clone.push({".gitignore": "*\n", ".gitattributes": "* text eol=crlf ident\n"})
    store = open_store()

    store.commit([ChangeSet("a", None, {"a/f.yaml": b"$Id$\r\nx\n"})])

    assert store.snapshot().read(["a/f.yaml"]) == {"a/f.yaml": b"$Id$\r\nx\n"}


@pytest.mark.parametrize("kind", ["link", "executable"])
def test_what_is_no_plain_file_differs_from_any_content_and_is_replaced(
    remote: Remote, open_store: OpenStore, tmp_path: Path, kind: str
) -> None:
    clone = remote.clone(tmp_path / "clone")
    (clone.folder / "d").mkdir()
    if kind == "link":
        (clone.folder / "d/f").symlink_to("elsewhere")
    else:
        (clone.folder / "d/f").write_text("elsewhere")
        (clone.folder / "d/f").chmod(0o755)
    clone.commit_and_push("By hand")

    [receipt] = open_store().commit([ChangeSet("a", None, {"d/f": b"elsewhere"})])

    assert receipt.outcome is Outcome.WRITTEN
    assert remote.git("ls-tree", "main", "d/f").startswith("100644 ")


def test_a_link_is_listed_as_what_no_content_can_be_and_is_not_read(
    remote: Remote, open_store: OpenStore, tmp_path: Path
) -> None:
    clone = remote.clone(tmp_path / "clone")
    (clone.folder / "f").symlink_to("elsewhere")
    clone.commit_and_push("By hand")

    snapshot = open_store().snapshot()

    assert snapshot.digests("")["f"].startswith("120000:")
    assert snapshot.read(["f"]) == {}


def test_a_link_on_the_way_is_not_followed(
    remote: Remote, open_store: OpenStore, tmp_path: Path
) -> None:
    clone = remote.clone(tmp_path / "clone")
    (clone.folder / "d").symlink_to("elsewhere")
    clone.commit_and_push("By hand")

    with pytest.raises(StoreError, match="d/f cannot be written, since d is in its way"):
        open_store().commit([ChangeSet("a", None, {"d/f": b"1"})])


def test_names_that_no_store_would_take_are_not_listed(
    remote: Remote, open_store: OpenStore, tmp_path: Path
) -> None:
    clone = remote.clone(tmp_path / "clone")
    clone.push({"d/back\\slash": "x", "d/fine": "y"})

    assert list(open_store().snapshot().digests("d")) == ["d/fine"]


def test_a_history_that_git_finds_nothing_wrong_with(remote: Remote, open_store: OpenStore) -> None:
    store = open_store(path="p")
    store.commit([change(key, f="1", g="2") for key in "abc"])
    store.commit([ChangeSet("d", None, {"d": b"1"}, frozenset({"a/f", "a/g"}))])

    assert remote.git("fsck", "--strict", "--no-dangling", "--no-progress") == ""


def test_a_bare_repository_is_made_with_the_folders_above_it(
    tmp_path: Path, open_store: OpenStore
) -> None:
    folder = tmp_path / "not/there/yet.git"

    create_bare(folder, "trunk")

    open_store(str(folder), branch="trunk").commit([change("a", f="1")])
    assert git("--git-dir", folder, "rev-parse", "--abbrev-ref", "HEAD") == "trunk"
    assert Remote(folder).files("trunk") == {"a/f": "1"}


def test_no_repository_is_made_where_something_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    with pytest.raises(StoreError, match="is there already and not empty") as caught:
        create_bare(tmp_path)

    assert caught.value.reason is Reason.STATE_STORE_REFUSED
    assert [path.name for path in tmp_path.iterdir()] == ["file"]

"""What every state store does: the same tests over all twins."""

import pytest

from troth.errors import Reason, StoreError
from troth_statestore import ChangeSet, Outcome, Receipt, StateStore, digest_bytes


def files(store: StateStore) -> dict[str, bytes]:
    snapshot = store.snapshot()
    return dict(snapshot.read(list(snapshot.digests(""))))


def records(store: StateStore) -> dict[str, bytes]:
    return {key: content for key, (content, _) in store.snapshot().records().items()}


def version(store: StateStore, key: str) -> str:
    return store.snapshot().records()[key][1]


def test_an_empty_store_holds_nothing_and_has_no_revision(store: StateStore) -> None:
    snapshot = store.snapshot()

    assert snapshot.revision is None
    assert snapshot.records() == {}
    assert snapshot.digests("") == {}
    assert snapshot.read(["a"]) == {}


def test_probing_an_empty_store_says_what_it_is_and_leaves_it_empty(store: StateStore) -> None:
    probe = store.probe()

    assert probe.description
    assert probe.revision is None
    assert probe.refusal is None
    assert store.snapshot().revision is None


def test_files_and_record_are_there_after_a_commit(store: StateStore) -> None:
    store.commit([ChangeSet("r/one", None, {"x/a": b"1", "x/b": b"2\n"}, record=b"\0\xff")])

    assert files(store) == {"x/a": b"1", "x/b": b"2\n"}
    assert records(store) == {"r/one": b"\0\xff"}


def test_a_receipt_names_what_changed_and_the_revision_that_carries_it(store: StateStore) -> None:
    [receipt] = store.commit([ChangeSet("r/one", None, {"b": b"1", "a": b"2"}, record=b"x")])

    assert receipt.key == "r/one"
    assert receipt.outcome is Outcome.WRITTEN
    assert receipt.changed == ("a", "b")
    assert receipt.revision == store.snapshot().revision
    assert receipt.revision == store.probe().revision


def test_where_no_file_changed_a_receipt_names_no_tree(store: StateStore) -> None:
    [receipt] = store.commit([ChangeSet("r/one", None, record=b"x")])

    assert (receipt.revision, receipt.tree) == (None, None)


def test_receipts_come_in_the_order_given(store: StateStore) -> None:
    keys = ["c", "a", "b"]

    receipts = store.commit([ChangeSet(key, None, {f"f/{key}": b""}) for key in keys])

    assert [receipt.key for receipt in receipts] == keys


def test_a_version_is_the_digest_of_the_record(store: StateStore) -> None:
    store.commit([ChangeSet("r", None, record=b"content")])

    assert version(store, "r") == digest_bytes(b"content")


def test_digests_are_those_of_the_content(store: StateStore) -> None:
    store.commit([ChangeSet("r", None, {"f": b"content"})])

    assert store.snapshot().digests("") == {"f": digest_bytes(b"content")}


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", ["a", "a-b/c", "a.b", "d/e/f", "d/g", "d0", "dx/f"]),
        ("d", ["d/e/f", "d/g"]),
        ("d/e", ["d/e/f"]),
        ("d/g", ["d/g"]),
        ("a", ["a"]),
        ("nowhere", []),
    ],
)
def test_digests_are_of_what_lies_at_or_below_a_folder(
    store: StateStore, prefix: str, expected: list[str]
) -> None:
    store.commit(
        [
            ChangeSet(
                "r", None, dict.fromkeys(["a", "a-b/c", "a.b", "d/e/f", "d/g", "d0", "dx/f"], b"")
            )
        ]
    )

    assert sorted(store.snapshot().digests(prefix)) == expected


def test_reading_leaves_out_what_is_not_there(store: StateStore) -> None:
    store.commit([ChangeSet("r", None, {"d/a": b"1"})])

    assert store.snapshot().read(["d/a", "d", "d/a/b", "z"]) == {"d/a": b"1"}


def test_a_snapshot_does_not_see_later_writes(store: StateStore) -> None:
    store.commit([ChangeSet("r", None, {"f": b"old", "g": b"gone"}, record=b"old")])
    snapshot = store.snapshot()

    store.commit(
        [ChangeSet("r", version(store, "r"), {"f": b"new"}, frozenset({"g"}), record=b"new")]
    )

    assert snapshot.read(["f", "g"]) == {"f": b"old", "g": b"gone"}
    assert snapshot.records() == {"r": (b"old", digest_bytes(b"old"))}
    assert sorted(snapshot.digests("")) == ["f", "g"]


def test_what_is_there_already_is_not_written_again(store: StateStore) -> None:
    store.commit([ChangeSet("r", None, {"f": b"1"}, record=b"x")])
    before = store.snapshot().revision

    receipts = store.commit([ChangeSet("r", version(store, "r"), {"f": b"1"}, record=b"x")])

    assert receipts == [Receipt("r", Outcome.UNCHANGED)]
    assert store.snapshot().revision == before


def test_deleting_what_is_not_there_changes_nothing(store: StateStore) -> None:
    store.commit([ChangeSet("r", None, {"d/f": b"1"})])

    receipts = store.commit([ChangeSet("s", None, delete=frozenset({"z", "d", "d/f/g"}))])

    assert receipts == [Receipt("s", Outcome.UNCHANGED)]
    assert files(store) == {"d/f": b"1"}


def test_only_files_that_differ_are_reported_as_changed(store: StateStore) -> None:
    store.commit([ChangeSet("r", None, {"a": b"1", "b": b"1", "c": b"1"})])

    [receipt] = store.commit(
        [ChangeSet("r", None, {"a": b"1", "b": b"2"}, frozenset({"c", "nothing"}))]
    )

    assert receipt.changed == ("b", "c")
    assert files(store) == {"a": b"1", "b": b"2"}


def test_a_record_alone_can_change_and_moves_no_revision(store: StateStore) -> None:
    store.commit([ChangeSet("r", None, {"f": b"1"}, record=b"x")])
    before = store.snapshot().revision

    receipts = store.commit([ChangeSet("r", version(store, "r"), {"f": b"1"}, record=b"y")])

    assert receipts == [Receipt("r", Outcome.WRITTEN)]
    assert records(store) == {"r": b"y"}
    assert store.snapshot().revision == before


def test_a_record_is_removed_with_its_files(store: StateStore) -> None:
    store.commit([ChangeSet("r/one", None, {"d/f": b"1"}, record=b"x")])

    store.commit([ChangeSet("r/one", version(store, "r/one"), delete=frozenset({"d/f"}))])

    assert files(store) == {}
    assert records(store) == {}


@pytest.mark.parametrize("expected", [None, digest_bytes(b"something else")])
def test_a_stale_record_is_refused_and_the_rest_is_written(
    store: StateStore, expected: str | None
) -> None:
    store.commit([ChangeSet("a", None, {"f": b"1"}, record=b"x")])

    receipts = store.commit(
        [
            ChangeSet("a", expected, {"f": b"2"}, record=b"y"),
            ChangeSet("b", None, {"g": b"1"}, record=b"z"),
        ]
    )

    assert [receipt.outcome for receipt in receipts] == [Outcome.STALE, Outcome.WRITTEN]
    assert files(store) == {"f": b"1", "g": b"1"}
    assert records(store) == {"a": b"x", "b": b"z"}


def test_a_record_that_is_gone_is_stale_for_who_expects_it(store: StateStore) -> None:
    receipts = store.commit([ChangeSet("a", digest_bytes(b"x"), {"f": b"1"}, record=b"x")])

    assert receipts == [Receipt("a", Outcome.STALE)]
    assert files(store) == {}


def test_an_empty_flush_is_nothing(store: StateStore) -> None:
    assert store.commit([]) == []
    assert store.snapshot().revision is None


def test_a_file_takes_the_place_of_a_folder_that_is_deleted_with_it(store: StateStore) -> None:
    store.commit([ChangeSet("r", None, {"d/a": b"1", "d/e/b": b"2"})])

    store.commit([ChangeSet("r", None, {"d": b"3"}, frozenset({"d/a", "d/e/b"}))])

    assert files(store) == {"d": b"3"}


def test_a_folder_takes_the_place_of_a_file_that_is_deleted_with_it(store: StateStore) -> None:
    store.commit([ChangeSet("r", None, {"d": b"3"})])

    store.commit([ChangeSet("r", None, {"d/a/b": b"1"}, frozenset({"d"}))])

    assert files(store) == {"d/a/b": b"1"}


@pytest.mark.parametrize(
    ("held", "wanted"), [("d/foreign", "d"), ("d", "d/a"), ("d", "d/e/f"), ("d/e/f", "d/e")]
)
def test_a_foreign_file_in_the_way_is_never_destroyed(
    store: StateStore, held: str, wanted: str
) -> None:
    store.commit([ChangeSet("foreign", None, {held: b"keep"})])

    with pytest.raises(StoreError, match=f"{wanted} cannot be written, since {held}") as caught:
        store.commit([ChangeSet("r", None, {wanted: b"x"}), ChangeSet("s", None, {"other": b"y"})])

    assert caught.value.reason is Reason.UNSAFE_PATH
    assert files(store) == {held: b"keep"}


def test_a_file_that_goes_does_not_let_a_record_of_that_name_go(store: StateStore) -> None:
    store.commit([ChangeSet("r/a", None, record=b"theirs")])

    with pytest.raises(StoreError, match="r/a is in its way"):
        store.commit([ChangeSet("r/a/b", None, delete=frozenset({"r/a"}), record=b"ours")])

    assert records(store) == {"r/a": b"theirs"}


def test_a_record_in_the_way_of_another_is_never_destroyed(store: StateStore) -> None:
    store.commit([ChangeSet("r/one", None, record=b"keep")])

    with pytest.raises(StoreError, match="r cannot be written, since r/one"):
        store.commit([ChangeSet("r", None, record=b"x")])

    assert records(store) == {"r/one": b"keep"}


@pytest.mark.parametrize(
    "changes",
    [
        [ChangeSet("a", None), ChangeSet("a", None)],
        [ChangeSet("a", None, {"f": b""}), ChangeSet("b", None, {"f": b""})],
        [ChangeSet("a", None, {"f": b""}), ChangeSet("b", None, delete=frozenset({"f"}))],
        [ChangeSet("a", None, {"f": b""}), ChangeSet("b", None, {"f/g": b""})],
        [ChangeSet("a", None, {"f/g": b""}), ChangeSet("b", None, {"f": b""})],
        [ChangeSet("a", None, {"f": b""}, frozenset({"f"}))],
        [ChangeSet("a", None, {"f": b"", "f/g": b""})],
        [ChangeSet("a", None, {"../f": b""})],
        [ChangeSet("a", None, delete=frozenset({"/f"}))],
        [ChangeSet("a/../b", None)],
        [ChangeSet("a", None, {".troth/records/a": b""})],
        [ChangeSet("a", None, title="two\nlines")],
        [ChangeSet("a", None, trailers=(("Name", "two\nlines"),))],
        [ChangeSet("a", None, trailers=(("No name", "x"),))],
    ],
)
def test_misuse_is_a_value_error_and_writes_nothing(
    store: StateStore, changes: list[ChangeSet]
) -> None:
    with pytest.raises(ValueError, match="change set "):
        store.commit([ChangeSet("fine", None, {"fine": b""}), *changes])

    assert files(store) == {}


@pytest.mark.parametrize(
    "path",
    ["with space", "quo'te", 'quo"te', '"', "ümlaut/漢字", "a\u00a0b", "*[?]", ":(top)x", "-x"],
)
def test_unusual_names_are_kept_as_they_are(store: StateStore, path: str) -> None:
    store.commit([ChangeSet(path, None, {path: b"1", "other": b"2"}, record=b"3")])

    assert files(store) == {path: b"1", "other": b"2"}
    assert records(store) == {path: b"3"}
    assert store.snapshot().digests(path) == {path: digest_bytes(b"1")}


@pytest.mark.parametrize("content", [b"", b"\n", b"no newline", b"\r\n", b"\0" * 10, b"done\n"])
def test_any_bytes_are_kept_as_they_are(store: StateStore, content: bytes) -> None:
    store.commit([ChangeSet("r", None, {"f": content}, record=content)])

    assert files(store) == {"f": content}
    assert records(store) == {"r": content}


def test_closing_twice_is_no_error(store: StateStore) -> None:
    store.close()
    store.close()


def test_versions_of_records_are_told_without_their_bytes(store: StateStore) -> None:
    store.commit([ChangeSet("r/one", None, record=b"1"), ChangeSet("r/two", None, record=b"2")])
    snapshot = store.snapshot()

    assert snapshot.record_versions() == {key: one for key, (_, one) in snapshot.records().items()}
    assert snapshot.read_records(["r/two", "r/none"]) == {"r/two": b"2"}

"""Files that several owners share: the same in every store, and no owner loses its part."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.repositories import OpenStore, Remote

from troth.errors import Reason, StoreError
from troth_statestore import ChangeSet, Outcome, StateStore, digest_bytes
from troth_statestore._index import Index
from troth_statestore._plan import plan
from troth_statestore.directory import DirectoryStore
from troth_statestore.pieces import KEPT, as_piece, compose, documents_in, parse, why_no_piece

FILE = "a/all.yaml"
ONE, TWO = "resources/team/thing/one/x.yaml", "resources/team/thing/two/x.yaml"


def piece(path: str) -> str:
    return f"{FILE}//{path}"


def change(name: str, content: bytes | None, **more: str) -> ChangeSet:
    path = piece(f"resources/team/thing/{name}/x.yaml")
    files = {path: content} if content is not None else {}
    gone = frozenset({path}) if content is None else frozenset[str]()
    return ChangeSet(f"r/{name}", more.get("expected"), files, gone, record=content, title=name)


def files(store: StateStore) -> dict[str, bytes]:
    snapshot = store.snapshot()
    return dict(snapshot.read(list(snapshot.digests(""))))


def test_the_pieces_of_a_file_stand_in_it_in_order_with_their_paths_above(
    store: StateStore,
) -> None:
    store.commit([change("two", b"b: 2\n"), change("one", b"a: 1\n")])

    assert files(store) == {
        FILE: f"# troth.dev/piece: {ONE}\na: 1\n---\n# troth.dev/piece: {TWO}\nb: 2\n".encode()
    }


def test_what_is_handed_in_later_joins_what_stands(store: StateStore) -> None:
    store.commit([change("two", b"b: 2\n")])

    store.commit([change("one", b"a: 1\n")])

    assert parse(files(store)[FILE]) == {ONE: b"a: 1\n", TWO: b"b: 2\n"}


def test_a_snapshot_answers_for_pieces_as_for_files(store: StateStore) -> None:
    store.commit([change("one", b"a: 1\n"), change("two", b"b: 2\n")])
    snapshot = store.snapshot()

    below = snapshot.digests(piece("resources/team/thing/one"))

    assert below == {piece(ONE): digest_bytes(b"a: 1\n")}
    assert snapshot.read([piece(TWO), piece("nowhere"), FILE + "x//y"]) == {piece(TWO): b"b: 2\n"}
    assert list(snapshot.digests("")) == [FILE]
    assert sorted(snapshot.digests(f"{FILE}//resources")) == [piece(ONE), piece(TWO)]


def test_those_who_share_a_file_in_a_flush_share_a_revision(store: StateStore) -> None:
    alone = ChangeSet("r/other", None, {"other": b"x"}, record=b"x")

    one, other, two = store.commit([change("one", b"a: 1\n"), alone, change("two", b"b: 2\n")])

    assert one.revision == two.revision is not None
    assert (one.changed, two.changed) == ((piece(ONE),), (piece(TWO),))
    assert other.changed == ("other",)


def test_the_file_is_gone_with_its_last_piece(store: StateStore) -> None:
    store.commit([change("one", b"a: 1\n"), change("two", b"b: 2\n")])

    store.commit([change("one", None, expected=digest_bytes(b"a: 1\n"))])
    left = files(store)
    store.commit([change("two", None, expected=digest_bytes(b"b: 2\n"))])

    assert parse(left[FILE]) == {TWO: b"b: 2\n"}
    assert files(store) == {}


def test_a_piece_that_stands_is_not_written_again(store: StateStore) -> None:
    store.commit([change("one", b"a: 1\n"), change("two", b"b: 2\n")])
    before = store.snapshot().revision

    [receipt] = store.commit([change("one", b"a: 1\n", expected=digest_bytes(b"a: 1\n"))])

    assert receipt.outcome is Outcome.UNCHANGED
    assert store.snapshot().revision == before


def test_what_is_stale_leaves_its_piece_as_it_was(store: StateStore) -> None:
    store.commit([change("one", b"a: 1\n")])

    stale, fresh = store.commit([change("one", b"a: 2\n"), change("two", b"b: 2\n")])

    assert (stale.outcome, fresh.outcome) == (Outcome.STALE, Outcome.WRITTEN)
    assert parse(files(store)[FILE]) == {ONE: b"a: 1\n", TWO: b"b: 2\n"}


def test_documents_of_somebody_else_stay_until_somebody_takes_them_over(store: StateStore) -> None:
    foreign = b"---\na: 1\n\n---\n# only a comment\n---\nb: 2"
    store.commit([ChangeSet("by-hand", None, {FILE: foreign})])
    kept = sorted(store.snapshot().digests(f"{FILE}//{KEPT}"))

    store.commit([ChangeSet("r", None, {piece(ONE): b"a: 3\n"}, frozenset({kept[0]}))])

    assert len(kept) == 2
    assert parse(files(store)[FILE]) == {
        kept[1].removeprefix(f"{FILE}//"): b"b: 2\n",
        ONE: b"a: 3\n",
    }


def test_a_document_that_changed_since_is_not_taken_for_the_one_that_was_seen(
    store: StateStore,
) -> None:
    store.commit([ChangeSet("by-hand", None, {FILE: b"a: 1\n"})])
    [seen] = store.snapshot().digests(f"{FILE}//{KEPT}")
    store.commit([ChangeSet("by-hand", None, {FILE: b"other: 1\n"})])

    store.commit([ChangeSet("r", None, {piece(ONE): b"a: 3\n"}, frozenset({seen}))])

    assert sorted(parse(files(store)[FILE]).values()) == [b"a: 3\n", b"other: 1\n"]


def test_a_folder_where_the_file_should_be_is_never_destroyed(store: StateStore) -> None:
    store.commit([ChangeSet("by-hand", None, {f"{FILE}/foreign": b"keep"})])

    with pytest.raises(StoreError, match="cannot be written") as caught:
        store.commit([change("one", b"a: 1\n")])

    assert caught.value.reason is Reason.UNSAFE_PATH


@pytest.mark.parametrize(
    "bad",
    [
        {f"{FILE}//../x": b"a\n"},
        {"../x//y": b"a\n"},
        {f"{FILE}//": b"a\n"},
        {f"{FILE}//x//y": b"a\n"},
        {f"{FILE}//x": b"no line end"},
        {f"{FILE}//x": b"a: 1\n# troth.dev/piece: resources/stolen\n"},
        {f"{FILE}//x": b"%YAML 1.2\n"},
        {f"{FILE}//x": b"a\n", FILE: b"whole"},
    ],
)
def test_misuse_is_a_value_error(store: StateStore, bad: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="change set"):
        store.commit([ChangeSet("r", None, bad)])

    assert files(store) == {}


def test_one_commit_carries_all_that_share_a_file(remote: Remote, open_store: OpenStore) -> None:
    alone = ChangeSet("r/s", None, {"other": b"x"}, title="alone")

    open_store().commit([change("one", b"a: 1\n"), alone, change("two", b"b: 2\n")])

    assert remote.subjects() == ["Make 2 changes", "alone"]


def test_a_thousand_in_one_flush_are_one_commit(remote: Remote, open_store: OpenStore) -> None:
    changes = [change(f"n{number:04}", b"a: %d\n" % number) for number in range(1000)]

    receipts = open_store().commit(changes)

    assert remote.subjects() == ["Make 1000 changes"]
    assert len({one.revision for one in receipts}) == 1


def test_a_flush_writes_a_shared_file_once() -> None:
    nothing = Index({})

    steps = plan(
        [change("one", b"a: 1\n"), change("two", b"b: 2\n")], nothing, nothing, lambda _: None
    )

    assert [list(step.write) for step in steps] == [[FILE], []]


def test_another_writers_piece_that_landed_meanwhile_is_kept(
    remote: Remote, open_store: OpenStore
) -> None:
    first, second = open_store(), open_store()
    first.snapshot()
    second.commit([change("two", b"b: 2\n")])

    first.commit([change("one", b"a: 1\n")])

    assert parse(files(first)[FILE]) == {ONE: b"a: 1\n", TWO: b"b: 2\n"}
    assert len(remote.subjects()) == 2


MARKED = compose({ONE: b"a: 1\n", TWO: b"b: 2\n"})


@pytest.mark.parametrize(
    ("edited", "intact"),
    [
        (MARKED.replace(b"b: 2", b"b: 9"), {ONE}),
        (b"by: hand\n---\n" + MARKED, {TWO}),
        (MARKED + b"---\nby: hand\n", {ONE}),
        (MARKED.replace(b"---\n", b""), set()),
        (MARKED.replace(b"# troth", b"#troth"), set()),
        (MARKED + b"---\n" + MARKED, set()),
        (MARKED.replace(b"\n", b"\r\n"), set()),
        (MARKED.replace(f"piece: {TWO}".encode(), b"piece: ../x"), set()),
        (b"", set()),
    ],
)
def test_an_edit_shows_in_the_piece_that_it_touches(edited: bytes, intact: set[str]) -> None:
    before, after = parse(MARKED), parse(edited)

    assert {path for path, content in before.items() if after.get(path) == content} == intact


def test_the_order_is_that_of_segments_not_of_characters() -> None:
    paths = ["resources/a/p/x-y/f", "resources/a-b/p/x/f", "dependencies/p/f", "resources/a/p/x/f"]

    made = compose(dict.fromkeys(paths, b"x: 1\n"))

    assert list(parse(made)) == [paths[2], paths[3], paths[0], paths[1]]


NAMES = st.from_regex(r"\A[a-z]{1,3}(/[a-z]{1,3}){0,2}\Z")
CONTENTS = st.binary(max_size=30).map(as_piece).filter(lambda one: why_no_piece(one) is None)


@given(st.dictionaries(NAMES, CONTENTS))
def test_what_is_put_together_comes_apart_again(pieces: dict[str, bytes]) -> None:
    assert parse(compose(pieces)) == (pieces or {})


@given(st.lists(st.sampled_from([b"---\n", b"a: 1\n", b"# troth.dev/piece: x\n", b"#\n", b"\xff"])))
def test_any_bytes_have_pieces_that_make_a_file_of_the_same_pieces(parts: list[bytes]) -> None:
    pieces = {path: as_piece(content) for path, content in parse(b"".join(parts)).items()}
    sound = {path: one for path, one in pieces.items() if why_no_piece(one) is None}

    assert parse(compose(sound)) == sound


@pytest.mark.parametrize(
    ("stream", "documents"),
    [
        (b"", []),
        (b"---\n---\n# none\n", []),
        (b"a: 1", [b"a: 1\n"]),
        (b"a: 1\n---\nb: 2\n", [b"a: 1\n", b"b: 2\n"]),
        (b"a: 1\n--- # here\nb: 2\n---", [b"a: 1\n", b" # here\nb: 2\n"]),
        (b"a: |\n  ---\n  x\n", [b"a: |\n  ---\n  x\n"]),
        (b"\xef\xbb\xbf---\r\na: 1\r\n", [b"a: 1\r\n"]),
    ],
)
def test_a_stream_falls_into_documents(stream: bytes, documents: list[bytes]) -> None:
    assert documents_in(stream) == documents


def test_a_link_in_the_place_of_the_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "elsewhere").write_bytes(b"keep: me\n")
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere")
    store = DirectoryStore(tmp_path)

    store.commit([change("one", b"a: 1\n")])

    assert parse((tmp_path / FILE).read_bytes()) == {ONE: b"a: 1\n"}
    assert (tmp_path / "elsewhere").read_bytes() == b"keep: me\n"

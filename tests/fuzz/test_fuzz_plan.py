"""The plan of a change set, held against the plainest model of a store: two dictionaries."""

from collections.abc import Mapping

from hypothesis import assume
from hypothesis import strategies as st
from support.fuzzing import fuzz

from troth.errors import Reason, StoreError
from troth_statestore import ChangeSet, Outcome, digest_bytes
from troth_statestore._checks import check_together
from troth_statestore._index import Index
from troth_statestore._plan import plan, receipts
from troth_statestore.paths import ancestors

Files = Mapping[str, bytes]

NAMES = st.sampled_from(["a", "a/b", "a/b/c", "a/d", "b", "b/c", "e", "a.yaml", "a-b", "a/b.c"])
CONTENT = st.sampled_from([b"", b"1", b"2"])
VERSIONS = st.none() | CONTENT.map(digest_bytes)


def is_tree(files: Files) -> bool:
    """Tell whether no file is a folder to another."""
    return not any(folder in files for path in files for folder in ancestors(path))


FILES = st.dictionaries(NAMES, CONTENT).filter(is_tree)


@st.composite
def change_sets(draw: st.DrawFn) -> ChangeSet:
    files = draw(FILES)
    return ChangeSet(
        key=draw(NAMES),
        expected_version=draw(VERSIONS),
        files=files,
        delete=draw(st.frozensets(NAMES)) - files.keys(),
        record=draw(st.none() | CONTENT),
    )


def index(files: Files) -> Index:
    return Index({path: digest_bytes(content) for path, content in files.items()})


def after(held: Files, write: Files, delete: frozenset[str]) -> dict[str, bytes]:
    return {path: content for path, content in held.items() if path not in delete} | dict(write)


def current(change: ChangeSet, records: Files, refused: frozenset[str]) -> bool:
    held = records.get(change.key)
    version = None if held is None else digest_bytes(held)
    return version == change.expected_version and change.key not in refused


def on_records(change: ChangeSet, records: Files) -> dict[str, bytes]:
    put = {} if change.record is None else {change.key: change.record}
    return after(records, put, frozenset({change.key} - put.keys()))


@fuzz(FILES, FILES, st.lists(change_sets(), max_size=4), st.frozensets(NAMES, max_size=2))
def test_a_plan_does_what_was_asked_for_and_nothing_else(
    files: dict[str, bytes],
    records: dict[str, bytes],
    changes: list[ChangeSet],
    refused: frozenset[str],
) -> None:
    try:
        check_together(changes)
    except ValueError:
        assume(condition=False)
    live = [change for change in changes if current(change, records, refused)]
    fits = all(
        is_tree(after(files, change.files, change.delete)) and is_tree(on_records(change, records))
        for change in live
    )
    try:
        steps = plan(changes, index(files), index(records), files.get, refused)
    except StoreError as error:
        assert error.reason is Reason.UNSAFE_PATH  # noqa: PT017  (it may be right to raise)
        assert not fits
        return
    assert fits
    assert [step.change.key for step in steps] == sorted(change.key for change in changes)
    planned, expected = dict(files), dict(files)
    for step in steps:
        change = step.change
        assert (step.outcome is Outcome.STALE) == (change not in live)
        if change in live:
            differs = on_records(change, records) != records
            moves = after(files, change.files, change.delete) != files
            expected = after(expected, change.files, change.delete)
            assert step.record_differs == differs
            assert (step.outcome is Outcome.WRITTEN) == (differs or moves)
        assert all(files.get(path) != content for path, content in step.write.items())
        assert all(path in files for path in step.remove)
        planned = after(planned, step.write, frozenset(step.remove))
    assert planned == expected
    assert [one.key for one in receipts(changes, steps, {})] == [one.key for one in changes]

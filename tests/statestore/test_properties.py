"""Whatever is committed, the twins hold the same and say the same."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from support.repositories import Remote

from troth.errors import StoreError
from troth_statestore import ChangeSet, Receipt, Snapshot, StateStore, digest_bytes
from troth_statestore.directory import DirectoryStore
from troth_statestore.git import GitSettings, GitStore
from troth_statestore.memory import MemoryStore

CONTENT = st.sampled_from([b"", b"1", b"2\n", b"\0\xff"])
NAMES = st.sampled_from(["f", "g", "d", "d/f", "d/g", "d/e/f", "ü x"])


@st.composite
def change_sets(draw: st.DrawFn, key: str) -> ChangeSet:
    """Draw a change set of one key, in whose folder a file may be in the way of another."""
    wanted: Mapping[str, bytes] = draw(st.dictionaries(NAMES, CONTENT, max_size=4))
    files = {
        f"{key}/{name}": content
        for name, content in wanted.items()
        if not any(name.startswith(f"{other}/") for other in wanted)
    }
    gone = {f"{key}/{name}" for name in draw(st.frozensets(NAMES, max_size=6))}
    record = draw(st.none() | CONTENT)
    expected = draw(st.sampled_from([None, *map(digest_bytes, (b"", b"1", b"2\n"))]))
    return ChangeSet(
        f"r/{key}", expected, files, frozenset(gone - files.keys()), record, f"Update {key}"
    )


FLUSHES = st.lists(
    st.lists(st.sampled_from("abc"), unique=True, min_size=1).flatmap(
        lambda keys: st.tuples(*map(change_sets, keys))
    ),
    min_size=1,
    max_size=6,
)

Said = list[tuple[Receipt, bool]] | str


def say(store: StateStore, changes: Sequence[ChangeSet]) -> Said:
    """Commit, and return what was said without the names of revisions."""
    try:
        receipts = store.commit(changes)
    except StoreError as error:
        return error.message
    return [
        (Receipt(one.key, one.outcome, None, one.changed), one.revision is None) for one in receipts
    ]


def held(snapshot: Snapshot) -> tuple[object, object, object]:
    digests = snapshot.digests("")
    return dict(snapshot.records()), dict(digests), dict(snapshot.read(list(digests)))


@settings(max_examples=25, deadline=None)
@given(FLUSHES, st.booleans(), st.booleans())
def test_all_twins_hold_and_say_the_same(
    flushes: list[Sequence[ChangeSet]], borrow: bool, together: bool
) -> None:
    with TemporaryDirectory() as folder:
        remote = Remote.create(Path(folder) / "store.git")
        git_settings = GitSettings(borrow=borrow, one_commit_a_flush=together)
        memory = MemoryStore()
        directory = DirectoryStore(Path(folder) / "store")
        with closing(GitStore(str(remote.folder), path="p", settings=git_settings)) as store:
            for changes in flushes:
                said = say(memory, changes)
                assert say(store, changes) == said
                assert say(directory, changes) == said
                assert held(store.snapshot()) == held(memory.snapshot())
                assert held(directory.snapshot()) == held(memory.snapshot())
        # What was listed step by step is what a new store lists in full.
        with closing(GitStore(str(remote.folder), path="p")) as anew:
            assert held(anew.snapshot()) == held(memory.snapshot())
        assert remote.git("fsck", "--strict", "--no-dangling", "--no-progress") == ""

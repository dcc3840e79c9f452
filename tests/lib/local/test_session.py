"""Rounds of a session: what was stale, or has just become free, is taken up in the same run."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from support.platform import (
    Platform,
    ScriptedRunner,
    config_map,
    follows_spec,
    promise,
    request,
    writes,
)

from troth.engine import Settings, State, Submission
from troth.errors import Reason
from troth.local import Inputs, SyncOptions, open_session
from troth.local.files import Walk
from troth_statestore import ChangeSet, Probe, Receipt, Snapshot
from troth_statestore.memory import MemoryStore


@dataclass
class BusyStore:
    """A store in which somebody else changes records just before our first commits."""

    inner: MemoryStore
    disturbances: int
    key: str = ""
    commits: int = field(default=0)

    def probe(self) -> Probe:
        return self.inner.probe()

    def snapshot(self) -> Snapshot:
        return self.inner.snapshot()

    def commit(self, changes: Sequence[ChangeSet]) -> Sequence[Receipt]:
        self.commits += 1
        if self.commits <= self.disturbances:
            records = self.inner.snapshot().records()
            for change in changes:
                if change.key in records:
                    content, version = records[change.key]
                    touched = ChangeSet(change.key, version, record=content + b" ")
                    self.inner.commit([touched])
        return self.inner.commit(changes)

    def close(self) -> None:
        self.inner.close()


def inputs(*submissions: Submission) -> Inputs:
    found = Inputs(submissions=list(submissions), walks=[Walk("requests", (), ())])
    thing = promise()
    found.promises[thing.name] = thing
    return found


def test_a_request_whose_record_moved_meanwhile_is_planned_again_and_written() -> None:
    store = BusyStore(MemoryStore(), disturbances=0)
    runner = ScriptedRunner({"configure": follows_spec})
    options = SyncOptions(Settings())
    with open_session(inputs(request(value="x")), {"": store}, runner, options) as session:
        session.sync()
    store.disturbances, store.commits = 1, 0

    with open_session(inputs(request(value="y")), {"": store}, runner, options) as session:
        [item] = session.sync()

    assert item.state is State.WRITTEN
    assert store.commits == 2


def test_a_removal_that_somebody_else_has_done_meanwhile_is_a_removal() -> None:
    inner = MemoryStore()
    runner = ScriptedRunner({"configure": follows_spec})
    options = SyncOptions(Settings())
    with open_session(inputs(request(value="x")), {"": inner}, runner, options) as session:
        session.sync()

    class Quick(BusyStore):
        def commit(self, changes: Sequence[ChangeSet]) -> Sequence[Receipt]:
            if not self.commits:
                self.inner.commit(changes)
            return super().commit(changes)

    with open_session(inputs(), {"": Quick(inner, 0)}, runner, options) as session:
        [item] = session.sync()

    assert item.state is State.REMOVED


def test_a_store_that_always_moves_is_given_up_with_a_reason() -> None:
    store = BusyStore(MemoryStore(), disturbances=0)
    runner = ScriptedRunner({"configure": follows_spec})
    options = SyncOptions(Settings())
    with open_session(inputs(request(value="x")), {"": store}, runner, options) as session:
        session.sync()
    store.disturbances, store.commits = 100, 0

    with open_session(inputs(request(value="y")), {"": store}, runner, options) as session:
        [item] = session.sync()

    assert (item.state, item.reason) == (State.FAILED, Reason.STATE_STORE_BUSY)


def test_what_a_removed_request_held_is_taken_over_in_the_same_run() -> None:
    store = MemoryStore()
    runner = ScriptedRunner({"configure": writes(config_map("same"))})
    options = SyncOptions(Settings())
    with open_session(inputs(request("a")), {"": store}, runner, options) as session:
        session.sync()

    with open_session(inputs(request("b")), {"": store}, runner, options) as session:
        items = {item.name: item for item in session.sync()}

    assert items["a"].state is State.REMOVED
    assert items["b"].state is State.WRITTEN


def test_the_session_and_the_platform_of_the_tests_write_the_same() -> None:
    store = MemoryStore()
    runner = ScriptedRunner({"configure": follows_spec})
    with open_session(
        inputs(request(value="x")), {"": store}, runner, SyncOptions(Settings())
    ) as session:
        session.sync()
    platform = Platform()

    platform.sync(request(value="x"))

    named = {path.partition("/")[2]: content for path, content in platform.files.items()}
    snapshot = store.snapshot()
    written = snapshot.read(sorted(snapshot.digests("")))
    assert {path.partition("/")[2]: content for path, content in written.items()} == named

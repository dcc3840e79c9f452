"""A schedule is kept: by a real session and real stages, on a clock that the test turns."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.credentials import DAY, START
from support.sealed_workspace import FILE, SealedWorkspace

from troth.engine import Item, Moment, Settings, preview
from troth.local import SecretsFolder, Session, SyncOptions, load
from troth.runners.warm import WarmRunner
from troth.sdk.sealing import CertificateCache
from troth_statestore.memory import MemoryStore

SECOND = timedelta(seconds=1)


@dataclass
class Platform:
    """Runs sessions, each as a command would, at moments of its own."""

    workspace: SealedWorkspace
    runner: WarmRunner
    store: MemoryStore
    runs: int = 0

    def session(self, now: datetime) -> Session:
        self.runs += 1
        path = self.workspace.path
        inputs = load([path / "promise.yaml", path / "requests", path / "platform"])
        moment = Moment(now, self.runs.to_bytes(32, "big"))
        return Session(
            inputs,
            {"": self.store},
            self.runner,
            SyncOptions(Settings()),
            lambda: moment,
            CertificateCache(now),
        )

    def sync(self, now: datetime) -> Item:
        (item,) = (one for one in self.session(now).sync() if one.name)
        return item

    def sealed(self) -> bytes:
        (content,) = self.store.snapshot().read([f"west/{FILE}"]).values()
        return content


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    workspace = SealedWorkspace(tmp_path)
    workspace.lay(rotation={"every": "30d"})
    runner = WarmRunner(workers=1, secrets=SecretsFolder(tmp_path / "secrets"))
    return Platform(workspace, runner, MemoryStore())


def test_a_value_is_made_anew_when_it_is_due_and_not_before(platform: Platform) -> None:
    moments = [START, START + DAY, START + 30 * DAY - SECOND, START + 30 * DAY, START + 59 * DAY]
    found: list[tuple[str, bytes]] = []
    with platform.runner:
        for moment in moments:
            item = platform.sync(moment)
            found.append((item.state.value, platform.sealed()))

    first, second = found[0][1], found[3][1]
    assert [state for state, _ in found] == [
        "Written", "Unchanged", "Unchanged", "Written", "Unchanged",
    ]  # fmt: skip
    assert [content for _, content in found] == [first, first, first, second, second]
    assert first != second


def test_a_plan_says_what_is_due_and_does_nothing(platform: Platform) -> None:
    with platform.runner:
        platform.sync(START)
        before = platform.sealed()
        late = platform.session(START + 31 * DAY)
        (shown,) = (one for one in preview(late.plan(late.look())) if one.item.name)

    assert "make the password orders, generation 2" in shown.item.message
    assert platform.sealed() == before


def test_a_day_of_forced_runs_in_every_hour_rotates_nothing(platform: Platform) -> None:
    platform.workspace.labels["kratix.io/manual-reconciliation"] = "true"
    platform.workspace.lay()
    with platform.runner:
        platform.sync(START)
        first = platform.sealed()
        states = {platform.sync(START + hour * DAY / 24).state for hour in range(1, 25)}

    assert {state.value for state in states} == {"Unchanged"}
    assert platform.sealed() == first

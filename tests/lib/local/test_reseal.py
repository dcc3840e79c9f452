"""Sealing anew in a session: on a clock that the test turns, and over several stores."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.credentials import DAY, START
from support.fake_controller import FakeController, serve_controller
from support.sealed_workspace import FILE, SealedWorkspace
from support.sealing import certificate_pem, private_key

from troth.api import RequestKey
from troth.engine import Ledger, Moment, Settings
from troth.local import SecretsFolder, Session, SyncOptions, load
from troth.local.controllers import Controllers, Reencryption
from troth.local.reseal import Reseal, Resealed
from troth.runners.warm import WarmRunner
from troth.sdk.sealing import CertificateCache
from troth_statestore import StateStore
from troth_statestore.memory import MemoryStore

KEY = RequestKey("default", "generated-secret", "orders")


@dataclass
class Platform:
    """Runs sessions over the same stores, each as a command would."""

    workspace: SealedWorkspace
    runner: WarmRunner
    stores: Mapping[str, StateStore]
    controller: FakeController
    address: str

    def session(self, now: datetime) -> Session:
        path = self.workspace.path
        inputs = load([path / "promise.yaml", path / "requests", path / "platform"])
        moment = Moment(now, bytes(32))
        return Session(
            *(inputs, self.stores, self.runner, SyncOptions(Settings())),
            *(lambda: moment, CertificateCache(now)),
        )

    def sync(self, now: datetime = START) -> list[str]:
        return [item.state.value for item in self.session(now).sync() if item.name]

    def reseal(self, now: datetime = START) -> Resealed:
        session = self.session(now)
        controllers = Controllers(session.sealing, {"": self.address})
        run = Reseal(session, Reencryption(controllers, now))
        [told] = run.carry_out(run.look())
        return told

    def renew(self) -> None:
        self.controller.keys.append("renewed")
        renewed = certificate_pem(private_key("renewed")).decode()
        self.workspace.write("platform/ours.pem", renewed)

    def kept(self, name: str) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """Return what a store holds: files, and records."""
        snapshot = self.stores[name].snapshot()
        records = {key: content for key, (content, _) in snapshot.records().items()}
        return dict(snapshot.read(list(snapshot.digests("")))), records


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    workspace, controller = SealedWorkspace(tmp_path), FakeController()
    workspace.lay(rotation={"every": "30d"})
    runner = WarmRunner(workers=1, secrets=SecretsFolder(tmp_path / "secrets"))
    with serve_controller(tmp_path, controller) as host, runner:
        yield Platform(workspace, runner, {"": MemoryStore()}, controller, host.url(""))


def test_what_is_due_to_be_made_anew_is_not_sealed_anew_before(platform: Platform) -> None:
    platform.sync()
    platform.renew()
    before = platform.kept("")

    told = platform.reseal(START + 30 * DAY)

    assert (told.item.reason, told.kept) == ("SyncFirst", 1)
    assert "something to do outside" in told.item.message
    assert platform.kept("") == before


def test_sealing_anew_puts_nothing_off_and_nothing_forward(platform: Platform) -> None:
    platform.sync()
    due = Ledger.read(platform.session(START).look()).entries[KEY].record.due
    platform.renew()

    told = platform.reseal(START + timedelta(hours=5))

    assert (told.renewed, told.kept) == (1, 0)
    ledger = Ledger.read(platform.session(START).look())
    assert ledger.entries[KEY].record.due == due == START + 30 * DAY
    assert platform.sync(START + 30 * DAY - timedelta(seconds=1)) == ["Unchanged"]
    assert platform.sync(START + 30 * DAY) == ["Written"]


def test_a_record_in_another_store_than_the_files_is_renewed_with_them(platform: Platform) -> None:
    platform.stores = {"fleet": MemoryStore(), "other": MemoryStore()}
    west = (platform.workspace.path / "platform/west.yaml").read_text()
    platform.workspace.write("platform/west.yaml", west.replace("name: fleet", "name: other"))
    platform.sync()
    platform.workspace.write("platform/west.yaml", west)
    platform.sync()  # the files move, the record stays
    platform.renew()
    files, _ = platform.kept("fleet")
    _, records = platform.kept("other")

    told = platform.reseal()

    assert (told.renewed, told.kept) == (1, 0)
    assert platform.kept("fleet")[0][f"west/{FILE}"] != files[f"west/{FILE}"]
    assert platform.kept("other")[1] != records
    assert platform.sync() == ["Unchanged"]

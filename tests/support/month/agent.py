"""The agent that reconciles: a session with its runner and its clone, here or as a program.

Usage: python -m support.month.agent FILES SECRETS STORE CACHE NOW

As a program it reconciles once, so that it can be killed while it does.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from troth.engine import Item, Moment, Settings
from troth.local import SyncOptions
from troth.local.inputs import Inputs
from troth.local.loader import load
from troth.local.secrets import SecretsFolder
from troth.local.session import Session
from troth.runners import StageJob, StageResult
from troth.runners.warm import WarmRunner
from troth.sdk.sealing import CertificateCache
from troth_statestore.git import GitSettings, GitStore

__all__ = ["Agent", "Watched"]


@dataclass
class Watched(WarmRunner):
    """A warm runner that counts what it runs."""

    secrets: SecretsFolder
    distribution: str
    runs: int = 0

    def __post_init__(self) -> None:
        images = {"troth-stage:*": self.distribution}
        super().__init__(images, workers=1, secrets=self.secrets)

    def run(self, job: StageJob) -> StageResult:
        self.runs += 1
        return super().run(job)


@dataclass
class Agent:
    """One life of an agent; what it knows besides its files it has from the store.

    `distribution` is whose stages it runs.
    """

    files: Path
    secrets: Path
    store_folder: Path
    cache: Path
    distribution: str = "troth"
    _seed: int = 0
    _inputs: Inputs | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        settings = GitSettings(cache=self.cache, borrow=False)
        self.store = GitStore(str(self.store_folder), settings=settings)
        self.runner = Watched(SecretsFolder(self.secrets), self.distribution)

    def forget_files(self) -> None:
        """Read the files anew the next time."""
        self._inputs = None

    def reconcile(self, now: datetime) -> Mapping[str, Item]:
        """Sync once; answer with what is told of each."""
        if self._inputs is None:
            self._inputs = load([self.files])
        self._seed += 1
        seed = int(now.timestamp() * 1000 + self._seed).to_bytes(32, "big")
        session = Session(
            self._inputs,
            {"": self.store},
            self.runner,
            SyncOptions(Settings()),
            moment=lambda: Moment(now, seed),
            certificates=CertificateCache(now),
        )
        return {item.name or item.promise: item for item in session.sync()}

    def close(self) -> None:
        """End it in order."""
        self.runner.close()
        self.store.close()


def _main(files: str, secrets: str, store: str, cache: str, now: str) -> None:
    agent = Agent(Path(files), Path(secrets), Path(store), Path(cache))
    agent.reconcile(datetime.fromisoformat(now))
    agent.close()


if __name__ == "__main__":
    _main(*sys.argv[1:])

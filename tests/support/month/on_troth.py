"""A platform that runs on Troth: files, an agent, and a bare Git store."""

import json
import os
import subprocess
import sys
from pathlib import Path

from support.month.agent import Agent
from support.month.bundle import Bundle
from support.repositories import RECORDS, Remote, git

from troth.api import Fields, load_object
from troth.engine import State

__all__ = ["OnTroth"]

_PATIENCE = 120  # seconds that an agent may take until it is killed


class OnTroth:
    """The platform; `told` is what its reports said, and `failures` what was refused in them."""

    def __init__(self, bundle: Bundle, *, forced: bool, stages: str = "troth") -> None:
        self.bundle, self.clock = bundle, bundle.outside.clock
        self.told: list[str] = []
        self.failures: list[str] = []
        self.runs = 0
        self._lives, self._stages = 0, stages
        bundle.write(forced=forced)
        self.remote = Remote.create(bundle.folder / "store-0.git")
        self._tip, self._sealed = "", dict[str, str]()
        self.agent = self._born()

    def reconcile(self) -> None:
        """Let the agent look."""
        for item in self.agent.reconcile(self.clock.now).values():
            self.told.append(f"{item.state} {item.reason} {item.message}")
            if item.state in {State.REFUSED, State.FAILED}:
                self.failures.append(f"{item.reason} {item.message}")

    def reconcile_and_die(self) -> None:
        """Kill an agent when it hands over its commits: what it did outside is done."""
        self.close()
        pid = self.bundle.folder / "agent.pid"
        self.remote.hook("pre-receive", f'kill -9 "$(cat {pid})"; exit 1')
        cache = self.bundle.folder / "cache-of-the-dead"
        folders = (self.bundle.files, self.bundle.secrets, self.remote.folder, cache)
        command = [sys.executable, "-m", "support.month.agent", *map(str, folders)]
        tests = Path(__file__).parent.parent.parent
        process = subprocess.Popen(
            [*command, self.clock.now.isoformat()],
            cwd=tests,
            env={**os.environ, "PYTHONPATH": str(tests)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        pid.write_text(str(process.pid))
        said, _ = process.communicate(timeout=_PATIENCE)
        self.told.append(said.decode())
        assert process.returncode == -9, said.decode()
        (self.remote.folder / "hooks" / "pre-receive").unlink()
        self.agent = self._born()

    def upgrade(self) -> None:
        """Bring a version of the Promise that does not concern the request."""
        self.bundle.version += 1
        self.bundle.write_promise()
        self.agent.forget_files()

    def restart(self) -> None:
        """End the agent and start another, with the same clone."""
        self.close()
        self.agent = self._born()

    def rebuild(self) -> None:
        """Start anew on another machine: no clone, no process, no folder is known there."""
        self.close()
        self._lives += 1
        self.agent = self._born()

    def reclone(self) -> None:
        """Move the store to another host: a mirror of the repository, nothing else."""
        self.close()
        old, new = self.remote.folder, self.bundle.folder / f"store-{self._lives + 1}.git"
        git("clone", "-q", "--mirror", old, new)
        old.rename(self.bundle.folder / f"clone-given-up-{self._lives}.git")
        self.remote = Remote(new)
        self._lives += 1
        self.agent = self._born()

    def wipe_status(self) -> None:
        """Apply the request again as people have it: without its status."""
        self.agent.forget_files()

    def renew_certificate(self) -> None:
        """Take up the controller's next key."""
        self.bundle.outside.renew_key()
        self.bundle.write_destination()
        self.agent.forget_files()

    @property
    def sealed(self) -> dict[str, str]:
        """What the SealedSecret holds that agents read now, by key."""
        tip = self.remote.git("for-each-ref", "--format=%(objectname)", "refs/heads/main")
        if tip != self._tip:
            self._tip = tip
            files = self.remote.files()
            found = next((text for path, text in files.items() if "sealed-secret" in path), "{}")
            given = Fields(load_object(found, "sealed-secret.yaml"))
            self._sealed = dict(given.section("spec").string_map("encryptedData"))
        return self._sealed

    @property
    def status(self) -> dict[str, object]:
        """What the stage left, as the record has it."""
        texts = self.remote.files(RECORDS)
        [record] = [json.loads(text) for path, text in texts.items() if "/orders.yaml" in path]
        found: dict[str, object] = record["status"]
        return found

    def close(self) -> None:
        """End the agent."""
        self.runs += self.agent.runner.runs
        self.agent.close()

    @property
    def _cache(self) -> Path:
        return self.bundle.folder / f"cache-{self._lives}"

    def _born(self) -> Agent:
        bundle = self.bundle
        return Agent(bundle.files, bundle.secrets, self.remote.folder, self._cache, self._stages)

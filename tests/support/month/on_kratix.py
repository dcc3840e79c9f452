"""The bare file contract as Kratix keeps it: no troth.json, no record, effects in every run.

Kratix itself is simulated: what it lays for a stage, how it keeps the status, and that it writes
what a stage left into a repository. The machine's clock, which a stage without troth.json goes by,
is the simulated one.
"""

import tempfile
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest
from support.month.bundle import Bundle, request_of
from support.month.outside import SEALING_KEY, Turned
from support.repositories import Remote, git
from support.synadia.visits import TOKEN

from troth.api import Fields, Json, JsonObject, dump_documents, load_object
from troth.errors import TrothError
from troth.sdk import Stage, run_stage

__all__ = ["OnKratix", "keep_time"]

_PATH = "worker/resources/default/nats-user/orders/configure/5058f/sealed-secret.yaml"


def keep_time(monkeypatch: pytest.MonkeyPatch, clock: Turned) -> None:
    """Let stages without troth.json take this for the machine's clock."""

    class Machine(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return clock.now.astimezone(tz)

    monkeypatch.setattr("troth.sdk.given.datetime", Machine)


class OnKratix:
    """The platform; `told` is what statuses said, and `failures` what runs ended with."""

    def __init__(self, bundle: Bundle, stage: Stage[Any]) -> None:
        self.bundle, self.clock, self.stage = bundle, bundle.outside.clock, stage
        self.told: list[str] = []
        self.failures: list[str] = []
        self.runs = 0
        self.status: dict[str, Json] = {}
        self.remote = Remote.create(bundle.folder / "store-0.git")
        self._clones = 0
        self._clone = self.remote.clone(bundle.folder / "clone-0")
        self._written = ""
        self._certificate = bundle.outside.certificate.decode()

    def reconcile(self) -> None:
        """Run the stage, keep its status, and write what it left."""
        found = self._run()
        if found is None:
            return
        text, status = found
        self.status = {**self.status, **status}
        self.told.append(str(status))
        if text != self._written:
            self._clone.push({_PATH: text}, "Update orders")
            self._written = text

    def reconcile_and_die(self) -> None:
        """Kill the Pod before anything of what it left was taken: what it did outside is done."""
        assert self._run() is not None, self.failures

    def upgrade(self) -> None:
        """Bring a version of the Promise that does not concern the request."""
        self.bundle.version += 1

    def restart(self) -> None:
        """Nothing of a controller outlives a run here but the object."""

    def rebuild(self) -> None:
        """Restore the cluster from its backup, which holds the object with its status."""
        backup = dump_documents([self.status]).decode()
        self.status = dict(load_object(backup, "backup"))

    def reclone(self) -> None:
        """Move the store to another host."""
        self._clones += 1
        old, new = self.remote.folder, self.bundle.folder / f"store-{self._clones}.git"
        git("clone", "-q", "--mirror", old, new)
        old.rename(self.bundle.folder / f"clone-given-up-{self._clones}.git")
        self.remote = Remote(new)
        self._clone = self.remote.clone(self.bundle.folder / f"clone-{self._clones}")

    def wipe_status(self) -> None:
        """Lose the status, and with it the ciphertext."""
        self.status = {}

    def renew_certificate(self) -> None:
        """Take up the controller's next key."""
        self.bundle.outside.renew_key()
        self._certificate = self.bundle.outside.certificate.decode()

    @property
    def sealed(self) -> dict[str, str]:
        """What the SealedSecret holds that agents read now, by key."""
        given = Fields(load_object(self._written or "{}", "sealed-secret.yaml"))
        return dict(given.section("spec").string_map("encryptedData"))

    def close(self) -> None:
        """Nothing runs."""

    def _run(self) -> tuple[str, JsonObject] | None:
        self.runs += 1
        with tempfile.TemporaryDirectory(prefix="kratix-") as name:
            root = Path(name)
            for folder in ("input", "output", "metadata"):
                (root / folder).mkdir()
            content = {**request_of(), "status": self.status}
            (root / "input" / "object.yaml").write_bytes(dump_documents([content]))
            try:
                run_stage(self.stage, root, self._environ)
            except TrothError as error:
                self.failures.append(f"{error.reason} {error.message}")
                return None
            status = load_object((root / "metadata" / "status.yaml").read_text(), "status.yaml")
            sealed = root / "output" / "sealed-secret.yaml"
            return (sealed.read_text() if sealed.exists() else self._written), status

    @property
    def _environ(self) -> dict[str, str]:
        promise = Fields(self.bundle.promise)
        [pipeline] = (
            promise.section("spec").section("workflows").section("resource").items("configure")
        )
        [container] = pipeline.section("spec").items("containers")
        accounts = container.items("env")[0].text("value")
        return {
            "KRATIX_WORKFLOW_ACTION": "configure",
            "KRATIX_PROMISE_NAME": "nats-user",
            "KRATIX_PIPELINE_NAME": "configure",
            "NATS_ACCOUNTS": accounts,
            "SYNADIA_TOKEN": TOKEN,
            "TROTH_SEALING_KEY": SEALING_KEY,
            "TROTH_SEALING_CERTIFICATE": self._certificate,
            "TROTH_SEALING_DESTINATION": "worker",
        }

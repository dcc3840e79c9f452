"""A request for a NATS user, its stage run again and again on the bare file contract.

Nothing is kept from run to run but the request's status, as on Kratix; the folder is a new one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.fake_synadia import FakeSynadia
from support.minted import note_secret, sayings
from support.nats_server import NatsServer
from support.nats_system import TestSystem
from support.sealing import certificate_pem, private_key, unseal
from support.synadia.visits import TOKEN

from troth.api import Fields, JsonObject, dump_documents, load_object
from troth.sdk import Drift, Inspection, find_stage, run_stage

__all__ = ["SECRETS", "Asked", "Ran", "operator_account", "synadia_account", "wall"]

_SYSTEM = TestSystem()
_ORDERS = _SYSTEM.accounts["orders"]

SECRETS: Mapping[str, str] = {
    "KEY": _ORDERS.signing.seed,
    "SCOPED_KEY": _ORDERS.scoped.seed,
    "OPERATOR_KEY": _SYSTEM.operator_signing.seed,
    "SYSTEM_CREDS": _SYSTEM.system_creds(),
    "TOKEN": TOKEN,
    "TROTH_SEALING_KEY": "0123456789abcdef" * 4,
}
"""The variables that a platform's Secrets give."""


def wall() -> datetime:
    """Return the machine's time, which a real server goes by."""
    return datetime.now(UTC).replace(microsecond=0)


def operator_account(server: NatsServer | None = None, **changed: object) -> JsonObject:
    """Return what NATS_ACCOUNTS says of the account ``orders`` of a test system."""
    given: dict[str, object] = {
        "provider": "operator",
        "account": _ORDERS.public_key,
        "signingKey": "KEY",
        "operatorKey": "OPERATOR_KEY",
        "systemCreds": "SYSTEM_CREDS",
        "servers": [server.url if server is not None else "nats://127.0.0.1:9"],
        **changed,
    }
    return {key: value for key, value in given.items() if value is not None}  # type: ignore[misc]


def synadia_account(fake: FakeSynadia, **changed: object) -> JsonObject:
    """Return what NATS_ACCOUNTS says of the account ``A1`` of a fake Control Plane."""
    given: dict[str, object] = {
        "provider": "synadia",
        "account": "A1",
        "system": "A System",
        "team": "A Team",
        "token": "TOKEN",
        "url": fake.url,
        "servers": [fake.plane.server_urls],
        **changed,
    }
    return {key: value for key, value in given.items() if value is not None}  # type: ignore[misc]


@dataclass(frozen=True)
class Ran:
    """What a run left.

    `sealed` is the SealedSecret, None where none was written; `text` is all that was written.
    """

    status: JsonObject
    sealed: JsonObject | None
    control: JsonObject
    text: str

    @property
    def creds(self) -> str:
        """The credentials, as the cluster opens them."""
        return self.value("nats.creds")

    def value(self, key: str, controller: str = "ours") -> str:
        assert self.sealed is not None
        place = Fields(self.sealed).section("metadata")
        label = f"{place.text('namespace')}/{place.text('name')}"
        data = Fields(self.sealed).section("spec").section("encryptedData")
        return unseal(data.text(key), label, private_key(controller)).decode()

    @property
    def numbers(self) -> list[object]:
        """The live generations."""
        return [item.value("generation") for item in Fields(self.status).items("credentials")]

    @property
    def message(self) -> str:
        return Fields(self.status).text("message", "")

    @property
    def after(self) -> timedelta:
        """When to run again."""
        return timedelta(seconds=int(Fields(self.control).text("reconcileAfter")[:-1]))

    def condition(self, kind: str) -> Fields:
        (found,) = (c for c in Fields(self.status).items("conditions") if c.text("type") == kind)
        return found


@dataclass
class Asked:
    """A request; change a field, run again."""

    folder: Path
    accounts: dict[str, JsonObject]
    spec: dict[str, object] = field(default_factory=dict[str, object])
    now: datetime = field(default_factory=wall)
    variables: dict[str, str] = field(default_factory=lambda: dict(SECRETS))
    status: JsonObject = field(default_factory=dict[str, str])
    epoch: str = ""
    count: int = 0

    def run(
        self,
        action: str = "configure",
        *,
        effects: str = "perform",
        bare: bool = False,
        drift: Drift | None = None,
    ) -> Ran:
        """Run the stage once; raises what it raises, and then the status stays as it was.

        Args:
            action: configure or delete.
            effects: perform or recall.
            bare: without troth.json: the machine's clock, and what to seal with from variables.
            drift: what the stage is told of it.
        """
        self.count += 1
        root = self.folder / f"run-{self.count}"
        for name in ("input", "output", "metadata"):
            (root / name).mkdir(parents=True)
        (root / "input/object.yaml").write_bytes(dump_documents([self.object()]))
        environ = {"KRATIX_WORKFLOW_ACTION": action, **self._environ()}
        certificate = certificate_pem(private_key()).decode()
        if bare:
            environ["TROTH_SEALING_CERTIFICATE"] = certificate
            environ["TROTH_SEALING_DESTINATION"] = "cluster"
        else:
            sealing = {"destination": "cluster", "certificate": certificate, "epoch": self.epoch}
            moment = {"now": self.now.isoformat(), "seed": f"{self.count:064x}"}
            told = {} if drift is None else {"drift": drift.encode()}
            given = {**moment, "effects": effects, "sealing": sealing, **told}
            (root / "input/troth.json").write_text(json.dumps(given), encoding="utf-8")
        for name in self.variables.keys() & SECRETS.keys():  # others may be said
            note_secret(f"the variable {name}", self.variables[name])
        with sayings("the stage nats-user"):
            run_stage(find_stage("nats-user"), root, environ)
        ran = _ran(root)
        if effects == "perform" or bare:
            self.status = {**self.status, **ran.status}
        return ran

    def look(self, *others: JsonObject) -> Inspection:
        """Have the stage look at this request, and at others as `object` gives them."""
        self.count += 1
        root = self.folder / f"look-{self.count}"
        for name in ("input", "output", "metadata"):
            (root / name).mkdir(parents=True)
        given = {"requests": [self.object(), *others]}
        (root / "input/requests.json").write_text(json.dumps(given), encoding="utf-8")
        moment = {"now": self.now.isoformat(), "seed": "00", "effects": "recall"}
        (root / "input/troth.json").write_text(json.dumps(moment), encoding="utf-8")
        environ = {"KRATIX_WORKFLOW_ACTION": "inspect", **self._environ()}
        run_stage(find_stage("nats-user"), root, environ)
        said = (root / "metadata/inspection.json").read_text(encoding="utf-8")
        return Inspection.decode(load_object(said, "inspection.json"))

    def _environ(self) -> dict[str, str]:
        accounts = json.dumps(self.accounts)
        return {"KRATIX_PROMISE_NAME": "nats-user", "NATS_ACCOUNTS": accounts, **self.variables}

    def object(self) -> JsonObject:
        """Return the request as object.yaml has it."""
        spec = {"account": "apps", "secret": {"name": "orders-nats"}, **self.spec}
        return {
            "apiVersion": "marketplace.troth.dev/v1alpha1",
            "kind": "NatsUser",
            "metadata": {"name": "orders", "namespace": "shop"},
            "spec": spec,  # type: ignore[dict-item]
            "status": self.status,
        }


def _ran(root: Path) -> Ran:
    written = [path for path in sorted(root.rglob("*")) if path.is_file()]
    ours = [path for path in written if "input" not in path.parts[-2:-1]]
    return Ran(
        status=_read(root / "metadata/status.yaml") or {},
        sealed=_read(root / "output/sealed-secret.yaml"),
        control=_read(root / "metadata/workflow-control.yaml") or {},
        text="".join(path.read_text() for path in ours),
    )


def _read(path: Path) -> JsonObject | None:
    return load_object(path.read_text(), path.name) if path.exists() else None

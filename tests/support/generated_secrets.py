"""The stage ``generated-secret`` on a bare folder, as any runner of containers gives it one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support.credentials import KEY
from support.minted import note_secret, sayings
from support.sealing import certificate_pem, private_key, unseal

from troth.api import Fields, Json, JsonObject, dump_documents, load_object
from troth.sdk import find_stage, run_stage

__all__ = ["Folder", "object_of", "opened", "variables"]

OUTPUT = "output/sealed-secret.yaml"


def object_of(spec: Mapping[str, Json], status: Mapping[str, Json] | None = None) -> JsonObject:
    """Return object.yaml of a request."""
    return {
        "apiVersion": "marketplace.troth.dev/v1alpha1",
        "kind": "GeneratedSecret",
        "metadata": {"name": "orders", "namespace": "shop"},
        "spec": dict(spec),
        "status": dict(status or {}),
    }


def variables(key: str = "ours") -> dict[str, str]:
    """Return what a Promise sets on Kratix, for a cluster with this key."""
    return {
        "KRATIX_WORKFLOW_ACTION": "configure",
        "KRATIX_PROMISE_NAME": "generated-secret",
        "TROTH_SEALING_CERTIFICATE": certificate_pem(private_key(key)).decode(),
        "TROTH_SEALING_DESTINATION": "west",
        "TROTH_SEALING_KEY": KEY,
    }


@dataclass
class Folder:
    """Runs the stage in a fresh folder each time; only the status goes from run to run.

    There is no troth.json, so the machine's clock and randomness serve, and effects are performed.
    """

    root: Path
    environ: dict[str, str] = field(default_factory=variables)
    status: dict[str, Json] = field(default_factory=dict[str, Json])
    runs: int = 0

    def run(self, **spec: Json) -> bytes:
        """Run the stage; return the SealedSecret as it was written."""
        self.runs += 1
        here = self.root / str(self.runs)
        for name in ("input", "output", "metadata"):
            (here / name).mkdir(parents=True)
        asked = {"type": "password", "secretName": "orders", **spec}
        (here / "input/object.yaml").write_bytes(dump_documents([object_of(asked, self.status)]))
        note_secret("a key of stable sealing", self.environ.get("TROTH_SEALING_KEY", ""))
        with sayings("the stage generated-secret"):
            run_stage(find_stage("generated-secret"), here, self.environ)
        told = load_object((here / "metadata/status.yaml").read_text(), "status.yaml")
        self.status = {**self.status, **told}
        return (here / OUTPUT).read_bytes()

    def control(self) -> JsonObject:
        """Return what the last run wants of who runs it."""
        path = self.root / str(self.runs) / "metadata/workflow-control.yaml"
        return load_object(path.read_text(), path.name) if path.exists() else {}


def opened(
    sealed: bytes, name: str = "orders", key: str = "ours", namespace: str = "shop"
) -> dict[str, bytes]:
    """Return the data of the Secret, as the cluster with this key opens it."""
    spec = Fields(load_object(sealed.decode(), "sealed-secret.yaml")).section("spec")
    return {
        entry: unseal(str(text), f"{namespace}/{name}", private_key(key))
        for entry, text in spec.mapping("encryptedData").items()
    }

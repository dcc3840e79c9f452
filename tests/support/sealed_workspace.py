"""A folder with the Promise ``generated-secret``, a Destination with a certificate, and its key."""

from dataclasses import dataclass, field
from pathlib import Path

from support.credentials import KEY
from support.generated_secrets import opened
from support.minted import note_secret
from support.sealing import certificate_pem, private_key
from support.workspace import ROOT, Run, Workspace

from troth.api import Fields, Json, JsonObject, load_object

__all__ = ["FILE", "SealedWorkspace"]

FILE = "resources/default/generated-secret/orders/configure/5058f/sealed-secret.yaml"


@dataclass
class SealedWorkspace(Workspace):
    """What people have who seal: see the module.

    Attributes:
        spec: of the request.
        labels: of the request.
        annotations: of the Promise.
        selectors: of the Promise.
    """

    spec: dict[str, Json] = field(
        default_factory=lambda: {"type": "password", "secretName": "orders"}
    )
    labels: dict[str, Json] = field(default_factory=dict[str, Json])
    annotations: dict[str, str] = field(default_factory=dict[str, str])
    selectors: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        super().__post_init__()
        self.cluster("west")
        self.write("secrets/default/troth-sealing/key", f"{KEY}\n")
        note_secret("a key of stable sealing", KEY)

    def cluster(
        self, name: str, key: str | None = "ours", zone: str | None = None, **annotations: str
    ) -> Path:
        """Write a Destination, with a certificate beside it unless there is no key."""
        if key is not None:
            self.write(f"platform/{key}.pem", certificate_pem(private_key(key)).decode())
            annotations = {"troth.dev/sealing-certificate": f"{key}.pem", **annotations}
        metadata: dict[str, Json] = {"name": name, "annotations": annotations}
        if zone is not None:
            metadata["labels"] = {"zone": zone}
        reference: JsonObject = {"kind": "GitStateStore", "name": "fleet"}
        return self.write(
            f"platform/{name}.yaml",
            {
                "apiVersion": "platform.kratix.io/v1alpha1",
                "kind": "Destination",
                "metadata": metadata,
                "spec": {"path": name, "stateStoreRef": reference},
            },
        )

    def lay(self, **asked: Json) -> None:
        """Write Promise and request as they are asked for now."""
        self.spec |= asked
        bundle = ROOT / "promises/generated-secret/promise.yaml"
        promise = load_object(bundle.read_text(), "promise.yaml")
        metadata, spec = Fields(promise).section("metadata"), Fields(promise).mapping("spec")
        annotations = {**metadata.mapping("annotations"), **self.annotations}
        selectors: Json = [{"matchLabels": self.selectors}] if self.selectors else []
        self.write(
            self.promise,
            {
                **promise,
                "metadata": {**metadata.raw, "annotations": annotations},
                "spec": {**spec, "destinationSelectors": selectors},
            },
        )
        self.write(
            "requests/orders.yaml",
            {
                "apiVersion": "marketplace.troth.dev/v1alpha1",
                "kind": "GeneratedSecret",
                "metadata": {"name": "orders", "labels": self.labels},
                "spec": self.spec,
            },
        )

    def sealing(self, command: str, *arguments: str) -> Run:
        """Run a command with everything that is here."""
        paths = (self.promise, "requests", "platform", "--state-store", self.store)
        return self.troth(command, *paths, "--secrets-dir", "secrets", *arguments)

    def run(self, **spec: Json) -> dict[str, Json]:
        """Sync; return the line of the request."""
        self.lay(**spec)
        return self.sealing("sync", "-o", "json").items["orders"]

    def sealed(self, place: str = "west") -> bytes:
        """Return the SealedSecret as the agent of a Destination reads it."""
        return self.git("show", f"main:{place}/{FILE}").encode() + b"\n"

    def opened(self, key: str = "ours", place: str = "west", name: str = "orders") -> bytes:
        """Return the password, as the cluster with this key has it."""
        found = opened(self.sealed(place), name, key, "default")
        return found[str(self.spec.get("key") or self.spec["type"])]

    def everything(self) -> bytes:
        """Return all that stands in the store, on each branch and in each commit."""
        objects = self.git("rev-list", "--objects", "--all", "--no-object-names").split()
        return b"\n".join(self.git("cat-file", "-p", one).encode() for one in objects)

    def status(self) -> JsonObject:
        """Return the status that the record keeps."""
        branch = "troth/records/main"
        paths = self.git("ls-tree", "-r", "--name-only", branch, "requests").splitlines()
        (path,) = paths
        return Fields(load_object(self.git("show", f"{branch}:{path}"), path)).mapping("status")

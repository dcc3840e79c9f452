"""The controller, run beside a cluster as its users run it, and a platform for it to serve."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.cluster import Cluster, Daemon, Kubectl, eventually
from support.repositories import Remote
from support.workspace import TROTH

from troth.api import Fields, Json, JsonObject, load_documents
from troth.api.crds import platform_crds

__all__ = ["ServedCluster", "platform_object", "run_controller"]

_GROUP = "platform.kratix.io/v1alpha1"


@dataclass
class ServedCluster:
    """A cluster with the platform's kinds, one Destination, and the repository behind it."""

    cluster: Cluster
    remote: Remote
    flags: tuple[str, ...] = ()
    daemon: Daemon | None = field(default=None, init=False)

    @property
    def kubectl(self) -> Kubectl:
        return self.cluster.kubectl

    def prepare(self) -> None:
        """Install the platform's kinds, a state store and a Destination."""
        crds = list(platform_crds().values())
        self.kubectl.apply(*crds)
        names = [f"crd/{Fields(crd).section('metadata').text('name')}" for crd in crds]
        self.kubectl.run("wait", "--for=condition=Established", *names, "--timeout=60s")
        store: JsonObject = {"url": str(self.remote.folder), "branch": "main"}
        place: JsonObject = {
            "path": "prod",
            "stateStoreRef": {"kind": "GitStateStore", "name": "fleet"},
        }
        self.kubectl.apply(platform_object("GitStateStore", "fleet", store))
        self.kubectl.apply(platform_object("Destination", "prod", place))

    def start(self) -> None:
        """Start the controller."""
        self.daemon = self.start_another("troth-controller")

    def start_another(self, name: str) -> Daemon:
        """Start a controller under a name of its own; it ends with the cluster."""
        program = [str(TROTH), "controller"]
        config = ["--kubeconfig", str(self.kubectl.kubeconfig), *self.flags]
        return self.cluster.start(name, [*program, *config])

    def holder(self) -> str:
        """Return who holds the Lease, "" for nobody."""
        found = self.kubectl.get("lease", "troth-controller", "default")
        return Fields(found or {}).section("spec").text("holderIdentity", "")

    def stop(self) -> None:
        """Stop the controller in good order."""
        self.cluster.stop("troth-controller")

    def install(self, promise: Path) -> None:
        """Install a Promise, and wait until it is available."""
        [document] = load_documents(promise.read_text(encoding="utf-8"), promise.name)
        self.kubectl.apply(document.data)
        name = Fields(document.data).section("metadata").text("name")
        self.kubectl.run("wait", "--for=condition=Available", f"promise/{name}", "--timeout=60s")

    def condition(self, kind: str, name: str, namespace: str, wanted: str) -> JsonObject:
        """Wait for a condition of the newest spec to be true; return the object."""

        def look() -> JsonObject | None:
            found = self.kubectl.get(kind, name, namespace)
            return found if found is not None and holds(found, wanted) else None

        return eventually(look)


def holds(found: JsonObject, wanted: str) -> bool:
    """Tell whether an object has a condition that is true of its newest spec."""
    generation = Fields(found).section("metadata").raw["generation"]
    return any(
        (one.raw.get("type"), one.raw.get("status")) == (wanted, "True")
        and one.raw.get("observedGeneration") == generation
        for one in Fields(found).section("status").items("conditions")
    )


@contextmanager
def run_controller(cluster: Cluster, folder: Path, *flags: str) -> Generator[ServedCluster]:
    """Run the controller beside a cluster until the end of the block."""
    platform = ServedCluster(cluster, Remote.create(folder / "fleet.git"), flags)
    platform.prepare()
    platform.start()
    try:
        yield platform
    finally:
        platform.stop()


def platform_object(kind: str, name: str, spec: JsonObject) -> JsonObject:
    """Return an object of the platform's own kinds."""
    metadata: dict[str, Json] = {"name": name}
    return {"apiVersion": _GROUP, "kind": kind, "metadata": metadata, "spec": spec}

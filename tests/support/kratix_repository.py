"""Repositories as Kratix leaves them, in each of its layouts.

Source: Kratix's workplacement and destination controllers (``workplacement_controller.go``,
``destination_controller.go``): what is written where, how its lists and canaries look.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from troth.api import Json, Layout, dump_documents

CANARIES: dict[str, bytes] = {
    "dependencies/kratix-canary-namespace.yaml": (
        b"apiVersion: v1\nkind: Namespace\nmetadata:\n  creationTimestamp: null\n"
        b"  name: kratix-worker-system\nspec: {}\nstatus: {}\n"
    ),
    "resources/kratix-canary-configmap.yaml": (
        b"apiVersion: v1\ndata:\n  canary: this confirms your infrastructure is reading from "
        b"Kratix state stores\nkind: ConfigMap\nmetadata:\n  creationTimestamp: null\n"
        b"  name: kratix-info\n  namespace: kratix-worker-system\n"
    ),
}


@dataclass(frozen=True)
class Workload:
    """The files of one workload group of a request; without `name` a Promise's dependencies."""

    name: str
    files: Mapping[str, bytes]
    namespace: str = "team"
    promise: str = "thing"
    pipeline: str = "configure"
    directory: str = "."

    @property
    def id5(self) -> str:
        return hashlib.md5(self.directory.encode(), usedforsecurity=False).hexdigest()[:5]

    @property
    def folder(self) -> str:
        if not self.name:
            parts = ["dependencies", self.promise, self.pipeline, self.id5]
        else:
            parts = ["resources", self.namespace, self.promise, self.name, self.pipeline, self.id5]
        return "/".join(part for part in parts if part)

    def placement(self, destination: str) -> str:
        """The name of its WorkPlacement: promise, request, pipeline, five random letters."""
        work = "-".join(part for part in (self.promise, self.name, self.pipeline) if part)
        letters = hashlib.sha256(work.encode()).hexdigest()[:5]
        return f"{work}-{letters}.{destination}-{self.id5}"


@dataclass
class KratixRepository:
    """What Kratix has written for one Destination.

    Args:
        path: the Destination's path.
        prefixed: whether its lists name files with the Destination's path, as newer versions do.
    """

    layout: Layout
    destination: str = "cluster"
    path: str = "cluster"
    filename: str = "aggregated.yaml"
    prefixed: bool = True
    canaries: bool = True
    workloads: list[Workload] = field(default_factory=list)

    def files(self) -> dict[str, bytes]:
        """Every file, by path in the state store."""
        match self.layout:
            case Layout.NESTED:
                found = {
                    f"{one.folder}/{path}": content
                    for one in self.workloads
                    for path, content in one.files.items()
                }
            case Layout.NONE:
                found = {p: c for one in self.workloads for p, c in one.files.items()}
                found |= {f".kratix/{self._list_name(o)}": self._list(o) for o in self.workloads}
            case _:
                ordered = sorted(self.workloads, key=lambda o: o.placement(self.destination))
                contents = [content for one in ordered for content in one.files.values()]
                found = {self.filename: b"\n---\n".join(contents)} if contents else {}
        if self.canaries:
            nested = self.layout is Layout.NESTED
            found |= {p if nested else p.rpartition("/")[2]: c for p, c in CANARIES.items()}
        return {f"{self.path}/{p}" if self.path else p: c for p, c in found.items()}

    def _list_name(self, workload: Workload) -> str:
        namespace = workload.namespace if workload.name else "kratix-platform-system"
        return f"{namespace}-{workload.placement(self.destination)}.yaml"

    def _list(self, workload: Workload) -> bytes:
        prefix = f"{self.path}/" if self.prefixed and self.path else ""
        names: list[Json] = [f"{prefix}{path}" for path in workload.files]
        return dump_documents([{"files": names}])

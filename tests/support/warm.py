"""A distribution with stages, installed where a test wants it, and jobs that run them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from troth.api import Fields, Json, Pipeline
from troth.runners import StageJob, StageResult
from troth.runners.warm import WarmRunner

__all__ = ["IMAGES", "Acme", "container", "job", "parent_of", "pipeline", "process_of", "run"]

IMAGES = {"acme-stage:*": "acme"}

_SOURCE = Path(__file__).with_name("acme_stages.py")


@dataclass(frozen=True)
class Acme:
    """The distribution ``acme``, version 1.4.2, in a folder that is on ``sys.path``."""

    folder: Path

    def install(self) -> None:
        source = _SOURCE.read_text(encoding="utf-8")
        names = re.findall(
            r"^(?:@stage\ndef )?([a-z]\w+)(?: = Stage\(|\(\w+: Spec\))", source, re.MULTILINE
        )
        points = "".join(f"{name} = acme_stages:{name}\n" for name in names)
        points += "broken = acme_broken:stage\nno-stage = acme_stages:Spec\n"
        info = self.folder / "acme-1.4.2.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text("Name: acme\nVersion: 1.4.2\n", encoding="utf-8")
        info.joinpath("entry_points.txt").write_text(f"[troth.stages]\n{points}", encoding="utf-8")
        self.module.write_text(source, encoding="utf-8")
        self.folder.joinpath("acme_broken.py").write_text("x = 1\ny = x +\n", encoding="utf-8")

    @property
    def module(self) -> Path:
        return self.folder / "acme_stages.py"


def container(stage: str, **fields: Json) -> dict[str, Json]:
    return {"name": stage, "image": "registry.test/acme-stage:1.4", "args": [stage], **fields}


def pipeline(*containers: Mapping[str, Json], **fields: Json) -> Pipeline:
    raw: dict[str, Json] = {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "Pipeline",
        "metadata": {"name": "render"},
        "spec": {"containers": containers, **fields},
    }
    return Pipeline.parse(Fields(raw))


def job(*stages: str | Mapping[str, Json], **spec: Json) -> StageJob:
    """Return a job that runs stages, by name or as containers, on a request with a spec."""
    containers = [container(stage) if isinstance(stage, str) else stage for stage in stages]
    return StageJob(
        promise="sayings",
        pipeline=pipeline(*containers),
        environ={"KRATIX_WORKFLOW_ACTION": "configure", "KRATIX_PROMISE_NAME": "sayings"},
        object={
            "apiVersion": "test/v1",
            "kind": "Saying",
            "metadata": {"name": "one", "namespace": "default"},
            "spec": spec,
        },
        context={"now": "2026-01-02T03:04:05Z", "seed": "00" * 32},
        namespace="default",
    )


def run(runner: WarmRunner, *stages: str | Mapping[str, Json], **spec: Json) -> StageResult:
    return runner.run(job(*stages, **spec))


def process_of(result: StageResult) -> int:
    """Return the first process id that a stage left in the file ``process``: its worker."""
    return int(result.files["process"].split()[0])


def parent_of(process: int) -> int:
    stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    return int(stat.rpartition(")")[2].split()[1])

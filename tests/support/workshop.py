"""A workshop: the distribution ``craft`` with stages, and bundles that use them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from support.craft_stages import Spec

from troth.api import Json, JsonObject, dump_documents
from troth.kit.bench import Bench
from troth.kit.bundle import open_bundle
from troth.kit.examination import Examination, Options
from troth.kit.findings import Finding
from troth.sdk import structural_schema

__all__ = ["IMAGES", "TEXT_ONLY", "WITH_RULES", "Workshop", "findings"]

IMAGES = {"craft-stage:*": "craft"}

_SOURCE = Path(__file__).with_name("craft_stages.py")
_FENCE = {"troth.dev/fence": "{namespaces: [own]}"}
GROUP = "craft.example.com"

TEXT_ONLY: JsonObject = {"type": "object", "properties": {"text": {"type": "string"}}}
WITH_RULES: JsonObject = {**TEXT_ONLY, "x-kubernetes-validations": [{"rule": "self.text != ''"}]}


@dataclass(frozen=True)
class Workshop:
    """A folder in which bundles are written; ``site`` in it is to be on ``sys.path``."""

    path: Path

    @property
    def site(self) -> Path:
        return self.path / "site"

    def install(self) -> None:
        source = _SOURCE.read_text(encoding="utf-8")
        names = re.findall(
            r"^(?:@stage\ndef )?([a-z]\w+)(?: = (?:S|s)tage\(|\(\w+: Req)", source, re.MULTILINE
        )
        points = "".join(f"{name} = craft_stages:{name}\n" for name in names)
        points += "broken = craft_broken:STAGE\n"
        info = self.site / "craft-1.0.0.dist-info"
        info.mkdir(parents=True)
        info.joinpath("METADATA").write_text("Name: craft\nVersion: 1.0.0\n", encoding="utf-8")
        info.joinpath("entry_points.txt").write_text(f"[troth.stages]\n{points}", encoding="utf-8")
        self.site.joinpath("craft_stages.py").write_text(source, encoding="utf-8")
        self.site.joinpath("craft_broken.py").write_text("1 / 0\n", encoding="utf-8")

    def bundle(
        self,
        *stages: str,
        requests: Mapping[str, JsonObject] | None = None,
        annotations: Mapping[str, str] = _FENCE,
        schema: JsonObject | None = None,
        workflows: JsonObject | None = None,
    ) -> Path:
        """Write a bundle with a pipeline a stage; requests are given as name → spec."""
        folder = self.path / "bundle"
        folder.mkdir()
        given = {"one": {"text": "hello"}} if requests is None else requests
        found = {
            "resource": {"configure": [pipeline(name) for name in stages]},
            **(workflows or {}),
        }
        promise = promise_of(schema or structural_schema(Spec), annotations, found)
        write(folder / "promise.yaml", promise)
        folder.joinpath("README.md").write_text("# craft\n", encoding="utf-8")
        for number, (name, spec) in enumerate(given.items()):
            suffix = f"-{number}" if number else ""
            write(folder / f"resource-request{suffix}.yaml", request_of(name, spec))
        return folder


def write(path: Path, *documents: JsonObject) -> None:
    path.write_bytes(dump_documents(documents))


def request_of(name: str, spec: JsonObject, namespace: str = "team") -> JsonObject:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Craft",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def pipeline(stage: str, image: str = "craft-stage:1.0") -> Json:
    return {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "Pipeline",
        "metadata": {"name": stage.replace("_", "-")},
        "spec": {"containers": [{"name": "craft", "image": image, "args": [stage]}]},
    }


def promise_of(
    schema: JsonObject, annotations: Mapping[str, str], workflows: JsonObject
) -> JsonObject:
    whole: JsonObject = {"type": "object", "properties": {"spec": schema}}
    version: JsonObject = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": whole},
    }
    return {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "Promise",
        "metadata": {"name": "craft", "annotations": dict(annotations)},
        "spec": {
            "api": {
                "spec": {
                    "group": GROUP,
                    "names": {"kind": "Craft", "plural": "crafts"},
                    "versions": [version],
                }
            },
            "workflows": workflows,
        },
    }


_AS_USUAL = Options()


def findings(folder: Path, bench: Bench, options: Options = _AS_USUAL) -> dict[str, Finding]:
    """Examine a bundle; findings by title, such as ``model`` and ``one: schema``."""
    found: Iterable[Finding] = Examination(open_bundle(folder), bench, options).run()
    return {finding.title: finding for finding in found}

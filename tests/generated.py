"""Make the schemas in Promises from the models of their stages, and the CRDs in deploy/.

``python tests/generated.py --check`` fails and names each file that is another; ``--write`` makes
it so. The CRDs are what ``troth crds`` prints, each in its file. Golden output is made by ``troth
test --update``. All of it is checked by ``make check-generated``.
"""

import argparse
import sys
import textwrap
from pathlib import Path

from pydantic import BaseModel
from support.bundles import bundles, stage_names
from support.workspace import ROOT

from troth.api import Promise, dump_documents, load_object
from troth.api.crds import platform_crds
from troth.sdk import Stage, find_stage, structural_schema

_BEGIN = "# generated from the stage's model: begin"
_END = "# generated from the stage's model: end"

# The stage whose templates, and so whose schema, people write themselves.
_TEMPLATE = "template"

_HOW = "To write everything: python tests/generated.py --write && troth test promises/* --update"


def with_schema(text: str, stage: Stage[BaseModel]) -> str:
    """Replace what stands between the markers by the schema of the stage's model."""
    head, _, rest = text.partition(_BEGIN)
    _, found, tail = rest.partition(_END)
    if not found:
        message = f"the lines {_BEGIN!r} and {_END!r} are missing."
        raise ValueError(message)
    indent = head.rpartition("\n")[2]
    schema = dump_documents([structural_schema(stage.model)]).decode()
    return f"{head}{_BEGIN}\n{textwrap.indent(schema, indent)}{indent}{_END}{tail}"


def wanted(text: str, source: str) -> str:
    """Return a promise.yaml as it should be; one of templates keeps the schema that stands in it.

    Raises:
        ValueError: there are no lines for the schema.
    """
    first = stage_names(Promise.parse(load_object(text, source)))[0]
    return text if first == _TEMPLATE else with_schema(text, find_stage(first))


def differences(root: Path = ROOT, *, write: bool = False) -> list[str]:
    """List each promise.yaml that is not what its stage makes; write it if asked to."""
    found: list[str] = []
    for bundle in bundles(root):
        path = bundle / "promise.yaml"
        text = path.read_text(encoding="utf-8")
        made = wanted(text, str(path))
        if made != text:
            found.append(str(path.relative_to(root)))
            if write:
                path.write_text(made, encoding="utf-8")
    return found


def deployed() -> dict[str, bytes]:
    """Return what has to be in deploy/crds, by name."""
    files = {f"{name}.yaml": dump_documents([crd]) for name, crd in platform_crds().items()}
    base = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(files),
    }
    return {**files, "kustomization.yaml": dump_documents([base])}


def stale_crds(root: Path = ROOT, *, write: bool = False) -> list[str]:
    """List each file of deploy/crds that is another, is missing, or is too many; mend if asked."""
    folder, wanted = root / "deploy" / "crds", deployed()
    there = {path.name: path.read_bytes() for path in sorted(folder.glob("*"))}
    stale = sorted(name for name in {*there, *wanted} if there.get(name) != wanted.get(name))
    if write:
        folder.mkdir(parents=True, exist_ok=True)
        for name in stale:
            if name in wanted:
                (folder / name).write_bytes(wanted[name])
            else:
                (folder / name).unlink()
    return [f"deploy/crds/{name}" for name in stale]


def main(arguments: list[str]) -> int:
    """Check or write; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0], epilog=_HOW)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="fail when a file differs")
    mode.add_argument("--write", action="store_true", help="write the files that differ")
    chosen = parser.parse_args(arguments)
    found = [*differences(write=chosen.write), *stale_crds(write=chosen.write)]
    for path in found:
        sys.stdout.write(f"{path}\n")
    if found and chosen.check:
        sys.stderr.write(f"These files are not what the code makes. {_HOW}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Regenerate what is made from source: schemas in Promises, golden output of their requests.

``python tests/generated.py --check`` fails and names each file that is not what its source makes;
``--write`` makes it so. Called by ``make check-generated`` and by test_generated.py.
"""

import argparse
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from troth.api import (
    Container,
    JsonObject,
    Promise,
    RequestSchema,
    ResourceRequest,
    dump_documents,
    expand_variables,
    load_object,
)
from troth.sdk import Stage, find_stage, run_stage, structural_schema

ROOT = Path(__file__).parent.parent

_BEGIN = "# generated from the stage's model: begin"
_END = "# generated from the stage's model: end"
_IMAGE = "troth-stage:"

# The stage whose templates, and so whose schema, people write themselves.
_TEMPLATE = "template"

# Any moment and any bytes would do: what a stage of ours renders depends on neither.
_MOMENT = '{"now": "2024-02-29T12:00:00Z", "seed": "00"}'


def bundles(root: Path = ROOT) -> list[Path]:
    """List the folders of Promises."""
    return sorted(path.parent for path in root.glob("promises/*/promise.yaml"))


def requests(bundle: Path) -> list[Path]:
    """List the requests of a bundle, each of which has golden output."""
    return sorted(bundle.glob("resource-request*.yaml"))


def containers(promise: Promise) -> list[Container]:
    """List the containers of a Promise's configure workflow that run stages of ours, in order."""
    return [
        container
        for pipeline in promise.workflows.resource_configure
        for container in pipeline.containers
        if container.image.startswith(_IMAGE)
    ]


def stage_names(promise: Promise) -> list[str]:
    """Name those stages."""
    return [container.args[0] for container in containers(promise)]


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


def schema_of(promise: Promise) -> RequestSchema:
    """Return the schema of the one version that a Promise of ours has."""
    if promise.api is None:
        message = f"the Promise {promise.name!r} has no API."
        raise ValueError(message)
    (schema,) = promise.api.schemas.values()
    return RequestSchema(schema)


def input_object(request: ResourceRequest, schema: RequestSchema) -> JsonObject:
    """Return the object a stage gets for a request: defaults filled.

    Raises:
        ValueError: the request is not as the schema wants it.
    """
    spec = schema.fill(request.spec)
    if problems := schema.violations(spec):
        message = "; ".join(problem.message for problem in problems)
        raise ValueError(message)
    return {
        "apiVersion": request.api_version,
        "kind": request.kind,
        "metadata": {
            "name": request.name,
            "namespace": request.namespace,
            "labels": request.labels,
            "annotations": request.annotations,
        },
        "spec": spec,
    }


def render(promise: Promise, request: ResourceRequest, folder: Path) -> dict[str, bytes]:
    """Run a request through the Promise's stages in `folder`; return output and status by path."""
    for name in ("input", "output", "metadata"):
        (folder / name).mkdir(parents=True)
    source = dump_documents([input_object(request, schema_of(promise))])
    (folder / "input" / "object.yaml").write_bytes(source)
    (folder / "input" / "troth.json").write_text(_MOMENT, encoding="utf-8")
    environ = {"KRATIX_WORKFLOW_ACTION": "configure", "KRATIX_PROMISE_NAME": promise.name}
    for container in containers(promise):
        run_stage(find_stage(container.args[0]), folder, expand_variables(container.env, environ))
    return {
        path.relative_to(base).as_posix(): path.read_bytes()
        for base in (folder / "output", folder / "metadata")
        for path in sorted(base.rglob("*"))
        if path.is_file()
    }


def expected_files(bundle: Path) -> Iterator[tuple[Path, bytes]]:
    """Make every generated file of a bundle: its promise.yaml, then its golden output.

    A bundle whose first stage is ``template`` keeps the schema that stands in it.

    Raises:
        ValueError: two requests of the bundle have one name.
    """
    path = bundle / "promise.yaml"
    text = path.read_text(encoding="utf-8")
    first = stage_names(Promise.parse(load_object(text, str(path))))[0]
    if first != _TEMPLATE:
        text = with_schema(text, find_stage(first))
    yield path, text.encode()
    promise = Promise.parse(load_object(text, str(path)))
    seen: set[str] = set()
    for source in requests(bundle):
        raw = load_object(source.read_text(encoding="utf-8"), str(source))
        request = ResourceRequest.parse(raw)
        if request.name in seen:
            message = f"{source}: another request of this bundle is called {request.name!r}."
            raise ValueError(message)
        seen.add(request.name)
        with tempfile.TemporaryDirectory() as folder:
            for name, content in render(promise, request, Path(folder)).items():
                yield bundle / "expected" / request.name / name, content


def differences(root: Path = ROOT, *, write: bool = False) -> list[str]:
    """List the generated files that are not what their source makes; write them if asked to."""
    found: list[str] = []
    for bundle in bundles(root):
        wanted = dict(expected_files(bundle))
        for path, content in wanted.items():
            if path.is_file() and path.read_bytes() == content:
                continue
            found.append(str(path.relative_to(root)))
            if write:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        for path in sorted((bundle / "expected").rglob("*")):
            if path.is_file() and path not in wanted:
                found.append(f"{path.relative_to(root)} (no request makes it)")
                if write:
                    path.unlink()
    return found


def main(arguments: list[str]) -> int:
    """Check or write; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="fail when a file differs")
    mode.add_argument("--write", action="store_true", help="write the files that differ")
    chosen = parser.parse_args(arguments)
    found = differences(write=chosen.write)
    for path in found:
        sys.stdout.write(f"{path}\n")
    if found and chosen.check:
        sys.stderr.write("These files are not what their source makes; run --write.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

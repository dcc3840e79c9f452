"""The bundles in promises/, as tests of single stages use them: files, containers, input."""

from pathlib import Path

from support.workspace import ROOT

from troth.api import (
    Container,
    JsonObject,
    Promise,
    RequestSchema,
    ResourceRequest,
    is_object,
)
from troth.sdk import Output

_IMAGE = "troth-stage:"


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


def schema_of(promise: Promise) -> RequestSchema:
    """Return the schema of the one version that a Promise of ours has."""
    if promise.api is None:
        message = f"the Promise {promise.name!r} has no API."
        raise ValueError(message)
    (schema,) = promise.api.schemas.values()
    return RequestSchema(schema)


def input_object(request: ResourceRequest, schema: RequestSchema) -> JsonObject:
    """Return the object a stage gets for a request: defaults filled."""
    return {
        "apiVersion": request.api_version,
        "kind": request.kind,
        "metadata": {
            "name": request.name,
            "namespace": request.namespace,
            "labels": request.labels,
            "annotations": request.annotations,
        },
        "spec": schema.fill(request.spec),
    }


def manifests(output: Output, kind: str | None = None) -> list[JsonObject]:
    """List the objects of an output, of one kind or of all."""
    return [
        manifest
        for content in output.files.values()
        if not isinstance(content, bytes)
        for manifest in content
        if is_object(manifest) and kind in {None, manifest["kind"]}
    ]

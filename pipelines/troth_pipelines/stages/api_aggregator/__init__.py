"""The stage of the Promise ``api-aggregator``: one API's hosts, certificates and limits.

Here belong the model of the request and the manifests that fulfil it, a module a concern. Values
that the stages of the Gateway API share do not: they are in ``troth_pipelines.gateway``. Reading
and writing files does not either: ``troth.sdk.run_stage`` calls `STAGE` through its entry point.
"""

from troth.api import Json, JsonObject
from troth.sdk import Context, Output, OutputFile, Request, Stage
from troth_pipelines.stages.api_aggregator._certificates import certificate_manifests
from troth_pipelines.stages.api_aggregator._check import check_spec
from troth_pipelines.stages.api_aggregator._identity import Home
from troth_pipelines.stages.api_aggregator._implementation import serving_of
from troth_pipelines.stages.api_aggregator._listeners import gateway_manifest, redirect_manifests
from troth_pipelines.stages.api_aggregator._model import ApiAggregatorSpec, ExistingGateway
from troth_pipelines.stages.api_aggregator._policies import policy_manifests

__all__ = ["STAGE", "ApiAggregatorSpec", "configure"]


def configure(request: Request[ApiAggregatorSpec], context: Context) -> Output:
    """Render an API's Gateway or ListenerSet, and what belongs to it.

    Raises:
        InvalidInputError: the request asks for something that its schema could not refuse, or that
            the implementation of the Gateway cannot do.
    """
    spec = request.spec
    check_spec(spec)
    existing = spec.gateway.existing
    home = Home(request.name, request.namespace, "Gateway" if existing is None else "ListenerSet")
    home.check()
    if existing is not None and existing.attach == "Listeners":
        return Output(status=_status_of_existing(existing, spec))
    serving = serving_of(spec.gateway.class_name, context.environ)
    files: dict[str, list[JsonObject]] = {
        "gateway.yaml": [gateway_manifest(home, spec)],
        "certificates.yaml": certificate_manifests(home, spec),
        "redirect.yaml": redirect_manifests(home, spec),
        "policies.yaml": policy_manifests(home, spec, serving),
    }
    written: dict[str, OutputFile] = {name: content for name, content in files.items() if content}
    return Output(files=written, status=_status(home, spec))


def _status(home: Home, spec: ApiAggregatorSpec) -> dict[str, Json]:
    urls = [f"{'https' if host.tls else 'http'}://{host.name}" for host in spec.hosts]
    gateway: Json = {"kind": home.kind, "name": home.name, "namespace": home.namespace}
    return {"gateway": gateway, "hosts": _hosts(spec), "urls": sorted(urls)}


def _status_of_existing(existing: ExistingGateway, spec: ApiAggregatorSpec) -> dict[str, Json]:
    """Tell where routes attach; whether the listeners speak TLS is not known here."""
    gateway: Json = {"kind": "Gateway", "name": existing.name, "namespace": existing.namespace}
    return {"gateway": gateway, "hosts": _hosts(spec), "urls": []}


def _hosts(spec: ApiAggregatorSpec) -> Json:
    return sorted(host.name for host in spec.hosts)


STAGE = Stage(model=ApiAggregatorSpec, configure=configure)

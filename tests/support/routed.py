"""A platform of Gateways (kind Gate) and routes (kind Thing), for tests of the engine."""

from collections.abc import Mapping

from support.platform import Platform, promise, request

from troth.api import Json, JsonObject, dump_documents
from troth.engine import Submission
from troth.runners import StageJob, StageResult

API = "gateway.networking.k8s.io/v1"


def stage(job: StageJob) -> StageResult:
    """Renders a Gateway for requests of kind Gate, an HTTPRoute on it for all others."""
    spec, name = job.object["spec"], job.environ["KRATIX_OBJECT_NAME"]
    namespace = job.environ["KRATIX_OBJECT_NAMESPACE"]
    assert isinstance(spec, Mapping)
    metadata: dict[str, Json] = {"name": name, "namespace": namespace}
    if job.environ["KRATIX_OBJECT_KIND"] == "Gate":
        consent = str(spec.get("value", ""))
        if consent:
            path, _, whom = consent.partition(" ")
            text = f'[{{"namespace":"{whom}","path":"{path}"}}]'
            metadata["annotations"] = {"troth.dev/delegations": text}
        listener: JsonObject = {
            "name": "http",
            "port": 80,
            "protocol": "HTTP",
            "hostname": "api.example.com",
            "allowedRoutes": {"namespaces": {"from": "All"}},
        }
        body: dict[str, Json] = {"gatewayClassName": "any", "listeners": [listener]}
        if spec.get("colour") == "set":  # listeners of its own on somebody else's Gateway
            body = {
                "parentRef": {"name": "edge", "namespace": "platform"},
                "listeners": [{**listener, "hostname": "set.example.com"}],
            }
            return one_object(
                {"apiVersion": API, "kind": "ListenerSet", "metadata": metadata, "spec": body}
            )
        body["allowedListeners"] = {"namespaces": {"from": "All"}}
        return one_object(
            {"apiVersion": API, "kind": "Gateway", "metadata": metadata, "spec": body}
        )
    match: JsonObject = {"path": {"type": "PathPrefix", "value": str(spec.get("value", "/"))}}
    body = {
        "parentRefs": [{"name": "edge", "namespace": "platform"}],
        "rules": [{"matches": [match]}],
    }
    return one_object({"apiVersion": API, "kind": "HTTPRoute", "metadata": metadata, "spec": body})


def one_object(manifest: JsonObject) -> StageResult:
    return StageResult({"objects.yaml": dump_documents([manifest])})


def apis(external: str | None = None) -> Platform:
    marks = {"troth.dev/external": external} if external else {}
    return Platform(
        stages={"configure": stage},
        promises=[promise("gate", kind="Gate"), promise("thing", annotations=marks)],
    )


def gate(consent: str = "") -> Submission:
    return request("edge", "platform", kind="Gate", value=consent)

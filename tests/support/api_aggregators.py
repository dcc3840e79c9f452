"""Requests for API aggregators, and what the stage makes of them, without files in between."""

from collections.abc import Mapping
from datetime import UTC, datetime

from hypothesis import strategies as st
from support.bundles import manifests

from troth.api import Fields, Json, JsonObject
from troth.sdk import Context, Output, Request
from troth_pipelines.stages.api_aggregator import STAGE, ApiAggregatorSpec

__all__ = ["EXISTING", "TLS", "listeners", "one", "render", "spec_of", "specs"]

TLS: Json = {"issuer": "letsencrypt"}
EXISTING: JsonObject = {"name": "edge", "namespace": "gateways"}

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def spec_of(**changes: Json) -> dict[str, Json]:
    """Return the spec of a plain request with some fields changed; None takes a field away."""
    spec: dict[str, Json] = {
        "gateway": {"className": "nginx"},
        "hosts": [{"name": "api.example.com", "tls": TLS}],
    }
    return {key: value for key, value in {**spec, **changes}.items() if value is not None}


def render(
    spec: JsonObject,
    implementation: str = "nginx-gateway-fabric",
    *,
    name: str = "public-api",
    environ: Mapping[str, str] | None = None,
) -> Output:
    """Run the stage on a spec, in a namespace called platform."""
    request = Request(
        name=name,
        namespace="platform",
        labels={},
        annotations={},
        spec=ApiAggregatorSpec.model_validate(spec),
        status={},
        generation=None,
        raw={},
    )
    variables = {"GATEWAY_IMPLEMENTATION": implementation} if environ is None else environ
    moment = datetime(2024, 2, 29, tzinfo=UTC)
    context = Context(moment, b"", "configure", "api-aggregator", "configure", variables)
    return STAGE.configure(request, context)


def one(output: Output, kind: str) -> Fields:
    """Return the spec of the one object of a kind."""
    (manifest,) = manifests(output, kind)
    return Fields(manifest).section("spec")


def listeners(output: Output, kind: str = "Gateway") -> dict[str, Fields]:
    """Return the listeners by name."""
    return {item.text("name"): item for item in one(output, kind).items("listeners")}


def _labels(longest: int) -> st.SearchStrategy[str]:
    inner = st.text(_LETTERS + "-", max_size=longest - 2)
    edge = st.sampled_from(_LETTERS)
    return edge | st.builds("{}{}{}".format, edge, inner, edge)


_HOSTNAMES = st.builds(
    "{}{}.example.com".format,
    st.sampled_from(["", "*."]),
    st.lists(_labels(40), min_size=1, max_size=4).map(".".join),
)
_CERTIFICATES = (
    st.fixed_dictionaries(
        {"issuer": _labels(63)},
        optional={"issuerKind": st.sampled_from(["Issuer", "ClusterIssuer"])},
    )
    | st.fixed_dictionaries({"secretName": _labels(63)})
)  # fmt: skip
_HOSTS = st.fixed_dictionaries({"name": _HOSTNAMES}, optional={"tls": _CERTIFICATES})
_GATEWAYS = st.fixed_dictionaries({"className": _labels(63)}) | st.fixed_dictionaries(
    {"existing": st.fixed_dictionaries({"name": _labels(63), "namespace": _labels(63)})}
)
_PATHS = st.lists(st.text(_LETTERS + "-_~", min_size=1, max_size=8), max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
_DELEGATIONS = st.fixed_dictionaries({"path": _PATHS, "namespace": _labels(63)})


def specs() -> st.SearchStrategy[dict[str, Json]]:
    """Draw specs that the stage has to accept, whatever the implementation."""
    hosts = st.lists(_HOSTS, min_size=1, max_size=6, unique_by=lambda host: str(host["name"]))
    needed = st.fixed_dictionaries({"gateway": _GATEWAYS, "hosts": hosts})
    optional = st.fixed_dictionaries(
        {},
        optional={
            "redirectToHttps": st.just(value=False),
            "allowedNamespaces": st.lists(_labels(63), max_size=4),
            "delegations": st.lists(_DELEGATIONS, max_size=4),
        },
    )
    whole: st.SearchStrategy[dict[str, Json]] = st.builds(
        lambda first, second: {**first, **second}, needed, optional
    )
    return whole

"""Requests for team namespaces, and what the stage makes of them, without files in between."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from troth.api import Json, JsonObject, is_system_namespace
from troth.sdk import Context, Output, Request
from troth_pipelines.stages.namespace import STAGE, TeamNamespaceSpec

__all__ = ["render", "spec_of", "specs"]

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def spec_of(**changes: Json) -> dict[str, Json]:
    """Return the spec of a plain request with some fields changed; None takes a field away."""
    spec: dict[str, Json] = {"team": "payments", "environment": "dev", "owners": ["admins"]}
    return {key: value for key, value in {**spec, **changes}.items() if value is not None}


def render(spec: JsonObject, status: JsonObject | None = None) -> Output:
    """Run the stage on a spec, with the status of an earlier run if there was one."""
    request = Request(
        name="example",
        namespace="default",
        labels={},
        annotations={},
        spec=TeamNamespaceSpec.model_validate(spec),
        status=status or {},
        generation=None,
        raw={},
    )
    moment = datetime(2024, 2, 29, tzinfo=UTC)
    return STAGE.configure(request, Context(moment, b"", "configure", "namespace", "configure"))


def _labels(longest: int) -> st.SearchStrategy[str]:
    inner = st.text(_LETTERS + "-", max_size=longest - 2)
    edge = st.sampled_from(_LETTERS)
    return edge | st.builds("{}{}{}".format, edge, inner, edge)


_GROUPS = (
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x24F, exclude_categories=("C", "Z")))
    .filter(lambda name: name and not name.startswith("system:"))
    .map(lambda name: name[:256])
)
_CPU = (
    st.integers(1, 999_999)
    | st.integers(10, 999_999_999).map("{}m".format)
    | st.decimals("0.01", "999.999", places=3).map(str)
)
_BYTES = st.integers(2**25, 10**15 - 1) | st.builds(
    "{}{}".format, st.integers(34, 999_999), st.sampled_from(["M", "G", "T", "Mi", "Gi", "Ti"])
)
_QUOTAS = st.fixed_dictionaries(
    {"cpu": _CPU, "memory": _BYTES, "pods": st.integers(1, 1000), "storage": _BYTES | st.just(0)}
)
_RANGES = st.ip_addresses(v=4, network="10.0.0.0/8").map("{}/32".format) | st.ip_addresses(
    v=6, network="fd00::/8"
).map("{}/128".format)
_TARGETS = st.fixed_dictionaries({"namespace": _labels(63)}) | st.fixed_dictionaries(
    {"cidr": _RANGES}
)
_NETWORKS = st.fixed_dictionaries(
    {},
    optional={
        "ingressFromGateway": st.booleans(),
        "egress": st.lists(_TARGETS, max_size=8),
    },
)


def specs() -> st.SearchStrategy[dict[str, Json]]:
    """Draw specs that the stage has to accept."""
    sized = st.fixed_dictionaries(
        {}, optional={"size": st.sampled_from(["small", "medium", "large"])}
    )
    quota = sized | st.fixed_dictionaries({"quota": _QUOTAS})
    rest = st.fixed_dictionaries(
        {
            "team": _labels(42),
            "environment": st.text(_LETTERS, min_size=1, max_size=20),
            "owners": st.lists(_GROUPS, min_size=1, max_size=5),
        },
        optional={
            "viewers": st.lists(_GROUPS, max_size=5),
            "podSecurity": st.sampled_from(["baseline", "restricted"]),
            "network": _NETWORKS,
        },
    )
    whole: st.SearchStrategy[dict[str, Json]] = st.builds(
        lambda first, second: {**first, **second}, rest, quota
    )
    return whole.filter(
        lambda spec: not is_system_namespace(f"{spec['team']}-{spec['environment']}")
    )

"""Requests for routes, and what the stage makes of them, without files in between."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from hypothesis import strategies as st
from support.bundles import manifests

from troth.api import Fields, Json, JsonObject
from troth.sdk import Context, Output, Request
from troth_pipelines.stages.api_aggregator_target import STAGE, ApiAggregatorTargetSpec

__all__ = [
    "asked",
    "http_routes",
    "render",
    "rendered",
    "route_of",
    "rules",
    "spec_of",
    "specs",
]

AGGREGATOR: dict[str, Json] = {"name": "public-api", "namespace": "platform"}
SERVICE: dict[str, Json] = {"name": "claims-api", "port": 8080}

_PATH_TYPES = {"Prefix": "PathPrefix", "Exact": "Exact", "Regex": "RegularExpression"}
_VALUE_TYPES = {"Exact": "Exact", "Regex": "RegularExpression"}
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")


def _with(base: dict[str, Json], changes: JsonObject) -> dict[str, Json]:
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def route_of(value: str = "/v1/claims", /, **changes: Json) -> dict[str, Json]:
    """Return a plain route with some fields changed; None takes a field away."""
    return _with({"path": {"value": value}, "service": SERVICE}, changes)


def spec_of(*routes: JsonObject, **changes: Json) -> dict[str, Json]:
    """Return a spec of these routes (or of a plain one), with some fields changed."""
    listed: list[Json] = list(routes) or [route_of()]
    return _with({"aggregatorRef": AGGREGATOR, "routes": listed}, changes)


def render(spec: JsonObject, name: str = "claims", namespace: str = "claims-prod") -> Output:
    """Run the stage on a spec."""
    request = Request(
        name=name,
        namespace=namespace,
        labels={},
        annotations={},
        spec=ApiAggregatorTargetSpec.model_validate(spec),
        status={},
        generation=None,
        raw={},
    )
    moment = datetime(2024, 2, 29, tzinfo=UTC)
    context = Context(moment, b"", "configure", "api-aggregator-target", "configure")
    return STAGE.configure(request, context)


def http_routes(spec: JsonObject) -> dict[str, JsonObject]:
    """Return the specs of the HTTPRoutes by name, in the order they were made."""
    return {
        Fields(manifest).section("metadata").text("name"): Fields(manifest).mapping("spec")
        for manifest in manifests(render(spec), "HTTPRoute")
    }


def rules(spec: JsonObject) -> list[JsonObject]:
    """Return the rules of all HTTPRoutes."""
    return [
        rule.raw for route in http_routes(spec).values() for rule in Fields(route).items("rules")
    ]


# A match as a value: path type, path, method, headers, query.
Match = tuple[
    str, str, str | None, frozenset[tuple[str, str, str]], frozenset[tuple[str, str, str]]
]


def _conditions(items: Iterable[Fields], *, lower: bool) -> frozenset[tuple[str, str, str]]:
    return frozenset(
        (
            item.text("name").lower() if lower else item.text("name"),
            _VALUE_TYPES.get(item.text("type", "Exact"), item.text("type", "Exact")),
            item.text("value"),
        )
        for item in items
    )


def asked(spec: JsonObject) -> list[Match]:
    """Work out from the request alone which matches it asks for."""
    found: list[Match] = []
    for route in Fields(spec).items("routes"):
        path = route.section("path")
        kind, value = path.text("type", "Prefix"), path.text("value")
        if kind != "Regex":
            value = re.sub("%..", lambda escape: escape[0].upper(), value)
        if kind == "Prefix" and len(value) > 1:
            value = value.removesuffix("/")
        headers = _conditions(route.items("headers"), lower=True)
        query = _conditions(route.items("query"), lower=False)
        methods: list[str | None] = [*route.texts("methods")] or [None]
        found.extend((_PATH_TYPES[kind], value, method, headers, query) for method in methods)
    return found


def rendered(output: Output) -> list[Match]:
    """Read the matches of all HTTPRoutes of the first hosts."""
    found: list[Match] = []
    for manifest in manifests(output, "HTTPRoute"):
        metadata, spec = Fields(manifest).section("metadata"), Fields(manifest).section("spec")
        if "-h" in metadata.text("name"):
            continue
        for rule in spec.items("rules"):
            for match in rule.items("matches"):
                path = match.section("path")
                found.append(
                    (
                        path.text("type"),
                        path.text("value"),
                        match.text("method", "") or None,
                        _conditions(match.items("headers"), lower=True),
                        _conditions(match.items("queryParams"), lower=False),
                    )
                )
    return found


_ELEMENTS = st.text("abcXYZ019-_~!$&'()*+,;=:@", min_size=1, max_size=6) | st.sampled_from(
    ["v1", "%C3%A9", "%c3%a9", "...", "a.b"]
)
_PATHS = st.builds(
    lambda parts, end: "/" + "/".join(parts) + end,
    st.lists(_ELEMENTS, min_size=1, max_size=4),
    st.sampled_from(["", "/"]),
)
_EXPRESSIONS = st.sampled_from(["/a+", "^/v[0-9]/(x|y)$", ".*", r"/\d{2,3}", "(?i)/Case", "[^/]*"])
_NAMES = st.text("abcXYZ-_09", min_size=1, max_size=5)
_VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x24F), min_size=1, max_size=8)
_PRINTABLE = _VALUES.filter(lambda text: not re.search(r"[\x00-\x1f\x7f]", text))
_LABELS = st.text("abcdefghij0123456789", min_size=1, max_size=8)
_DURATIONS = st.builds("{}{}".format, st.integers(1, 99999), st.sampled_from(["ms", "s", "m", "h"]))


def _conditions_of(*, lower: bool) -> st.SearchStrategy[list[dict[str, str]]]:
    exact = st.fixed_dictionaries(
        {"name": _NAMES, "value": _PRINTABLE}, optional={"type": st.just("Exact")}
    )
    expression = st.fixed_dictionaries(
        {"name": _NAMES, "value": _EXPRESSIONS, "type": st.just("Regex")}
    )
    either: st.SearchStrategy[dict[str, str]] = exact | expression
    return st.lists(
        either,
        max_size=3,
        unique_by=lambda item: item["name"].lower() if lower else item["name"],
    )


def _paths() -> st.SearchStrategy[dict[str, Json]]:
    plain = st.fixed_dictionaries(
        {"value": _PATHS}, optional={"type": st.sampled_from(["Prefix", "Exact"])}
    )
    return plain | st.fixed_dictionaries({"value": _EXPRESSIONS, "type": st.just("Regex")})


def _changes() -> st.SearchStrategy[dict[str, Json]]:
    def part(names: list[str]) -> dict[str, Json]:
        headers: list[Json] = [{"name": name, "value": f"value of {name}"} for name in names]
        third = len(names) // 3
        parts: dict[str, list[Json]] = {
            "set": headers[:third],
            "add": headers[third : 2 * third],
            "remove": [*names[2 * third :]],
        }
        return {key: value for key, value in parts.items() if value}

    return st.lists(_NAMES, min_size=1, max_size=9, unique_by=str.lower).map(part)


_PORTS: st.SearchStrategy[Json] = st.integers(1, 65535)
_SERVICES = st.fixed_dictionaries(
    {"name": _LABELS, "port": _PORTS},
    optional={"namespace": st.sampled_from(["claims-prod", "shared-services"])},
)
_WEIGHTED = st.lists(
    st.builds(
        lambda service, weight: {**service, "weight": weight}, _SERVICES, st.integers(1, 1_000_000)
    ),
    min_size=1,
    max_size=4,
)
_REWRITES: st.SearchStrategy[dict[str, str]] = st.fixed_dictionaries(
    {"prefix": _PATHS | st.just("/")}
) | st.fixed_dictionaries(
    {"hostname": _LABELS.map("{}.internal".format)}, optional={"path": _PATHS}
)


@st.composite
def _routes(draw: st.DrawFn) -> dict[str, Json]:
    path = draw(_paths())
    route: dict[str, Json] = {"path": path}
    optional: dict[str, st.SearchStrategy[Json]] = {
        "methods": st.lists(st.sampled_from(_METHODS), min_size=1, max_size=9, unique=True),
        "headers": _conditions_of(lower=True),
        "query": _conditions_of(lower=False),
        "timeout": _DURATIONS | st.just("0s"),
        "requestHeaders": _changes(),
        "responseHeaders": _changes(),
    }
    for field, values in optional.items():
        if draw(st.booleans()):
            route[field] = draw(values)
    if draw(st.booleans()):
        rewrite = draw(_REWRITES)
        if "prefix" not in rewrite or path.get("type", "Prefix") == "Prefix":
            route["rewrite"] = rewrite
    if draw(st.booleans()):
        route["services"] = draw(_WEIGHTED)
    else:
        route["service"] = draw(_SERVICES)
    return route


_HOSTNAMES = st.lists(
    st.builds("{}{}.example.com".format, st.sampled_from(["", "*."]), _LABELS),
    min_size=1,
    max_size=20,
    unique=True,
)
_PARENTS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["Gateway", "ListenerSet"]),
        "name": _LABELS,
        "namespace": _LABELS,
        "sectionName": _LABELS,
    },
)


def _free(routes: Iterable[dict[str, Json]]) -> list[Json]:
    """Leave out the routes that ask for what an earlier one asks for."""
    taken: set[Match] = set()
    kept: list[Json] = []
    for route in routes:
        matches = asked({"routes": [route]})
        if taken.isdisjoint(matches):
            taken.update(matches)
            kept.append(route)
    return kept


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Json]:
    """Draw specs that the stage has to accept."""
    aggregator = dict(AGGREGATOR)
    if draw(st.booleans()):
        aggregator["parent"] = draw(_PARENTS)
    # Most requests are small; some have more routes than an HTTPRoute has rules.
    routes = draw(st.lists(_routes(), min_size=1, max_size=4))
    more: list[dict[str, Json]] = [
        {**routes[0], "path": {"value": f"/more/{number}"}}
        for number in range(draw(st.sampled_from([0, 0, 13, 16, 40])))
    ]
    spec: dict[str, Json] = {"aggregatorRef": aggregator, "routes": _free([*routes, *more])}
    if draw(st.booleans()):
        spec["hostnames"] = draw(_HOSTNAMES)
    return spec

"""What may be asked for, and what is refused: by its field, with what to do."""

import pytest
from pydantic import ValidationError
from support.api_targets import render, route_of, rules, spec_of
from support.bundles import schema_of
from support.workspace import ROOT

from troth.api import Fence, Json, JsonObject, Promise, load_object
from troth.api.external import External
from troth.errors import InvalidInputError, Reason

BUNDLE = ROOT / "promises/api-aggregator-target"
PROMISE = Promise.parse(load_object((BUNDLE / "promise.yaml").read_text(), "promise.yaml"))
SCHEMA = schema_of(PROMISE)

A_HEADER: JsonObject = {"name": "X-Version", "value": "2"}


def headers(count: int) -> list[Json]:
    return [{"name": f"X-{number}", "value": "v"} for number in range(count)]


def services(count: int) -> list[Json]:
    return [{"name": f"s{number}", "port": 80} for number in range(count)]


def refusal(spec: JsonObject) -> InvalidInputError:
    """Return the stage's error for a spec that the schema takes."""
    assert SCHEMA.violations(SCHEMA.fill(spec)) == []
    with pytest.raises(InvalidInputError) as caught:
        render(spec)
    return caught.value


@pytest.mark.parametrize(
    ("route", "field"),
    [
        ({"path": None}, "path"),
        ({"path": {}}, "path.value"),
        ({"path": {"value": ""}}, "path.value"),
        ({"path": {"value": "/" + "a" * 1024}}, "path.value"),
        ({"path": {"value": "/a", "type": "PathPrefix"}}, "path.type"),
        ({"path": {"value": "/a\nb", "type": "Regex"}}, "path.value"),
        ({"path": {"value": "/a\tb", "type": "Regex"}}, "path.value"),
        ({"path": {"value": "/a\x85b", "type": "Regex"}}, "path.value"),
        ({"methods": []}, "methods"),
        ({"methods": ["get"]}, "methods[0]"),
        ({"headers": headers(17)}, "headers"),
        ({"headers": [{"name": "X Y", "value": "v"}]}, "headers[0].name"),
        ({"headers": [{"name": "X" * 257, "value": "v"}]}, "headers[0].name"),
        ({"headers": [{"name": "X", "value": "v" * 4097}]}, "headers[0].value"),
        ({"headers": [{"name": "X", "value": ""}]}, "headers[0].value"),
        ({"headers": [{"name": "X", "value": "v\r\nY: z"}]}, "headers[0].value"),
        ({"query": headers(17)}, "query"),
        ({"query": [{"name": "q", "value": "v" * 1025}]}, "query[0].value"),
        ({"rewrite": {}}, "rewrite"),
        ({"rewrite": {"prefix": "claims"}}, "rewrite.prefix"),
        ({"rewrite": {"hostname": "*.internal"}}, "rewrite.hostname"),
        ({"rewrite": {"hostname": "Claims.internal"}}, "rewrite.hostname"),
        ({"timeout": "1.5s"}, "timeout"),
        ({"timeout": "10"}, "timeout"),
        ({"backendTimeout": "100000s"}, "backendTimeout"),
        ({"requestHeaders": {}}, "requestHeaders"),
        ({"requestHeaders": {"set": []}}, "requestHeaders.set"),
        ({"requestHeaders": {"set": headers(17)}}, "requestHeaders.set"),
        ({"requestHeaders": {"add": headers(17)}}, "requestHeaders.add"),
        ({"responseHeaders": {"remove": [f"X-{n}" for n in range(17)]}}, "responseHeaders.remove"),
        ({"responseHeaders": {"set": [{"name": "X", "value": "a\nb"}]}}, "set[0].value"),
        ({"service": {"name": "claims-api"}}, "service.port"),
        ({"service": {"name": "claims-api", "port": 0}}, "service.port"),
        ({"service": {"name": "claims-api", "port": 65536}}, "service.port"),
        ({"service": {"name": "claims.api", "port": 80}}, "service.name"),
        ({"service": {"name": "claims-api", "port": 80, "weight": 1}}, "service.weight"),
        ({"service": None, "services": []}, "services"),
        ({"service": None, "services": services(17)}, "services"),
        ({"service": None, "services": [{"name": "s", "port": 80, "weight": 1_000_001}]}, "weight"),
        ({"redirect": {}}, "redirect"),
    ],
    ids=str,
)
def test_the_schema_names_the_field_of_a_route_it_refuses(
    route: dict[str, Json], field: str
) -> None:
    violations = SCHEMA.violations(SCHEMA.fill(spec_of(route_of(**route))))
    assert [v for v in violations if f"spec.routes[0].{field}" in v.message or field in v.message]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"routes": []}, "spec.routes"),
        ({"routes": None}, "spec.routes"),
        ({"routes": [route_of(f"/{n}") for n in range(501)]}, "spec.routes"),
        ({"aggregatorRef": None}, "spec.aggregatorRef"),
        ({"aggregatorRef": {"name": "public-api"}}, "spec.aggregatorRef.namespace"),
        (
            {"aggregatorRef": {"name": "a.b", "namespace": "platform"}},
            "spec.aggregatorRef.name",
        ),
        (
            {"aggregatorRef": {"name": "a" * 64, "namespace": "platform"}},
            "spec.aggregatorRef.name",
        ),
        ({"hostnames": []}, "spec.hostnames"),
        ({"hostnames": [f"h{n}.example.com" for n in range(65)]}, "spec.hostnames"),
        ({"hostnames": ["Example.com"]}, "spec.hostnames[0]"),
        ({"hostnames": ["a.*.example.com"]}, "spec.hostnames[0]"),
        ({"hostnames": ["example.com:443"]}, "spec.hostnames[0]"),
        (
            {"aggregatorRef": {"name": "a", "namespace": "b", "parent": {"kind": "Service"}}},
            "spec.aggregatorRef.parent.kind",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_the_schema_names_the_field_of_a_request_it_refuses(
    changes: dict[str, Json], field: str
) -> None:
    violations = SCHEMA.violations(SCHEMA.fill(spec_of(**changes)))
    assert [v for v in violations if v.message.startswith(field)]


@pytest.mark.parametrize(
    "route",
    [
        {"path": {"value": "/a\nb", "type": "Regex"}},
        {"path": {"value": "/a\x7fb", "type": "Regex"}},
        {"path": {"value": "/a\x85b", "type": "Regex"}},
        {"methods": []},
        {"headers": headers(17)},
        {"headers": [{"name": "X", "value": "v\nY: z"}]},
        {"query": headers(17)},
        {"timeout": "1.5s"},
        {"service": {"name": "claims-api", "port": 65536}},
        {"service": None, "services": services(17)},
        {"rewrite": {"prefix": "claims"}},
    ],
    ids=str,
)
def test_the_model_refuses_what_the_schema_refuses(route: dict[str, Json]) -> None:
    with pytest.raises(ValidationError):
        render(spec_of(route_of(**route)))


@pytest.mark.parametrize(
    ("route", "field", "words"),
    [
        ({"path": {"value": "/a/../b"}}, "path.value", "the step '..'"),
        ({"path": {"value": "/a//b"}}, "path.value", "'//'"),
        ({"path": {"value": "/a%2Fb", "type": "Exact"}}, "path.value", "an escaped '/'"),
        ({"path": {"value": "/a/{id}"}}, "path.value", "before the placeholder"),
        ({"path": {"value": "(?!x)", "type": "Regex"}}, "path.value", "invalid perl operator: (?!"),
        ({"methods": ["GET", "PUT", "GET"]}, "methods[2]", "methods[0] too"),
        ({"headers": [A_HEADER, {**A_HEADER, "name": "x-VERSION"}]}, "headers[1]", "headers[0]"),
        ({"headers": [{**A_HEADER, "value": "(", "type": "Regex"}]}, "headers[0].value", "RE2"),
        ({"query": [A_HEADER, A_HEADER]}, "query[1]", "query[0] too"),
        ({"query": [{**A_HEADER, "value": "a**", "type": "Regex"}]}, "query[0].value", "**"),
        ({"timeout": "10s", "backendTimeout": "11s"}, "backendTimeout", "11s is longer than"),
        ({"timeout": "59s", "backendTimeout": "1m"}, "backendTimeout", "1m is longer than"),
        ({"rewrite": {"prefix": "/a", "path": "/b"}}, "rewrite.path", "prefix is given too"),
        ({"rewrite": {"prefix": "/a/.."}}, "rewrite.prefix", "the step '..'"),
        ({"rewrite": {"path": "/a//b"}}, "rewrite.path", "'//'"),
        ({"rewrite": {"hostname": "10.0.0.1"}}, "rewrite.hostname", "reads as an address"),
        (
            {"path": {"value": "/a", "type": "Exact"}, "rewrite": {"prefix": "/b"}},
            "rewrite.prefix",
            "type Exact has no prefix",
        ),
        (
            {"path": {"value": "/a.*", "type": "Regex"}, "rewrite": {"prefix": "/b"}},
            "rewrite.prefix",
            "type Regex has no prefix",
        ),
        (
            {"requestHeaders": {"set": [A_HEADER, {**A_HEADER, "name": "x-version"}]}},
            "requestHeaders.set[1]",
            "set[0] too",
        ),
        (
            {"responseHeaders": {"set": [A_HEADER], "remove": ["X-Other", "x-version"]}},
            "responseHeaders.remove[1]",
            "under set too",
        ),
        ({"service": None}, "service", "it is missing"),
        ({"services": services(1)}, "services", "service is given too"),
        (
            {"service": None, "services": [{"name": "s", "port": 80, "weight": 0}]},
            "services",
            "all weights are 0",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_route_that_only_the_stage_can_refuse_is_refused_by_its_field(
    route: dict[str, Json], field: str, words: str
) -> None:
    error = refusal(spec_of(route_of("/fine"), route_of(**route)))
    assert error.message.startswith(f"spec.routes[1].{field}: ")
    assert words in error.message
    assert error.reason is Reason.INVALID_OBJECT
    assert error.field[:3] == ("spec", "routes", 1)


@pytest.mark.parametrize(
    ("hostnames", "field", "words"),
    [
        (["a.example.com", "b.example.com", "a.example.com"], 2, "hostnames[0] too"),
        (["*.10.0.0.1"], 0, "reads as an address"),
        (["a.example.com", "10.0.0.1"], 1, "reads as an address"),
        ([f"{'a' * 64}.example.com"], 0, "64 characters"),
    ],
)
def test_a_host_that_only_the_stage_can_refuse_is_refused_by_its_index(
    hostnames: list[Json], field: int, words: str
) -> None:
    error = refusal(spec_of(hostnames=hostnames))
    assert error.field == ("spec", "hostnames", field)
    assert words in error.message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (route_of("/a"), route_of("/a")),
        (route_of("/a"), route_of("/a/")),
        (route_of("/%c3%a9"), route_of("/%C3%A9")),
        (route_of("/a", methods=["GET", "POST"]), route_of("/a", methods=["PUT", "POST"])),
        (
            route_of("/a", headers=[A_HEADER, {"name": "X-B", "value": "b"}]),
            route_of(
                "/a", headers=[{"name": "x-b", "value": "b"}, {**A_HEADER, "name": "x-version"}]
            ),
        ),
        (
            route_of("/a", query=[A_HEADER, {"name": "b", "value": "b"}]),
            route_of("/a", query=[{"name": "b", "value": "b", "type": "Exact"}, A_HEADER]),
        ),
        (
            route_of(path={"value": ".*", "type": "Regex"}),
            route_of(path={"value": ".*", "type": "Regex"}, timeout="1s"),
        ),
    ],
    ids=["same", "slash", "escapes", "methods", "headers", "query", "expression"],
)
def test_two_routes_that_ask_for_the_same_are_refused_by_both_indexes(
    first: JsonObject, second: JsonObject
) -> None:
    error = refusal(spec_of(first, route_of("/between"), second))
    assert error.field == ("spec", "routes", 2)
    assert "spec.routes[0]" in error.message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"path": {"value": "/ab"}}),
        ({}, {"path": {"value": "/a", "type": "Exact"}}),
        (
            {"path": {"value": "/a", "type": "Exact"}},
            {"path": {"value": "/a/", "type": "Exact"}},
        ),
        ({}, {"methods": ["GET"]}),
        ({"headers": [A_HEADER]}, {"query": [A_HEADER]}),
        ({"headers": [A_HEADER]}, {"headers": [{**A_HEADER, "value": "3"}]}),
        ({"headers": [A_HEADER]}, {"headers": [{**A_HEADER, "type": "Regex"}]}),
        ({"query": [A_HEADER]}, {"query": [{**A_HEADER, "name": "x-version"}]}),
    ],
    ids=str,
)
def test_two_routes_that_differ_in_what_they_match_are_taken(
    first: JsonObject, second: JsonObject
) -> None:
    spec = spec_of(route_of("/a", **first), route_of("/a", **second))
    assert len(rules(spec)) == 2


@pytest.mark.parametrize(
    "route",
    [
        {"timeout": "10s", "backendTimeout": "10s"},
        {"timeout": "0s", "backendTimeout": "1h"},
        {"backendTimeout": "1h"},
        {"timeout": "1s", "backendTimeout": "0s"},
    ],
    ids=str,
)
def test_an_attempt_may_take_as_long_as_the_whole(route: dict[str, Json]) -> None:
    assert render(spec_of(route_of(**route))).files != {}


def test_a_service_elsewhere_is_outside_the_fence_until_the_platform_consents() -> None:
    request: JsonObject = {"metadata": {"name": "claims", "namespace": "claims-prod"}, "spec": {}}
    assert PROMISE.fence.allowed_namespaces(request) == {"claims-prod"}


def test_the_readme_says_how_the_platform_consents() -> None:
    request: JsonObject = {"metadata": {"name": "claims", "namespace": "claims-prod"}, "spec": {}}
    text = "{namespaces: [own, shared-services]}"
    assert f"troth.dev/fence: '{text}'" in (BUNDLE / "README.md").read_text()
    assert Fence.parse(text).allowed_namespaces(request) == {"claims-prod", "shared-services"}


def test_the_promise_shows_how_a_gateway_that_exists_is_named() -> None:
    (line,) = [
        line.partition("troth.dev/external: ")[2].strip("'")
        for line in (BUNDLE / "promise.yaml").read_text().splitlines()
        if line.lstrip().startswith("# troth.dev/external: ")
    ]
    external = External.parse(line)
    assert external.covers("gateway.networking.k8s.io", "Gateway", "gateways", "edge")

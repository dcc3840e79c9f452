"""What a route becomes: matches, filters, backends, timeouts; and what the routes attach to."""

import pytest
from support.api_targets import http_routes, render, route_of, rules, spec_of
from support.bundles import manifests

from troth.api import Fields, Json, JsonObject

GET_AND_POST = ["GET", "POST"]


def rule_of(**changes: Json) -> JsonObject:
    (rule,) = rules(spec_of(route_of(**changes)))
    return rule


def parent_of(**changes: Json) -> Json:
    reference = {"name": "public-api", "namespace": "platform", **changes}
    (route,) = http_routes(spec_of(aggregatorRef=reference)).values()
    (parent,) = Fields(route).items("parentRefs")
    return parent.raw


def test_a_plain_route_is_written_with_every_default_of_the_api() -> None:
    assert http_routes(spec_of()) == {
        "claims": {
            "parentRefs": [
                {
                    "group": "gateway.networking.k8s.io",
                    "kind": "Gateway",
                    "namespace": "platform",
                    "name": "public-api",
                }
            ],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/v1/claims"}}],
                    "backendRefs": [
                        {
                            "group": "",
                            "kind": "Service",
                            "name": "claims-api",
                            "port": 8080,
                            "weight": 1,
                        }
                    ],
                }
            ],
        }
    }


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ({"value": "/a/"}, {"type": "PathPrefix", "value": "/a"}),
        ({"value": "/a/", "type": "Exact"}, {"type": "Exact", "value": "/a/"}),
        ({"value": "/a/?", "type": "Regex"}, {"type": "RegularExpression", "value": "/a/?"}),
    ],
    ids=str,
)
def test_a_path_is_written_as_the_api_calls_it(asked: JsonObject, written: JsonObject) -> None:
    assert rule_of(path=asked)["matches"] == [{"path": written}]


def test_each_method_is_a_match_of_one_rule() -> None:
    path: Json = {"type": "PathPrefix", "value": "/v1/claims"}
    assert rule_of(methods=GET_AND_POST)["matches"] == [
        {"path": path, "method": "GET"},
        {"path": path, "method": "POST"},
    ]


def test_headers_and_query_are_conditions_of_one_match() -> None:
    matches = rule_of(
        headers=[{"name": "X-Version", "value": "2"}],
        query=[{"name": "q", "value": "a|b", "type": "Regex"}],
    )["matches"]
    assert matches == [
        {
            "path": {"type": "PathPrefix", "value": "/v1/claims"},
            "headers": [{"type": "Exact", "name": "X-Version", "value": "2"}],
            "queryParams": [{"type": "RegularExpression", "name": "q", "value": "a|b"}],
        }
    ]


def test_a_replaced_prefix_makes_a_rule_of_each_method() -> None:
    found = rules(spec_of(route_of(methods=GET_AND_POST, rewrite={"prefix": "/claims/"})))
    assert [Fields(rule).items("matches")[0].text("method") for rule in found] == GET_AND_POST
    path: Json = {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/claims"}
    for rule in found:
        assert rule["filters"] == [{"type": "URLRewrite", "urlRewrite": {"path": path}}]


@pytest.mark.parametrize(
    ("rewrite", "written"),
    [
        (
            {"path": "/all/of/it/"},
            {"path": {"type": "ReplaceFullPath", "replaceFullPath": "/all/of/it/"}},
        ),
        ({"hostname": "claims.internal"}, {"hostname": "claims.internal"}),
        (
            {"prefix": "/", "hostname": "claims.internal"},
            {
                "hostname": "claims.internal",
                "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"},
            },
        ),
    ],
    ids=str,
)
def test_a_rewrite_is_one_filter(rewrite: JsonObject, written: JsonObject) -> None:
    assert rule_of(rewrite=rewrite)["filters"] == [{"type": "URLRewrite", "urlRewrite": written}]


def test_methods_stay_together_when_only_the_host_is_rewritten() -> None:
    rule = rule_of(methods=GET_AND_POST, rewrite={"hostname": "claims.internal"})
    assert len(Fields(rule).items("matches")) == 2


def test_headers_are_changed_in_both_directions() -> None:
    changes: JsonObject = {
        "set": [{"name": "A", "value": "a"}],
        "add": [{"name": "B", "value": "b"}],
        "remove": ["C"],
    }
    assert rule_of(requestHeaders=changes, responseHeaders={"remove": ["D"]})["filters"] == [
        {"type": "RequestHeaderModifier", "requestHeaderModifier": changes},
        {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["D"]}},
    ]


@pytest.mark.parametrize(
    ("changes", "written"),
    [
        ({"timeout": "10s"}, {"request": "10s"}),
        ({"backendTimeout": "2s"}, {"backendRequest": "2s"}),
        (
            {"timeout": "1m", "backendTimeout": "60s"},
            {"request": "1m", "backendRequest": "60s"},
        ),
    ],
    ids=str,
)
def test_timeouts_are_written_as_asked(changes: dict[str, Json], written: JsonObject) -> None:
    assert rule_of(**changes)["timeouts"] == written


def test_several_services_share_by_weight() -> None:
    shared: list[Json] = [
        {"name": "old", "port": 80, "weight": 0},
        {"name": "new", "port": 81, "namespace": "claims-prod"},
    ]
    assert rule_of(service=None, services=shared)["backendRefs"] == [
        {"group": "", "kind": "Service", "name": "old", "port": 80, "weight": 0},
        {"group": "", "kind": "Service", "name": "new", "port": 81, "weight": 1},
    ]


@pytest.mark.parametrize(
    ("parent", "written"),
    [
        ({}, {}),
        ({"kind": "ListenerSet"}, {"kind": "ListenerSet"}),
        (
            {"name": "shared", "namespace": "gateways"},
            {"name": "shared", "namespace": "gateways"},
        ),
        ({"sectionName": "https"}, {"sectionName": "https"}),
    ],
    ids=str,
)
def test_routes_attach_to_the_parent_that_is_named(parent: JsonObject, written: JsonObject) -> None:
    expected: Json = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "namespace": "platform",
        "name": "public-api",
        **written,
    }
    assert parent_of(parent=parent) == expected


def test_hosts_are_written_in_their_order() -> None:
    hosts = ["b.example.com", "*.a.example.com"]
    (route,) = http_routes(spec_of(hostnames=hosts)).values()
    assert route["hostnames"] == hosts


def test_a_service_elsewhere_gets_one_grant_for_this_target_and_no_other() -> None:
    elsewhere: JsonObject = {"name": "addresses", "namespace": "shared-services", "port": 80}
    spec = spec_of(
        route_of("/a", service=elsewhere),
        route_of("/b", service={**elsewhere, "port": 81}),
        route_of("/c"),
        route_of("/d", service={"name": "own", "namespace": "claims-prod", "port": 80}),
    )
    (grant,) = manifests(render(spec), "ReferenceGrant")
    assert grant["apiVersion"] == "gateway.networking.k8s.io/v1beta1"
    metadata = Fields(grant).section("metadata")
    assert metadata.text("namespace") == "shared-services"
    assert metadata.text("name") == "claims-prod.claims.addresses"
    assert grant["spec"] == {
        "from": [
            {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "claims-prod"}
        ],
        "to": [{"group": "", "kind": "Service", "name": "addresses"}],
    }
    assert rules(spec)[0]["backendRefs"] == [
        {"group": "", "kind": "Service", **elsewhere, "weight": 1}
    ]


def test_services_of_the_own_namespace_need_no_grant() -> None:
    assert list(render(spec_of()).files) == ["httproute.yaml"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("claims", "a-b"), ("b.claims", "a")),
        (("claims", "a"), ("claims", "b")),
        (("x" * 252 + "1", "a"), ("x" * 252 + "2", "a")),
    ],
)
def test_no_two_targets_name_a_grant_alike(first: tuple[str, str], second: tuple[str, str]) -> None:
    elsewhere: JsonObject = {"name": "s" * 63, "namespace": "shared-services", "port": 80}
    spec = spec_of(route_of(service=elsewhere))
    names = {
        Fields(manifests(render(spec, *target), "ReferenceGrant")[0])
        .section("metadata")
        .text("name")
        for target in (first, second)
    }
    assert len(names) == 2


def test_every_object_says_whose_it_is() -> None:
    elsewhere: JsonObject = {"name": "addresses", "namespace": "shared-services", "port": 80}
    for manifest in manifests(render(spec_of(route_of(service=elsewhere)))):
        assert Fields(manifest).section("metadata").string_map("labels") == {
            "app.kubernetes.io/managed-by": "troth",
            "marketplace.troth.dev/aggregator": "public-api",
            "marketplace.troth.dev/target": "claims",
        }


def test_the_status_tells_routes_parent_and_hosts() -> None:
    hosts = [f"h{number}.example.com" for number in range(17)]
    spec = spec_of(*(route_of(f"/{number}") for number in range(17)), hostnames=hosts)
    assert render(spec).status == {
        "routes": ["claims", "claims-2", "claims-h2", "claims-h2-2"],
        "parent": {"kind": "Gateway", "namespace": "platform", "name": "public-api"},
        "hostnames": hosts,
    }


def test_a_status_without_hosts_says_so() -> None:
    assert render(spec_of()).status["hostnames"] == []

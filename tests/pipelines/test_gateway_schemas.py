"""The schemas judge as an API server does: each limit has a case on each side of it."""

import pytest
from support.crd_schemas import defaulted, problems
from support.gateway_objects import (
    gateway,
    grant,
    listener,
    listener_set,
    many_rules,
    route,
    rule,
    set_at,
)

from troth.api import Fields, Json, JsonObject, is_object

REDIRECT: Json = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}
HEADERS: Json = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["x"]}}
STRIP: Json = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}
REWRITE: Json = {"type": "URLRewrite", "urlRewrite": STRIP}
MIRROR: Json = {
    "type": "RequestMirror",
    "requestMirror": {"backendRef": {"name": "copy", "port": 80}},
}


def numbered(count: int, **fields: Json) -> list[Json]:
    return [{"name": f"n{number}", **fields} for number in range(count)]


def labels(count: int) -> dict[str, Json]:
    return {f"example.com/l{number}": "x" for number in range(count)}


def listeners(count: int) -> list[JsonObject]:
    return [listener(number) for number in range(count)]


def secured(**changes: Json) -> JsonObject:
    tls: Json = {"mode": "Terminate", "certificateRefs": [{"name": "cert"}], **changes}
    return listener(protocol="HTTPS", port=443, tls=tls)


def matched(**match: Json) -> JsonObject:
    return route(rule(matches=[match]))


def at_path(value: str, kind: str = "PathPrefix") -> JsonObject:
    return matched(path={"type": kind, "value": value})


def header(name: str = "x-a", value: str = "v") -> JsonObject:
    return matched(headers=[{"name": name, "value": value}])


def query(value: str) -> JsonObject:
    return matched(queryParams=[{"name": "q", "value": value}])


def backend(**changes: Json) -> JsonObject:
    return route(rule(backendRefs=[{"name": "api", "port": 80, **changes}]))


def filtered(*filters: Json, **changes: Json) -> JsonObject:
    return route(rule(filters=list(filters), **changes))


def modified(**parts: Json) -> JsonObject:
    return filtered({"type": "RequestHeaderModifier", "requestHeaderModifier": parts})


def parents_of_status(count: int, conditions: int = 1) -> JsonObject:
    condition: dict[str, Json] = {
        "type": "Accepted",
        "status": "True",
        "reason": "Accepted",
        "message": "",
        "lastTransitionTime": "2024-02-29T12:00:00Z",
    }
    parents: Json = [
        {
            "parentRef": {"name": f"p{number}"},
            "controllerName": "example.com/controller",
            "conditions": [{**condition, "type": f"T{n}"} for n in range(conditions)],
        }
        for number in range(count)
    ]
    return {**route(rule()), "status": {"parents": parents}}


# What the limit is called, the largest or smallest object within it, and one that breaks it.
LIMITS: dict[str, tuple[JsonObject, JsonObject]] = {
    "listeners, at most": (gateway(*listeners(64)), gateway(*listeners(65))),
    "listeners, at least": (gateway(listener()), gateway()),
    "listener port, at most": (
        gateway(listener(port=65535)),
        gateway(listener(port=65536)),
    ),
    "listener port, at least": (gateway(listener(port=1)), gateway(listener(port=0))),
    "listener name": (
        gateway(listener(name="a" * 253)),
        gateway(listener(name="a" * 254)),
    ),
    "addresses": (
        gateway(listener(), addresses=[{"value": f"10.0.0.{n}"} for n in range(16)]),
        gateway(listener(), addresses=[{"value": f"10.0.0.{n}"} for n in range(17)]),
    ),
    "infrastructure labels": (
        gateway(listener(), infrastructure={"labels": labels(8)}),
        gateway(listener(), infrastructure={"labels": labels(9)}),
    ),
    "infrastructure annotations": (
        gateway(listener(), infrastructure={"annotations": labels(16)}),
        gateway(listener(), infrastructure={"annotations": labels(17)}),
    ),
    "kinds of routes": (
        gateway(listener(allowedRoutes={"kinds": [{"kind": f"K{n}"} for n in range(8)]})),
        gateway(listener(allowedRoutes={"kinds": [{"kind": f"K{n}"} for n in range(9)]})),
    ),
    "certificates": (
        gateway(secured(certificateRefs=numbered(64))),
        gateway(secured(certificateRefs=numbered(65))),
    ),
    "TLS options": (gateway(secured(options=labels(16))), gateway(secured(options=labels(17)))),
    "listeners of a set, at most": (
        listener_set(*listeners(64)),
        listener_set(*listeners(65)),
    ),
    "listeners of a set, at least": (listener_set(listener()), listener_set()),
    "parents": (
        route(rule(), parentRefs=numbered(32)),
        route(rule(), parentRefs=numbered(33)),
    ),
    "hostnames": (
        route(rule(), hostnames=[f"h{n}.example.com" for n in range(16)]),
        route(rule(), hostnames=[f"h{n}.example.com" for n in range(17)]),
    ),
    "hostname": (
        route(rule(), hostnames=["a" * 253]),
        route(rule(), hostnames=["a" * 254]),
    ),
    "rules, at most": (route(*many_rules(*[1] * 16)), route(*many_rules(*[1] * 17))),
    "rules, at least": (route(rule()), route()),
    "matches of a rule": (route(*many_rules(64)), route(*many_rules(65))),
    "matches of a route": (route(*many_rules(64, 64)), route(*many_rules(64, 64, 1))),
    "backends": (
        route(rule(backendRefs=numbered(16, port=80))),
        route(rule(backendRefs=numbered(17, port=80))),
    ),
    "filters": (filtered(*[MIRROR] * 16), filtered(*[MIRROR] * 17)),
    "headers of a match": (
        matched(headers=numbered(16, value="v")),
        matched(headers=numbered(17, value="v")),
    ),
    "query parameters of a match": (
        matched(queryParams=numbered(16, value="v")),
        matched(queryParams=numbered(17, value="v")),
    ),
    "weight, at most": (backend(weight=1_000_000), backend(weight=1_000_001)),
    "weight, at least": (backend(weight=0), backend(weight=-1)),
    "backend port, at most": (backend(port=65535), backend(port=65536)),
    "backend port, at least": (backend(port=1), backend(port=0)),
    "path": (at_path("/" + "a" * 1023), at_path("/" + "a" * 1024)),
    "header name": (header("a" * 256), header("a" * 257)),
    "header value, at most": (header(value="v" * 4096), header(value="v" * 4097)),
    "header value, at least": (header(value="v"), header(value="")),
    "query value, at most": (query("v" * 1024), query("v" * 1025)),
    "query value, at least": (query("v"), query("")),
    "headers set": (
        modified(set=numbered(16, value="v")),
        modified(set=numbered(17, value="v")),
    ),
    "headers added": (
        modified(add=numbered(16, value="v")),
        modified(add=numbered(17, value="v")),
    ),
    "headers removed": (
        modified(remove=[f"x{n}" for n in range(16)]),
        modified(remove=[f"x{n}" for n in range(17)]),
    ),
    "sources of a grant, at most": (grant(16, 1), grant(17, 1)),
    "sources of a grant, at least": (grant(1, 1), grant(0, 1)),
    "targets of a grant, at most": (grant(1, 16), grant(1, 17)),
    "targets of a grant, at least": (grant(1, 1), grant(1, 0)),
    "parents of a status": (parents_of_status(32), parents_of_status(33)),
    "conditions of a status": (parents_of_status(1, 8), parents_of_status(1, 9)),
}


@pytest.mark.parametrize("manifest", [good for good, _ in LIMITS.values()], ids=LIMITS)
def test_what_is_within_the_limit_is_accepted(manifest: JsonObject) -> None:
    assert problems(manifest) == []


@pytest.mark.parametrize("manifest", [bad for _, bad in LIMITS.values()], ids=LIMITS)
def test_what_is_beyond_the_limit_is_refused(manifest: JsonObject) -> None:
    assert problems(manifest) != []


# What a rule or a pattern refuses, and words of the refusal.
BROKEN: dict[str, tuple[JsonObject, str]] = {
    "a listener twice": (gateway(listener(), listener(hostname="other.example.com")), "duplicate"),
    "a listener twice by port and host": (
        gateway(listener(), listener(name="other")),
        "Combination of port, protocol and hostname must be unique",
    ),
    "a listener of a set twice": (
        listener_set(listener(), listener(name="other")),
        "port, protocol and hostname must be unique",
    ),
    "a set without a parent": (
        {**listener_set(), "spec": {"listeners": [listener()]}},
        "parentRef",
    ),
    "a listener of a set without a port": (
        listener_set({"name": "a", "protocol": "HTTP"}),
        "port",
    ),
    "TLS over HTTP": (
        gateway(listener(tls={"certificateRefs": [{"name": "c"}]})),
        "tls must not be specified",
    ),
    "HTTPS passed through": (gateway(secured(mode="Passthrough")), "tls mode must be Terminate"),
    "HTTPS without a certificate": (
        gateway(listener(protocol="HTTPS", port=443, tls={})),
        "certificateRefs or options must be specified",
    ),
    "a hostname with a port": (route(rule(), hostnames=["a.example.com:80"]), "hostnames"),
    "a hostname with capitals": (route(rule(), hostnames=["A.example.com"]), "hostnames"),
    "a wildcard inside": (route(rule(), hostnames=["a.*.example.com"]), "hostnames"),
    "a wildcard alone": (route(rule(), hostnames=["*"]), "hostnames"),
    "a redirect to a wildcard": (
        filtered(
            {"type": "RequestRedirect", "requestRedirect": {"hostname": "*.example.com"}},
            backendRefs=[],
        ),
        "hostname",
    ),
    "a path without a slash": (at_path("v1"), "must be an absolute path"),
    "two slashes": (at_path("/a//b"), "must not contain '//'"),
    "a dot": (at_path("/a/./b"), "must not contain '/./'"),
    "two dots": (at_path("/a/../b"), "must not contain '/../'"),
    "an escaped slash": (at_path("/a%2fb"), "must not contain '%2f'"),
    "an escaped slash in capitals": (at_path("/a%2Fb"), "must not contain '%2F'"),
    "a fragment": (at_path("/a#b"), "must not contain '#'"),
    "dots at the end": (at_path("/a/.."), "must not end with '/..'"),
    "a dot at the end": (at_path("/a/."), "must not end with '/.'"),
    "a placeholder": (at_path("/a/{id}", "Exact"), "must only contain valid characters"),
    "a type of its own": (at_path("/a", "Glob"), "path"),
    "a redirect with backends": (filtered(REDIRECT), "RequestRedirect"),
    "a redirect and a rewrite": (
        filtered(REDIRECT, REWRITE, backendRefs=[]),
        "not both",
    ),
    "a filter twice": (filtered(HEADERS, HEADERS), "cannot be repeated"),
    "a filter of another type": (
        filtered({"type": "URLRewrite", "requestRedirect": {}}, backendRefs=[]),
        "must be nil if the filter.type is not RequestRedirect",
    ),
    "a filter without its field": (
        filtered({"type": "URLRewrite"}),
        "must be specified for URLRewrite",
    ),
    "a prefix rewritten under two matches": (
        filtered(REWRITE, matches=[{"path": {"value": "/a"}}, {"path": {"value": "/b"}}]),
        "exactly one PathPrefix match",
    ),
    "a prefix rewritten under an exact path": (
        filtered(REWRITE, matches=[{"path": {"type": "Exact", "value": "/a"}}]),
        "exactly one PathPrefix match",
    ),
    "a path replaced by two": (
        filtered(
            {
                "type": "URLRewrite",
                "urlRewrite": {
                    "path": {"type": "ReplaceFullPath", "replacePrefixMatch": "/"},
                },
            }
        ),
        "replaceFullPath must be specified",
    ),
    "a status that is no redirect": (
        filtered({"type": "RequestRedirect", "requestRedirect": {"statusCode": 304}}),
        "statusCode",
    ),
    "a Service without a port": (
        route(rule(backendRefs=[{"name": "api"}])),
        "Must have port for Service reference",
    ),
    "a backend slower than the request": (
        route(rule(timeouts={"request": "1s", "backendRequest": "2s"})),
        "backendRequest timeout cannot be longer than request timeout",
    ),
    "a duration with a fraction": (route(rule(timeouts={"request": "1.5s"})), "request"),
    "a parent twice": (
        route(rule(), parentRefs=[{"name": "x"}, {"name": "x"}]),
        "sectionName",
    ),
    "a parent as a whole and in part": (
        route(rule(), parentRefs=[{"name": "x"}, {"name": "x", "sectionName": "a"}]),
        "sectionName must be specified",
    ),
    "a parent twice in one namespace": (
        route(rule(), parentRefs=[{"name": "x", "namespace": "a", "sectionName": "s"}] * 2),
        "sectionName must be unique",
    ),
    "a header twice": (
        matched(headers=[{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]),
        "duplicate",
    ),
    "an unknown field": (route(rule(retries=3)), "retries"),
    "a text where a number stands": (backend(port="80"), "port"),
    "a namespace of a grant left out": (
        {
            **grant(1, 1),
            "spec": {
                "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"}],
                "to": [{"group": "", "kind": "Service"}],
            },
        },
        "namespace",
    ),
    "a name that is none": (
        {**route(rule()), "metadata": {"name": "A", "namespace": "a"}},
        "metadata.name",
    ),
    "a label of infrastructure that is none": (
        gateway(listener(), infrastructure={"labels": {"a b": "x"}}),
        "Label keys must be",
    ),
    "an address twice": (
        gateway(listener(), addresses=[{"value": "10.0.0.1"}] * 2),
        "IPAddress values must be unique",
    ),
}


@pytest.mark.parametrize(("manifest", "words"), BROKEN.values(), ids=BROKEN)
def test_what_breaks_a_rule_is_refused_for_that_rule(manifest: JsonObject, words: str) -> None:
    assert words in "\n".join(problems(manifest))


@pytest.mark.parametrize(
    "manifest",
    [
        gateway(secured()),
        listener_set(secured()),
        gateway(listener(), listener(name="x", hostname="*.example.com")),
        filtered(REDIRECT, backendRefs=[]),
        filtered(REWRITE),
        filtered(MIRROR, MIRROR, HEADERS),
        at_path("/a(?P<id>[0-9]+)", "RegularExpression"),
        route(rule(timeouts={"request": "0s", "backendRequest": "2s"})),
        route(rule(timeouts={"request": "1m", "backendRequest": "59s"})),
        route(rule(), parentRefs=[{"name": "x", "namespace": n} for n in ("a", "b")]),
        route(rule(), parentRefs=[{"name": "x", "sectionName": s} for s in ("a", "b")]),
    ],
    ids=str,
)
def test_what_keeps_the_rules_is_accepted(manifest: JsonObject) -> None:
    assert problems(manifest) == []


def test_rules_with_a_default_see_it() -> None:
    """No match at all is the prefix ``/``, under which a prefix may be rewritten."""
    bare: Json = {"filters": [REWRITE], "backendRefs": [{"name": "api", "port": 80}]}
    assert problems(route(bare)) == []


def test_what_is_left_out_is_filled_in() -> None:
    spec = Fields(defaulted(route(rule()))).section("spec")
    (parent,) = spec.items("parentRefs")
    (first,) = spec.items("rules")
    (target,) = first.items("backendRefs")
    assert parent.raw == {
        "name": "x",
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
    }
    assert target.raw == {"name": "api", "port": 80, "group": "", "kind": "Service", "weight": 1}


def test_an_object_that_leaves_nothing_out_is_stored_as_it_is() -> None:
    written = defaulted(route(rule()))
    assert defaulted(written) == written


def test_the_limit_of_envoy_gateway_is_a_quantity() -> None:
    def policy(limit: Json) -> JsonObject:
        target: Json = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "x"}
        manifest: Json = {
            "apiVersion": "gateway.envoyproxy.io/v1alpha1",
            "kind": "BackendTrafficPolicy",
            "metadata": {"name": "x", "namespace": "platform"},
            "spec": {"targetRefs": [target]},
        }
        spoiled = set_at(manifest, "spec", "requestBuffer", "limit", to=limit)
        assert is_object(spoiled)
        return spoiled

    assert problems(policy("50Mi")) == []
    assert problems(policy("50m")) != []
    assert problems(policy("0")) != []

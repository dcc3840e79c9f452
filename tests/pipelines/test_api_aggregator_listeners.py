"""Which listeners a request gets, who may attach to them, and what plain HTTP is answered with."""

import pytest
from support.api_aggregators import EXISTING, TLS, listeners, one, render, spec_of
from support.bundles import manifests

from troth.api import Fields, Json, JsonObject
from troth.errors import InvalidInputError

BOTH: Json = [
    {"name": "api.example.com", "tls": TLS},
    {"name": "plain.example.com"},
]
AT_EDGE: Json = {"existing": EXISTING}


def allowed(listener: Fields) -> JsonObject:
    return listener.section("allowedRoutes").mapping("namespaces")


def test_a_gateway_stands_in_the_namespace_of_the_request() -> None:
    (gateway,) = manifests(render(spec_of()), "Gateway")
    metadata = Fields(gateway).section("metadata")
    assert (metadata.text("name"), metadata.text("namespace")) == ("public-api", "platform")
    assert Fields(gateway).section("spec").text("gatewayClassName") == "nginx"


def test_a_host_with_tls_is_served_over_https() -> None:
    listener = listeners(render(spec_of()))["https-api.example.com"]
    assert (listener.value("port"), listener.text("protocol")) == (443, "HTTPS")
    assert listener.text("hostname") == "api.example.com"
    assert listener.section("tls").text("mode") == "Terminate"


def test_a_host_without_tls_is_served_over_http_alone() -> None:
    output = render(spec_of(hosts=[{"name": "plain.example.com"}]))
    assert {n: item.value("port") for n, item in listeners(output).items()} == {
        "http-plain.example.com": 80
    }
    assert manifests(output, "HTTPRoute") == []
    assert manifests(output, "Certificate") == []


def test_an_issuer_makes_the_certificate_that_the_listener_serves() -> None:
    output = render(spec_of())
    certificate = one(output, "Certificate")
    assert certificate.texts("dnsNames") == ("api.example.com",)
    assert certificate.mapping("issuerRef") == {
        "group": "cert-manager.io",
        "kind": "Issuer",
        "name": "letsencrypt",
    }
    (reference,) = (
        listeners(output)["https-api.example.com"].section("tls").items("certificateRefs")
    )
    assert reference.text("name") == certificate.text("secretName")


def test_an_issuer_may_be_the_whole_clusters() -> None:
    tls: Json = {"issuer": "company-ca", "issuerKind": "ClusterIssuer"}
    output = render(spec_of(hosts=[{"name": "api.example.com", "tls": tls}]))
    assert one(output, "Certificate").section("issuerRef").text("kind") == "ClusterIssuer"


def test_a_given_secret_is_served_and_no_certificate_made() -> None:
    tls: Json = {"secretName": "given"}
    output = render(spec_of(hosts=[{"name": "api.example.com", "tls": tls}]))
    (reference,) = (
        listeners(output)["https-api.example.com"].section("tls").items("certificateRefs")
    )
    assert reference.raw == {"group": "", "kind": "Secret", "name": "given"}
    assert manifests(output, "Certificate") == []


def test_plain_http_is_redirected_for_hosts_with_tls_and_for_no_other() -> None:
    output = render(spec_of(hosts=BOTH))
    route = one(output, "HTTPRoute")
    (rule,) = route.items("rules")
    (redirect,) = rule.items("filters")
    assert redirect.mapping("requestRedirect") == {"scheme": "https", "statusCode": 301}
    assert [parent.text("sectionName") for parent in route.items("parentRefs")] == [
        "http-api.example.com"
    ]


def test_without_the_redirect_a_host_with_tls_has_no_plain_http() -> None:
    output = render(spec_of(redirectToHttps=False))
    assert list(listeners(output)) == ["https-api.example.com"]
    assert manifests(output, "HTTPRoute") == []


def test_no_route_of_another_namespace_reaches_a_listener_that_redirects() -> None:
    listener = listeners(render(spec_of(allowedNamespaces=["claims-prod"])))["http-api.example.com"]
    assert allowed(listener) == {"from": "Same"}


def test_all_namespaces_may_attach_without_a_list() -> None:
    assert allowed(listeners(render(spec_of()))["https-api.example.com"]) == {"from": "All"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], ["platform"]),
        (["b", "a", "b"], ["a", "b", "platform"]),
        (["platform"], ["platform"]),
    ],
    ids=str,
)
def test_a_list_lets_in_its_namespaces_and_the_own(given: Json, expected: Json) -> None:
    output = render(spec_of(hosts=BOTH, allowedNamespaces=given))
    for name in ("https-api.example.com", "http-plain.example.com"):
        one_of: Json = {
            "key": "kubernetes.io/metadata.name",
            "operator": "In",
            "values": expected,
        }
        assert allowed(listeners(output)[name]) == {
            "from": "Selector",
            "selector": {"matchExpressions": [one_of]},
        }


def test_a_wildcard_and_a_host_below_it_have_a_listener_each() -> None:
    hosts: Json = [
        {"name": "*.example.com", "tls": {"secretName": "wide"}},
        {"name": "api.example.com", "tls": {"secretName": "narrow"}},
    ]
    found = listeners(render(spec_of(hosts=hosts, redirectToHttps=False)))
    secrets = {
        item.text("hostname"): item.section("tls").items("certificateRefs")[0].text("name")
        for item in found.values()
    }
    assert secrets == {"*.example.com": "wide", "api.example.com": "narrow"}


def test_listeners_of_ones_own_are_added_to_a_gateway_that_exists() -> None:
    output = render(spec_of(gateway=AT_EDGE))
    assert manifests(output, "Gateway") == []
    parent = one(output, "ListenerSet").mapping("parentRef")
    assert parent == {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": "edge",
        "namespace": "gateways",
    }
    (of_route,) = one(output, "HTTPRoute").items("parentRefs")
    assert (of_route.text("kind"), of_route.text("name")) == ("ListenerSet", "public-api")


def test_listeners_used_as_they_are_leave_nothing_to_write() -> None:
    gateway: Json = {"existing": {**EXISTING, "attach": "Listeners"}}
    output = render(spec_of(gateway=gateway, hosts=[{"name": "www.example.com"}]))
    assert output.files == {}
    assert output.status == {
        "gateway": {"kind": "Gateway", "name": "edge", "namespace": "gateways"},
        "hosts": ["www.example.com"],
        "urls": [],
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"hosts": [{"name": "www.example.com", "tls": TLS}]},
        {"maxBodySize": "1Mi"},
        {"timeout": "1s"},
        {"allowedNamespaces": []},
        {"delegations": [{"path": "/a", "namespace": "b"}]},
        {"redirectToHttps": True},
    ],
    ids=str,
)
def test_what_listeners_used_as_they_are_cannot_carry_is_refused(
    changes: dict[str, Json],
) -> None:
    gateway: Json = {"existing": {**EXISTING, "attach": "Listeners"}}
    plain: Json = [{"name": "www.example.com"}]
    with pytest.raises(InvalidInputError):
        render(spec_of(**{"gateway": gateway, "hosts": plain, **changes}))


def test_the_status_tells_where_the_api_is() -> None:
    assert render(spec_of(hosts=BOTH)).status == {
        "gateway": {"kind": "Gateway", "name": "public-api", "namespace": "platform"},
        "hosts": ["api.example.com", "plain.example.com"],
        "urls": ["http://plain.example.com", "https://api.example.com"],
    }


def test_thirty_two_hosts_with_a_redirect_fit_into_one_gateway() -> None:
    hosts: Json = [{"name": f"h{n}.example.com", "tls": TLS} for n in range(32)]
    output = render(spec_of(hosts=hosts))
    assert len(listeners(output)) == 64
    assert len(one(output, "HTTPRoute").items("parentRefs")) == 32


def test_more_than_sixty_four_listeners_are_refused() -> None:
    hosts: Json = [{"name": f"h{n}.example.com", "tls": TLS} for n in range(33)]
    with pytest.raises(InvalidInputError, match=r"66 listeners.*at most 64") as caught:
        render(spec_of(hosts=hosts))
    assert caught.value.field == ("spec", "hosts")

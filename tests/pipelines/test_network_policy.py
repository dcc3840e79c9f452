"""The evaluator of NetworkPolicies itself, since other tests trust it."""

import pytest
from support.network_policy import Cluster, Pod

from troth.api import Json, JsonObject
from troth.errors import InvalidInputError

WEB = Pod("shop", "10.1.0.1", {"app": "web", "tier": "front"})
DB = Pod("shop", "10.1.0.2", {"app": "db"})
OTHER = Pod("other", "10.1.0.3", {"app": "web"})


def policy(**spec: Json) -> JsonObject:
    return {"metadata": {"namespace": "shop"}, "spec": {"podSelector": {}, **spec}}


def test_without_policies_everything_passes() -> None:
    assert Cluster([]).allows(OTHER, WEB)


def test_a_policy_without_rules_closes_ingress_only() -> None:
    cluster = Cluster([policy()])
    assert not cluster.allows(OTHER, WEB)
    assert cluster.allows(WEB, OTHER)


def test_egress_rules_close_egress_without_policy_types() -> None:
    assert not Cluster([policy(egress=[{"to": [{"podSelector": {}}]}])]).allows(WEB, OTHER)


def test_a_policy_is_for_the_pods_it_selects() -> None:
    cluster = Cluster([policy(podSelector={"matchLabels": {"app": "db"}})])
    assert cluster.allows(OTHER, WEB)
    assert not cluster.allows(OTHER, DB)


def test_a_policy_is_for_its_own_namespace() -> None:
    assert Cluster([policy()]).allows(WEB, OTHER)


def test_policies_add_up() -> None:
    opened = policy(ingress=[{"from": [{"namespaceSelector": {}}]}])
    assert Cluster([policy(), opened]).allows(OTHER, WEB)


def test_a_rule_without_peers_allows_everybody() -> None:
    assert Cluster([policy(ingress=[{}])]).allows("192.0.2.1", WEB)


def test_a_pod_selector_alone_means_the_own_namespace() -> None:
    cluster = Cluster([policy(ingress=[{"from": [{"podSelector": {}}]}])])
    assert cluster.allows(DB, WEB)
    assert not cluster.allows(OTHER, WEB)


def test_selectors_in_one_peer_have_to_hold_together() -> None:
    peer: Json = {
        "namespaceSelector": {"matchLabels": {"kind": "front"}},
        "podSelector": {"matchLabels": {"app": "db"}},
    }
    cluster = Cluster([policy(ingress=[{"from": [peer]}])], {"other": {"kind": "front"}})
    assert not cluster.allows(OTHER, WEB)
    assert cluster.allows(Pod("other", "10.1.0.4", {"app": "db"}), WEB)


def test_selectors_in_two_peers_hold_each_for_itself() -> None:
    peers: Json = [
        {"namespaceSelector": {"matchLabels": {"kind": "front"}}},
        {"podSelector": {"matchLabels": {"app": "db"}}},
    ]
    cluster = Cluster([policy(ingress=[{"from": peers}])], {"other": {"kind": "front"}})
    assert cluster.allows(OTHER, WEB)
    assert cluster.allows(DB, WEB)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"key": "tier", "operator": "In", "values": ["front", "back"]}, True),
        ({"key": "tier", "operator": "In", "values": ["back"]}, False),
        ({"key": "tier", "operator": "NotIn", "values": ["front"]}, False),
        ({"key": "absent", "operator": "NotIn", "values": ["front"]}, True),
        ({"key": "tier", "operator": "Exists"}, True),
        ({"key": "tier", "operator": "DoesNotExist"}, False),
    ],
)
def test_expressions_select_by_label(expression: JsonObject, *, expected: bool) -> None:
    peer: Json = {"podSelector": {"matchExpressions": [expression]}}
    cluster = Cluster([policy(ingress=[{"from": [peer]}])])
    assert cluster.allows(WEB, DB) is expected


@pytest.mark.parametrize(
    ("address", "expected"), [("10.1.0.3", True), ("10.2.0.3", False), ("192.0.2.1", False)]
)
def test_a_block_holds_its_range_but_the_exceptions(address: str, *, expected: bool) -> None:
    block: Json = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.2.0.0/16"]}}
    cluster = Cluster([policy(egress=[{"to": [block]}])])
    assert cluster.allows(WEB, address) is expected


def test_a_block_means_pods_by_their_address() -> None:
    cluster = Cluster([policy(egress=[{"to": [{"ipBlock": {"cidr": "10.1.0.3/32"}}]}])])
    assert cluster.allows(WEB, OTHER)


@pytest.mark.parametrize(
    ("port", "protocol", "expected"),
    [
        (53, "UDP", True),
        (53, "TCP", False),
        (54, "UDP", False),
        (8000, "TCP", True),
        (8010, "TCP", True),
        (8011, "TCP", False),
        (1, "SCTP", True),
    ],
)
def test_ports_have_numbers_ranges_and_protocols(
    port: int, protocol: str, *, expected: bool
) -> None:
    ports: Json = [
        {"protocol": "UDP", "port": 53},
        {"port": 8000, "endPort": 8010},
        {"protocol": "SCTP"},
    ]
    cluster = Cluster([policy(policyTypes=["Egress"], egress=[{"ports": ports}])])
    assert cluster.allows(WEB, "192.0.2.1", port, protocol) is expected


def test_a_connection_has_to_pass_on_both_sides() -> None:
    inward: JsonObject = {"metadata": {"namespace": "other"}, "spec": {"podSelector": {}}}
    outward = policy(policyTypes=["Egress"], egress=[{}])
    assert Cluster([outward]).allows(WEB, OTHER)
    assert not Cluster([outward, inward]).allows(WEB, OTHER)


@pytest.mark.parametrize(
    "spec",
    [
        {"Ingress": []},
        {"ingress": [{"form": []}]},
        {"ingress": [{"from": [{"podselector": {}}]}]},
        {"ingress": [{"from": [{"podSelector": {"app": "db"}}]}]},
        {"ingress": [{"ports": [{"number": 53}]}]},
        {"ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": "dns"}]}]},
    ],
)
def test_what_it_does_not_know_is_an_error(spec: dict[str, Json]) -> None:
    with pytest.raises(InvalidInputError):
        Cluster([policy(**spec)]).allows(WEB, DB)

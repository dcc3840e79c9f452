"""Who reaches whom around a rendered namespace, judged by what the policies mean."""

import pytest
from support.bundles import manifests
from support.network_policy import Cluster, Pod
from support.team_namespaces import render, spec_of

from troth.api import Fields, Json, JsonObject
from troth.errors import InvalidInputError

WEB = Pod("payments-dev", "10.244.1.5", {"app": "web"})
DB = Pod("payments-dev", "10.244.2.6", {"app": "db"})
NEIGHBOUR = Pod("search-dev", "10.244.1.7", {"app": "web"})
SHARED_DB = Pod("shared-db", "10.244.3.8", {"app": "postgres"})
GATEWAY = Pod("edge", "10.244.1.9", {"app": "gateway"})
DNS = Pod("kube-system", "10.244.1.2", {"k8s-app": "kube-dns"})
OTHER_SYSTEM_POD = Pod("kube-system", "10.244.1.3", {"k8s-app": "metrics-server"})
NODE_LOCAL_DNS = "169.254.20.10"
INTERNET = ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c")

RESTRICTED: JsonObject = {"egress": [{"namespace": "shared-db"}, {"cidr": "10.20.0.0/16"}]}

# What is often copied as "isolate a namespace": it closes Egress and opens Ingress.
OFTEN_COPIED: JsonObject = {
    "metadata": {"namespace": "payments-dev"},
    "spec": {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [{"podSelector": {}}]}],
    },
}


def cluster_with(network: Json = None) -> Cluster:
    policies = manifests(render(spec_of(network=network)), "NetworkPolicy")
    return Cluster(policies, {"edge": {"marketplace.troth.dev/gateway": "true"}})


@pytest.fixture(params=[None, {"egress": []}, RESTRICTED], ids=["open", "closed", "listed"])
def any_cluster(request: pytest.FixtureRequest) -> Cluster:
    return cluster_with(request.param)


@pytest.mark.parametrize("protocol", ["UDP", "TCP"])
@pytest.mark.parametrize("server", [DNS, NODE_LOCAL_DNS], ids=["kube-dns", "node-local"])
def test_dns_is_reached_whatever_egress_says(
    any_cluster: Cluster, server: Pod | str, protocol: str
) -> None:
    assert any_cluster.allows(WEB, server, 53, protocol)


@pytest.mark.parametrize("server", [DNS, NODE_LOCAL_DNS], ids=["kube-dns", "node-local"])
def test_the_often_copied_policy_cuts_dns(server: Pod | str) -> None:
    assert not Cluster([OFTEN_COPIED]).allows(WEB, server, 53, "UDP")


@pytest.mark.parametrize(
    ("target", "port"),
    [(DNS, 9153), (OTHER_SYSTEM_POD, 53), (NODE_LOCAL_DNS, 8080), (NEIGHBOUR, 53)],
    ids=["metrics of the dns pod", "another system pod", "the node", "a neighbour's port 53"],
)
def test_the_opening_for_dns_opens_nothing_else(
    any_cluster: Cluster, target: Pod | str, port: int
) -> None:
    assert not any_cluster.allows(WEB, target, port, "TCP")


def test_pods_of_the_namespace_reach_each_other(any_cluster: Cluster) -> None:
    assert any_cluster.allows(WEB, DB, 5432)


@pytest.mark.parametrize("source", [NEIGHBOUR, OTHER_SYSTEM_POD, *INTERNET])
def test_nobody_from_elsewhere_comes_in(any_cluster: Cluster, source: Pod | str) -> None:
    assert not any_cluster.allows(source, WEB)


def test_pods_of_other_namespaces_are_not_reached(any_cluster: Cluster) -> None:
    assert not any_cluster.allows(WEB, NEIGHBOUR)


@pytest.mark.parametrize(
    ("network", "expected"),
    [(None, False), ({"ingressFromGateway": False}, False), ({"ingressFromGateway": True}, True)],
)
def test_gateways_come_in_when_asked_for(network: Json, *, expected: bool) -> None:
    assert cluster_with(network).allows(GATEWAY, WEB) is expected


def test_the_opening_for_gateways_lets_no_other_namespace_in() -> None:
    assert not cluster_with({"ingressFromGateway": True}).allows(NEIGHBOUR, WEB)


def test_a_gateway_is_not_reached_for_being_let_in() -> None:
    assert not cluster_with({"ingressFromGateway": True}).allows(WEB, GATEWAY)


@pytest.mark.parametrize("address", INTERNET)
def test_the_internet_is_open_by_default(address: str) -> None:
    assert cluster_with().allows(WEB, address, 443)


@pytest.mark.parametrize("address", INTERNET)
@pytest.mark.parametrize("network", [RESTRICTED, {"egress": []}], ids=["listed", "closed"])
def test_the_internet_is_closed_by_an_egress_list(network: Json, address: str) -> None:
    assert not cluster_with(network).allows(WEB, address, 443)


@pytest.mark.parametrize(
    "address",
    [
        "10.96.0.1", "100.64.3.4", "169.254.169.254", "172.16.0.10", "172.31.255.1", "192.168.1.1",
        "198.18.0.1", "240.1.2.3", "fd00:ec2::254", "fe80::1", "64:ff9b:1::1",
    ],
)  # fmt: skip
def test_addresses_inside_networks_are_not_outside_the_cluster(address: str) -> None:
    assert not cluster_with().allows(WEB, address, 443)


@pytest.mark.parametrize(
    "address", ["9.255.255.255", "11.0.0.0", "172.15.0.1", "172.32.0.1", "64:ff9b::808:808"]
)
def test_the_addresses_beside_them_are_outside(address: str) -> None:
    assert cluster_with().allows(WEB, address, 443)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (SHARED_DB, True),
        ("10.20.255.1", True),
        ("10.21.0.1", False),
        (NEIGHBOUR, False),
        (GATEWAY, False),
    ],
)
def test_an_egress_list_opens_what_it_lists(target: Pod | str, *, expected: bool) -> None:
    assert cluster_with(RESTRICTED).allows(WEB, target, 5432) is expected


def test_a_listed_namespace_is_not_let_in() -> None:
    assert not cluster_with(RESTRICTED).allows(SHARED_DB, WEB)


@pytest.mark.parametrize(("source", "target"), [(WEB, DB), (NEIGHBOUR, WEB), (WEB, DNS)])
def test_the_first_policy_alone_closes_both_directions(source: Pod, target: Pod) -> None:
    first = cluster_with({"ingressFromGateway": True}).policies[0]
    assert not Cluster([first]).allows(source, target, 53, "UDP")


def test_egress_is_written_sorted_and_once() -> None:
    ranges: list[Json] = [{"cidr": c} for c in ("fd00:20::/48", "10.20.0.0/16", "9.0.0.0/8")]
    namespaces: list[Json] = [{"namespace": name} for name in "fbdace"]
    again: list[Json] = [{"cidr": "FD00:20:0::/48"}, {"namespace": "d"}]
    output = render(spec_of(network={"egress": [*ranges, *namespaces, *again]}))
    (rule,) = Fields(manifests(output)[-1]).section("spec").items("egress")
    assert rule.value("to") == [
        *(
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
            for name in "abcdef"
        ),
        *({"ipBlock": {"cidr": c}} for c in ("9.0.0.0/8", "10.20.0.0/16", "fd00:20::/48")),
    ]


@pytest.mark.parametrize(
    ("item", "field", "words"),
    [
        ({}, "namespace", "one of the two"),
        ({"namespace": "db", "cidr": "10.0.0.0/8"}, "namespace", "one of the two"),
        ({"cidr": "10.20.0.1/16"}, "cidr", "write '10.20.0.0/16'"),
        ({"cidr": "fd00::1/8"}, "cidr", "write 'fd00::/8'"),
        ({"cidr": "1:2:3/64"}, "cidr", "no range of addresses"),
        ({"cidr": "::ffff:a14:0/112"}, "cidr", "IPv4"),
    ],
)
def test_an_item_of_egress_that_means_nothing_is_refused(
    item: JsonObject, field: str, words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        render(spec_of(network={"egress": [{"namespace": "fine"}, item]}))
    assert caught.value.field == ("spec", "network", "egress", 1, field)

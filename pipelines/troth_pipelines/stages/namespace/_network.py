"""The namespace's border: closed, then opened again by one policy for each thing that may pass.

Policies add up, so each says one thing. The first closes both directions; a policy that does that
and opens only the own namespace would cut the Pods off from the cluster's DNS.
"""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from troth.api import Fields, Json, JsonObject
from troth_pipelines.stages.namespace._identity import PREFIX, Home
from troth_pipelines.stages.namespace._model import EgressTarget, Network

__all__ = ["OUTSIDE_EXCEPT", "network_manifests"]

# Every namespace carries it, set by the API server to the namespace's own name.
_NAMESPACE_NAME = "kubernetes.io/metadata.name"

# Where the cache of NodeLocal DNSCache listens on each node, by default.
_NODE_LOCAL_DNS = "169.254.20.10/32"

# What "outside the cluster" leaves out: the ranges that networks use inside, where Pods, Services,
# nodes, the API server and a cloud's metadata service are found. Source: IANA's special-purpose
# registries (RFC 1918, 6598, 3927, 6890, 2544, 1112; 4193, 4291, 8215).
OUTSIDE_EXCEPT: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "0.0.0.0/0",
        (
            "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "240.0.0.0/4",
        ),
    ),
    ("::/0", ("64:ff9b:1::/48", "fc00::/7", "fe80::/10")),
)  # fmt: skip


def network_manifests(home: Home, network: Network) -> list[JsonObject]:
    """Make the NetworkPolicies.

    Raises:
        InvalidInputError: an item of egress names no namespace and no range, or both, or what it
            names is no range of addresses.
    """
    everyone_here: list[Json] = [{"podSelector": {}}]
    policies = [
        _policy(home, "default-deny", {"policyTypes": ["Ingress", "Egress"]}),
        _policy(
            home,
            "allow-same-namespace",
            {
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": everyone_here}],
                "egress": [{"to": everyone_here}],
            },
        ),
        _policy(home, "allow-dns", {"policyTypes": ["Egress"], "egress": [_dns_rule()]}),
    ]
    if network.ingress_from_gateway:
        gateways: Json = {"namespaceSelector": {"matchLabels": {f"{PREFIX}gateway": "true"}}}
        rules: JsonObject = {"policyTypes": ["Ingress"], "ingress": [{"from": [gateways]}]}
        policies.append(_policy(home, "allow-from-gateways", rules))
    if network.egress is None:
        policies.append(_egress_policy(home, "allow-outside-cluster", _outside()))
    elif network.egress:
        policies.append(_egress_policy(home, "allow-listed-egress", _listed(network.egress)))
    return policies


def _policy(home: Home, name: str, rules: JsonObject) -> JsonObject:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": home.metadata(name),
        "spec": {"podSelector": {}, **rules},
    }


def _egress_policy(home: Home, name: str, peers: Sequence[Json]) -> JsonObject:
    return _policy(home, name, {"policyTypes": ["Egress"], "egress": [{"to": peers}]})


def _in_namespace(name: str) -> dict[str, Json]:
    return {"namespaceSelector": {"matchLabels": {_NAMESPACE_NAME: name}}}


def _dns_rule() -> JsonObject:
    servers: Json = {
        **_in_namespace("kube-system"),
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    return {
        "to": [servers, {"ipBlock": {"cidr": _NODE_LOCAL_DNS}}],
        "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
    }


def _outside() -> list[Json]:
    return [{"ipBlock": {"cidr": cidr, "except": inside}} for cidr, inside in OUTSIDE_EXCEPT]


def _listed(targets: Sequence[EgressTarget]) -> list[Json]:
    """Return the peers, each once: namespaces by name, then ranges by address."""
    namespaces: set[str] = set()
    ranges: set[IPv4Network | IPv6Network] = set()
    for index, target in enumerate(targets):
        fields = Fields({}, ("spec", "network", "egress", index))
        match target:
            case EgressTarget(namespace=str() as name, cidr=None):
                namespaces.add(name)
            case EgressTarget(namespace=None, cidr=str() as cidr):
                ranges.add(_range(cidr, fields))
            case _:
                raise fields.error("namespace", "give namespace or cidr, one of the two.")
    ordered = sorted(
        ranges, key=lambda item: (item.version, item.network_address.packed, str(item))
    )
    return [
        *(_in_namespace(name) for name in sorted(namespaces)),
        *({"ipBlock": {"cidr": str(item)}} for item in ordered),
    ]


def _range(text: str, fields: Fields) -> IPv4Network | IPv6Network:
    try:
        found = ip_network(text, strict=False)
    except ValueError as error:
        message = f"{text!r} is no range of addresses; write one such as fd00:20::/48."
        raise fields.error("cidr", message) from error
    if ip_address(text.partition("/")[0]) != found.network_address:
        message = f"{text!r} has address bits beyond its prefix; write {str(found)!r}."
        raise fields.error("cidr", message)
    if isinstance(found, IPv6Network) and found.network_address.ipv4_mapped is not None:
        message = f"{text!r} is IPv4 in the clothes of IPv6; write the IPv4 range."
        raise fields.error("cidr", message)
    return found

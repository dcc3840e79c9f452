"""What NetworkPolicies mean: given all policies of a cluster, may a connection pass?

Semantics as the API's own documentation has them (networking.k8s.io/v1). Two readings that network
plugins differ in are taken on the strict side: a range of addresses means Pods too, and nothing
passes for coming from a Pod's own node. Fields it does not know are errors, so that a misspelt
policy cannot pass for an empty one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from troth.api import Fields, JsonObject

__all__ = ["Cluster", "Pod"]

_NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True)
class Pod:
    """One end of a connection that policies can select; the other kind of end is an address."""

    namespace: str
    address: str
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Cluster:
    """The policies of all namespaces, and the namespaces' labels."""

    policies: Sequence[JsonObject]
    namespaces: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict[str, Mapping[str, str]]
    )

    def allows(
        self, source: Pod | str, target: Pod | str, port: int = 8080, protocol: str = "TCP"
    ) -> bool:
        """Tell whether a new connection passes: out of its source, and into its target."""
        out = self._side("Egress", source, target, (port, protocol))
        return out and self._side("Ingress", target, source, (port, protocol))

    def _side(
        self, direction: str, here: Pod | str, there: Pod | str, wanted: tuple[int, str]
    ) -> bool:
        if isinstance(here, str):
            return True  # policies speak of Pods only
        deciding = [
            policy
            for policy in map(Fields, self.policies)
            if _is_for(policy, here) and direction in _directions(policy.section("spec"))
        ]
        return not deciding or any(
            self._rule_allows(rule, direction, policy, there) and _port_allows(rule, wanted)
            for policy in deciding
            for rule in policy.section("spec").items(direction.lower())
        )

    def _rule_allows(self, rule: Fields, direction: str, policy: Fields, there: Pod | str) -> bool:
        key = "to" if direction == "Egress" else "from"
        rule.refuse_unknown((key, "ports"), "a rule")
        peers = rule.items(key)
        home = policy.section("metadata").text("namespace")
        return not peers or any(self._peer_is(peer, there, home) for peer in peers)

    def _peer_is(self, peer: Fields, there: Pod | str, home: str) -> bool:
        peer.refuse_unknown(("ipBlock", "namespaceSelector", "podSelector"), "a peer")
        if peer.has("ipBlock"):
            address = there if isinstance(there, str) else there.address
            return _block_holds(peer.section("ipBlock"), address)
        if isinstance(there, str):
            return False
        if peer.has("namespaceSelector"):
            labels = {**self.namespaces.get(there.namespace, {}), _NAMESPACE_NAME: there.namespace}
            if not _selects(peer.section("namespaceSelector"), labels):
                return False
        elif there.namespace != home:
            return False
        return _selects(peer.section("podSelector"), there.labels)


def _is_for(policy: Fields, pod: Pod) -> bool:
    home = policy.section("metadata").text("namespace")
    return home == pod.namespace and _selects(
        policy.section("spec").section("podSelector"), pod.labels
    )


def _directions(spec: Fields) -> tuple[str, ...]:
    spec.refuse_unknown(("podSelector", "policyTypes", "ingress", "egress"), "a policy")
    if spec.has("policyTypes"):
        return spec.texts("policyTypes")
    return ("Ingress", "Egress") if spec.has("egress") else ("Ingress",)


def _selects(selector: Fields, labels: Mapping[str, str]) -> bool:
    selector.refuse_unknown(("matchLabels", "matchExpressions"), "a selector")
    exact = selector.string_map("matchLabels")
    return all(labels.get(key) == value for key, value in exact.items()) and all(
        _expression_holds(expression, labels) for expression in selector.items("matchExpressions")
    )


def _expression_holds(expression: Fields, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression.text("key")), expression.texts("values")
    match expression.text("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case operator:
            raise expression.error("operator", f"{operator!r} is no operator.")


def _block_holds(block: Fields, address: str) -> bool:
    block.refuse_unknown(("cidr", "except"), "an ipBlock")
    found = ip_address(address)
    left_out = [ip_network(cidr) for cidr in block.texts("except")]
    return found in ip_network(block.text("cidr")) and not any(found in cidr for cidr in left_out)


def _port_allows(rule: Fields, wanted: tuple[int, str]) -> bool:
    ports = rule.items("ports")
    return not ports or any(_is_port(port, wanted) for port in ports)


def _is_port(port: Fields, wanted: tuple[int, str]) -> bool:
    port.refuse_unknown(("port", "endPort", "protocol"), "a port")
    number, protocol = wanted
    if port.text("protocol", "TCP") != protocol:
        return False
    first = port.value("port")
    if first is None:
        return True
    last = port.value("endPort") if port.has("endPort") else first
    if not isinstance(first, int) or not isinstance(last, int):
        raise port.error("port", "ports by name are not known here.")
    return first <= number <= last

"""From rules to HTTPRoutes: as many as the API's limits ask for, by a rule that keeps them still.

Rules fill one HTTPRoute after the other, in the request's order, and none looks back. So a route
added at the end changes the last HTTPRoute or begins a new one, and touches no other; hosts, where
they are too many for one, are parted in the same way.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from troth.api import Json, JsonObject
from troth_pipelines.gateway.objects import GATEWAY_GROUP
from troth_pipelines.stages.api_aggregator_target._identity import Identity
from troth_pipelines.stages.api_aggregator_target._rules import SIZE_LIMIT, Rule

__all__ = ["HttpRoute", "http_routes"]

# Source: the schema of HTTPRoute, gateway.networking.k8s.io/v1.
_RULES_LIMIT = 16
_MATCHES_LIMIT = 128  # in all rules together
_HOSTNAMES_LIMIT = 16


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """An HTTPRoute, and the file it is written to."""

    name: str
    file: str
    manifest: JsonObject


def http_routes(
    identity: Identity, hostnames: Sequence[str], rules: Iterable[Rule]
) -> list[HttpRoute]:
    """Make the HTTPRoutes: every group of rules for every group of hosts."""
    starts = range(0, max(len(hostnames), 1), _HOSTNAMES_LIMIT)
    host_groups = [hostnames[start : start + _HOSTNAMES_LIMIT] for start in starts]
    rule_groups = _packed(rules)
    return [
        _http_route(_suffix(host_number, rule_number), identity, hosts, group)
        for host_number, hosts in enumerate(host_groups, start=1)
        for rule_number, group in enumerate(rule_groups, start=1)
    ]


def _suffix(host_group: int, rule_group: int) -> str:
    """Number an HTTPRoute by its two groups, counted from 1.

    The numbers stand apart, so that one more group of rules renames nothing of other hosts.
    """
    hosts = f"-h{host_group}" if host_group > 1 else ""
    return f"{hosts}-{rule_group}" if rule_group > 1 else hosts


def _packed(rules: Iterable[Rule]) -> list[list[Rule]]:
    groups: list[list[Rule]] = []
    matches = size = 0
    for rule in rules:
        matches, size = matches + rule.matches, size + rule.size
        full = not groups or len(groups[-1]) == _RULES_LIMIT
        if full or matches > _MATCHES_LIMIT or size > SIZE_LIMIT:
            groups.append([])
            matches, size = rule.matches, rule.size
        groups[-1].append(rule)
    return groups


def _http_route(
    suffix: str, identity: Identity, hostnames: Sequence[str], rules: Iterable[Rule]
) -> HttpRoute:
    name = identity.route_name(suffix)
    spec: dict[str, Json] = {"parentRefs": [identity.parent.reference()]}
    if hostnames:
        spec["hostnames"] = list(hostnames)
    spec["rules"] = [rule.body for rule in rules]
    manifest: JsonObject = {
        "apiVersion": f"{GATEWAY_GROUP}/v1",
        "kind": "HTTPRoute",
        "metadata": identity.metadata(name),
        "spec": spec,
    }
    return HttpRoute(name, f"httproute{suffix}.yaml", manifest)

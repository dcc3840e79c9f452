"""The listeners, what holds them, and the route that sends plain HTTP to HTTPS."""

from dataclasses import dataclass

from troth.api import Fields, Json, JsonObject
from troth_pipelines.gateway.listeners import listener_name
from troth_pipelines.gateway.objects import GATEWAY_GROUP
from troth_pipelines.stages.api_aggregator._delegations import delegation_annotations
from troth_pipelines.stages.api_aggregator._identity import Home
from troth_pipelines.stages.api_aggregator._model import (
    ApiAggregatorSpec,
    ExistingGateway,
    Host,
)

__all__ = ["certificate_name", "gateway_manifest", "is_redirected", "redirect_manifests"]

# Every namespace carries it, set by the API server to the namespace's own name.
_NAMESPACE_NAME = "kubernetes.io/metadata.name"

_LISTENERS_LIMIT = 64  # of one Gateway, and of one ListenerSet
_HTTP = 80
_HTTPS = 443


@dataclass(frozen=True, slots=True)
class _Entrance:
    """Who may attach routes: to the listeners that serve, and to those that only redirect."""

    serving: JsonObject
    redirecting: JsonObject


def is_redirected(spec: ApiAggregatorSpec) -> bool:
    """Tell whether plain HTTP for hosts with a certificate is answered with a redirect."""
    if spec.redirect_to_https is not None:
        return spec.redirect_to_https
    return any(host.tls for host in spec.hosts)


def certificate_name(home: Home, host: Host) -> str:
    """Name the Certificate of a host, and its Secret, which the HTTPS listener serves."""
    return f"{home.name}-{listener_name('HTTPS', host.name)}"


def gateway_manifest(home: Home, spec: ApiAggregatorSpec) -> JsonObject:
    """Make the Gateway, or the ListenerSet of one that exists.

    Raises:
        InvalidInputError: there are more listeners than one object holds, or a delegation's path
            is none.
    """
    existing = spec.gateway.existing
    spec_part: dict[str, Json] = (
        {"gatewayClassName": spec.gateway.class_name}
        if existing is None
        else {"parentRef": _parent_gateway(existing)}
    )
    annotations = delegation_annotations(spec.delegations)
    metadata = home.metadata()
    return {
        "apiVersion": f"{GATEWAY_GROUP}/v1",
        "kind": home.kind,
        "metadata": {**metadata, "annotations": annotations} if annotations else metadata,
        "spec": {**spec_part, "listeners": _listeners(home, spec)},
    }


def _parent_gateway(existing: ExistingGateway) -> JsonObject:
    return {
        "group": GATEWAY_GROUP,
        "kind": "Gateway",
        "name": existing.name,
        "namespace": existing.namespace,
    }


def _listeners(home: Home, spec: ApiAggregatorSpec) -> list[Json]:
    entrance = _entrance(home, spec)
    redirected = is_redirected(spec)
    listeners: list[tuple[str, JsonObject]] = []
    for host in spec.hosts:
        if host.tls is None:
            listeners.append(_http(host, entrance.serving))
            continue
        listeners.append(_https(home, host, entrance.serving))
        if redirected:
            listeners.append(_http(host, entrance.redirecting))
    if len(listeners) > _LISTENERS_LIMIT:
        raise Fields({}, ("spec",)).error(
            "hosts",
            f"these hosts need {len(listeners)} listeners, as the redirect takes one of its own "
            f"for each host with tls; at most {_LISTENERS_LIMIT} are allowed. Share the hosts "
            "between two aggregators, or set redirectToHttps to false.",
        )
    return [listener for _, listener in sorted(listeners, key=lambda item: item[0])]


def _entrance(home: Home, spec: ApiAggregatorSpec) -> _Entrance:
    # Only an HTTPRoute of the own namespace reaches a listener that redirects, so that no route of
    # another is served over plain HTTP because it matched a longer path.
    redirecting: JsonObject = {
        "kinds": [{"group": GATEWAY_GROUP, "kind": "HTTPRoute"}],
        "namespaces": {"from": "Same"},
    }
    if spec.allowed_namespaces is None:
        return _Entrance({"namespaces": {"from": "All"}}, redirecting)
    allowed: Json = sorted({home.namespace, *spec.allowed_namespaces})
    one_of: Json = {"key": _NAMESPACE_NAME, "operator": "In", "values": allowed}
    selector: Json = {"matchExpressions": [one_of]}
    return _Entrance({"namespaces": {"from": "Selector", "selector": selector}}, redirecting)


def _http(host: Host, allowed: JsonObject) -> tuple[str, JsonObject]:
    name = listener_name("HTTP", host.name)
    return name, {
        "name": name,
        "hostname": host.name,
        "port": _HTTP,
        "protocol": "HTTP",
        "allowedRoutes": allowed,
    }


def _https(home: Home, host: Host, allowed: JsonObject) -> tuple[str, JsonObject]:
    name = listener_name("HTTPS", host.name)
    given = host.tls.secret_name if host.tls else None
    secret: Json = {"group": "", "kind": "Secret", "name": given or certificate_name(home, host)}
    return name, {
        "name": name,
        "hostname": host.name,
        "port": _HTTPS,
        "protocol": "HTTPS",
        "tls": {"mode": "Terminate", "certificateRefs": [secret]},
        "allowedRoutes": allowed,
    }


def redirect_manifests(home: Home, spec: ApiAggregatorSpec) -> list[JsonObject]:
    """Make the HTTPRoute that redirects hosts with a certificate; none when nothing redirects."""
    if not is_redirected(spec):
        return []
    sections = sorted(listener_name("HTTP", host.name) for host in spec.hosts if host.tls)
    redirect: Json = {"scheme": "https", "statusCode": 301}
    rule: Json = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "filters": [{"type": "RequestRedirect", "requestRedirect": redirect}],
    }
    return [
        {
            "apiVersion": f"{GATEWAY_GROUP}/v1",
            "kind": "HTTPRoute",
            "metadata": home.metadata(f"{home.name}-https-redirect"),
            "spec": {
                "parentRefs": [home.parent(section) for section in sections],
                "rules": [rule],
            },
        }
    ]

"""Limits that the Gateway API leaves to implementations: body size and time, as policies.

What an implementation cannot do on a Gateway is refused by name, never left out. Sources: the
custom resources of NGINX Gateway Fabric (gateway.nginx.org) and Envoy Gateway 1.9
(gateway.envoyproxy.io).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from troth.api import Fields, Json, JsonObject
from troth_pipelines.gateway.durations import milliseconds, nginx_duration
from troth_pipelines.gateway.sizes import kubernetes_size, nginx_size, parse_size
from troth_pipelines.stages.api_aggregator._identity import Home
from troth_pipelines.stages.api_aggregator._implementation import (
    Implementation,
    Serving,
)
from troth_pipelines.stages.api_aggregator._model import ApiAggregatorSpec

__all__ = ["policy_manifests"]

_NGINX = "gateway.nginx.org/v1alpha1"
_ENVOY = "gateway.envoyproxy.io/v1alpha1"

# Envoy counts in 32 bits.
_ENVOY_LIMIT = 2**32 - 1


def policy_manifests(home: Home, spec: ApiAggregatorSpec, serving: Serving) -> list[JsonObject]:
    """Make the policies for the limits that were asked for; none without any.

    Raises:
        InvalidInputError: the implementation has no such limit, or cannot say this value.
    """
    fields = Fields({}, ("spec",))
    if spec.timeout is not None and not milliseconds(spec.timeout):
        message = f"{spec.timeout!r} is no time at all; leave it out for the usual one."
        raise fields.error("timeout", message)
    asked = {"maxBodySize": spec.max_body_size, "timeout": spec.timeout}
    wanted = [name for name, value in asked.items() if value is not None]
    if not wanted:
        return []
    implementation = serving.implementation
    make = _MAKERS.get(implementation)
    if make is None:
        raise fields.error(wanted[0], _refusal(serving))
    if home.kind not in _TARGETS[implementation]:
        message = (
            f"{implementation} sets this for a whole Gateway, and this one is not the request's "
            "own (existing). Leave it out, or use className."
        )
        raise fields.error(wanted[0], message)
    return make(home, spec, fields)


def _refusal(serving: Serving) -> str:
    if serving.implementation is Implementation.OTHER:
        what, remedy = serving.missing()
        return (
            f"the Gateway API has no such limit, and the Promise does not say {what}. Leave it "
            f"out, or ask the platform team to {remedy}; with {' or '.join(_MAKERS)} it can be set."
        )
    return (
        f"the Gateway API has no such limit, and {serving.implementation} has no policy that sets "
        "one on a Gateway. Leave it out; on a route, timeouts are part of the API."
    )


def _nginx(home: Home, spec: ApiAggregatorSpec, fields: Fields) -> list[JsonObject]:
    policies: list[JsonObject] = []
    if spec.max_body_size is not None:
        size = nginx_size(parse_size(spec.max_body_size, fields, "maxBodySize"))
        if size is None:
            message = (
                f"NGINX cannot say {spec.max_body_size}: it counts in powers of 1024, with at most "
                "four digits. Write a size such as 10Mi or 512Ki."
            )
            raise fields.error("maxBodySize", message)
        body: JsonObject = {"targetRef": home.reference(), "body": {"maxSize": size}}
        policies.append(_policy(home, _NGINX, "ClientSettingsPolicy", body))
    if spec.timeout is not None:
        time = nginx_duration(milliseconds(spec.timeout))
        if time is None:
            message = (
                f"NGINX cannot say {spec.timeout}: it takes one number of at most four digits with "
                "one unit. Write a time such as 90s or 10m."
            )
            raise fields.error("timeout", message)
        waiting: Json = {"read": time, "send": time}
        proxy: JsonObject = {"targetRefs": [home.reference()], "timeout": waiting}
        policies.append(_policy(home, _NGINX, "ProxySettingsPolicy", proxy))
    return policies


def _envoy(home: Home, spec: ApiAggregatorSpec, fields: Fields) -> list[JsonObject]:
    limits: dict[str, Json] = {"targetRefs": [home.reference()]}
    if spec.max_body_size is not None:
        size = parse_size(spec.max_body_size, fields, "maxBodySize")
        if size > _ENVOY_LIMIT:
            message = f"Envoy cannot limit to {spec.max_body_size}; less than 4Gi is needed."
            raise fields.error("maxBodySize", message)
        limits["requestBuffer"] = {"limit": kubernetes_size(size)}
    if spec.timeout is not None:
        limits["timeout"] = {"http": {"requestTimeout": spec.timeout}}
    return [_policy(home, _ENVOY, "BackendTrafficPolicy", limits)]


def _policy(home: Home, version: str, kind: str, spec: JsonObject) -> JsonObject:
    return {"apiVersion": version, "kind": kind, "metadata": home.metadata(), "spec": spec}


_Maker = Callable[[Home, ApiAggregatorSpec, Fields], list[JsonObject]]

_MAKERS: Mapping[Implementation, _Maker] = MappingProxyType(
    {Implementation.NGINX_GATEWAY_FABRIC: _nginx, Implementation.ENVOY_GATEWAY: _envoy}
)

# Which kinds the policies can be attached to.
_TARGETS: Mapping[Implementation, frozenset[str]] = MappingProxyType(
    {
        Implementation.NGINX_GATEWAY_FABRIC: frozenset({"Gateway"}),
        Implementation.ENVOY_GATEWAY: frozenset({"Gateway", "ListenerSet"}),
    }
)

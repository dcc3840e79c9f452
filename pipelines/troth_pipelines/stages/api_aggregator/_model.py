"""What a platform team may ask for: the model that the Promise's schema is generated from.

What a structural schema cannot say (two fields together, what an implementation can do) is checked
by the modules that render the field.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from troth_pipelines.gateway.durations import GatewayDuration
from troth_pipelines.gateway.hostnames import Hostname
from troth_pipelines.gateway.paths import PATH_LIMIT, PATH_PATTERN
from troth_pipelines.gateway.sizes import Size

__all__ = [
    "ApiAggregatorSpec",
    "Delegation",
    "ExistingGateway",
    "GatewayChoice",
    "Host",
    "HostTls",
]

# A Gateway has at most 64 listeners, and a host needs one at least.
_HOSTS_LIMIT = 64
_NAMESPACES_LIMIT = 200
_DELEGATIONS_LIMIT = 200

_Namespace = Annotated[
    str, Field(min_length=1, max_length=63, pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
]
_ObjectName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    ),
]


class _Part(BaseModel):
    """Fields in camel case, nothing unknown, nothing changed once read."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class ExistingGateway(_Part):
    """A Gateway that is there already."""

    name: _ObjectName = Field(description="Name of the Gateway.")
    namespace: _Namespace = Field(description="Its namespace.")
    attach: Literal["ListenerSet", "Listeners"] = Field(
        default="ListenerSet",
        description="ListenerSet adds listeners of one's own to it, which it has to allow (Gateway "
        "API 1.5 or newer); Listeners uses those it has, as they are.",
    )


class GatewayChoice(_Part):
    """Where the API is served: a Gateway of one's own, or one that exists."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    class_name: _ObjectName | None = Field(
        default=None, description="GatewayClass of a Gateway of one's own."
    )
    existing: ExistingGateway | None = None


class HostTls(_Part):
    """A certificate: issued by cert-manager, or in a Secret that is there already."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 2})

    issuer: _ObjectName | None = Field(
        default=None,
        description="Issuer of cert-manager that makes the certificate. Without secretName only.",
    )
    issuer_kind: Literal["Issuer", "ClusterIssuer"] | None = Field(
        default=None,
        description="Where the issuer is found: Issuer, in the request's own namespace (so without "
        "this field), or ClusterIssuer. Only beside issuer.",
    )
    secret_name: _ObjectName | None = Field(
        default=None,
        description="A Secret of type kubernetes.io/tls in the request's own namespace.",
    )


class Host(_Part):
    """A host that the API answers for."""

    name: Hostname = Field(
        description="The host, such as api.example.com, or *.example.com for all hosts below it."
    )
    tls: HostTls | None = None


class Delegation(_Part):
    """A prefix of paths below which one more namespace may have routes."""

    path: str = Field(
        min_length=1,
        max_length=PATH_LIMIT,
        pattern=PATH_PATTERN,
        description="The prefix, by whole elements: /v1/claims holds /v1/claims/x.",
    )
    namespace: _Namespace = Field(description="The namespace that may.")


class ApiAggregatorSpec(_Part):
    """One API that many teams serve: its hosts, its certificates, and what holds for all of it."""

    gateway: GatewayChoice
    hosts: tuple[Host, ...] = Field(
        min_length=1,
        max_length=_HOSTS_LIMIT,
        description="The hosts, each once. A host without tls is served over HTTP alone.",
    )
    max_body_size: Size | None = Field(
        default=None,
        description="The largest body of a request, such as 50Mi, where the implementation can "
        "limit it on a Gateway.",
    )
    timeout: GatewayDuration | None = Field(
        default=None,
        description="How long a backend may take, such as 30s, where the implementation can limit "
        "it on a Gateway. What a route says itself wins.",
    )
    redirect_to_https: bool | None = Field(
        default=None,
        description="Answer plain HTTP for hosts with tls with a redirect. True without this "
        "field when a host has tls; false closes port 80 for them.",
    )
    allowed_namespaces: tuple[_Namespace, ...] | None = Field(
        default=None,
        max_length=_NAMESPACES_LIMIT,
        description="Namespaces that may attach routes, besides the request's own. Left out: all; "
        "an empty list: none besides the own.",
    )
    delegations: tuple[Delegation, ...] = Field(
        default=(),
        max_length=_DELEGATIONS_LIMIT,
        description="Paths below another namespace's routes that these namespaces may claim.",
    )

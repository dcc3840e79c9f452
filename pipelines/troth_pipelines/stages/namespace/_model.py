"""What a developer may ask for: the model that the Promise's schema is generated from.

What a structural schema cannot say (two fields together, addresses, sums) is checked by the
modules that render the field.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt
from pydantic.alias_generators import to_camel

from troth_pipelines.stages.namespace._quantity import BYTES_PATTERN, CPU_PATTERN, QUANTITY_LIMIT

__all__ = ["EgressTarget", "Network", "Quota", "TeamNamespaceSpec"]

_LABEL = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
_GROUPS_LIMIT = 20
_EGRESS_LIMIT = 50

# An IPv4 range in full; of IPv6 only the alphabet, the rest is checked when it is rendered.
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_CIDR = (
    rf"^({_OCTET}(\.{_OCTET}){{3}}/(3[0-2]|[12]?[0-9])"
    r"|[0-9a-fA-F:]{2,39}/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))$"
)

# Whoever signs people in decides how groups are called (oidc:team/x, CN=a,OU=b, emails): any text
# on one line will do, as long as it neither begins nor ends with a blank.
_Group = Annotated[
    str,
    Field(
        min_length=1,
        max_length=256,
        pattern=r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$",
    ),
]

# A union cannot carry a pattern in pydantic, and the schema of int-or-string takes it from here.
_Cpu = Annotated[
    StrictInt | str,
    Field(json_schema_extra={"pattern": CPU_PATTERN, "maxLength": QUANTITY_LIMIT, "minimum": 0}),
]
_Bytes = Annotated[
    StrictInt | str,
    Field(json_schema_extra={"pattern": BYTES_PATTERN, "maxLength": QUANTITY_LIMIT, "minimum": 0}),
]


class _Part(BaseModel):
    """Fields in camel case, nothing unknown, nothing changed once read."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class Quota(_Part):
    """A quota of your own, instead of a size. All four numbers are needed."""

    cpu: _Cpu = Field(
        description='CPU that all containers together may request, such as "4" or "2500m"; '
        "their limits may reach twice as much."
    )
    memory: _Bytes = Field(
        description="Memory that all containers together may request and be limited to, "
        "such as 8Gi."
    )
    pods: int = Field(ge=1, le=1000, description="Pods that may exist at one time.")
    storage: _Bytes = Field(
        description="Storage that all volume claims together may request, such as 50Gi; "
        "0 allows none."
    )


class EgressTarget(_Part):
    """A namespace of this cluster, or a range of addresses; one of the two."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    namespace: str | None = Field(
        default=None,
        min_length=1,
        max_length=63,
        pattern=_LABEL,
        description="Name of a namespace whose Pods may be reached.",
    )
    cidr: str | None = Field(
        default=None,
        max_length=43,
        pattern=_CIDR,
        description="Range of addresses that may be reached, such as 10.20.0.0/16 or fd00:20::/48.",
    )


class Network(_Part):
    """Traffic across the namespace's border. Inside it, and to the cluster's DNS, all is open."""

    ingress_from_gateway: bool = Field(
        default=False,
        description="Let namespaces labelled marketplace.troth.dev/gateway=true reach the Pods.",
    )
    egress: tuple[EgressTarget, ...] | None = Field(
        default=None,
        max_length=_EGRESS_LIMIT,
        description="What the Pods may reach besides DNS and their own namespace. Left out: every "
        "address outside the cluster. Given: these and nothing else; an empty list closes it.",
    )


class TeamNamespaceSpec(_Part):
    """A namespace for one team in one environment, with quota, access and network isolation."""

    team: str = Field(
        min_length=1,
        max_length=61,
        pattern=_LABEL,
        description="The team. The namespace is called <team>-<environment>, at most 63 "
        "characters together.",
    )
    # Without hyphens, so that no two teams can mean the same namespace: its last hyphen parts it.
    environment: str = Field(
        min_length=1,
        max_length=20,
        pattern="^[a-z0-9]+$",
        description="The environment, without hyphens, such as dev or prod.",
    )
    size: Literal["small", "medium", "large"] | None = Field(
        default=None,
        description="A ready-made quota: small (2 CPU, 4Gi, 16 Pods, 20Gi storage), medium "
        "(8 CPU, 16Gi, 32 Pods, 100Gi storage) or large (32 CPU, 64Gi, 128 Pods, 500Gi storage). "
        "Without size and quota it is small; give only one of the two.",
    )
    quota: Quota | None = None
    owners: tuple[_Group, ...] = Field(
        min_length=1,
        max_length=_GROUPS_LIMIT,
        description="Groups that may change what is in the namespace (ClusterRole edit).",
    )
    viewers: tuple[_Group, ...] = Field(
        default=(),
        max_length=_GROUPS_LIMIT,
        description="Groups that may look at what is in the namespace (ClusterRole view), "
        "Secrets excepted.",
    )
    pod_security: Literal["baseline", "restricted"] = Field(
        default="baseline",
        description="Pod Security level that Pods have to keep.",
    )
    network: Network = Field(default_factory=Network)

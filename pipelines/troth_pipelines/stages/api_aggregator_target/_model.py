"""What a developer may ask for: the model that the Promise's schema is generated from.

What a structural schema cannot say (two fields together, paths, regular expressions, duplicates)
is checked by the modules that render the field. The limits of single fields are those of HTTPRoute.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from troth_pipelines.gateway.durations import GatewayDuration
from troth_pipelines.gateway.hostnames import Hostname, PreciseHostname
from troth_pipelines.gateway.paths import PATH_LIMIT, PATH_PATTERN

__all__ = [
    "AggregatorRef",
    "ApiAggregatorTargetSpec",
    "Header",
    "HeaderChanges",
    "HeaderMatch",
    "Parent",
    "Path",
    "QueryMatch",
    "Rewrite",
    "Route",
    "Service",
    "WeightedService",
]

# More is possible, but a request of thousands of routes is one that nobody can review.
_ROUTES_LIMIT = 500
_HOSTNAMES_LIMIT = 64

_MATCHES_LIMIT = 16  # headers, or query parameters, of one match
_CHANGES_LIMIT = 16  # headers that one modifier sets, adds or removes
_BACKENDS_LIMIT = 16

_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_FIELD_NAME = r"^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$"  # RFC 9110, section 5.6.2

# A line end in a value would begin a header that nobody asked for.
_NO_CONTROLS = r"^[^\x00-\x08\x0a-\x1f\x7f]*$"

# In a path an escape says it; as they are they reach the configuration of the gateway.
_NO_PATH_CONTROLS = r"^[^\x00-\x1f\x7f-\x9f]*$"

_LabelName = Annotated[str, Field(min_length=1, max_length=63, pattern=_LABEL)]
_ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=_SUBDOMAIN)]
_FieldName = Annotated[str, Field(min_length=1, max_length=256, pattern=_FIELD_NAME)]
_HeaderValue = Annotated[str, Field(min_length=1, max_length=4096, pattern=_NO_CONTROLS)]
_QueryValue = Annotated[str, Field(min_length=1, max_length=1024, pattern=_NO_CONTROLS)]
_PlainPath = Annotated[str, Field(min_length=1, max_length=PATH_LIMIT, pattern=PATH_PATTERN)]

_Method = Literal[
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"
]  # fmt: skip
_ValueType = Literal["Exact", "Regex"]
_VALUE_TYPE_TEXT = "Exact, or Regex in the dialect RE2; a gateway compares all of the value."


class _Part(BaseModel):
    """Fields in camel case, nothing unknown, nothing changed once read."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


class _Filled(_Part):
    """One in which at least one field is given."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})


class Parent(_Part):
    """What the routes attach to, where it is not the aggregator's own Gateway."""

    kind: Literal["Gateway", "ListenerSet"] = Field(
        default="Gateway",
        description="ListenerSet where the aggregator adds its listeners to a Gateway by one.",
    )
    name: _ObjectName | None = Field(default=None, description="Default: the aggregator's name.")
    namespace: _LabelName | None = Field(
        default=None, description="Default: the aggregator's namespace."
    )
    section_name: _ObjectName | None = Field(
        default=None, description="One listener to attach to. Default: all that allow it."
    )


class AggregatorRef(_Part):
    """The aggregator that publishes the routes."""

    # An aggregator's name is one label: implementations copy it into labels and Service names.
    name: _LabelName = Field(description="Name of the ApiAggregator.")
    namespace: _LabelName = Field(description="Namespace of the ApiAggregator.")
    parent: Parent | None = None


class Path(_Part):
    """Which paths are meant."""

    type: Literal["Prefix", "Exact", "Regex"] = Field(
        default="Prefix",
        description="Prefix by whole path elements (/v1 matches /v1 and /v1/claims, not /v10), "
        "Exact, or Regex in the dialect RE2.",
    )
    value: str = Field(
        min_length=1,
        max_length=PATH_LIMIT,
        pattern=_NO_PATH_CONTROLS,
        description="The path, such as /v1/claims.",
    )


class HeaderMatch(_Part):
    """A header that a request has to carry."""

    name: _FieldName = Field(description="The header's name; capitals make no difference.")
    value: _HeaderValue = Field(description="The value that it has to have.")
    type: _ValueType = Field(default="Exact", description=_VALUE_TYPE_TEXT)


class QueryMatch(_Part):
    """A query parameter that a request has to carry."""

    name: _FieldName = Field(description="The parameter's name; capitals make a difference.")
    value: _QueryValue = Field(description="The value that it has to have.")
    type: _ValueType = Field(default="Exact", description=_VALUE_TYPE_TEXT)


class Rewrite(_Filled):
    """What the service sees instead of what was asked for."""

    prefix: _PlainPath | None = Field(
        default=None,
        description="Takes the place of the route's prefix; / takes the prefix away. Only for "
        "paths of type Prefix.",
    )
    path: _PlainPath | None = Field(
        default=None, description="Takes the place of the whole path. Not together with prefix."
    )
    hostname: PreciseHostname | None = Field(
        default=None, description="Takes the place of the Host header."
    )


class Header(_Part):
    """A header and its value."""

    name: _FieldName = Field(description="The header's name.")
    value: _HeaderValue = Field(description="The header's value.")


class HeaderChanges(_Filled):
    """Headers that are changed on the way, each named once."""

    set: tuple[Header, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=_CHANGES_LIMIT,
        description="Headers that replace those of the same name.",
    )
    add: tuple[Header, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=_CHANGES_LIMIT,
        description="Headers that join those of the same name.",
    )
    remove: tuple[_FieldName, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=_CHANGES_LIMIT,
        description="Names of headers that are taken away.",
    )


class Service(_Part):
    """A Service and one of its ports."""

    name: _LabelName = Field(description="Name of the Service.")
    namespace: _LabelName | None = Field(
        default=None,
        description="Namespace of the Service. Default: the request's own; the platform team "
        "decides which others may be named.",
    )
    port: int = Field(ge=1, le=65535, description="Port of the Service, not of its Pods.")


class WeightedService(Service):
    """A Service that takes a share of the requests."""

    weight: int = Field(
        default=1,
        ge=0,
        le=1_000_000,
        description="Its share, in proportion to the sum of all weights; 0 gets nothing.",
    )


class Route(_Part):
    """Requests that are meant, and the Service that answers them."""

    path: Path
    methods: tuple[_Method, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=9,
        description="Methods that are meant, each once. Left out: all.",
    )
    headers: tuple[HeaderMatch, ...] = Field(
        default=(), max_length=_MATCHES_LIMIT, description="Headers, all of which have to match."
    )
    query: tuple[QueryMatch, ...] = Field(
        default=(),
        max_length=_MATCHES_LIMIT,
        description="Query parameters, all of which have to match.",
    )
    rewrite: Rewrite | None = None
    timeout: GatewayDuration | None = Field(
        default=None,
        description="Time for the whole answer, such as 10s; 0s is no limit. Left out: the "
        "gateway's own.",
    )
    backend_timeout: GatewayDuration | None = Field(
        default=None,
        description="Time for one attempt to reach the service; no longer than timeout.",
    )
    request_headers: HeaderChanges | None = None
    response_headers: HeaderChanges | None = None
    service: Service | None = None
    services: tuple[WeightedService, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=_BACKENDS_LIMIT,
        description="Several Services that share the requests, instead of service.",
    )


class ApiAggregatorTargetSpec(_Part):
    """Routes of one team, published by an aggregator of the platform."""

    aggregator_ref: AggregatorRef
    hostnames: tuple[Hostname, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=_HOSTNAMES_LIMIT,
        description="Hosts for which the routes hold, each once. Left out: all of the aggregator.",
    )
    routes: tuple[Route, ...] = Field(
        min_length=1,
        max_length=_ROUTES_LIMIT,
        description="The routes, each once. The order matters only between routes that match a "
        "request equally well.",
    )

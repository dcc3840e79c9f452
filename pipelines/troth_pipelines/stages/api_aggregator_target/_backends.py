"""Who answers: the Services of a route, and the leave to reach those of other namespaces."""

from collections.abc import Iterable, Sequence

from troth.api import Json, JsonObject
from troth_pipelines.gateway.objects import GATEWAY_GROUP
from troth_pipelines.stages.api_aggregator_target._identity import Identity
from troth_pipelines.stages.api_aggregator_target._model import Route, Service, WeightedService
from troth_pipelines.stages.api_aggregator_target._problems import Place, invalid

__all__ = ["backends_of", "grants"]

# ReferenceGrant is stored as v1beta1 and served as such by every release; v1 came only with 1.5.
_GRANT_VERSION = "v1beta1"


def backends_of(route: Route, namespace: str, at: Place) -> list[JsonObject]:
    """Return a route's backendRefs, every default of the API written out.

    Raises:
        InvalidInputError: not one of service and services is given, or no Service gets anything.
    """
    match (route.service, route.services):
        case (Service() as service, None):
            return [_backend(service, 1, namespace)]
        case (None, tuple() as services) if services:
            if not any(service.weight for service in services):
                message = "all weights are 0, so that nobody would answer; give one a weight."
                raise invalid((*at, "services"), message)
            return [_backend(service, service.weight, namespace) for service in services]
        case (None, _):
            raise invalid((*at, "service"), "it is missing; name the Service that answers.")
        case _:
            raise invalid((*at, "services"), "service is given too; keep one of the two.")


def _backend(service: Service, weight: int, namespace: str) -> JsonObject:
    reference: dict[str, Json] = {"group": "", "kind": "Service", "name": service.name}
    if service.namespace not in {None, namespace}:
        reference["namespace"] = service.namespace
    return {**reference, "port": service.port, "weight": weight}


def grants(identity: Identity, routes: Iterable[Route]) -> list[JsonObject]:
    """Make a ReferenceGrant for each Service of another namespace, sorted.

    One a Service: the next Service changes no grant that is there, and no limit is met.
    """
    services: set[tuple[str, str]] = set()
    for route in routes:
        named: Sequence[Service | WeightedService] = route.services or ()
        for service in (*named, route.service):
            if service is not None and service.namespace not in {None, identity.namespace}:
                services.add((service.namespace or "", service.name))
    return [_grant(identity, namespace, name) for namespace, name in sorted(services)]


def _grant(identity: Identity, namespace: str, service: str) -> JsonObject:
    source: Json = {"group": GATEWAY_GROUP, "kind": "HTTPRoute", "namespace": identity.namespace}
    target: Json = {"group": "", "kind": "Service", "name": service}
    return {
        "apiVersion": f"{GATEWAY_GROUP}/{_GRANT_VERSION}",
        "kind": "ReferenceGrant",
        "metadata": identity.metadata(identity.grant_name(service), namespace),
        "spec": {"from": [source], "to": [target]},
    }

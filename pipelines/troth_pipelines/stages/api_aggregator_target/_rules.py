"""From routes to the rules of HTTPRoutes: one rule a route, or several where the API wants it."""

from collections.abc import Iterable
from dataclasses import dataclass

from troth.api import Json, JsonObject, canonical
from troth.errors import Reason
from troth_pipelines.gateway.durations import milliseconds
from troth_pipelines.stages.api_aggregator_target._backends import backends_of
from troth_pipelines.stages.api_aggregator_target._filters import filters_of
from troth_pipelines.stages.api_aggregator_target._matches import Claims, matches_of
from troth_pipelines.stages.api_aggregator_target._model import Route
from troth_pipelines.stages.api_aggregator_target._problems import Place, invalid

__all__ = ["SIZE_LIMIT", "Rule", "rules_of"]

# Bytes of JSON that the rules of one HTTPRoute may have. Client-side apply, Argo CD's default,
# keeps a copy of the object in an annotation, and annotations have 262,144 bytes together; the
# rest is for hosts, metadata and JSON's own escapes.
SIZE_LIMIT = 200_000


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of an HTTPRoute, and what it counts towards the limits of one."""

    body: JsonObject
    matches: int
    size: int


def rules_of(routes: Iterable[Route], namespace: str) -> list[Rule]:
    """Return the rules of all routes, in their order.

    Raises:
        InvalidInputError: a route is not as it should be, or two ask for the same.
    """
    claims = Claims()
    rules: list[Rule] = []
    for index, route in enumerate(routes):
        at = ("spec", "routes", index)
        matches = matches_of(route, at)
        claims.add(index, matches)
        rest = _rest(route, namespace, at)
        # A rule that replaces a prefix may have one match only: each method gets its own rule.
        alone = route.rewrite is not None and route.rewrite.prefix is not None
        groups = [[match] for match in matches] if alone else [matches]
        rules.extend(_rule(group, rest, at) for group in groups)
    return rules


def _rule(matches: list[JsonObject], rest: JsonObject, at: Place) -> Rule:
    body: JsonObject = {"matches": matches, **rest}
    size = len(canonical(body))
    if size > SIZE_LIMIT:
        message = (
            f"it takes {size:,} bytes, at most {SIZE_LIMIT:,} fit into one HTTPRoute; shorten its "
            "header and query values, or split its methods over several routes."
        )
        raise invalid(at, message, Reason.TOO_LARGE)
    return Rule(body, len(matches), size)


def _rest(route: Route, namespace: str, at: Place) -> JsonObject:
    rest: dict[str, Json] = {}
    if filters := filters_of(route, at):
        rest["filters"] = filters
    rest["backendRefs"] = backends_of(route, namespace, at)
    if timeouts := _timeouts(route, at):
        rest["timeouts"] = timeouts
    return rest


def _timeouts(route: Route, at: Place) -> JsonObject:
    found: dict[str, Json] = {}
    if route.timeout is not None:
        found["request"] = route.timeout
    if route.backend_timeout is not None:
        found["backendRequest"] = route.backend_timeout
    if route.timeout is not None and route.backend_timeout is not None:
        whole = milliseconds(route.timeout)
        if whole and milliseconds(route.backend_timeout) > whole:
            message = (
                f"{route.backend_timeout} is longer than the timeout of {route.timeout}; one "
                "attempt cannot take longer than the whole."
            )
            raise invalid((*at, "backendTimeout"), message)
    return found

"""What is changed on the way: headers, host and path."""

from collections.abc import Iterable, Sequence

from troth.api import Json, JsonObject
from troth_pipelines.gateway.hostnames import hostname_problem
from troth_pipelines.gateway.paths import PathType, normal_path, path_problem
from troth_pipelines.stages.api_aggregator_target._matches import refuse_repeated
from troth_pipelines.stages.api_aggregator_target._model import (
    Header,
    HeaderChanges,
    Rewrite,
    Route,
)
from troth_pipelines.stages.api_aggregator_target._problems import Place, invalid

__all__ = ["filters_of"]


def filters_of(route: Route, at: Place) -> list[JsonObject]:
    """Return a route's filters, at most one of a kind.

    Raises:
        InvalidInputError: what is asked for contradicts itself, or is no path or host.
    """
    filters: list[JsonObject] = []
    if route.request_headers is not None:
        changes = _changes(route.request_headers, (*at, "requestHeaders"))
        filters.append({"type": "RequestHeaderModifier", "requestHeaderModifier": changes})
    if route.response_headers is not None:
        changes = _changes(route.response_headers, (*at, "responseHeaders"))
        filters.append({"type": "ResponseHeaderModifier", "responseHeaderModifier": changes})
    if route.rewrite is not None:
        rewrite = _rewrite(route.rewrite, route.path.type, (*at, "rewrite"))
        filters.append({"type": "URLRewrite", "urlRewrite": rewrite})
    return filters


def _changes(changes: HeaderChanges, at: Place) -> JsonObject:
    """Return a modifier. The API leaves open which change comes first, so a name has only one."""
    found: dict[str, Json] = {}
    holders: dict[str, str] = {}
    for field, headers in (("set", changes.set), ("add", changes.add)):
        if headers:
            _refuse_contradiction([header.name for header in headers], (*at, field), holders)
            found[field] = _headers(headers)
    if changes.remove:
        _refuse_contradiction(changes.remove, (*at, "remove"), holders)
        found["remove"] = list(changes.remove)
    if not found:
        raise invalid(at, "give set, add or remove, or leave it out.")
    return found


def _refuse_contradiction(names: Iterable[str], at: Place, holders: dict[str, str]) -> None:
    lowered = [name.lower() for name in names]
    refuse_repeated(lowered, at)
    field = str(at[-1])
    for index, name in enumerate(lowered):
        if (holder := holders.setdefault(name, field)) != field:
            message = f"the header {name!r} is under {holder} too; change it in one way."
            raise invalid((*at, index), message)


def _headers(headers: Sequence[Header]) -> list[Json]:
    return [{"name": header.name, "value": header.value} for header in headers]


def _rewrite(rewrite: Rewrite, path_type: str, at: Place) -> JsonObject:
    found: dict[str, Json] = {}
    if rewrite.hostname is not None:
        if problem := hostname_problem(rewrite.hostname):
            raise invalid((*at, "hostname"), f"{problem}.")
        found["hostname"] = rewrite.hostname
    match (rewrite.prefix, rewrite.path):
        case (str(), str()):
            raise invalid((*at, "path"), "prefix is given too; keep one of the two.")
        case (str() as prefix, None):
            if path_type != "Prefix":
                message = f"a path of type {path_type} has no prefix to replace; use path instead."
                raise invalid((*at, "prefix"), message)
            value = _replacement(prefix, PathType.PREFIX, (*at, "prefix"))
            found["path"] = {"type": "ReplacePrefixMatch", "replacePrefixMatch": value}
        case (None, str() as path):
            value = _replacement(path, PathType.EXACT, (*at, "path"))
            found["path"] = {"type": "ReplaceFullPath", "replaceFullPath": value}
        case _ if not found:
            raise invalid(at, "give prefix, path or hostname, or leave it out.")
        case _:
            pass
    return found


def _replacement(path: str, kind: PathType, at: Place) -> str:
    if problem := path_problem(path):
        raise invalid(at, f"{problem}.")
    return normal_path(path, kind)

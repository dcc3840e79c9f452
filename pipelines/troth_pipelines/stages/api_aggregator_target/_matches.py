"""Which requests a route means: its matches, of which no two routes may have the same."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from troth.api import Fields, Json, JsonObject, canonical
from troth_pipelines.gateway.paths import (
    PathType,
    normal_path,
    path_problem,
    regular_expression_problem,
)
from troth_pipelines.stages.api_aggregator_target._model import (
    HeaderMatch,
    Path,
    QueryMatch,
    Route,
)
from troth_pipelines.stages.api_aggregator_target._problems import Place, invalid

__all__ = ["Claims", "matches_of", "refuse_repeated"]

_PATH_TYPES: Mapping[str, PathType] = MappingProxyType(
    {
        "Prefix": PathType.PREFIX,
        "Exact": PathType.EXACT,
        "Regex": PathType.REGULAR_EXPRESSION,
    }
)


def matches_of(route: Route, at: Place) -> list[JsonObject]:
    """Return a route's matches: one a method, or one for all methods.

    Every default of the API is written out, so that nothing differs once it is stored.

    Raises:
        InvalidInputError: a path or an expression is not as the API wants it, or something is
            named twice.
    """
    conditions: dict[str, Json] = {"path": _path(route.path, (*at, "path", "value"))}
    if route.headers:
        # The name of a header is the same in capitals, that of a parameter is not.
        names = [header.name.lower() for header in route.headers]
        refuse_repeated(names, (*at, "headers"))
        conditions["headers"] = _values(route.headers, (*at, "headers"))
    if route.query:
        refuse_repeated((parameter.name for parameter in route.query), (*at, "query"))
        conditions["queryParams"] = _values(route.query, (*at, "query"))
    if route.methods is None:
        return [conditions]
    refuse_repeated(route.methods, (*at, "methods"))
    return [{**conditions, "method": method} for method in route.methods]


def _path(path: Path, at: Place) -> JsonObject:
    kind = _PATH_TYPES[path.type]
    if kind is PathType.REGULAR_EXPRESSION:
        problem = regular_expression_problem(path.value)
    else:
        problem = path_problem(path.value)
    if problem:
        raise invalid(at, f"{problem}.")
    return {"type": kind.value, "value": normal_path(path.value, kind)}


def _values(matches: Sequence[HeaderMatch | QueryMatch], at: Place) -> list[Json]:
    found: list[Json] = []
    for index, match in enumerate(matches):
        kind = "Exact"
        if match.type == "Regex":
            kind = "RegularExpression"
            if problem := regular_expression_problem(match.value):
                raise invalid((*at, index, "value"), f"{problem}.")
        found.append({"type": kind, "name": match.name, "value": match.value})
    return found


def refuse_repeated(names: Iterable[str], at: Place) -> None:
    """Refuse a name that the list at `at` holds twice. Raises InvalidInputError."""
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        first = seen.setdefault(name, index)
        if first != index:
            message = f"{name!r} stands at {at[-1]}[{first}] too; name each once."
            raise invalid((*at, index), message)


class Claims:
    """The matches of the routes so far, and which route's they are."""

    def __init__(self) -> None:
        self._holders: dict[bytes, int] = {}

    def add(self, index: int, matches: Iterable[JsonObject]) -> None:
        """Take the matches of the route `index`.

        Raises:
            InvalidInputError: an earlier route has one of them.
        """
        for match in matches:
            holder = self._holders.setdefault(_claim(match), index)
            if holder != index:
                message = (
                    f"spec.routes[{holder}] asks for the same: {_spell(match)}; keep one of the "
                    "two."
                )
                raise invalid(("spec", "routes", index), message)


def _claim(match: JsonObject) -> bytes:
    """Return what is equal in two matches that match the same requests."""
    fields = Fields(match)
    headers: list[JsonObject] = [
        {**header.raw, "name": header.text("name").lower()} for header in fields.items("headers")
    ]
    query = [parameter.raw for parameter in fields.items("queryParams")]
    return canonical(
        {
            **match,
            "headers": sorted(headers, key=canonical),
            "queryParams": sorted(query, key=canonical),
        }
    )


def _spell(match: JsonObject) -> str:
    path = Fields(match).section("path")
    text = f"{match.get('method', 'any method')} on {path.text('type')} {path.text('value')!r}"
    more = [
        name for key, name in (("headers", "headers"), ("queryParams", "query")) if key in match
    ]
    return f"{text} with the same {' and '.join(more)}" if more else text

"""Who else may claim paths below another namespace's, written where the engine reads it."""

from collections.abc import Sequence

from troth.api import Fields, Json, canonical
from troth.api.labels import DELEGATIONS
from troth_pipelines.gateway.paths import PathType, normal_path, path_problem
from troth_pipelines.stages.api_aggregator._model import Delegation

__all__ = ["delegation_annotations"]


def delegation_annotations(delegations: Sequence[Delegation]) -> dict[str, Json]:
    """Return the annotation: a list in compact JSON, sorted, each item once; nothing without any.

    Raises:
        InvalidInputError: a path is no prefix that a route could have.
    """
    found: set[tuple[str, str]] = set()
    for index, delegation in enumerate(delegations):
        if problem := path_problem(delegation.path):
            fields = Fields({}, ("spec", "delegations", index))
            raise fields.error("path", f"{problem}.")
        found.add((normal_path(delegation.path, PathType.PREFIX), delegation.namespace))
    if not found:
        return {}
    items: Json = [{"namespace": namespace, "path": path} for path, namespace in sorted(found)]
    return {DELEGATIONS: canonical(items).decode()}

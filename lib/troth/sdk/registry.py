"""Finding stages by entry point, so that anyone's package can bring some."""

from importlib.metadata import EntryPoint, entry_points
from typing import cast

from pydantic import BaseModel

from troth.errors import NotServedError, Reason
from troth.sdk.stage import Stage

__all__ = ["STAGE_GROUP", "find_stage", "stage_entry_points"]

STAGE_GROUP = "troth.stages"


def stage_entry_points(distribution: str | None = None) -> list[EntryPoint]:
    """List the entry points of stages by name, of one installed distribution or of all."""
    found = [
        point
        for point in entry_points(group=STAGE_GROUP)
        if distribution is None or (point.dist is not None and point.dist.name == distribution)
    ]
    return sorted(found, key=lambda point: point.name)


def find_stage(name: str, distribution: str | None = None) -> Stage[BaseModel]:
    """Import a stage by name.

    Raises:
        NotServedError: there is none of that name, or what stands there is no stage.
    """
    points = stage_entry_points(distribution)
    matching = [point for point in points if point.name == name]
    if not matching:
        known = ", ".join(point.name for point in points) or "none"
        where = f" in {distribution}" if distribution else ""
        message = f"there is no stage {name!r}{where}; there are: {known}."
        raise NotServedError(Reason.STAGE_NOT_FOUND, message)
    stage = cast("object", matching[0].load())
    if not isinstance(stage, Stage):
        message = f"the entry point {matching[0].value} of stage {name!r} is no troth.sdk.Stage."
        raise NotServedError(Reason.STAGE_NOT_FOUND, message)
    return cast("Stage[BaseModel]", stage)

"""The status of a request on a cluster: what its stages wrote, and what became of it.

A function of what the object says now, the outcome and the time; the time enters only where
something changed. So an outcome that says nothing new gives the very status that is there, and
nothing has to be written.
"""

from dataclasses import dataclass
from datetime import datetime

from troth.api import Json, JsonObject, Promise
from troth.engine.conditions import conditions_of, is_fulfilled, merge_conditions
from troth.engine.pipeline_phases import phases_of
from troth.engine.record import Record
from troth.engine.status_parts import (
    Flows,
    commit_in,
    counts_of,
    message_of,
    part_of,
    ran_anew,
    told_of_files,
)
from troth.engine.suspension import spell_moment
from troth.engine.values import Item, State
from troth.errors import Reason

__all__ = ["RequestOutcome", "request_status"]

_DONE = "Resource requested"


@dataclass(frozen=True, slots=True)
class RequestOutcome:
    """What became of a request in a run.

    Attributes:
        item: its line in the report.
        promise: what served it.
        record: what is kept of it after the run, None where nothing is.
        generation: of the object that was looked at, None where nothing numbers it.
    """

    item: Item
    promise: Promise
    record: Record | None = None
    generation: int | None = None

    @property
    def pipelines(self) -> list[str]:
        """The names of the pipelines that fulfil it."""
        return [pipeline.name for pipeline in self.promise.workflows.resource_configure]

    @property
    def is_idle(self) -> bool:
        """Whether nothing was done with it, because somebody wants that or nothing can be."""
        by_stage = self.record is not None and self.record.suspension is not None
        held_back = self.item.state is State.SUSPENDED and not by_stage
        return held_back or self.item.reason in {Reason.PAUSED, Reason.PROMISE_UNAVAILABLE}


def request_status(before: JsonObject, outcome: RequestOutcome, now: datetime) -> dict[str, Json]:
    """Return the status that a request has to have.

    Args:
        before: the status that it has. Keys that neither stages nor we write stay.
        outcome: what became of it.
        now: UTC. It is written only where something changes.
    """
    item, record = outcome.item, outcome.record
    of_stages = dict(record.status) if record is not None else {}
    moment = spell_moment(now)
    troth = told_of_files(part_of(before, "troth"), item, record)
    said = conditions_of(item, commit_in(troth))
    status: dict[str, Json] = {**before, **of_stages}
    status["conditions"] = merge_conditions(
        before.get("conditions"), said, of_stages.get("conditions"), (moment, outcome.generation)
    )
    status["troth"] = troth
    if outcome.is_idle:
        return status
    phases = phases_of(item, record, outcome.pipelines)
    status["message"] = message_of(of_stages, item, _DONE)
    status |= counts_of(phases, done=is_fulfilled(item))
    if outcome.generation is not None:
        status["observedGeneration"] = outcome.generation
    if is_fulfilled(item):
        status["promiseVersion"] = outcome.promise.version
    flows = Flows(phases, outcome.generation, ran_anew(before, item, record))
    status["kratix"] = {**part_of(before, "kratix"), "workflows": flows.spell(before, moment)}
    return status

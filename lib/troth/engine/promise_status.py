"""The status of a Promise on a cluster: whether it serves, what it requires, and its own output.

As that of a request, it is a function of what the object says now, the outcome and the time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from troth.api import Json, JsonObject, Promise
from troth.engine.conditions import Condition, conditions_of, is_fulfilled, merge_conditions
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

__all__ = ["PromiseOutcome", "Required", "RequiredState", "promise_status"]

_DONE = "Promise configured"


class RequiredState(StrEnum):
    """How it is with a Promise that another requires, in Kratix's words."""

    INSTALLED = "Requirement installed"
    NOT_INSTALLED = "Requirement not installed"
    OTHER_VERSION = "Requirement not installed at the specified version"
    NOT_AVAILABLE = "Requirement not available"
    UNKNOWN = "Requirement state unknown"


@dataclass(frozen=True, slots=True)
class Required:
    """A Promise that is required, with the version that is asked for, and how it is with it."""

    name: str
    version: str
    state: RequiredState

    def spell(self) -> JsonObject:
        """Return it as a status has it."""
        return {"name": self.name, "version": self.version, "state": self.state.value}


@dataclass(frozen=True, slots=True)
class PromiseOutcome:
    """What became of a Promise in a run.

    Attributes:
        promise: as it is now.
        available: whether it serves requests.
        item: its line in the report, None where it has no output of its own.
        record: what is kept of it after the run, None where nothing is.
        required: those that it requires, as it names them.
        generation: of the object that was looked at, None where nothing numbers it.
    """

    promise: Promise
    available: bool
    item: Item | None = None
    record: Record | None = None
    required: Sequence[Required] = ()
    generation: int | None = None


def promise_status(before: JsonObject, outcome: PromiseOutcome, now: datetime) -> dict[str, Json]:
    """Return the status that a Promise has to have.

    Args:
        before: the status that it has. Keys that we do not write, such as requiredBy, stay.
        outcome: what became of it.
        now: UTC. It is written only where something changes.
    """
    item, moment = outcome.item, spell_moment(now)
    troth = dict(part_of(before, "troth"))
    if item is not None:
        troth = told_of_files(troth, item, outcome.record)
    said = [*_own_conditions(outcome, commit_in(troth)), _required(outcome), _available(outcome)]
    facts = _facts(before, outcome, moment)
    status: dict[str, Json] = {**before, **facts, "troth": troth}
    status["conditions"] = merge_conditions(
        before.get("conditions"), said, None, (moment, outcome.generation)
    )
    status["requiredPromises"] = [one.spell() for one in outcome.required]
    kratix: dict[str, Json] = {**part_of(before, "kratix"), **facts}
    pipelines = [one.name for one in outcome.promise.workflows.promise_configure]
    if item is not None and item.reason != Reason.PAUSED:
        phases = phases_of(item, outcome.record, pipelines)
        status["message"] = message_of(_of_stages(outcome.record), item, _DONE)
        status |= counts_of(phases, done=is_fulfilled(item))
        flows = Flows(phases, outcome.generation, ran_anew(before, item, outcome.record))
        kratix["workflows"] = flows.spell(before, moment)
    status["kratix"] = kratix
    if outcome.generation is not None and not outcome.promise.paused:
        status["observedGeneration"] = outcome.generation
    return status


def _of_stages(record: Record | None) -> JsonObject:
    return record.status if record is not None else {}


def _facts(before: JsonObject, outcome: PromiseOutcome, moment: str) -> dict[str, Json]:
    """Return what Kratix tells twice: at the top, and below ``kratix``."""
    promise, word = outcome.promise, "Available" if outcome.available else "Unavailable"
    facts: dict[str, Json] = {"version": promise.version, "status": word}
    if promise.api is not None:
        facts["kind"] = promise.api.kind
        facts["apiVersion"] = f"{promise.api.group}/{promise.api.stored}"
    since = before.get("lastAvailableTime")
    if outcome.available and (before.get("status") != word or not since):
        since = moment
    if since is not None:
        facts["lastAvailableTime"] = since
    return facts


def _own_conditions(outcome: PromiseOutcome, commit: str | None) -> list[Condition]:
    """Return what is known of its own output; one that has none is reconciled once it serves."""
    if outcome.promise.paused:
        return [Condition("Reconciled", "Unknown", "PausedReconciliation", "Paused")]
    if outcome.item is not None:
        return conditions_of(outcome.item, commit, "promise")
    if outcome.available:
        return [Condition("Reconciled", "True", "Reconciled", "Reconciled")]
    return [Condition("Reconciled", "Unknown", "RequirementsNotFulfilled", "Pending")]


def _required(outcome: PromiseOutcome) -> Condition:
    missing = [one.state for one in outcome.required if one.state != RequiredState.INSTALLED]
    if not missing:
        text = "Requirements fulfilled"
        return Condition("RequirementsFulfilled", "True", "RequirementsInstalled", text)
    only_down = all(state == RequiredState.NOT_AVAILABLE for state in missing)
    reason = "RequirementsNotAvailable" if only_down else "RequirementsNotInstalled"
    return Condition("RequirementsFulfilled", "False", reason, "Requirements not fulfilled")


def _available(outcome: PromiseOutcome) -> Condition:
    if outcome.promise.paused:
        return Condition("Available", "False", "PausedReconciliation", "Paused")
    if outcome.available:
        text = "Ready to fulfil resource requests"
        return Condition("Available", "True", "PromiseAvailable", text)
    if outcome.item is not None and outcome.item.state is State.SUSPENDED:
        return Condition("Available", "False", "WorkflowSuspended", "Suspended")
    text = "Cannot fulfil resource requests"
    return Condition("Available", "False", "PromiseUnavailable", text)

"""The status of a request on a cluster: what its stages wrote, and what became of it.

A function of what the object says now, the outcome and the time; the time enters only where
something changed. So an outcome that says nothing new gives the very status that is there, and
nothing has to be written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from troth.api import Json, JsonObject, Promise, is_object
from troth.engine.conditions import conditions_of, is_fulfilled, merge_conditions
from troth.engine.pipeline_phases import Phases, phases_of, spell_phases
from troth.engine.record import Record
from troth.engine.suspension import spell_moment
from troth.engine.values import Item, State
from troth.errors import Reason
from troth_statestore import Owner, record_key

__all__ = ["RequestOutcome", "request_status"]

_DONE = "Resource requested"
_NOT_DONE = "Pending"


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
        return held_back or self.item.reason == Reason.PROMISE_UNAVAILABLE


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
    troth = _troth(_mapping(before, "troth"), outcome)
    commit = troth.get("commit")
    said = conditions_of(item, commit if isinstance(commit, str) else None)
    status: dict[str, Json] = {**before, **of_stages}
    status["conditions"] = merge_conditions(
        before.get("conditions"), said, of_stages.get("conditions"), (moment, outcome.generation)
    )
    status["troth"] = troth
    if outcome.is_idle:
        return status
    phases = phases_of(item, record, outcome.pipelines)
    status["message"] = _message(of_stages, item)
    status |= _counts(phases, done=is_fulfilled(item))
    if outcome.generation is not None:
        status["observedGeneration"] = outcome.generation
    if is_fulfilled(item):
        status["promiseVersion"] = outcome.promise.version
    status["kratix"] = _kratix(before, outcome, phases, moment)
    return status


def _message(of_stages: Mapping[str, Json], item: Item) -> str:
    """Return the one line that people read first: of the stages, or else why there is none."""
    own = of_stages.get("message")
    if is_fulfilled(item) or item.state is State.MISPLACED:
        return own if isinstance(own, str) and own else _DONE
    return item.message or _NOT_DONE


def _counts(phases: Phases, *, done: bool) -> dict[str, Json]:
    return {
        "workflows": len(phases),
        "workflowsSucceeded": len(phases) if done else _number(phases, "Succeeded"),
        "workflowsFailed": _number(phases, "Failed"),
    }


def _number(phases: Phases, phase: str) -> int:
    return sum(one.phase == phase for one in phases)


def _troth(before: JsonObject, outcome: RequestOutcome) -> dict[str, Json]:
    """Return what is told of a request's files; what others keep there stays.

    The commit is the one that carries its newest files: a later one, of another request, is no
    news of this one.
    """
    item, record = outcome.item, outcome.record
    troth = dict(before)
    wrote = item.state is State.WRITTEN or bool(item.changed)
    there = is_fulfilled(item) or item.state is State.MISPLACED
    if item.revision and (wrote or (there and not troth.get("commit"))):
        troth["commit"] = item.revision
    if record is None:
        return troth
    digests: dict[str, Json] = {"promise": record.promise_digest}
    if record.input_digest is not None:
        digests["input"] = record.input_digest
    if record.outputs:
        digests["output"] = record.outputs[0]
    places = dict.fromkeys((one.destination, one.path) for one in record.placements)
    troth["digests"] = digests
    troth["placements"] = [{"destination": name, "path": path} for name, path in places]
    troth["record"] = record_key(Owner(*record.key))
    return troth


def _kratix(before: JsonObject, outcome: RequestOutcome, phases: Phases, moment: str) -> JsonObject:
    known = _mapping(before, "kratix")
    flows = dict(_mapping(known, "workflows"))
    old = flows.get("pipelines")
    listed = old if isinstance(old, Sequence) and not isinstance(old, str) else ()
    flows["pipelines"] = spell_phases(phases, listed, moment)
    waits = any(one.phase == "Suspended" for one in phases)
    if not waits:
        flows.pop("suspendedGeneration", None)
    elif outcome.generation is not None:
        flows["suspendedGeneration"] = outcome.generation
    if is_fulfilled(outcome.item) and _ran(before, outcome):
        flows["lastSuccessfulConfigureWorkflowTime"] = moment
    return {**known, "workflows": flows}


def _ran(before: JsonObject, outcome: RequestOutcome) -> bool:
    """Tell whether stages ran for this outcome: then what they made was made of another input."""
    flows = _mapping(_mapping(before, "kratix"), "workflows")
    if "lastSuccessfulConfigureWorkflowTime" not in flows:
        return True
    record = outcome.record
    digests = _mapping(_mapping(before, "troth"), "digests")
    return record is not None and digests.get("input") != record.input_digest


def _mapping(status: JsonObject, key: str) -> JsonObject:
    """Return a part of a status, empty where somebody wrote something else there."""
    found = status.get(key)
    return found if is_object(found) else {}

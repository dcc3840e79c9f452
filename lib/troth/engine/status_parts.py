"""The parts that the status of a request and that of a Promise have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from troth.api import Json, JsonObject, is_object
from troth.engine.conditions import is_fulfilled
from troth.engine.pipeline_phases import Phases, spell_phases
from troth.engine.record import Record
from troth.engine.values import Item, State
from troth.errors import Reason
from troth_statestore import Owner, record_key

__all__ = [
    "Flows",
    "commit_in",
    "counts_of",
    "message_of",
    "part_of",
    "ran_anew",
    "told_of_files",
]

_NOT_DONE = "Pending"
_TIME = "lastSuccessfulConfigureWorkflowTime"


def part_of(status: JsonObject, key: str) -> JsonObject:
    """Return a part of a status, empty where somebody wrote something else there."""
    found = status.get(key)
    return found if is_object(found) else {}


def message_of(of_stages: Mapping[str, Json], item: Item, done: str) -> str:
    """Return the one line that people read first: of the stages, or else why there is none.

    Args:
        of_stages: the status that they wrote.
        item: what became of it.
        done: what is said where all is well and the stages say nothing.
    """
    own = of_stages.get("message")
    if is_fulfilled(item) or item.state is State.MISPLACED:
        return own if isinstance(own, str) and own else done
    return item.message or _NOT_DONE


def counts_of(phases: Phases, *, done: bool) -> dict[str, Json]:
    """Count pipelines as Kratix does; `done` says that the whole workflow is."""
    return {
        "workflows": len(phases),
        "workflowsSucceeded": len(phases) if done else _number(phases, "Succeeded"),
        "workflowsFailed": _number(phases, "Failed"),
    }


def _number(phases: Phases, phase: str) -> int:
    return sum(one.phase == phase for one in phases)


def _is_undone(item: Item) -> bool:
    """Tell whether its files stand, and only what belongs to them outside does not."""
    return item.reason == Reason.EFFECTS_UNDONE


def told_of_files(before: JsonObject, item: Item, record: Record | None) -> dict[str, Json]:
    """Return ``status.troth``: where the files are; what others keep there stays.

    The commit is the one that carries its newest files: a later one, of another request, is no
    news of this one.
    """
    troth = dict(before)
    wrote = item.state is State.WRITTEN or bool(item.changed)
    there = is_fulfilled(item) or item.state is State.MISPLACED or _is_undone(item)
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


def commit_in(troth: JsonObject) -> str | None:
    """Return the commit that ``status.troth`` names."""
    commit = troth.get("commit")
    return commit if isinstance(commit, str) else None


def ran_anew(before: JsonObject, item: Item, record: Record | None) -> bool:
    """Tell whether stages ran for what is fulfilled: then it was made of another input."""
    if not is_fulfilled(item):
        return False
    if _TIME not in part_of(part_of(before, "kratix"), "workflows"):
        return True
    digests = part_of(part_of(before, "troth"), "digests")
    return record is not None and digests.get("input") != record.input_digest


@dataclass(frozen=True, slots=True)
class Flows:
    """What ``status.kratix.workflows`` tells.

    Attributes:
        phases: of each pipeline.
        generation: of the object that was looked at, None where nothing numbers it.
        ran: whether the workflow was done in this run.
    """

    phases: Phases
    generation: int | None
    ran: bool

    def spell(self, before: JsonObject, moment: str) -> JsonObject:
        """Spell it after the status that was there before."""
        flows = dict(part_of(part_of(before, "kratix"), "workflows"))
        old = flows.get("pipelines")
        listed = old if isinstance(old, Sequence) and not isinstance(old, str) else ()
        flows["pipelines"] = spell_phases(self.phases, listed, moment)
        if not any(one.phase == "Suspended" for one in self.phases):
            flows.pop("suspendedGeneration", None)
        elif self.generation is not None:
            flows["suspendedGeneration"] = self.generation
        if self.ran:
            flows[_TIME] = moment
        return flows

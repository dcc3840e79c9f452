"""How far each pipeline of a request came, as ``status.kratix.workflows.pipelines`` tells it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from troth.api import Json, JsonObject, is_object
from troth.engine.record import Record
from troth.engine.suspension import Suspension, spell_moment
from troth.engine.values import HELD, Item, State
from troth.errors import Reason

__all__ = ["Phase", "Phases", "phases_of", "spell_phases"]


@dataclass(frozen=True, slots=True)
class Phase:
    """One pipeline; `suspension` is what it asked for, where it wants to wait."""

    name: str
    phase: Literal["Pending", "Running", "Succeeded", "Failed", "Suspended"]
    suspension: Suspension | None = None


Phases: TypeAlias = "Sequence[Phase]"

_STAGES = frozenset(
    {
        Reason.STAGE_CRASHED, Reason.STAGE_FAILED, Reason.STAGE_OUT_OF_MEMORY,
        Reason.STAGE_TIMEOUT,
    }
)  # fmt: skip


def phases_of(item: Item, record: Record | None, pipelines: Sequence[str]) -> Phases:
    """Return the phase of each pipeline of the configure workflow.

    Of several, an outcome does not tell which one failed: then none is said to have.
    """
    waits = record.suspension if record is not None else None
    if item.state is State.SUSPENDED and waits is not None and waits.pipeline in pipelines:
        at = list(pipelines).index(waits.pipeline)
        before = [Phase(name, "Succeeded") for name in pipelines[:at]]
        after = [Phase(name, "Pending") for name in pipelines[at + 1 :]]
        return [*before, Phase(waits.pipeline, "Suspended", waits), *after]
    if item.reason in _STAGES and len(pipelines) == 1:
        return [Phase(pipelines[0], "Failed")]
    rendered = item.state in {State.WRITTEN, State.UNCHANGED, State.MISPLACED}
    came_through = item.reason in {*HELD, Reason.PARENT_NOT_FOUND, Reason.EFFECTS_UNDONE}
    done = rendered or came_through
    return [Phase(name, "Succeeded" if done else "Pending") for name in pipelines]


def spell_phases(phases: Phases, before: Sequence[Json], now: str) -> list[Json]:
    """Spell phases; a lastTransitionTime moves when its phase does.

    Args:
        phases: as they are.
        before: as they were spelled.
        now: the time.
    """
    known = {one.get("name"): one for one in before if is_object(one)}
    return [_spell(one, known.get(one.name), now) for one in phases]


def _spell(one: Phase, before: JsonObject | None, now: str) -> Json:
    same = before is not None and before.get("phase") == one.phase
    since = before.get("lastTransitionTime") if before is not None and same else None
    spelled: dict[str, Json] = {"name": one.name, "phase": one.phase}
    if (waits := one.suspension) is not None:
        spelled["message"] = waits.message
        if waits.not_before is not None:
            spelled["nextRetryAt"] = spell_moment(waits.not_before)
            spelled["attempts"] = waits.attempts
    return {**spelled, "lastTransitionTime": since or now}

"""Conditions on a cluster: what an outcome means in the words that Kratix has for it.

People's tools key on them (``kubectl wait --for=condition=Reconciled``), so types, reasons and the
beginnings of messages are Kratix's (``dynamic_resource_request_controller.go``, ``resourceutil``).
``Written``, ``Reverted`` and each condition's observedGeneration are added: by the last,
``kubectl wait`` knows that what it sees is said of the newest spec.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from troth.api import Json, JsonObject, is_object
from troth.engine.values import HELD, Item, State
from troth.errors import Reason, shorten

__all__ = ["Condition", "Subject", "conditions_of", "is_fulfilled", "merge_conditions"]

Subject: TypeAlias = 'Literal["resource", "promise"]'

# Characters of our own words in a message; an error may be long, and every object carries it.
_LENGTH = 1024

# What went wrong with them went wrong with the store: before the stages, or after them.
_WRITING = frozenset(
    {
        Reason.HISTORY_REWRITTEN, Reason.HOST_NOT_TRUSTED, Reason.INVALID_CREDENTIALS,
        Reason.RECORD_UNREADABLE, Reason.SIGNING_KEY_UNUSABLE, Reason.STATE_STORE_BUSY,
        Reason.STATE_STORE_REFUSED, Reason.STATE_STORE_UNREACHABLE,
        Reason.STATE_STORE_UNSUPPORTED,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition, without the times, which belong to where it is kept."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str


_COMPLETED = Condition(
    "ConfigureWorkflowCompleted", "True", "PipelinesExecutedSuccessfully", "Pipelines completed"
)
_IN_PROGRESS = Condition(
    "ConfigureWorkflowCompleted",
    "False",
    "PipelinesInProgress",
    "Pipelines are still in progress",
)
_RECONCILED = Condition("Reconciled", "True", "Reconciled", "Reconciled")


def is_fulfilled(item: Item) -> bool:
    """Tell whether what was asked for stands in the store, as it was asked for."""
    return item.state in {State.WRITTEN, State.UNCHANGED}


def conditions_of(item: Item, commit: str | None, subject: Subject = "resource") -> list[Condition]:
    """Return the conditions that an outcome says something about.

    Args:
        item: the outcome; what it is about is there, and is not being removed.
        commit: what carries its files, None where that is not known.
        subject: what Kratix calls it.
    """
    works = f"works associated with this {subject}"
    match item.state:
        case State.SUSPENDED:
            return _suspended(item)
        case State.WAITING if item.reason == Reason.PROMISE_UNAVAILABLE:
            return _unavailable()
        case State.WRITTEN | State.UNCHANGED:
            return [*_standing(works, _RECONCILED), _written(commit), *_reverted(item)]
        case State.FAILED if item.reason == Reason.EFFECTS_UNDONE:
            undone = Condition("Reconciled", "False", Reason.EFFECTS_UNDONE, _words(item))
            return [*_standing(works, undone), _written(commit)]
        case State.MISPLACED:
            text = f"Some {works} are misplaced: [{_words(item)}]"
            misplaced = Condition("WorksSucceeded", "False", "WorksMisplaced", text)
            gone = item.reason == Reason.DESTINATION_GONE
            there = _not_written(item) if gone else _written(commit)
            return [_COMPLETED, misplaced, _failing("WorksFailing"), there]
        case _:
            return _stopped(item, works)


def _standing(works: str, reconciled: Condition) -> list[Condition]:
    """Tell that its files stand as they were asked for."""
    ready = Condition("WorksSucceeded", "True", "WorksSucceeded", f"All {works} are ready")
    return [_COMPLETED, ready, reconciled]


def _stopped(item: Item, works: str) -> list[Condition]:
    """Tell what stopped something on its way, by how far it came."""
    if item.reason == Reason.REQUIREMENTS_NOT_FULFILLED:
        return [_waits("RequirementsNotFulfilled"), _not_written(item)]
    waits = [_pending(item, works), _waits("WorksPending"), _not_written(item)]
    if item.state is State.UNSCHEDULED:
        return [_IN_PROGRESS, *waits]
    if item.reason in HELD or item.reason == Reason.PARENT_NOT_FOUND:
        return [_COMPLETED, *waits]
    if item.state is State.WAITING:
        return waits
    if item.reason in _WRITING:
        how = "failed" if works.endswith("resource") else "are not ready"  # Kratix's own words
        text = f"Some {works} {how}: [{_words(item)}]"
        failing = Condition("WorksSucceeded", "False", "WorksFailing", text)
        return [failing, _failing("WorksFailing"), _not_written(item)]
    failed = Condition(
        "ConfigureWorkflowCompleted",
        "False",
        "ConfigureWorkflowFailed",
        f"A Configure Pipeline has failed: {_words(item)}",
    )
    return [failed, _failing("ConfigureWorkflowFailed"), _not_written(item)]


def _suspended(item: Item) -> list[Condition]:
    """Tell that nothing is done for now: what else is known stays as it was."""
    if item.reason == Reason.PAUSED:
        return [Condition("Reconciled", "Unknown", "PausedReconciliation", "Paused")]
    return [Condition("Reconciled", "Unknown", "WorkflowSuspended", "Suspended")]


def _unavailable() -> list[Condition]:
    """Tell that the Promise cannot serve it: live ones keep what they have, and what is known."""
    text = "Promise Requirements are not installed"
    return [Condition("PromiseAvailable", "False", "PromiseRequirementsNotInstalled", text)]


def _reverted(item: Item) -> list[Condition]:
    if item.reason != Reason.REVERTED:
        return []
    return [Condition("Reverted", "True", Reason.REVERTED, _words(item))]


def _written(commit: str | None) -> Condition:
    text = f"Written in {commit}" if commit else "Written"
    return Condition("Written", "True", "Written", text)


def _not_written(item: Item) -> Condition:
    return Condition("Written", "False", item.reason, _words(item))


def _pending(item: Item, works: str) -> Condition:
    text = f"Some {works} are not ready: [{_words(item)}]"
    return Condition("WorksSucceeded", "Unknown", "WorksPending", text)


def _waits(reason: str) -> Condition:
    return Condition("Reconciled", "Unknown", reason, "Pending")


def _failing(reason: str) -> Condition:
    return Condition("Reconciled", "False", reason, "Failing")


def _words(item: Item) -> str:
    return shorten(item.message, _LENGTH) or item.reason


# Nobody else's, whether or not an outcome says something about them.
_OWN = frozenset(
    {
        "ConfigureWorkflowCompleted", "PromiseAvailable", "Reconciled", "Reverted",
        "WorksSucceeded", "Written",
    }
)  # fmt: skip

_AVAILABLE = Condition(
    "PromiseAvailable", "True", "PromiseAvailable", "Promise Requirements are met"
)


def merge_conditions(
    before: Json, own: Sequence[Condition], of_stages: Json, at: tuple[str, int | None]
) -> list[Json]:
    """Return all conditions, each where it was before; new ones follow.

    Args:
        before: as the object has them now.
        own: what is known now; these types are nobody else's.
        of_stages: those that stages wrote, with or without times.
        at: the time, and the generation that `own` is about.

    A condition's lastTransitionTime moves when its status does, and at no other time. What nobody
    says anything about stays.
    """
    now, generation = at
    known = _by_type(before)
    merged = dict(known)
    for name, one in _by_type(of_stages).items():
        if name not in _OWN:
            merged[name] = {**one, "lastTransitionTime": _moment(known.get(name), one, now)}
    for condition in _with_what_is_over(own, known, merged):
        spelled: dict[str, Json] = {
            "type": condition.type,
            "status": condition.status,
            "reason": condition.reason,
            "message": condition.message,
        }
        spelled["lastTransitionTime"] = _moment(known.get(condition.type), spelled, now)
        if generation is not None:
            spelled["observedGeneration"] = generation
        merged[condition.type] = spelled
    order = {name: place for place, name in enumerate(known)}
    return [merged[name] for name in sorted(merged, key=lambda name: order.get(name, len(order)))]


def _with_what_is_over(
    own: Sequence[Condition], known: Mapping[str, JsonObject], merged: dict[str, JsonObject]
) -> list[Condition]:
    """Take out a rollback that has ended, and say that a Promise is available again.

    Neither is said by an outcome of which nothing is known but that nothing was done.
    """
    if not any(condition.type == "Written" for condition in own):
        return list(own)
    merged.pop("Reverted", None)
    return [*own, _AVAILABLE] if _AVAILABLE.type in known else list(own)


def _by_type(conditions: Json) -> dict[str, JsonObject]:
    """Return conditions by their type; what is none, because somebody wrote it, is left out."""
    if isinstance(conditions, str | Mapping) or not isinstance(conditions, Sequence):
        return {}
    found = [one for one in conditions if is_object(one)]
    return {name: one for one in found if isinstance(name := one.get("type"), str)}


def _moment(before: JsonObject | None, new: JsonObject, now: str) -> Json:
    """Return when a condition came to be as it is."""
    if "lastTransitionTime" in new:
        return new["lastTransitionTime"]
    if before is not None and before.get("status") == new.get("status"):
        return before.get("lastTransitionTime") or now
    return now

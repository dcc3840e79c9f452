"""What the status of a state store and of a Destination says: whether it is ready, and why not.

Reasons and messages are Kratix's (``lib/.../statestore``, ``destination_controller.go``). Of files
that show an agent at work nothing is said here: they come with the first request.
"""

from collections.abc import Mapping
from datetime import datetime

from troth.api import Destination, Json, JsonObject
from troth.engine.conditions import Condition, merge_conditions
from troth.engine.suspension import spell_moment
from troth.errors import TrothError
from troth_statestore.readiness import Condition as Tried

__all__ = ["destination_ready", "destination_wrong", "place_status", "store_ready", "store_status"]

_NOT_READY = "DestinationNotReady"


def store_ready(found: Tried) -> Condition:
    """Return the condition of a state store."""
    return Condition("Ready", found.status.value, found.reason, found.message)


def destination_ready(
    destination: Destination, stores: Mapping[str, Condition], same: str | None
) -> Condition:
    """Return the condition of a Destination.

    Args:
        destination: as it is now.
        stores: the conditions of the GitStateStores that are there, by name.
        same: the Destination that was there before in the same place, None where there is none.
    """
    if same is not None:
        return _not_yet(_NOT_READY, f"its place is that of Destination {same}; give it another.")
    if destination.store is None:
        return _not_yet(_NOT_READY, "Destination is not ready")
    kind, name = destination.store
    if kind != "GitStateStore":
        text = f"{kind}/{name}: not ready, this version writes to a GitStateStore only"
        return _not_yet("StateStoreNotReady", text)
    store = stores.get(name)
    if store is None:
        return _not_yet("StateStoreNotFound", f"{kind}/{name}: not found")
    return _by_store(f"{kind}/{name}", store)


def _by_store(called: str, store: Condition) -> Condition:
    if store.status == "True":
        return Condition("Ready", "True", "DestinationReady", "Destination is ready")
    if store.status == "False":
        return _not_yet("StateStoreNotReady", f"{called}: not ready")
    return _not_yet(_NOT_READY, "Destination is not ready")


def _not_yet(reason: str, message: str) -> Condition:
    return Condition("Ready", "False", reason, message)


def destination_wrong(error: TrothError) -> Condition:
    """Return the condition of a Destination that cannot be read."""
    return _not_yet(_NOT_READY, error.message)


def place_status(
    before: JsonObject, ready: Condition, generation: int, now: datetime
) -> dict[str, Json]:
    """Return the status that a Destination has to have.

    Args:
        before: the status that it has; what we do not write stays.
        ready: its condition.
        generation: of the object that was looked at.
        now: UTC. It is written only where the condition turns.
    """
    at = spell_moment(now), generation
    return {**before, "conditions": merge_conditions(before.get("conditions"), [ready], None, at)}


def store_status(
    before: JsonObject, ready: Condition, generation: int, now: datetime
) -> dict[str, Json]:
    """Return the status that a state store has to have; as `place_status`."""
    return {
        **place_status(before, ready, generation, now),
        "status": "Ready" if ready.status == "True" else "NotReady",
        "observedGeneration": generation,
    }

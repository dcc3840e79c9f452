"""Awaited keys: what a status says while credentials wait to be made anew for new sealing keys.

The stage did not run, so it cannot say it: its condition ``Sealed`` would go on being true of what
nobody can open any more. It writes it itself again as soon as it has.
"""

from collections.abc import Mapping

from troth.api import Json, is_object
from troth.errors import Reason

__all__ = ["WAITS", "waits_for_keys", "with_keys_awaited"]

WAITS = (
    "its cluster has lost the keys that could open it, so its credentials are due to be made anew; "
    "they wait for their turn."
)
"""What is said of them; without any count, so that it stays the same while they wait."""

_CONDITION = "Sealed"


def with_keys_awaited(status: Mapping[str, Json]) -> dict[str, Json]:
    """Return a status of stages in which nothing is called sealed, as far as they say that."""
    conditions = status.get("conditions")
    if not isinstance(conditions, list):
        return dict(status)
    waits: dict[str, Json] = {
        "type": _CONDITION,
        "status": "False",
        "reason": Reason.KEY_REPLACED.value,
        "message": WAITS,
    }
    told: list[Json] = [
        {**one, **waits} if is_object(one) and one.get("type") == _CONDITION else one
        for one in conditions
    ]
    return {**status, "conditions": told}


def waits_for_keys(status: Mapping[str, Json]) -> bool:
    """Tell whether a status says that what is sealed can be opened by nobody any more."""
    conditions = status.get("conditions")
    return isinstance(conditions, list) and any(
        is_object(one)
        and (one.get("type"), one.get("status")) == (_CONDITION, "False")
        and one.get("reason") == Reason.KEY_REPLACED
        for one in conditions
    )

"""What a status tells people of a credential: conditions, and when it is renewed.

What stands in it follows from the state alone, and from what could not be done: a run that does
nothing leaves every word as it was.
"""

from datetime import datetime

from troth.api import Json
from troth_pipelines.credentials.life import BECAUSE, Lived

__all__ = ["condition", "reported", "spelled"]


def spelled(moment: datetime) -> str:
    """Spell a moment: RFC 3339, UTC, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(kind: str, reason: str, message: str = "", *, holds: bool = True) -> Json:
    """Return a condition of a status.

    Without a time of its last change: the record has none either, and a commit tells it.
    """
    return {
        "type": kind,
        "status": "True" if holds else "False",
        "reason": reason,
        "message": message,
    }


def reported(lived: Lived, *own: Json) -> dict[str, Json]:
    """Return the part of a status that holds for every kind of credential.

    A status is merged key by key: a key that is told once is told always, or what it said would
    stay.

    Args:
        lived: what came of the run.
        own: conditions of this kind.
    """
    newest = lived.state.newest
    conditions: list[Json] = [*own, _valid(lived), _sealed(lived)]
    conditions.sort(key=str)  # each begins with its type; a status keeps them in that order
    told: dict[str, Json] = {
        **lived.state.save(),
        "conditions": conditions,
        "message": _message(lived),
    }
    if newest is not None:
        told["expires"] = spelled(newest.expires) if newest.expires is not None else "never"
        told["nextRotation"] = spelled(lived.renewal) if lived.renewal is not None else "never"
    return told


def _valid(lived: Lived) -> Json:
    kind, newest = "CredentialsValid", lived.state.newest
    if newest is None:
        return condition(kind, "NotIssued", lived.problem or "", holds=False)
    if lived.expired:
        message = f"generation {newest.number} has come to its end"
        return condition(kind, "Expired", message, holds=False)
    return condition(kind, "Issued", f"generation {newest.number} is published")


def _sealed(lived: Lived) -> Json:
    if lived.lost is not None:
        return condition("Sealed", lived.lost.reason.value, lived.lost.message, holds=False)
    if not lived.state.sealed:
        return condition("Sealed", "NotSealed", lived.problem or "", holds=False)
    return condition("Sealed", "Sealed", f"for Destination {lived.destination}")


def _message(lived: Lived) -> str:
    newest, since = lived.state.newest, lived.state.since
    what = f"generation {newest.number}" if newest is not None else ""
    if lived.expired and newest is not None and newest.expires is not None:
        what = f"{what}, which ended at {spelled(newest.expires)}"
    because = lived.state.details.get(newest.number, {}).get(BECAUSE) if newest else None
    if because:
        what = f"{what}, made since {because.removesuffix('.')}"
    if any(one.key_id is None for one in lived.state.sealed.values()):
        what = f"{what}, sealed without a sealing key".removeprefix(", ")
    if lived.problem is not None and since is not None:
        return f"Since {spelled(since)}: {lived.problem} What was published stays as it is: {what}."
    return what

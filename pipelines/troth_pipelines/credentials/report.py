"""What a status tells people of a credential: conditions, and when it is renewed."""

from datetime import datetime

from troth.api import Json
from troth_pipelines.credentials.life import Lived

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

    Args:
        lived: what came of the run.
        own: conditions of this kind.
    """
    newest, state = lived.state.newest, lived.state
    valid: list[Json] = [
        *own,
        condition("CredentialsValid", "Issued", f"generation {newest.number} is published")
        if newest is not None
        else condition("CredentialsValid", "NotIssued", lived.problem or "", holds=False),
        condition("Sealed", "Sealed", f"for Destination {lived.destination}")
        if state.sealed
        else condition("Sealed", "NotSealed", lived.problem or "", holds=False),
    ]
    valid.sort(key=str)  # each begins with its type; a status keeps them in that order
    told: dict[str, Json] = {**state.save(), "conditions": valid, "message": _message(lived)}
    if newest is not None and newest.expires is not None:
        told["expires"] = spelled(newest.expires)
    return told


def _message(lived: Lived) -> str:
    newest, since = lived.state.newest, lived.state.since
    parts: list[str] = []
    if lived.problem is not None and since is not None:
        kept = " What was published stays as it is." if newest is not None else ""
        parts.append(f"Since {spelled(since)}: {lived.problem}{kept}")
    parts += lived.notes
    return " ".join(parts) or (f"generation {newest.number}" if newest is not None else "")

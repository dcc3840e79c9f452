"""Undone: what a request's stages were to do outside and could not, in the words of every report.

Its output stands, so nothing else would tell: until it is done, no run counts it as success.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from troth.api import Json
from troth.engine.secrets import redact
from troth.engine.suspension import spell_moment
from troth.engine.values import Item, State
from troth.errors import Reason, shorten

__all__ = ["SOMETHING", "spell_effects", "with_undone", "words_of"]

SOMETHING = "what its stages were to do outside"
"""What is said where nobody kept which effects they were."""

_LENGTH = 500  # characters; every report and record carries them

# As which a request counts whose output stands.
_STANDING = frozenset({State.WRITTEN, State.UNCHANGED, State.MISPLACED})


def spell_effects(effects: Sequence[str]) -> str:
    """Return effects as a record keeps them, empty where there are none."""
    return shorten("; ".join(effects), _LENGTH)


def with_undone(item: Item, undone: str, status: Mapping[str, Json], due: datetime | None) -> Item:
    """Return a line that tells what is undone; it fails where it would have told of success.

    Args:
        item: what else became of the request.
        undone: what could not be done, as a record keeps it; empty where all is done.
        status: what the stages left; its message is theirs, and says why and since when.
        due: when they run again.
    """
    if not undone or undone in item.message:
        return item
    words = words_of(undone, status, due)
    if item.state not in _STANDING:
        return replace(item, message=f"{item.message} {words}".strip())
    # That they were made anew is what the run wanted, and did not come to.
    before = "" if item.reason == Reason.KEY_REPLACED else item.message
    message = f"{before} {words}".strip()
    return replace(item, state=State.FAILED, reason=Reason.EFFECTS_UNDONE, message=message)


def words_of(undone: str, status: Mapping[str, Json], due: datetime | None) -> str:
    """Say what is undone, and what the stages say of it; empty where nothing is.

    Takes the same as `with_undone`.
    """
    if not undone:
        return ""
    said = status.get("message")
    why = f": {shorten(said, _LENGTH).removesuffix('.')}" if isinstance(said, str) and said else ""
    when = f"from {spell_moment(due)} on" if due is not None else "once the request changes"
    return redact(f"could not: {undone}{why}. It is tried again {when}.")

"""Kept state: what stages keep in a record and nowhere else, where that record is put back.

The files of a request can be rendered again, its state cannot: a stage that no longer knows of a
credential makes it anew. So an older version whose files fit is not put back unasked where its
state is known not to, and wherever there is state it is said how old it is.
"""

from collections.abc import Iterable

from troth.engine.record import Record, spelled_in

__all__ = ["AS_OF_THEN", "LOST", "why_state_differs"]

AS_OF_THEN = (
    "What its stages keep, and when they run again, is as of that version: what they have done "
    "since, if anything, is not known any more, and may be done once more."
)
"""Said of every record with state that is put back."""

LOST = (
    "what its stages kept is lost, so what they had made outside, a credential for one, is made "
    "anew, and its files are taken over where they are."
)
"""Said of every request that starts anew."""


def why_state_differs(record: Record, broken: bytes, older: Iterable[Record]) -> str | None:
    """Return why the state in a version is not that of the record that cannot be read.

    Args:
        record: the version that would be put back.
        broken: what stands there now, of which a part may be readable.
        older: versions before that one, newest first.
    """
    spelled, there = spelled_in(record.encode()), spelled_in(broken)
    differ = [
        key for key in ("status", "reconcileAt") if key in there and there[key] != spelled.get(key)
    ]
    if differ:
        return (
            f"What stands there tells of another {' and '.join(differ)} of its stages: mend the "
            "record by hand to keep that."
        )
    if not record.status and any(one.status for one in older):
        return "That version has no status, though one before it had."
    return None

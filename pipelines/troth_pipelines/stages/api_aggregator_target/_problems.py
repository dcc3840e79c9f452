"""How this stage says that a request is wrong: by the place of the field, from the spec on."""

from typing import TypeAlias

from troth.api import field_path
from troth.errors import InvalidInputError, Reason

__all__ = ["Place", "invalid"]

Place: TypeAlias = "tuple[str | int, ...]"


def invalid(place: Place, text: str, reason: Reason = Reason.INVALID_OBJECT) -> InvalidInputError:
    """Make the error that says `text` of the field at `place`."""
    return InvalidInputError(reason, f"{field_path(place)}: {text}", place)

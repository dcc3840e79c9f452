"""Unknown: what stands for a value that nobody has yet, because nothing outside was asked for it.

Under ``plan``, ``render`` and ``test`` effects are not performed; what they would give is this.
"""

from enum import Enum
from typing import Final

__all__ = ["UNKNOWN", "Unknown"]


class Unknown(Enum):
    """The type of `UNKNOWN`, its only member, so that type checkers can tell it apart.

    It is no text, though it has one: where it ends up unnoticed, it fails instead of being kept.
    """

    UNKNOWN = "(known after apply)"

    def __str__(self) -> str:
        """Return the text that people are shown in its place."""
        return self.value


UNKNOWN: Final = Unknown.UNKNOWN
"""A value that is known only once effects have been performed."""

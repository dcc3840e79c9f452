"""How long a refused flush is tried again in parts, so that one change does not stop the rest."""

from troth.errors import Reason, StoreError, WriteRefusedError

__all__ = ["Patience"]

# Pushes for one flush, at most: enough to single out a few of a thousand.
_PUSHES = 64

# Pushes after which it is taken that nothing at all is let in: enough to come down to a single one
# of a thousand, and to some beside it.
_IN_VAIN = 20


class Patience:
    """What is tried once a store refuses to take some change sets together.

    Attributes:
        ended_by: the refusal at which patience was lost; what is left fails by it.
    """

    def __init__(self) -> None:
        self.ended_by: StoreError | None = None
        self._pushes = 0
        self._landed = False

    def landed(self) -> None:
        """Note that a part was taken."""
        self._pushes += 1
        self._landed = True

    def refused(self, error: StoreError, number: int) -> bool:
        """Note a refusal; tell whether to try `number` change sets in two parts instead."""
        if error.reason is Reason.UNSAFE_PATH:
            return number > 1  # judged here, so it costs nothing to find out which it is
        self._pushes += 1
        if not isinstance(error, WriteRefusedError):
            return False
        if self._pushes >= (_PUSHES if self._landed else _IN_VAIN):
            self.ended_by = error
        return number > 1 and self.ended_by is None

"""Delivery: what becomes of a Secret that is there already, and when that may be changed.

The controller goes by what the live Secret carries, which no stage can see. So a request that
changes the mode of a Secret that is there has to say what was seen; otherwise it is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from troth.errors import OutputRefusedError
from troth.sdk.sealing import SEALED_SECRETS_PREFIX, PatchMode, refuse_unsafe_switch

__all__ = ["Delivery", "ModeName", "SeenName"]

ModeName = Literal["replace", "patch", "patch-unowned", "take-over"]
"""A mode by its name in a request. Nothing is sealed in the fifth, ``patch-nothing``."""

SeenName = Literal["managed", "patch", "skip-set-owner-references"]
"""An annotation of Sealed Secrets by its name in a request, for ``"true"``."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What becomes of a Secret that is there already.

    Attributes:
        mode: how it is treated.
        seen: annotations of Sealed Secrets that the live Secret was seen to carry; None where
            nobody has looked.
        field: of the request where the latter is said, for messages.
    """

    mode: PatchMode = PatchMode.REPLACE
    seen: tuple[str, ...] | None = None
    field: str = "seen"

    @classmethod
    def of(cls, mode: ModeName, seen: Sequence[SeenName] | None, field: str) -> "Delivery":
        """Read what a request says."""
        return cls(PatchMode(mode), None if seen is None else tuple(seen), field)

    def refuse_unsafe(self, before: PatchMode) -> None:
        """Raise unless a live SealedSecret of the mode `before` can be switched to this one.

        Raises:
            OutputRefusedError: something could be lost, or nobody has looked.
        """
        live = None
        if self.seen is not None:
            live = {f"{SEALED_SECRETS_PREFIX}{name}": "true" for name in self.seen}
        try:
            refuse_unsafe_switch(before, self.mode, live)
        except OutputRefusedError as error:
            message = f"{error.message} What was seen is said in {self.field}."
            raise OutputRefusedError(error.reason, message) from None

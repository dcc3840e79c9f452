"""What the tests of a bundle find: one finding for each check."""

from dataclasses import dataclass
from enum import StrEnum

from troth.api import Json

__all__ = ["BUNDLE_CHECKS", "Check", "Finding", "Outcome"]


class Check(StrEnum):
    """What is looked at, by the names that reports have."""

    BUNDLE = "bundle"
    MODEL = "model"
    PROMISE = "promise"
    CLAIMS = "claims"
    SCHEMA = "schema"
    RENDERS = "renders"
    OBJECTS = "objects"
    FENCE = "fence"
    EXPECTED = "expected"
    DETERMINISTIC = "deterministic"
    STABLE = "stable"
    SCHEMAS = "schemas"


BUNDLE_CHECKS = (Check.BUNDLE, Check.MODEL, Check.PROMISE, Check.CLAIMS)
"""The checks of a bundle as a whole, in the order of reports."""


class Outcome(StrEnum):
    """How a check ended. What could not be looked at is never told as passed."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one check ended.

    Attributes:
        bundle: the bundle, as the command was given it.
        request: name of the request, None where the whole bundle is meant.
        check: what was looked at.
        outcome: how it ended.
        message: what there is to say to people; the first line says it, a diff may follow.
    """

    bundle: str
    request: str | None
    check: Check
    outcome: Outcome
    message: str = ""

    @property
    def title(self) -> str:
        """The check and whose it is, as reports name it."""
        return f"{self.request}: {self.check}" if self.request else str(self.check)

    @property
    def summary(self) -> str:
        """The first line of the message."""
        return self.message.partition("\n")[0]

    def encode(self) -> dict[str, Json]:
        """Return the finding as JSON has it."""
        return {
            "bundle": self.bundle,
            "request": self.request,
            "check": self.check.value,
            "outcome": self.outcome.value,
            "message": self.message,
        }

"""Drift: what a stage made outside, and is there no more as its status says.

A stage that makes things outside may offer to look at them (`Stage.inspect`). It is given all
requests of its Promise at once, asks each provider once for all that belong together, and changes
nothing. What it finds is told to `configure` when the request is to be repaired.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from troth.api import Fields, Json, JsonObject
from troth.errors import InvalidInputError, Reason

__all__ = ["Drift", "Finding", "Inspection", "Outside"]


@dataclass(frozen=True, slots=True)
class Drift:
    """What was found to be other outside than a request's status says.

    Attributes:
        message: says it to people, and goes into reports and perhaps the status; no secrets.
        ended: whether what is missing is of no use any more and nothing of it is left outside, so
            that nobody need end it.
    """

    message: str
    ended: bool = False

    def encode(self) -> JsonObject:
        """Spell it as input/troth.json has it."""
        return {"message": self.message, "ended": self.ended}

    @classmethod
    def decode(cls, given: Fields) -> Self:
        """Read it. Raises InvalidInputError where it is none."""
        return cls(given.text("message"), given.flag("ended", default=False))


class Outside(StrEnum):
    """How it stands with what a request has outside."""

    INTACT = "intact"
    DRIFTED = "drifted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was learned of one request.

    Attributes:
        state: how it stands.
        message: what is missing, or why nothing could be learned; for people, no secrets.
        ended: as `Drift.ended`.
        mendable: whether rendering the request again may put it right; else a person has to do
            something first.
    """

    state: Outside
    message: str = ""
    ended: bool = False
    mendable: bool = True

    @classmethod
    def intact(cls) -> Self:
        """Return that all is as the status says."""
        return cls(Outside.INTACT)

    @classmethod
    def drifted(cls, message: str, *, ended: bool = False, mendable: bool = True) -> Self:
        """Return that something is missing, or another."""
        return cls(Outside.DRIFTED, message, ended, mendable)

    @classmethod
    def unknown(cls, message: str) -> Self:
        """Return that nothing could be learned, and why; it counts as no fault of the request."""
        return cls(Outside.UNKNOWN, message)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a stage learned of its requests.

    Attributes:
        findings: by `Request.id`; who is left out has nothing outside that could be looked at.
        calls: how many calls were made, by whatever is asked once for all that belong to it, such
            as an account; for reports.
    """

    findings: Mapping[str, Finding] = field(default_factory=dict[str, Finding])
    calls: Mapping[str, int] = field(default_factory=dict[str, int])

    def encode(self) -> JsonObject:
        """Spell it as metadata/inspection.json has it."""
        return {
            "findings": {who: _spelled(self.findings[who]) for who in sorted(self.findings)},
            "calls": {what: self.calls[what] for what in sorted(self.calls)},
        }

    @classmethod
    def decode(cls, raw: JsonObject) -> Self:
        """Read it.

        Raises:
            InvalidInputError: it is none.
        """
        root = Fields(raw, ("inspection.json",), Reason.INVALID_STATUS)
        found = root.section("findings")
        counted = root.section("calls")
        calls = {what: _count(counted, what) for what in counted.raw}
        return cls({who: _finding(found.section(who)) for who in found.raw}, calls)


def _spelled(one: Finding) -> JsonObject:
    said: dict[str, Json] = {"state": one.state.value}
    if one.message:
        said["message"] = one.message
    if one.state is Outside.DRIFTED:
        said |= {"ended": one.ended, "mendable": one.mendable}
    return said


def _finding(given: Fields) -> Finding:
    try:
        state = Outside(given.text("state"))
    except ValueError:
        known = ", ".join(Outside)
        raise given.error("state", f"one of {known} is needed here.") from None
    message = given.text("message", "")
    if state is not Outside.INTACT and not message:
        raise given.error("message", "what was found, or why nothing was, is needed here.")
    ended = given.flag("ended", default=False)
    return Finding(state, message, ended, given.flag("mendable", default=True))


def _count(given: Fields, name: str) -> int:
    value = given.value(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        problem: InvalidInputError = given.error(name, "a whole number is needed here.")
        raise problem
    return value

"""A suspension: what a stage asked for in workflow-control.yaml, and until when it holds."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from troth.api import Fields, Json

__all__ = ["Suspension", "read_moment", "spell_moment"]


@dataclass(frozen=True, slots=True)
class Suspension:
    """Why a request waits.

    Attributes:
        pipeline: which of them asked for it.
        message: in the stage's words.
        not_before: UTC, whole seconds; when it is tried again. None: when the request changes.
        input_digest: of the input that it was asked for; another input ends it.
        attempts: how often in a row the pipeline has asked to be tried again later.
        of_removal: whether a delete pipeline asked for it; a request that is there ends it.
    """

    pipeline: str
    message: str
    not_before: datetime | None
    input_digest: str = ""
    attempts: int = 0
    of_removal: bool = False

    def after(self, before: "Suspension | None") -> "Suspension":
        """Return it as the successor of another.

        Attempts count as Kratix counts them: only those that name a time to try again.
        """
        if self.not_before is None:
            return self
        same = (
            before is not None
            and (before.pipeline, before.of_removal) == (self.pipeline, self.of_removal)
        )  # fmt: skip
        return replace(self, attempts=1 + (before.attempts if before is not None and same else 0))

    def over(self, now: datetime, input_digest: str) -> bool:
        """Tell whether the stages are to run again."""
        if self.of_removal or self.input_digest != input_digest:
            return True
        return self.not_before is not None and self.not_before <= now

    @property
    def words(self) -> str:
        """Say it to people."""
        when = (
            f"tried again after {spell_moment(self.not_before)}"
            if self.not_before is not None
            else _RESUMED[self.of_removal]
        )
        times = f"attempt {self.attempts}, " if self.attempts > 1 else ""
        return f"pipeline {self.pipeline}: {self.message} ({times}{when})"

    def encode(self) -> dict[str, Json]:
        """Spell it for a record."""
        spelled: dict[str, Json] = {"pipeline": self.pipeline, "message": self.message}
        if self.not_before is not None:
            spelled |= {"notBefore": spell_moment(self.not_before), "attempts": self.attempts}
        if self.of_removal:
            return {**spelled, "ofRemoval": True}
        return {**spelled, "inputDigest": self.input_digest}

    @classmethod
    def decode(cls, fields: Fields) -> "Suspension":
        """Read it from a record. Raises InvalidInputError when it is not as it was written."""
        attempts = fields.value("attempts")
        return cls(
            pipeline=fields.text("pipeline"),
            message=fields.text("message", ""),
            not_before=read_moment(fields, "notBefore"),
            input_digest=fields.text("inputDigest", ""),
            attempts=attempts if isinstance(attempts, int) else 0,
            of_removal=fields.flag("ofRemoval", default=False),
        )


_RESUMED = {
    False: "until the request changes, or carries the label kratix.io/manual-reconciliation",
    True: "tried again in the next run",
}

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def spell_moment(moment: datetime) -> str:
    """Spell a moment as records do: UTC, whole seconds."""
    return moment.strftime(_FORMAT)


def read_moment(fields: Fields, key: str) -> datetime | None:
    """Read a moment from a record, None where there is none.

    Raises:
        InvalidInputError: it is not as it was written.
    """
    if not fields.has(key):
        return None
    try:
        return datetime.strptime(fields.text(key), _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise fields.error(key, f"a time like {_FORMAT} is needed.") from None

"""The draft: a request on its way up the ladder, with all that is known of it so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from troth.api import Json, JsonObject, Promise, RequestKey, canonical
from troth.engine.record import Record
from troth.engine.suspension import Suspension
from troth.engine.values import Placement, Submission
from troth.errors import Reason

__all__ = ["Draft", "Settled"]


@dataclass(frozen=True, slots=True)
class Settled:
    """What was decided of a request without a new output; `message` says it to people."""

    reason: Reason
    message: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A request with what the rungs so far have found out.

    Attributes:
        object: object.yaml's content without status and generation.
        asked: what its record keeps of it as it was given.
        record: what the store remembers of it, None for a new one.
        observed: path → digest of the files in its folders now.
        input_digest: digest of all that its output depends on, None where nothing was rendered.
        status: what the stages left.
        placements: where its groups go; their contents are None when nothing was rendered.
        suspension: what a stage asked for in this run.
        settled: why no stage ran, or why what ran is not to be written; None for a fresh output.
        misplaced: why its place is not what its selectors ask for, None when it is.
    """

    key: RequestKey
    submission: Submission
    promise: Promise
    object: JsonObject
    asked: JsonObject
    record: Record | None
    observed: Mapping[str, str] = field(default_factory=dict[str, str])
    input_digest: str | None = None
    status: Mapping[str, Json] = field(default_factory=dict[str, Json])
    placements: tuple[Placement, ...] = ()
    suspension: Suspension | None = None
    settled: Settled | None = None
    misplaced: str | None = None

    @property
    def generation(self) -> int:
        """The generation after this run: one more than the record's when the spec changed."""
        if self.record is None:
            return 1
        changed = canonical(self.record.spec) != canonical(self.submission.request.spec)
        return self.record.generation + (1 if changed else 0)

    @property
    def digests(self) -> dict[str, str]:
        """Path → digest of every file that was rendered."""
        return {
            path: digest
            for placement in self.placements
            for path, digest in (placement.digests or {}).items()
        }

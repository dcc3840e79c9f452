"""A case: one request, and what the checks brought about of it so far."""

from dataclasses import dataclass, field
from pathlib import Path

from troth.api import JsonObject, Promise
from troth.engine import Submission
from troth.engine.draft import Draft
from troth.kit.bench import Bench
from troth.kit.crds import Crds
from troth.kit.golden import spell_golden
from troth.kit.rehearsal import Rehearsal, Take

__all__ = ["PROMISE_FOLDER", "Case", "FailedCheck", "NotChecked", "Setting"]

PROMISE_FOLDER = "Promise"
"""The folder of what the promise workflow renders; no request can have that name."""


class NotChecked(Exception):  # noqa: N818  (it is no error)
    """There is nothing to look at; the text says why."""


class FailedCheck(Exception):  # noqa: N818  (a verdict, and no error of ours)
    """Something is wrong; the text says what in sentences, and a diff may follow."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What all requests of a bundle are examined with.

    Attributes:
        bundle: its name, for reports.
        promise: its Promise.
        bench: runs the stages.
        rehearsal: takes requests up the ladder.
        expected: the folder of golden output.
        update: whether golden output is written, not compared.
        crds: schemas of rendered objects, None when none were given.
        specs: of the bundle's own requests, which random ones are like.
    """

    bundle: str
    promise: Promise
    bench: Bench
    rehearsal: Rehearsal
    expected: Path
    update: bool = False
    crds: Crds | None = None
    specs: tuple[JsonObject, ...] = ()


@dataclass(slots=True)
class Case:
    """One request on its way through the checks.

    Attributes:
        draft: the request as it was admitted; not there before that.
        take: what it rendered in the usual conditions; not there before that.
        judged: the draft with the objects it holds, None unless every gate let it pass.
    """

    setting: Setting
    submission: Submission
    draft: Draft = field(init=False)
    take: Take = field(init=False)
    judged: Draft | None = None

    @property
    def name(self) -> str:
        """The request's name."""
        return self.submission.request.name

    @property
    def folder(self) -> Path:
        """Where its golden output stands."""
        return self.setting.expected / (PROMISE_FOLDER if self.submission.is_promise else self.name)

    @property
    def shows(self) -> bool:
        """Whether its output may be printed: no gate refused it, and no secret may be in it."""
        return self.judged is not None and not self.setting.promise.allows_plain_secrets

    def golden(self, take: Take, *, state: bool = True) -> dict[str, bytes]:
        """Return a take as golden output.

        Raises:
            OutputRefusedError: an output file is called as a metadata file.
        """
        workflows = self.setting.promise.workflows
        own = self.submission.is_promise
        several = len(workflows.promise_configure if own else workflows.resource_configure) > 1
        return spell_golden(take.results, several=several, state=state)

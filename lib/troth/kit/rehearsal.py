"""A rehearsal: the rungs of the engine's ladder, climbed with no store and nothing written.

Here the engine is put together as a run puts it together; only a few checks use a gate of it
directly. Each rung is the engine's own function, so that what passes here passes in ``troth sync``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from troth.api import Destination, Json, Pipeline, Promise
from troth.engine import Ledger, Moment, Rendered, Renderer, Settings, Submission, View, World
from troth.engine.admit import Admission
from troth.engine.adopt import Adoptions
from troth.engine.claim import Claims
from troth.engine.decide import in_order
from troth.engine.digest import InputDigests
from troth.engine.draft import Draft
from troth.engine.prepare import Preparer
from troth.errors import TrothError, UnscheduledError, WaitingError
from troth.local.session import ASSUMED_DESTINATION
from troth.runners import Runner, StageJob, StageResult

__all__ = ["Rehearsal", "Take"]

_NO_STATUS: Mapping[str, Json] = {}


@dataclass(frozen=True, slots=True)
class Take:
    """What one rendering left.

    Attributes:
        rendered: what the engine made of it.
        moment: when it was.
        results: what each pipeline that ran left, by its name.
        stage_error: what a stage ended with, None when all of them came to their end.
        error: what the rendering ended with; then `rendered` is empty.
    """

    rendered: Rendered
    moment: Moment
    results: tuple[tuple[str, StageResult], ...]
    stage_error: TrothError | None = None
    error: TrothError | None = None


@dataclass(slots=True)
class _Listener:
    """Passes on what a runner gives, and remembers it."""

    runner: Runner
    results: list[tuple[str, StageResult]] = field(default_factory=list[tuple[str, StageResult]])
    error: TrothError | None = None

    @property
    def parallelism(self) -> int:
        """How many runs the runner does at once."""
        return self.runner.parallelism

    def fingerprint(self, pipeline: Pipeline) -> str:
        """Name the code that would run."""
        return self.runner.fingerprint(pipeline)

    def run(self, job: StageJob) -> StageResult:
        """Run a pipeline, and remember how it ended. Raises as the runner."""
        try:
            result = self.runner.run(job)
        except TrothError as error:
            self.error = error
            raise
        self.results.append((job.pipeline.name, result))
        return result

    def close(self) -> None:
        """Leave the runner open: it is somebody else's."""


@dataclass(slots=True)
class _Replay:
    """Gives once more what pipelines left before, in that order."""

    results: list[tuple[str, StageResult]]
    parallelism: int = 1

    def fingerprint(self, pipeline: Pipeline) -> str:
        """Name no code: none runs."""
        return pipeline.name

    def run(self, job: StageJob) -> StageResult:  # noqa: ARG002  (the runner's signature)
        """Return what the next pipeline left."""
        return self.results.pop(0)[1]

    def close(self) -> None:
        """There is nothing to end."""


class Rehearsal:
    """Takes requests of one Promise up the ladder.

    Args:
        promise: the Promise.
        destinations: where output may go, by name; one that takes everything when there is none.
    """

    def __init__(self, promise: Promise, destinations: Mapping[str, Destination]) -> None:
        known = destinations or {ASSUMED_DESTINATION.name: ASSUMED_DESTINATION}
        self._promise = promise
        self._world = World({promise.name: promise}, known)
        self._nothing = Ledger(View({}))
        self._admission = Admission(self._world, self._nothing)
        self._settings = Settings()

    def admit(self, submission: Submission) -> Draft:
        """Validate a request, or the Promise itself for what it renders.

        Raises PermanentError when sync would not take it.
        """
        if submission.is_promise:
            return self._admission.admit_promise(submission, self._promise)
        return self._admission.admit(submission)

    def render(
        self,
        draft: Draft,
        runner: Runner,
        moment: Moment,
        status: Mapping[str, Json] = _NO_STATUS,
    ) -> Take:
        """Run the configure workflow; what went wrong is part of the answer."""
        listener = _Listener(runner)
        renderer = Renderer(listener, lambda: moment, rehearses=True)
        rendered, failed = Rendered(), None
        try:
            rendered = renderer.configure(self._promise, draft.numbered, status, draft.key.workflow)
        except TrothError as error:
            failed = error
        return Take(rendered, moment, tuple(listener.results), listener.error, failed)

    def delete(self, draft: Draft, runner: Runner, moment: Moment, take: Take) -> None:
        """Run the delete workflow from the state that a rendering left. Raises as the stages."""
        renderer = Renderer(runner, lambda: moment, rehearses=True)
        workflow = draft.key.workflow
        renderer.delete(self._promise, draft.numbered, take.rendered.status, workflow)

    def judge(self, draft: Draft, take: Take) -> Draft:
        """Pass an output through the gates and find out what it holds; no stage runs again.

        Raises:
            OutputRefusedError, InvalidInputError: it may not be written; the gate says why.
            UnscheduledError, NotServedError: no Destination takes it.
        """
        replay = _Replay(list(take.results))
        preparer = Preparer(
            world=self._world,
            ledger=self._nothing,
            admission=self._admission,
            digests=InputDigests(replay),
            renderer=Renderer(replay, lambda: take.moment, rehearses=True),
            adoptions=Adoptions(self._world, self._nothing),
            claims=Claims(self._nothing, self._world),
            inventory=self._settings.inventory,
            limits=self._settings.limits,
        )
        judged = preparer.finish(draft)
        if judged.settled is not None and judged.suspension is None:
            raise UnscheduledError(judged.settled.follows.reason, judged.settled.message)
        self.claim([judged])  # two pipelines may have rendered the same
        return judged

    def claim(self, drafts: Sequence[Draft]) -> list[str]:
        """Let requests claim what they hold, in the order of their keys, parents of routes first.

        Returns:
            What their routes wait for that none of them makes; such routes are not decided.

        Raises:
            HeldError: two of them render the same, or ask for the same route.
            OutputRefusedError: one of them renders it twice, or may not have its route.
        """
        claims = Claims(self._nothing, self._world)

        def take(draft: Draft) -> WaitingError | None:
            try:
                claims.take(draft)
            except WaitingError as error:
                return error
            return None

        waiting = in_order(drafts, take)
        for draft, _ in waiting:
            claims.take(replace(draft, traits={}))  # its objects are to be compared all the same
        return [f"{draft.key.name}: {error.message}" for draft, error in waiting]

"""The runner itself: from a job to a run folder, an order for each container, and a result."""

import json
import os
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType, TracebackType
from typing import Self

from troth.api import Pipeline, Secrets, digest_of, dump_documents
from troth.errors import OutputRefusedError, TrothError
from troth.runners.protocol import Inspected, InspectionJob, StageJob, StageResult
from troth.runners.warm._conditions import Conditions
from troth.runners.warm._folders import Workspace
from troth.runners.warm._images import Images, Step
from troth.runners.warm._inspections import Look, looks, refuse_leaks
from troth.runners.warm._leaks import find_leaks, without_secrets
from troth.runners.warm._limits import Limits
from troth.runners.warm._messages import Order
from troth.runners.warm._output import read_inspection, read_result
from troth.runners.warm._pool import Pool
from troth.runners.warm._sources import sdk_digest, stages_digest
from troth.runners.warm._variables import Variables, variables_of
from troth.runners.warm._verdicts import Culprit, error_of

__all__ = ["WarmRunner"]

_IMAGES: Mapping[str, str] = MappingProxyType({"troth-stage:*": "troth"})
_LIMITS = Limits()
_CONDITIONS = Conditions()

# What every stage has beside the file contract's variables: what a slim image would give it.
_ENVIRON: Mapping[str, str] = MappingProxyType(
    {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
    }
)


class WarmRunner:
    """Runs stages of installed distributions in worker processes; an `InspectingRunner`.

    Processes start with the first run and import from this process's ``sys.path``. Close the
    runner, or use it in a ``with`` statement; a forgotten one ends with the interpreter, and
    its processes end by themselves when this one is killed.

    Args:
        images: image → distribution whose stages stand for it. ``*`` stands for anything; the
            whole reference may match, or its last path component. The tag has to be the
            distribution's version, in full or as major.minor.
        workers: how many runs at once; as many as the machine has processors by default.
        limits: what one run may use up.
        conditions: what the processes are like.
        secrets: where Secrets and ConfigMaps are that variables come from.
    """

    def __init__(
        self,
        images: Mapping[str, str] = _IMAGES,
        workers: int | None = None,
        limits: Limits = _LIMITS,
        conditions: Conditions = _CONDITIONS,
        secrets: Secrets | None = None,
    ) -> None:
        if workers is not None and workers < 1:
            raise ValueError(f"a runner needs at least one worker, not {workers}")
        self._images = Images(images)
        self._limits = limits
        self._secrets = secrets
        self._environ = {**_ENVIRON, **conditions.environ}
        self._workspace = Workspace()
        self._pool = Pool(
            workers or os.cpu_count() or 1,
            self._workspace.path,
            self._images.distributions,
            limits,
            conditions,
        )
        self._digests: dict[str, str] = {}
        self._digesting = threading.Lock()
        self._finalizer = weakref.finalize(self, _end, self._pool, self._workspace, os.getpid())

    @property
    def parallelism(self) -> int:
        """How many runs it does at once."""
        return self._pool.size

    def steps(self, pipeline: Pipeline) -> tuple[Step, ...]:
        """Return which stages stand for a pipeline's containers, in order.

        Raises:
            NotServedError: as `fingerprint`.
        """
        return self._images.steps(pipeline)

    def fingerprint(self, pipeline: Pipeline) -> str:
        """Name the code that would run: a digest of the stages' sources and of the SDK's.

        Sources are read once in a runner's life, as its workers import them once: an edit counts
        from the next runner on, which is the next ``troth sync``.

        Raises:
            NotServedError: an image or a field that is not served, or no such stage.
        """
        distributions = {step.distribution for step in self._images.steps(pipeline)}
        with self._digesting:
            if not self._digests:
                self._digests[""] = sdk_digest()
            for name in distributions - self._digests.keys():
                self._digests[name] = stages_digest(name)
        return digest_of({name: self._digests[name] for name in ("", *distributions)})

    def run(self, job: StageJob) -> StageResult:
        """Run a pipeline's containers in order on one fresh folder.

        Raises:
            NotServedError: as `fingerprint`.
            InvalidInputError: a Secret that a variable comes from cannot be had.
            StageError: a stage failed, hung, crashed or ate too much memory.
            OutputRefusedError: it left a symlink, an unsafe path, or too much.
            TransientError: no process could be started, or no run folder made.
            ValueError: the runner is closed.
        """
        steps = self._steps(job.pipeline)
        given = [variables_of(step, job, self._environ, self._secrets) for step in steps]
        secrets = {value: name for one in given for value, name in one.secrets.items()}
        laid = {
            "object.yaml": dump_documents([job.object]),
            "troth.json": json.dumps(job.context).encode(),
        }
        with self._workspace.run_folder(laid) as root:
            for step, variables in zip(steps, given, strict=True):
                order = _order(step, variables, job.promise, root)
                self._run_step(step, order, secrets)
            result = _read(root, self._limits, secrets)
        left = {f"output/{path}": content for path, content in result.files.items()}
        left |= {f"metadata/{name}": content for name, content in result.metadata.items()}
        return replace(result, leaks=find_leaks(left, secrets))

    def inspect(self, job: InspectionJob) -> Sequence[Inspected]:
        """Have a pipeline's stages look, as `InspectingRunner.inspect` says.

        Each look is a run of its own: a fresh folder, a cleared environment, the limits of a run.

        Raises:
            NotServedError: as `fingerprint`.
            ValueError: the runner is closed.
        """
        found: list[Inspected] = []
        for step in self._steps(job.pipeline):
            ready, failed = looks(step, job, self._environ, self._secrets)
            found += failed
            found += [self._look(step, job, look) for look in ready]
        return found

    def _look(self, step: Step, job: InspectionJob, look: Look) -> Inspected:
        try:
            with self._workspace.run_folder(look.laid(job)) as root:
                order = _order(step, look.variables, job.promise, root)
                self._run_step(step, order, look.variables.secrets)
                said = read_inspection(root, self._limits)
            refuse_leaks(said or b"", look.variables.secrets)
        except TrothError as error:
            return Inspected(look.namespaces, error=error)
        return Inspected(look.namespaces, said)

    def _steps(self, pipeline: Pipeline) -> tuple[Step, ...]:
        steps = self._images.steps(pipeline)
        if not self._finalizer.alive:
            raise ValueError("the runner is closed")
        return steps

    def _run_step(self, step: Step, order: Order, secrets: Mapping[str, str]) -> None:
        answer = self._pool.call(order)
        culprit = Culprit(step.stage, step.container, order.root, secrets)
        error = error_of(answer, culprit, self._limits)
        if error is not None:
            raise error

    def close(self) -> None:
        """End every process and remove the temporary folder; more than once does no harm."""
        self._finalizer()

    def __enter__(self) -> Self:
        """Return the runner."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the runner."""
        self.close()


def _order(step: Step, variables: Variables, promise: str, root: str) -> Order:
    environ = {**variables.environ, "HOME": root}
    keeper = promise if variables.secrets else ""
    return Order(step.stage, step.distribution, root, environ, keeper)


def _read(root: str, limits: Limits, secrets: Mapping[str, str]) -> StageResult:
    """Read what a run left; names of files may hold a secret, so no message quotes one."""
    try:
        return read_result(root, limits)
    except OutputRefusedError as error:
        raise OutputRefusedError(error.reason, without_secrets(error.message, secrets)) from None


def _end(pool: Pool, workspace: Workspace, owner: int) -> None:
    """End a runner's processes, unless this is a fork of the process they belong to."""
    if os.getpid() == owner:
        pool.close()
        workspace.remove()

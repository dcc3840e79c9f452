"""Render: run a Promise's pipelines on a request, in order, and gather what they left."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil
from types import MappingProxyType
from typing import NamedTuple

from troth.api import (
    Fields,
    Json,
    JsonObject,
    Pipeline,
    Promise,
    RequestKey,
    WorkflowType,
    canonical,
    dump_documents,
)
from troth.engine.metadata import Control, merge_status, read_control, read_selectors, read_status
from troth.engine.suspension import Suspension
from troth.engine.values import Group
from troth.errors import NotServedError, OutputRefusedError, PermanentError, Reason, StageError
from troth.runners import Runner, StageJob, StageResult
from troth.sdk import UNKNOWN, Drift
from troth.sdk.effects import PERFORM, RECALL

__all__ = ["Moment", "Rendered", "Renderer", "refuse_own_effects", "refuse_unknown"]

# Where Kratix runs a Promise's own workflow, and so where its Secrets are.
_SYSTEM_NAMESPACE = "kratix-platform-system"

_NONE: Mapping[str, Drift] = MappingProxyType({})


class Moment(NamedTuple):
    """What a run may know of the world: the time and some randomness."""

    now: datetime
    seed: bytes

    @property
    def as_input(self) -> JsonObject:
        """Spell it as input/troth.json."""
        return {"now": self.now.strftime("%Y-%m-%dT%H:%M:%SZ"), "seed": self.seed.hex()}


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the pipelines of a workflow left together.

    Attributes:
        groups: the output, split by where it wants to be; empty when suspended.
        status: the request's status after the last pipeline.
        suspension: what a pipeline asked for, None when all of them ran to their end; its input
            digest is left for who knows it.
        due: when the stages want to run again though nothing has changed; UTC, whole seconds.
        effects: what they would have done outside, had they been let; where they were, what they
            could not do.
    """

    groups: tuple[Group, ...] = ()
    status: Mapping[str, Json] = field(default_factory=dict[str, Json])
    suspension: Suspension | None = None
    due: datetime | None = None
    effects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Renderer:
    """Runs workflows.

    Args:
        runner: runs a pipeline's stages.
        moment: gives each run its clock and randomness.
        performs: whether stages do outside what they want to do.
        rehearses: whether nothing of what is rendered is written anywhere.
        sealing: what a Promise's secrets are sealed with, as input/troth.json spells it; None
            where nothing is known.
    """

    runner: Runner
    moment: Callable[[], Moment]
    performs: bool = False
    rehearses: bool = False
    sealing: Callable[[Promise], JsonObject | None] = lambda _: None

    @property
    def performing(self) -> "Renderer":
        """The same, but stages do outside what they want to do."""
        return replace(self, performs=True)

    def configure(
        self,
        promise: Promise,
        asked: JsonObject,
        status: Mapping[str, Json],
        workflow: WorkflowType = WorkflowType.RESOURCE,
        drifts: Mapping[str, Drift] = _NONE,
    ) -> Rendered:
        """Run a configure workflow.

        Args:
            promise: whose pipelines run.
            asked: object.yaml without status.
            status: what earlier runs left.
            workflow: which; static dependencies count as the first output of a Promise's own.
            drifts: what the stages of each pipeline are to mend outside.

        Raises:
            NotServedError, StageError, OutputRefusedError: as `Runner.run`.
            InvalidInputError: a metadata file is not as the contract wants it.
        """
        groups = _dependencies(promise) if workflow is WorkflowType.PROMISE else []
        dues: list[datetime] = []
        effects: list[str] = []
        for pipeline in promise.workflows.of(workflow).configure:
            job = self._job(promise, pipeline, {**asked, "status": status}, "configure", workflow)
            if pipeline.name in drifts:
                drift = drifts[pipeline.name].encode()
                job = replace(job, context={**job.context, "drift": drift})
            with _naming(pipeline):
                result = self._run(promise, job)
                status = merge_status(status, read_status(result.metadata, workflow))
                control = read_control(result.metadata)
                effects += control.effects
                if control.reconcile_after is not None:
                    dues.append(_later(_told(job), control.reconcile_after))
                due = min(dues, default=None)
                if control.suspends:
                    suspension = _suspension(pipeline, control, self.moment().now)
                    return Rendered((), status, suspension, due, tuple(effects))
                selectors = read_selectors(result.metadata, result.files)
            groups += _split(promise, pipeline, result.files, selectors.root, selectors.folders)
        return Rendered(tuple(groups), status, None, min(dues, default=None), tuple(effects))

    def delete(
        self,
        promise: Promise,
        asked: JsonObject,
        status: Mapping[str, Json],
        workflow: WorkflowType = WorkflowType.RESOURCE,
    ) -> Rendered:
        """Run every pipeline of a delete workflow; their output is ignored.

        Takes and raises the same as `configure`.
        """
        for pipeline in promise.workflows.of(workflow).delete:
            job = self._job(promise, pipeline, {**asked, "status": status}, "delete", workflow)
            with _naming(pipeline):
                result = self._run(promise, job)
                status = merge_status(status, read_status(result.metadata, workflow))
                control = read_control(result.metadata)
            if control.suspends:
                return Rendered((), status, _suspension(pipeline, control, self.moment().now))
        return Rendered((), status)

    def _job(
        self,
        promise: Promise,
        pipeline: Pipeline,
        content: JsonObject,
        action: str,
        workflow: WorkflowType,
    ) -> StageJob:
        identity = Fields(content).section("metadata")
        group, _, version = str(content["apiVersion"]).rpartition("/")
        own = workflow is WorkflowType.PROMISE
        plural = promise.api.plural if promise.api and not own else "promises"
        environ = {
            "KRATIX_WORKFLOW_ACTION": action,
            "KRATIX_WORKFLOW_TYPE": workflow.value,
            "KRATIX_PROMISE_NAME": promise.name,
            "KRATIX_PIPELINE_NAME": pipeline.name,
            "KRATIX_OBJECT_KIND": str(content["kind"]),
            "KRATIX_OBJECT_GROUP": group,
            "KRATIX_OBJECT_VERSION": version,
            "KRATIX_OBJECT_NAME": identity.text("name"),
            "KRATIX_OBJECT_NAMESPACE": identity.text("namespace", ""),
            "KRATIX_CRD_PLURAL": plural,
            "KRATIX_CLUSTER_SCOPED": str(own).lower(),
        }
        namespace = (
            _SYSTEM_NAMESPACE
            if own
            else promise.secrets_namespace(environ["KRATIX_OBJECT_NAMESPACE"])
        )
        context = {**self.moment().as_input, "effects": PERFORM if self.performs else RECALL}
        sealing = self.sealing(promise)
        if sealing is not None:
            context["sealing"] = sealing
        return StageJob(
            promise=promise.name,
            pipeline=pipeline,
            environ=environ,
            object=content,
            context=context,
            namespace=namespace,
            rehearsed=self.rehearses,
        )

    def _run(self, promise: Promise, job: StageJob) -> StageResult:
        """Run a pipeline, and refuse what gives a secret away that it was given."""
        result = self.runner.run(job)
        for file, variable in result.leaks:
            if file.startswith("output/") and promise.allows_plain_secrets:
                continue
            message = (
                f"{file} holds the value of the variable {variable}, which comes from a Secret; "
                "seal it, or leave it out. What is no secret belongs into a ConfigMap."
            )
            raise OutputRefusedError(Reason.PLAIN_SECRET, message)
        return result


def refuse_unknown(rendered: Rendered, *, performed: bool = False) -> None:
    """Refuse what is known only once effects are performed, where none are wanted or they were.

    Raises:
        StageError: such a value would be written.
    """
    if rendered.effects and not performed:
        return
    unknown = str(UNKNOWN).encode()
    files = [pair for group in rendered.groups for pair in (group.files or {}).items()]
    where = next((path for path, text in files if unknown in text), None)
    if where is None and unknown in canonical(rendered.status):
        where = "the status"
    if where is not None:
        message = (
            f"{where} holds a value that is {UNKNOWN}, yet the stage asked for no effect that "
            "gives it. The stage has to be mended."
        )
        raise StageError(Reason.STAGE_FAILED, message)


def refuse_own_effects(key: RequestKey, rendered: Rendered) -> None:
    """Refuse effects of a Promise's own workflow, which has no state to know them again by.

    Kratix keeps nothing of its status but ``message``, so it would act in every run.

    Raises:
        NotServedError: there are some; none was performed.
    """
    if key.is_promise and rendered.effects:
        message = (
            f"a Promise's own workflow acts outside ({'; '.join(rendered.effects)}), but has no "
            "status in which it could keep what it has done, so it would do it again in every run. "
            "Let a request of the Promise do it. Nothing was done."
        )
        raise NotServedError(Reason.PIPELINE_NOT_SERVED, message)


@contextmanager
def _naming(pipeline: Pipeline) -> Generator[None]:
    """Say which pipeline an error came from."""
    try:
        yield
    except PermanentError as error:
        raise error.about(f"pipeline {pipeline.name}") from error


def _suspension(pipeline: Pipeline, control: Control, now: datetime) -> Suspension:
    after = control.retry_after
    return Suspension(
        pipeline.name, control.message, _later(now, after) if after is not None else None
    )


def _told(job: StageJob) -> datetime:
    """Return the moment that stages were told, however long they have run since.

    From this they reckon when they want to run again: so it stays the same moment in every run.
    """
    return datetime.fromisoformat(str(job.context["now"]))


def _later(now: datetime, seconds: float) -> datetime:
    return now.replace(microsecond=0) + timedelta(seconds=ceil(seconds))


def _dependencies(promise: Promise) -> list[Group]:
    """Return a Promise's static dependencies as the workload group that Kratix makes of them."""
    if not promise.dependencies:
        return []
    path = f"static/{promise.name}-dependencies.yaml"
    content = dump_documents(list(promise.dependencies))
    return [Group("", ".", promise.selectors, {path: content})]


def _split(
    promise: Promise,
    pipeline: Pipeline,
    files: Mapping[str, bytes],
    root: Mapping[str, str] | None,
    folders: Mapping[str, Mapping[str, str]],
) -> list[Group]:
    """Split a pipeline's output into workload groups, Kratix's way.

    A folder that is named goes where its own selector says; the rest goes where the Promise says,
    then the workflow, label by label.
    """
    groups: list[Group] = []
    rest = dict(files)
    for directory, selector in sorted(folders.items()):
        inside = {path: rest.pop(path) for path in files if path.startswith(f"{directory}/")}
        groups.append(Group(pipeline.name, directory, selector, inside))
    if rest:
        groups.append(Group(pipeline.name, ".", {**(root or {}), **promise.selectors}, rest))
    return groups

"""Inspect: have a Promise's stages look at what its requests have outside, and read what they say.

What a stage says is foreign: an answer that makes no sense, or tells of a request that it was not
asked about, is used for nobody.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from troth.api import Json, JsonObject, Pipeline, Promise, RequestKey, WorkflowType, is_object
from troth.engine.render import Moment
from troth.engine.secrets import plain_secret_in_text
from troth.errors import OutputRefusedError, Reason, StageError, TrothError
from troth.runners import Inspected, InspectingRunner, InspectionJob
from troth.sdk import Finding, Inspection
from troth.sdk.effects import RECALL
from troth.sdk.inspecting import INSPECT

__all__ = ["Account", "Inspector", "Judged", "Told"]


class Account(NamedTuple):
    """Whatever a Promise's stages ask once for all that belong to it."""

    promise: str
    name: str


class Told(NamedTuple):
    """What the stages of one pipeline found; "" stands for none of them."""

    pipeline: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Judged:
    """What the stages of a Promise say.

    Attributes:
        findings: of each request, each with its pipeline; none where no stage says anything.
        calls: how often each account was asked.
    """

    findings: Mapping[RequestKey, Sequence[Told]]
    calls: Mapping[Account, int] = field(default_factory=dict[Account, int])


@dataclass(frozen=True, slots=True)
class Inspector:
    """Has stages look.

    Args:
        runner: runs them.
        moment: gives each look its clock.
    """

    runner: InspectingRunner
    moment: Callable[[], Moment]

    def inspect(self, promise: Promise, objects: Mapping[RequestKey, JsonObject]) -> Judged:
        """Return what a Promise's stages say of its requests.

        Args:
            promise: its pipelines that configure are asked, container by container.
            objects: of each request, object.yaml with its status.

        Raises:
            NotServedError: as `InspectingRunner.inspect`.
        """
        findings: dict[RequestKey, list[Told]] = {key: [] for key in objects}
        calls: dict[Account, int] = {}
        for pipeline in promise.workflows.of(WorkflowType.RESOURCE).configure:
            for inspected in self.runner.inspect(self._job(promise, pipeline, objects)):
                asked = {
                    _id(key): key
                    for key in objects
                    if promise.secrets_namespace(key.namespace) in inspected.namespaces
                }
                try:
                    said = _read(inspected, asked)
                except TrothError as error:
                    why = error.about(f"pipeline {pipeline.name}").message
                    for key in asked.values():
                        findings[key].append(Told(pipeline.name, Finding.unknown(why)))
                    continue
                for who, finding in said.findings.items():
                    findings[asked[who]].append(Told(pipeline.name, finding))
                for name, count in said.calls.items():
                    account = Account(promise.name, name)
                    calls[account] = calls.get(account, 0) + count
        return Judged(findings, calls)

    def _job(
        self, promise: Promise, pipeline: Pipeline, objects: Mapping[RequestKey, JsonObject]
    ) -> InspectionJob:
        requests: dict[str, list[JsonObject]] = {}
        for key in sorted(objects):
            where = promise.secrets_namespace(key.namespace)
            requests.setdefault(where, []).append(objects[key])
        environ = {
            "KRATIX_WORKFLOW_ACTION": INSPECT,
            "KRATIX_WORKFLOW_TYPE": WorkflowType.RESOURCE.value,
            "KRATIX_PROMISE_NAME": promise.name,
            "KRATIX_PIPELINE_NAME": pipeline.name,
        }
        context = {**self.moment().as_input, "effects": RECALL}
        return InspectionJob(promise.name, pipeline, environ, requests, context)


def _id(key: RequestKey) -> str:
    return f"{key.namespace}/{key.name}"


def _read(inspected: Inspected, asked: Mapping[str, RequestKey]) -> Inspection:
    """Read what a stage said.

    Raises:
        TrothError: it failed, or what it said is of no use.
    """
    if inspected.error is not None:
        raise inspected.error
    if inspected.said is None:
        return Inspection()
    text = inspected.said.decode(errors="replace")
    if (found := plain_secret_in_text(text)) is not None:
        message = f"what the stage says of its requests holds {found[1]}; nothing of it is used."
        raise OutputRefusedError(Reason.PLAIN_SECRET, message)
    try:
        loaded = cast("Json", json.loads(text))
    except (ValueError, RecursionError):
        loaded = None
    if not is_object(loaded):
        message = "what the stage says of its requests is no JSON object."
        raise StageError(Reason.STAGE_FAILED, message)
    said = Inspection.decode(loaded)
    foreign = sorted(said.findings.keys() - asked.keys())
    if foreign:
        message = f"the stage tells of {foreign[0]!r}, which it was not asked about."
        raise StageError(Reason.STAGE_FAILED, message)
    return said

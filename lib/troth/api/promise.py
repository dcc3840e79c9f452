"""The view of a Promise: what may be asked for, and the workflows that fulfil it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from troth.api.external import External
from troth.api.fence import Fence
from troth.api.json_values import Fields, Json, JsonObject, digest_of
from troth.api.labels import (
    ALLOW_PLAIN_SECRETS,
    EXTERNAL,
    FENCE,
    PAUSED,
    PROMISE_VERSION,
    RECONCILE_RESOURCES,
    SEALS_FOR,
    SECRETS_NAMESPACE,
)
from troth.api.names import dns_label_problem, label_key_problem, label_value_problem
from troth.api.pipeline import Pipeline
from troth.errors import Reason

__all__ = ["Api", "Kind", "Promise", "Requirement", "Workflow", "WorkflowType", "Workflows"]

# Kratix names ServiceAccounts <promise>-<type>-<action>-<pipeline>, at most 60 characters.
_PIPELINE_ID_LIMIT = 60


class Kind(NamedTuple):
    """A group and a kind, which together say what an object is."""

    group: str
    kind: str


@dataclass(frozen=True, slots=True)
class Api:
    """The kind a Promise offers.

    `schemas` maps each served version to its OpenAPI v3 schema of the whole object; `plural` is
    the resource's name in URLs. `stored` is the version that speaks for the kind where one has to:
    the one that is stored if it is served too, else the last that is served.
    """

    group: str
    kind: str
    plural: str
    schemas: dict[str, JsonObject]
    stored: str

    @property
    def schema(self) -> JsonObject:
        """The schema of the version `stored`."""
        return self.schemas[self.stored]


class WorkflowType(StrEnum):
    """What a workflow is run for (KRATIX_WORKFLOW_TYPE)."""

    RESOURCE = "resource"
    PROMISE = "promise"


class Workflow(NamedTuple):
    """The pipelines of one type, each list in the order in which they run."""

    configure: tuple[Pipeline, ...]
    delete: tuple[Pipeline, ...]


@dataclass(frozen=True, slots=True)
class Workflows:
    """The pipelines of a Promise, each list in the order in which they run."""

    resource_configure: tuple[Pipeline, ...] = ()
    resource_delete: tuple[Pipeline, ...] = ()
    promise_configure: tuple[Pipeline, ...] = ()
    promise_delete: tuple[Pipeline, ...] = ()

    def of(self, kind: WorkflowType) -> Workflow:
        """Return the workflow of a type."""
        if kind is WorkflowType.PROMISE:
            return Workflow(self.promise_configure, self.promise_delete)
        return Workflow(self.resource_configure, self.resource_delete)


class Requirement(NamedTuple):
    """Another Promise that has to be installed; without a version any will do."""

    name: str
    version: str

    def __str__(self) -> str:
        """Spell it as messages do."""
        return f'"{self.name}" at version "{self.version}"' if self.version else f'"{self.name}"'


@dataclass(frozen=True, slots=True)
class Promise:
    """A Promise as a platform engineer installs it.

    `selectors` are spec.destinationSelectors squashed as Kratix does: the first item wins a key.
    `dependencies` are manifests for every Destination that matches, `external` what output may
    refer to although no request makes it. `pipeline_namespace` is where Kratix runs all pipelines
    (spec.workflows.config.pipelineNamespace), "" where that is the request's own. `digest` names
    this revision: sha256 over name, labels, annotations and spec.
    """

    name: str
    labels: dict[str, str]
    annotations: dict[str, str]
    api: Api | None
    workflows: Workflows
    selectors: dict[str, str]
    fence: Fence
    raw: JsonObject
    dependencies: tuple[JsonObject, ...] = ()
    requires: tuple[Requirement, ...] = ()
    external: External = field(default_factory=External)
    pipeline_namespace: str = ""
    digest: str = field(default="")

    @property
    def version(self) -> str:
        """The label kratix.io/promise-version, ``not-set`` without one (as Kratix says it)."""
        return self.labels.get(PROMISE_VERSION, "not-set")

    @property
    def has_own_output(self) -> bool:
        """Whether the Promise itself, apart from its requests, has anything to render or undo."""
        own = self.workflows.promise_configure or self.workflows.promise_delete
        return bool(own or self.dependencies)

    @property
    def paused(self) -> bool:
        """Whether everything of it is to be left alone, requests included."""
        return self.labels.get(PAUSED) == "true"

    @property
    def forces_requests(self) -> bool:
        """Whether all its requests are to be rendered again."""
        return self.labels.get(RECONCILE_RESOURCES) == "true"

    @property
    def seals_for(self) -> str | None:
        """The Destination that its secrets are sealed for, None when it names none."""
        return self.annotations.get(SEALS_FOR) or None

    @property
    def allows_plain_secrets(self) -> bool:
        """Whether the Promise is exempt from the secret gate, by annotation."""
        return self.annotations.get(ALLOW_PLAIN_SECRETS) == "true"

    def secrets_namespace(self, requested: str) -> str:
        """Return where the Secrets are that stages take variables from, for a request's namespace.

        Its own annotation says it, else where Kratix would run its pipelines.
        """
        return self.annotations.get(SECRETS_NAMESPACE) or self.pipeline_namespace or requested

    @classmethod
    def parse(cls, raw: JsonObject) -> "Promise":
        """Read a Promise.

        Raises:
            InvalidInputError: a field is missing or of the wrong type, the API is not
                namespaced, or a pipeline is not as Kratix wants it.
        """
        root = Fields(raw, reason=Reason.PROMISE_INVALID)
        metadata, spec = root.section("metadata"), root.section("spec")
        name = metadata.text("name")
        if problem := dns_label_problem(name):
            raise metadata.error("name", f"{problem}.")
        labels, annotations = metadata.string_map("labels"), metadata.string_map("annotations")
        for key, value in labels.items():
            if problem := label_key_problem(key) or label_value_problem(value):
                raise metadata.section("labels").error(key, f"{problem}.")
        if (said := annotations.get(SECRETS_NAMESPACE)) and (problem := dns_label_problem(said)):
            raise metadata.section("annotations").error(SECRETS_NAMESPACE, f"{problem}.")
        fence = Fence.parse(annotations[FENCE]) if FENCE in annotations else Fence()
        identity: dict[str, Json] = {"name": name, "labels": labels, "annotations": annotations}
        return cls(
            name=name,
            labels=labels,
            annotations=annotations,
            api=_api(spec.section("api")) if spec.mapping("api") else None,
            workflows=_workflows(name, spec.section("workflows")),
            selectors=_squash(spec),
            fence=fence,
            raw=raw,
            dependencies=tuple(item.raw for item in spec.items("dependencies")),
            requires=_requirements(spec),
            external=_external(annotations),
            pipeline_namespace=spec.section("workflows")
            .section("config")
            .text("pipelineNamespace", ""),
            digest=digest_of({**identity, "spec": spec.raw}),
        )


def _external(annotations: dict[str, str]) -> External:
    return External.parse(annotations[EXTERNAL]) if EXTERNAL in annotations else External()


def _requirements(spec: Fields) -> tuple[Requirement, ...]:
    return tuple(
        Requirement(item.text("name"), item.text("version", ""))
        for item in spec.items("requiredPromises")
    )


def _squash(spec: Fields) -> dict[str, str]:
    squashed: dict[str, str] = {}
    for item in spec.items("destinationSelectors"):
        for key, value in item.string_map("matchLabels").items():
            squashed.setdefault(key, value)
    return squashed


def _api(fields: Fields) -> Api:
    spec = fields.section("spec")
    if spec.text("scope", "Namespaced") != "Namespaced":
        raise spec.error(
            "scope", "promise api needs to be namespace scoped; spec.api.spec.scope cannot be: "
            "Cluster",
        )  # fmt: skip
    names = spec.section("names")
    schemas: dict[str, JsonObject] = {}
    stored: list[str] = []
    for version in spec.items("versions"):
        if version.flag("served", default=True):
            name = version.text("name")
            schemas[name] = version.section("schema").mapping("openAPIV3Schema")
            stored += [name] if version.flag("storage", default=False) else []
    if not schemas:
        raise spec.error("versions", "the api needs at least one served version.")
    return Api(
        group=spec.text("group"),
        kind=names.text("kind"),
        plural=names.text("plural"),
        schemas=schemas,
        stored=(stored or list(schemas))[-1],
    )


def _workflows(promise: str, fields: Fields) -> Workflows:
    def pipelines(kind: str, action: str) -> tuple[Pipeline, ...]:
        section = fields.section(kind)
        parsed = tuple(Pipeline.parse(item) for item in section.items(action))
        seen: set[str] = set()
        for pipeline in parsed:
            if pipeline.name in seen:
                raise section.error(
                    action,
                    f'duplicate pipeline name "{pipeline.name}" in workflow "{kind}" '
                    f'action "{action}".',
                )
            seen.add(pipeline.name)
            identity = f"{promise}-{kind}-{action}-{pipeline.name}"
            if len(identity) > _PIPELINE_ID_LIMIT:
                raise section.error(
                    action,
                    f'{kind}.{action} pipeline with name "{pipeline.name}" is too long: '
                    f'"{identity}" cannot be longer than {_PIPELINE_ID_LIMIT} characters in total.',
                )
        return parsed

    return Workflows(
        resource_configure=pipelines("resource", "configure"),
        resource_delete=pipelines("resource", "delete"),
        promise_configure=pipelines("promise", "configure"),
        promise_delete=pipelines("promise", "delete"),
    )

"""The view of a resource request, and the key by which it is known everywhere."""

from dataclasses import dataclass
from typing import NamedTuple, TypedDict

from troth.api.json_values import Fields, JsonObject
from troth.api.labels import (
    KRATIX_GROUP,
    KRATIX_VERSION,
    MANUAL_RECONCILIATION,
    PAUSED,
    WORKFLOW_SUSPENDED,
    visible_annotations,
    visible_labels,
)
from troth.api.names import (
    dns_label_problem,
    dns_subdomain_problem,
    label_key_problem,
    label_value_problem,
)
from troth.api.promise import Promise, WorkflowType
from troth.errors import Reason

__all__ = ["RequestKey", "ResourceRequest"]

# Kratix injects maxLength 63 for the name into every Promise's schema.
_NAME_LIMIT = 63


class RequestKey(NamedTuple):
    """Who a request is; sorts in the order in which claims are decided.

    Without namespace and name it is the Promise itself, which has output of its own: its
    dependencies, and what its promise workflow renders.
    """

    namespace: str
    promise: str
    name: str

    def __str__(self) -> str:
        """Spell it as messages do."""
        if self.is_promise:
            return f"Promise {self.promise}"
        return f"{self.namespace}/{self.name} ({self.promise})"

    @classmethod
    def of_promise(cls, name: str) -> "RequestKey":
        """Return the key of a Promise itself."""
        return cls("", name, "")

    @property
    def is_promise(self) -> bool:
        """Whether this is a Promise, not a request of it."""
        return not self.name

    @property
    def workflow(self) -> WorkflowType:
        """The workflow that renders it."""
        return WorkflowType.PROMISE if self.is_promise else WorkflowType.RESOURCE


@dataclass(frozen=True, slots=True)
class ResourceRequest:
    """What a developer asks for.

    `labels` and `annotations` are those a stage may see; the ones that steer are read into
    `paused`, `held` (somebody suspended its workflow) and `forced`. `spec` is as given, without
    defaults.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    labels: dict[str, str]
    annotations: dict[str, str]
    all_annotations: dict[str, str]
    spec: JsonObject
    paused: bool = False
    held: bool = False
    forced: bool = False

    @property
    def group(self) -> str:
        """The API group, empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """The API version without its group."""
        return self.api_version.rpartition("/")[2]

    @classmethod
    def parse(cls, raw: JsonObject) -> "ResourceRequest":
        """Read a request of any kind; its spec is judged later, by the Promise's schema.

        Raises:
            InvalidInputError: the metadata is not as Kubernetes wants it.
        """
        root = Fields(raw)
        root.refuse_unknown(("apiVersion", "kind", "metadata", "spec", "status"), "a request")
        metadata = root.section("metadata")
        name, namespace = metadata.text("name"), metadata.text("namespace", "default")
        _check_names(metadata, name, namespace)
        labels, annotations = metadata.string_map("labels"), metadata.string_map("annotations")
        _check_labels(metadata, labels, annotations)
        return cls(
            api_version=root.text("apiVersion"),
            kind=root.text("kind"),
            namespace=namespace,
            name=name,
            labels=visible_labels(labels),
            annotations=visible_annotations(annotations),
            all_annotations=annotations,
            spec=root.mapping("spec"),
            **_steering(labels),
        )

    @classmethod
    def of_promise(cls, promise: Promise) -> "ResourceRequest":
        """Return a Promise as what its own workflow is asked for."""
        return cls(
            api_version=f"{KRATIX_GROUP}/{KRATIX_VERSION}",
            kind="Promise",
            namespace="",
            name=promise.name,
            labels=visible_labels(promise.labels),
            annotations=visible_annotations(promise.annotations),
            all_annotations=promise.annotations,
            spec=Fields(promise.raw).mapping("spec"),
            **_steering(promise.labels),
        )


class _Steering(TypedDict):
    paused: bool
    held: bool
    forced: bool


def _steering(labels: dict[str, str]) -> _Steering:
    """Read the labels by which people steer."""
    return {
        "paused": labels.get(PAUSED) == "true",
        "held": labels.get(WORKFLOW_SUSPENDED) == "true",
        "forced": labels.get(MANUAL_RECONCILIATION) == "true",
    }


def _check_names(metadata: Fields, name: str, namespace: str) -> None:
    problem = dns_subdomain_problem(name)
    if problem is None and len(name) > _NAME_LIMIT:
        problem = f"{name!r} has {len(name)} characters, at most {_NAME_LIMIT} are allowed"
    if problem:
        raise metadata.error("name", f"{problem}.")
    if problem := dns_label_problem(namespace):
        raise metadata.error("namespace", f"{problem}.")


def _check_labels(metadata: Fields, labels: dict[str, str], annotations: dict[str, str]) -> None:
    for key, value in labels.items():
        if problem := label_key_problem(key) or label_value_problem(value):
            raise Fields(labels, ("metadata", "labels"), Reason.INVALID_OBJECT).error(key, problem)
    for key in annotations:
        if problem := label_key_problem(key.lower()):
            raise metadata.section("annotations").error(key, problem)

"""The view of a Pipeline: containers in order, read as strictly as Kratix reads them."""

from dataclasses import dataclass

from troth.api.json_values import Fields, JsonObject
from troth.api.labels import KRATIX_GROUP, KRATIX_VERSION
from troth.api.names import dns_label_problem
from troth.api.variables import Variable, parse_variables

__all__ = ["Container", "Pipeline"]

_PIPELINE = ("apiVersion", "kind", "metadata", "spec")
_METADATA = ("name", "namespace", "labels", "annotations")
_SPEC = (
    "containers", "imagePullSecrets", "jobOptions", "nodeSelector", "rbac", "restartPolicy",
    "tolerations", "volumes",
)  # fmt: skip
_CONTAINER = (
    "name", "image", "args", "command", "env", "envFrom", "volumeMounts", "imagePullPolicy",
    "securityContext", "resources",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pipeline.

    `env` holds the variables that a runner can be given; `extras` names the other fields that are
    set, for it to honour or refuse.
    """

    name: str
    image: str
    args: tuple[str, ...]
    command: tuple[str, ...]
    env: tuple[Variable, ...]
    extras: tuple[str, ...]

    @property
    def literals(self) -> dict[str, str]:
        """The variables whose values stand in it, by name."""
        return {one.name: one.value for one in self.env if isinstance(one.value, str)}


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline of a workflow: containers that share one output folder, run in order.

    `extras` names the fields of its spec, apart from containers, that are set.
    """

    name: str
    containers: tuple[Container, ...]
    extras: tuple[str, ...]
    raw: JsonObject

    @classmethod
    def parse(cls, fields: Fields) -> "Pipeline":
        """Read one item of a workflow.

        Raises:
            InvalidInputError: it is no Pipeline, or has a field that Pipelines do not have
                (Kratix decodes with unknown fields disallowed).
        """
        kind, version = fields.text("kind", ""), fields.text("apiVersion", "")
        name = fields.section("metadata").text("name")
        if (kind, version) != ("Pipeline", f"{KRATIX_GROUP}/{KRATIX_VERSION}"):
            raise fields.error(
                "apiVersion", f'unsupported pipeline "{name}" with APIVersion "{kind}/{version}".'
            )
        if problem := dns_label_problem(name):
            raise fields.section("metadata").error("name", f"{problem}.")
        fields.refuse_unknown(_PIPELINE, f"pipeline {name!r}")
        fields.section("metadata").refuse_unknown(_METADATA, f"the metadata of pipeline {name!r}")
        spec = fields.section("spec")
        spec.refuse_unknown(_SPEC, f"the spec of pipeline {name!r}")
        containers = tuple(_container(item, name) for item in spec.items("containers"))
        if not containers:
            raise spec.error("containers", f"pipeline {name!r} needs at least one container.")
        extras = tuple(key for key in _SPEC[1:] if spec.has(key))
        return cls(name, containers, extras, fields.raw)


def _container(fields: Fields, pipeline: str) -> Container:
    fields.refuse_unknown(_CONTAINER, f"a container of pipeline {pipeline!r}")
    extras = [key for key in _CONTAINER[5:] if fields.has(key)]
    env, sources = parse_variables(fields.items("env"))
    return Container(
        name=fields.text("name"),
        image=fields.text("image"),
        args=fields.texts("args"),
        command=fields.texts("command"),
        env=env,
        extras=(*extras, *sources),
    )

"""The view of a Pipeline: containers in order, read as strictly as Kratix reads them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from troth.api.json_values import Fields, JsonObject
from troth.api.labels import KRATIX_GROUP, KRATIX_VERSION
from troth.api.names import dns_label_problem

__all__ = ["Container", "Pipeline", "expand_variables"]

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

    `env` holds the literal variables; `extras` names the other fields that are set, for a runner
    to honour or refuse.
    """

    name: str
    image: str
    args: tuple[str, ...]
    command: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    extras: tuple[str, ...]


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


def expand_variables(own: Iterable[tuple[str, str]], given: Mapping[str, str]) -> dict[str, str]:
    """Return a container's variables as Kubernetes gives them to it.

    ``$(NAME)`` stands for the value of a variable before it, ``$$`` for one dollar; what names none
    stays as it is. Source: the field ``env`` of Container in the Kubernetes API.

    Args:
        own: name and value of each, in order.
        given: what is defined before them.
    """
    found = dict(given)
    for name, value in own:
        found[name] = _REFERENCE.sub(lambda match: _referred(match, found), value)
    return found


_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")


def _referred(match: re.Match[str], known: Mapping[str, str]) -> str:
    name = match[1]
    return "$" if name is None else known.get(name, match[0])


def _container(fields: Fields, pipeline: str) -> Container:
    fields.refuse_unknown(_CONTAINER, f"a container of pipeline {pipeline!r}")
    extras = [key for key in _CONTAINER[5:] if fields.has(key)]
    env: list[tuple[str, str]] = []
    for variable in fields.items("env"):
        variable.refuse_unknown(("name", "value", "valueFrom"), "an environment variable")
        if variable.has("valueFrom"):
            extras.append("env.valueFrom")
        else:
            env.append((variable.text("name"), variable.text("value", "")))
    return Container(
        name=fields.text("name"),
        image=fields.text("image"),
        args=fields.texts("args"),
        command=fields.texts("command"),
        env=tuple(env),
        extras=tuple(extras),
    )

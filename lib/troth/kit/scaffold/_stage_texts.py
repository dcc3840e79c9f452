"""The package of a new bundle's stage: how it is built, what it renders, and its tests."""

__all__ = ["IGNORED", "PROJECT", "STAGE", "TEST"]

PROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "%{distribution}"
version = "0.1.0" # major and minor are the tag of the image in promise.yaml
description = "The stage of the Promise %{name}."
requires-python = ">=3.11"
dependencies = ["pydantic>=2.9", "troth"]

[project.entry-points."troth.stages"]
%{name} = "%{package}:STAGE"

[tool.hatch.build.targets.wheel]
packages = ["%{package}"]
"""

STAGE = '''\
"""The stage of the Promise %{name}: from a request to Kubernetes objects.

What it renders depends on the request alone: the same request gives the same bytes.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from troth.api import JsonObject
from troth.sdk import Context, Output, Request, Stage

__all__ = ["STAGE", "%{kind}Spec", "configure"]

_MEMORY = {"small": "256Mi", "large": "1Gi"}


class %{kind}Spec(BaseModel):
    """What a developer may ask for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: str = Field(
        min_length=1,
        max_length=63,
        pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        description="The team that answers for it.",
    )
    size: Literal["small", "large"] = Field(
        default="small", description="How much memory it gets."
    )


def configure(request: Request[%{kind}Spec], _context: Context) -> Output:
    """Render the objects of one request."""
    memory = _MEMORY[request.spec.size]
    config_map: JsonObject = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": request.name,
            "namespace": request.namespace,
            "labels": {"app.kubernetes.io/managed-by": "troth"},
        },
        "data": {"owner": request.spec.owner, "memory": memory},
    }
    return Output(files={"configmap.yaml": [config_map]}, status={"memory": memory})


STAGE = Stage(model=%{kind}Spec, configure=configure)
'''

TEST = '''\
"""What the stage renders, function by function.

The whole bundle is tested by ``troth test``, and by ``pytest --troth`` with the
bundle's folder, which makes the same checks, tries random requests, and runs what
is in this file.
"""

from datetime import UTC, datetime

import pytest
from troth.sdk import Context, Request

from %{package} import %{kind}Spec, configure

CONTEXT = Context(
    now=datetime(2024, 2, 29, tzinfo=UTC),
    seed=b"",
    action="configure",
    promise="%{name}",
    pipeline="%{pipeline}",
)


def ask(spec: %{kind}Spec) -> Request[%{kind}Spec]:
    return Request(
        name="one",
        namespace="team-a",
        labels={},
        annotations={},
        spec=spec,
        status={},
        generation=1,
        raw={},
    )


def test_a_request_gives_one_config_map() -> None:
    output = configure(ask(%{kind}Spec(owner="team-a")), CONTEXT)

    expected = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "one",
            "namespace": "team-a",
            "labels": {"app.kubernetes.io/managed-by": "troth"},
        },
        "data": {"owner": "team-a", "memory": "256Mi"},
    }
    assert output.files == {"configmap.yaml": [expected]}


@pytest.mark.parametrize(("size", "memory"), [("small", "256Mi"), ("large", "1Gi")])
def test_the_size_decides_the_memory(size: str, memory: str) -> None:
    spec = %{kind}Spec.model_validate({"owner": "team-a", "size": size})

    assert configure(ask(spec), CONTEXT).status == {"memory": memory}
'''

IGNORED = """\
__pycache__/
dist/
"""

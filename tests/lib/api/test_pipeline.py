"""Pipelines, read as strictly as Kratix reads them."""

import pytest

from troth.api import Container, Fields, Json, JsonObject, Pipeline, Variable
from troth.errors import InvalidInputError


def container(**fields: Json) -> JsonObject:
    return {"name": "render", "image": "stage:1", **fields}


def pipeline(
    *containers: JsonObject,
    version: str = "platform.kratix.io/v1alpha1",
    kind: str = "Pipeline",
    name: str = "configure",
    **spec: Json,
) -> JsonObject:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"containers": list(containers or [container()]), **spec},
    }


def parse(raw: JsonObject) -> Pipeline:
    return Pipeline.parse(Fields(raw, ("spec", "workflows")))


def test_a_pipeline_is_its_containers_in_order() -> None:
    raw = pipeline(
        container(command=["python"], args=["-m", "x"], env=[{"name": "A", "value": "b"}]),
        container(name="second", env=[{"name": "EMPTY"}]),
    )

    parsed = parse(raw)

    assert parsed.name == "configure"
    assert parsed.raw is raw
    assert parsed.containers == (
        Container("render", "stage:1", ("-m", "x"), ("python",), (Variable("A", "b"),), ()),
        Container("second", "stage:1", (), (), (Variable("EMPTY", ""),), ()),
    )


def test_what_a_runner_has_to_honour_or_refuse_is_named() -> None:
    parsed = parse(
        pipeline(
            container(
                volumeMounts=[{"name": "a"}],
                envFrom=[{"secretRef": {"name": "a"}}],
                env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "a"}}}],
            ),
            volumes=[{"name": "a"}],
            nodeSelector={"a": "b"},
        )
    )

    assert parsed.extras == ("nodeSelector", "volumes")
    assert parsed.containers[0].extras == ("envFrom", "volumeMounts", "env.valueFrom.fieldRef")


REFUSED: list[tuple[JsonObject, str]] = [
    (pipeline(kind="Workflow"),
     'unsupported pipeline "configure" with APIVersion "Workflow/platform.kratix.io/v1alpha1"'),
    (pipeline(version="platform.kratix.io/v2"),
     'unsupported pipeline "configure" with APIVersion "Pipeline/platform.kratix.io/v2"'),
    ({"metadata": {"name": "a"}}, 'unsupported pipeline "a" with APIVersion "/"'),
    ({**pipeline(), "status": {}}, "spec.workflows.status: pipeline 'configure' has no such field"),
    ({**pipeline(), "metadata": {"name": "a", "uid": "x"}}, "the metadata of pipeline 'a' has no"),
    ({**pipeline(), "metadata": {}}, "metadata.name: a text is needed here"),
    (pipeline(name="../up"), "'../up' is not made of"),
    (pipeline(name="a" * 254), "254 characters"),
    (pipeline(initContainers=[]), "the spec of pipeline 'configure' has no such field"),
    (pipeline(container(ports=[])), "spec.containers[0].ports: a container of pipeline"),
    (pipeline(container(imag="x")), "Did you mean 'image'?"),
    (pipeline(container(env=[{"nam": "A"}])), "Did you mean 'name'?"),
    (pipeline(container(env=[{"name": "A", "value": 1}])), "env[0].value: a text is needed"),
    (pipeline({"name": "a"}), "spec.containers[0].image: a text is needed here, found nothing"),
    (pipeline({"image": "a"}), "spec.containers[0].name: a text is needed here, found nothing"),
    (pipeline(container(args="x")), "spec.containers[0].args: a list of texts is needed"),
    (pipeline(container(command=[1])), "every item of this list has to be a text"),
    ({**pipeline(), "spec": {"containers": []}}, "needs at least one container"),
    ({**pipeline(), "spec": None}, "needs at least one container"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "words"), REFUSED, ids=[words[-40:] for _, words in REFUSED])
def test_a_pipeline_that_kratix_would_refuse_is_refused(raw: JsonObject, words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse(raw)

    assert words in caught.value.message
    assert caught.value.field[:2] == ("spec", "workflows")

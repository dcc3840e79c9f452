import pytest
from support.warm import IMAGES, Acme, container, pipeline, run

from troth import __version__
from troth.api import Json
from troth.errors import NotServedError, Reason
from troth.runners.warm import WarmRunner


@pytest.fixture(scope="module")
def runner(acme: Acme) -> WarmRunner:
    del acme
    return WarmRunner({**IMAGES, "other.test/*/stage:*": "acme", "gone:*": "no-such-thing"})


def _refusal(runner: WarmRunner, item: dict[str, Json], **fields: Json) -> NotServedError:
    with pytest.raises(NotServedError) as caught:
        runner.fingerprint(pipeline(item, **fields))
    return caught.value


@pytest.mark.parametrize(
    "image",
    [
        "acme-stage:1.4",
        "acme-stage:1.4.2",
        "registry.test:5000/team/acme-stage:1.4",
        "other.test/team/stage:1.4",
    ],
)
def test_an_image_is_served_by_the_version_that_is_installed(
    runner: WarmRunner, image: str
) -> None:
    assert runner.fingerprint(pipeline(container("say", image=image)))


@pytest.mark.parametrize(
    "image",
    [
        "acme-stage",
        "acme-stage:latest",
        "acme-stage:1",
        "acme-stage:1.5",
        "acme-stage:1.4.1",
        "registry.test:1.4/acme-stage",
        "another:1.4",
        "else.test/team/stage:1.4",
        "gone:1.4",
        f"acme-stage:1.4@sha256:{'0' * 64}",
    ],
)
def test_another_image_is_refused_and_what_is_served_is_told(
    runner: WarmRunner, image: str
) -> None:
    error = _refusal(runner, container("say", image=image))

    assert error.reason is Reason.IMAGE_NOT_SERVED
    assert repr(image) in error.message
    assert "acme-stage:* by acme 1.4.2, tag 1.4 or 1.4.2" in error.message


def test_an_image_named_by_digest_is_refused_as_such(runner: WarmRunner) -> None:
    error = _refusal(runner, container("say", image=f"acme-stage@sha256:{'0' * 64}"))

    assert "is named by digest, whose version cannot be told" in error.message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("command", ["sh"]),
        ("envFrom", [{}]),
        ("volumeMounts", [{}]),
        ("securityContext", {"runAsUser": 1}),
        ("resources", {"limits": {}}),
    ],
)
def test_a_field_of_a_container_that_cannot_be_honoured_is_refused(
    runner: WarmRunner, field: str, value: Json
) -> None:
    error = _refusal(runner, container("say", **{field: value}))

    assert error.reason is Reason.PIPELINE_NOT_SERVED
    assert f"container 'say' sets {field}," in error.message


def test_a_variable_that_only_a_pod_has_is_refused(runner: WarmRunner) -> None:
    variable: Json = {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    error = _refusal(runner, container("say", env=[variable]))

    assert "sets env.valueFrom.fieldRef," in error.message


@pytest.mark.parametrize("field", ["volumes", "nodeSelector", "rbac"])
def test_a_field_of_a_pipeline_that_cannot_be_honoured_is_refused(
    runner: WarmRunner, field: str
) -> None:
    error = _refusal(runner, container("say"), **{field: [{}]})

    assert error.reason is Reason.PIPELINE_NOT_SERVED
    assert f"pipeline 'render' sets {field}," in error.message


def test_what_matters_to_a_registry_only_is_no_obstacle(runner: WarmRunner) -> None:
    item = container("say", imagePullPolicy="Always")

    assert runner.fingerprint(pipeline(item, imagePullSecrets=[{"name": "x"}]))


@pytest.mark.parametrize("args", [[], ["say", "look"], ["unknown"]])
def test_args_are_the_name_of_one_stage(runner: WarmRunner, args: list[Json]) -> None:
    error = _refusal(runner, container("say", args=args))

    assert error.reason is Reason.STAGE_NOT_FOUND
    assert str(args) in error.message


def test_a_run_refuses_as_the_fingerprint_does(runner: WarmRunner) -> None:
    with pytest.raises(NotServedError, match="unknown"):
        run(runner, container("say", args=["unknown"]))


def test_troths_own_image_is_served_by_default() -> None:
    minor = ".".join(__version__.split(".")[:2])
    with WarmRunner() as runner:
        item = container("namespace", image=f"registry.test/troth-stage:{minor}")

        assert runner.fingerprint(pipeline(item))

"""The stage ``template``: the Promise of docs/templates.md, and what its variables may hold."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from troth.api import (
    Json,
    JsonObject,
    Promise,
    RequestSchema,
    dump_documents,
    load_object,
    load_values,
)
from troth.errors import InvalidInputError, OutputRefusedError, Reason
from troth.runners import StageJob
from troth.runners.warm import WarmRunner
from troth.sdk import find_stage, run_stage
from troth.sdk.templates import read_value
from troth.sdk.templates._filters import FILTERS, TESTS

PAGE = Path(__file__).parents[2] / "docs" / "templates.md"

REQUEST: JsonObject = {
    "apiVersion": "example.com/v1",
    "kind": "Website",
    "metadata": {"name": "shop", "namespace": "team-a", "labels": {"tier": "web"}},
    "spec": {"size": "large", "copy": 1, "model_config": 2, "model_fields": 3},
    "status": {"id": "42"},
}
TEMPLATE = """
"{{ metadata.name }}.yaml":
  apiVersion: v1
  kind: ConfigMap
  metadata: {name: "{{ metadata.name }}", namespace: "{{ metadata.namespace }}"}
"""


def blocks(language: str) -> list[str]:
    """Return the blocks of the page, in order."""
    pattern = rf"^```{language}\n(.*?)^```$"
    return re.findall(pattern, PAGE.read_text(), re.MULTILINE | re.DOTALL)


def run(root: Path, environ: dict[str, str], request: JsonObject = REQUEST) -> dict[str, bytes]:
    """Run the stage on fresh folders; return what it left."""
    for name in ("input", "output", "metadata"):
        (root / name).mkdir(parents=True)
    (root / "input/object.yaml").write_bytes(dump_documents([request]))
    run_stage(find_stage("template"), root, {"KRATIX_PROMISE_NAME": "website", **environ})
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for folder in ("output", "metadata")
        for file in sorted((root / folder).rglob("*"))
        if file.is_file()
    }


@pytest.fixture(scope="module")
def runner() -> Iterator[WarmRunner]:
    with WarmRunner(workers=1) as found:
        yield found


def job(promise: Promise, request: JsonObject) -> StageJob:
    """Return the job that the engine would make of a request."""
    assert promise.api is not None
    spec = request["spec"]
    assert isinstance(spec, dict)
    filled = RequestSchema(promise.api.schemas["v1"]).fill(spec)
    [pipeline] = promise.workflows.resource_configure
    return StageJob(
        promise=promise.name,
        pipeline=pipeline,
        environ={"KRATIX_WORKFLOW_ACTION": "configure", "KRATIX_PROMISE_NAME": promise.name},
        object={**request, "spec": filled},
        context={"now": "2026-01-02T03:04:05Z", "seed": "00" * 32},
    )


def test_the_promise_of_the_page_gives_what_the_page_says(runner: WarmRunner) -> None:
    [promise], [request, output, *_] = blocks("yaml"), blocks("text")

    result = runner.run(
        job(
            Promise.parse(load_object(promise, "promise.yaml")),
            load_object(request, "request.yaml"),
        )
    )

    assert {path: content.decode() for path, content in result.files.items()} == {
        "shop.yaml": output
    }
    assert result.metadata == {"status.yaml": b"url: https://shop.example.com\n"}


def test_the_forms_of_the_page_give_what_the_page_says() -> None:
    template, output = blocks("text")[2:4]
    [spec] = re.findall(r"with `spec: (.*)` gives", PAGE.read_text())
    variables: dict[str, Json] = {"spec": load_values(spec, "spec")[0]}

    made = read_value(template, "T", frozenset(variables)).render(variables)

    assert dump_documents([made]).decode() == output


DEPLOYMENT = """\
"{{ metadata.name }}.yaml":
  - apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: "{{ metadata.name }}"
      namespace: "{{ metadata.namespace }}"
      labels:
        app: web
    # As many as are asked for.

    spec:
      replicas: "{{ spec.replica }}"
"""


def test_the_error_of_the_page_is_the_one_that_is_raised(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        run(tmp_path, {"TEMPLATES": DEPLOYMENT}, {**REQUEST, "spec": {"replicas": 1}})

    assert caught.value.message == blocks("text")[4].strip()


def test_every_filter_and_test_stands_in_the_page() -> None:
    page = PAGE.read_text()

    names = {*FILTERS, *(name for name in TESTS if name.isalpha())} - {"equalto"}
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_templates_see_the_request_and_the_promise(tmp_path: Path) -> None:
    status = """
    who: "{{ promise }} {{ apiVersion }} {{ kind }} {{ metadata.namespace }}/{{ metadata.name }}"
    tier: "{{ metadata.labels.tier }}"
    annotations: "{{ metadata.annotations }}"
    spec: "{{ spec }}"
    id: "{{ status.id }}"
    """

    files = run(tmp_path, {"TEMPLATES": TEMPLATE, "STATUS": status})

    assert load_values(files["metadata/status.yaml"].decode(), "status.yaml") == [
        {
            "who": "website example.com/v1 Website team-a/shop",
            "tier": "web",
            "annotations": {},
            "spec": {"copy": 1, "model_config": 2, "model_fields": 3, "size": "large"},
            "id": "42",
        }
    ]


def test_without_a_template_of_the_status_none_is_written(tmp_path: Path) -> None:
    assert list(run(tmp_path, {"TEMPLATES": TEMPLATE})) == ["output/shop.yaml"]


def test_a_file_without_objects_is_not_written(tmp_path: Path) -> None:
    templates = TEMPLATE + "other.yaml: {(if spec.size == 'small'): {apiVersion: v1}}\n"

    assert list(run(tmp_path, {"TEMPLATES": templates})) == ["output/shop.yaml"]


def test_deleting_does_nothing(tmp_path: Path) -> None:
    environ = {"TEMPLATES": "no: templates", "KRATIX_WORKFLOW_ACTION": "delete"}

    assert run(tmp_path, environ) == {}


def test_a_path_that_leaves_the_output_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputRefusedError) as caught:
        run(tmp_path, {"TEMPLATES": TEMPLATE.replace("{{ metadata.name }}.yaml", "../x.yaml")})

    assert caught.value.reason == Reason.UNSAFE_PATH


REFUSED: list[tuple[dict[str, str], str]] = [
    ({}, "no variable TEMPLATES"),
    ({"TEMPLATES": " \n"}, "or an empty one"),
    ({"TEMPLATES": "# nothing"}, "TEMPLATES: one mapping is needed here, found 0 YAML documents"),
    ({"TEMPLATES": "a: 1\n---\nb: 2"}, "TEMPLATES: one mapping is needed here, found 2"),
    ({"TEMPLATES": "- a"}, "TEMPLATES:1: a mapping is needed here, found a list"),
    ({"TEMPLATES": TEMPLATE, "STATUS": "a: {{ spec.size }}"}, "STATUS:1: this is no YAML"),
    ({"TEMPLATES": TEMPLATE, "STATUS": "a: 1\nb: '{{ spec.s }}'"}, "STATUS:2: b: {{ spec.s }}"),
    ({"TEMPLATES": "a:\n  b: echo $$"}, "TEMPLATES:2: Kubernetes replaces '$$'"),
    ({"TEMPLATES": TEMPLATE, "STATUS": "a: $(KRATIX_ROOT)"}, "STATUS:1: Kubernetes replaces '$(K"),
    ({"TEMPLATES": "a: " + "ü" * 65_536}, "TEMPLATES has 131086 bytes, a container takes at most"),
]


@pytest.mark.parametrize(("environ", "words"), REFUSED)
def test_what_the_variables_may_not_hold_is_refused_by_name(
    environ: dict[str, str], words: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        run(tmp_path, environ)

    assert caught.value.reason == Reason.INVALID_TEMPLATE
    assert words in caught.value.message
    assert not list((tmp_path / "output").iterdir())


def test_a_script_may_hold_what_kubernetes_leaves_as_it_is(tmp_path: Path) -> None:
    templates = TEMPLATE + "  data: {script: 'echo $(date) $HOME ${x}', pid: \"{{ '$' }}$\"}\n"

    made = run(tmp_path, {"TEMPLATES": templates})["output/shop.yaml"]

    assert b"  script: echo $(date) $HOME ${x}\n  pid: $$\n" in made


def test_a_broken_status_is_found_before_a_template_that_does_not_fit(tmp_path: Path) -> None:
    environ = {"TEMPLATES": TEMPLATE.replace("name", "nam"), "STATUS": "a: '{{ spec. }}'"}

    with pytest.raises(InvalidInputError, match=r"^STATUS:1: a: {{ spec. }}: this is no"):
        run(tmp_path, environ)


def test_a_template_that_does_not_fit_is_told_of_by_the_runner(runner: WarmRunner) -> None:
    [promise] = blocks("yaml")
    broken = promise.replace("{{ spec.replicas }}", "{{ spec.replica }}")
    request = {**REQUEST, "spec": {"greeting": "hello"}}

    with pytest.raises(InvalidInputError) as caught:
        runner.run(job(Promise.parse(load_object(broken, "promise.yaml")), request))

    assert caught.value.reason == Reason.INVALID_TEMPLATE
    assert "did you mean 'replicas'?" in caught.value.message


def test_a_stage_without_templates_does_not_wait_for_jinja2() -> None:
    code = "import sys, troth_pipelines.stages.namespace; print('jinja2' in sys.modules)"

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout == "False\n"

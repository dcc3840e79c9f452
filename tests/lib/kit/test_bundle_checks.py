"""Each check of a bundle as a whole, seen failing with its words, and passing where it should."""

from pathlib import Path

import pytest
from support.workshop import TEXT_ONLY, Workshop, findings, pipeline, request_of, write

from troth.api import Fields, JsonObject, load_object
from troth.errors import InvalidInputError
from troth.kit.bench import Bench
from troth.kit.bundle import open_bundle
from troth.kit.examination import Options
from troth.kit.findings import Outcome

UPDATE = Options(update=True)


@pytest.mark.parametrize("name", ["README.md", "resource-request.yaml"])
def test_a_file_that_users_need_is_missed(workshop: Workshop, bench: Bench, name: str) -> None:
    folder = workshop.bundle("plain")
    (folder / name).unlink()

    found = findings(folder, bench)["bundle"]

    assert found.outcome is Outcome.FAILED
    assert f"{name} is missing" in found.message


def test_two_requests_of_one_name_are_refused(workshop: Workshop, bench: Bench) -> None:
    folder = workshop.bundle("plain")
    write(folder / "resource-request-2.yaml", request_of("one", {}, namespace="other"))

    found = findings(folder, bench)

    assert found["bundle"].outcome is Outcome.FAILED
    assert "2 requests are called 'one'" in found["bundle"].message
    assert "one: schema" not in found


def test_a_promise_that_cannot_be_read_is_named_with_its_line(
    workshop: Workshop, bench: Bench
) -> None:
    folder = workshop.bundle("plain")
    folder.joinpath("promise.yaml").write_text("kind: [\n", encoding="utf-8")

    found = findings(folder, bench)

    assert list(found) == ["bundle"]
    assert found["bundle"].outcome is Outcome.FAILED
    assert "promise.yaml:2" in found["bundle"].message


def test_a_promise_of_no_promise_is_told(workshop: Workshop, bench: Bench) -> None:
    folder = workshop.bundle("plain")
    folder.joinpath("promise.yaml").write_text("", encoding="utf-8")

    found = findings(folder, bench)["bundle"]

    assert found.outcome is Outcome.FAILED
    assert "promise.yaml: this file holds no object." in found.message


def test_a_delete_workflow_that_fails_is_found(workshop: Workshop, bench: Bench) -> None:
    workflows = {
        "resource": {
            "configure": [pipeline("irrevocable")],
            "delete": [pipeline("irrevocable")],
        }
    }

    found = findings(workshop.bundle(workflows=workflows), bench, UPDATE)["bundle"]

    assert found.outcome is Outcome.FAILED
    assert "one cannot be deleted: pipeline irrevocable: stage 'irrevocable'" in found.message
    assert "LookupError" in found.message


def test_a_delete_workflow_that_nobody_serves_is_found(workshop: Workshop, bench: Bench) -> None:
    unserved = pipeline("plain", image="other:1")
    workflows = {
        "resource": {"configure": [pipeline("plain")], "delete": [unserved]},
    }

    found = findings(workshop.bundle(workflows=workflows), bench, UPDATE)["bundle"]

    assert "ImageNotServed" in found.message


def test_golden_output_that_no_request_makes_is_found(workshop: Workshop, bench: Bench) -> None:
    folder = workshop.bundle("plain")
    findings(folder, bench, UPDATE)
    (folder / "expected/gone").mkdir()
    (folder / "expected/gone/objects.yaml").write_text("{}\n", encoding="utf-8")

    found = findings(folder, bench)["bundle"]

    assert found.outcome is Outcome.FAILED
    assert "no request makes expected/gone/objects.yaml" in found.message


def test_a_schema_that_is_not_the_models_is_refused_with_the_difference(
    workshop: Workshop, bench: Bench
) -> None:
    found = findings(workshop.bundle("plain", schema=TEXT_ONLY), bench)["model"]

    assert found.outcome is Outcome.FAILED
    assert "the model Spec of the stage 'plain'" in found.message
    assert "+  number:" in found.message


@pytest.mark.parametrize(
    ("stage", "words"),
    [("anything", "takes any fields"), ("missing", "args has to be the name of one stage")],
)
def test_a_model_that_tells_nothing_is_not_checked(
    workshop: Workshop, bench: Bench, stage: str, words: str
) -> None:
    found = findings(workshop.bundle(stage), bench)["model"]

    assert found.outcome is Outcome.NOT_CHECKED
    assert words in found.message


def test_a_stage_that_cannot_be_imported_fails_the_check_of_its_model(
    workshop: Workshop, bench: Bench
) -> None:
    found = findings(workshop.bundle("broken"), bench)["model"]

    assert found.outcome is Outcome.FAILED
    assert "cannot be imported: ZeroDivisionError" in found.message


def test_two_requests_must_not_render_the_same_object(workshop: Workshop, bench: Bench) -> None:
    folder = workshop.bundle("twins", requests={"one": {}, "two": {}})

    found = findings(folder, bench)["claims"]

    assert found.outcome is Outcome.FAILED
    assert "ConfigMap team/the-one" in found.message
    assert "held by team/one (craft)" in found.message


def test_requests_without_output_leave_the_claims_unchecked(
    workshop: Workshop, bench: Bench
) -> None:
    found = findings(workshop.bundle("fails"), bench)["claims"]

    assert found.outcome is Outcome.NOT_CHECKED
    assert "0 of 1" in found.message


def with_promise_workflow(workshop: Workshop, stage: str) -> Path:
    workflows = {
        "resource": {"configure": [pipeline("plain")]},
        "promise": {"configure": [pipeline(stage)]},
    }
    return workshop.bundle(workflows=workflows)


def test_the_promise_workflow_has_golden_output_of_its_own(
    workshop: Workshop, bench: Bench
) -> None:
    folder = with_promise_workflow(workshop, "installs")

    missing = findings(folder, bench)["promise"]
    findings(folder, bench, Options(update=True))
    found = findings(folder, bench)

    assert missing.outcome is Outcome.FAILED
    assert "no golden output yet" in missing.message
    assert sorted(path.name for path in (folder / "expected/Promise").iterdir()) == [
        "objects.yaml",
        "status.yaml",
    ]
    assert {one.outcome for one in found.values()} == {Outcome.PASSED}


def test_a_promise_workflow_that_follows_the_clock_is_found(
    workshop: Workshop, bench: Bench
) -> None:
    folder = with_promise_workflow(workshop, "installs_late")
    findings(folder, bench, Options(update=True))

    found = findings(folder, bench)["promise"]

    assert found.outcome is Outcome.FAILED
    assert "deterministic: at another time" in found.message


def require(folder: Path, promise: str) -> Path:
    """Have the Promise of a bundle require another."""
    path = folder / "promise.yaml"
    raw = load_object(path.read_text(encoding="utf-8"), "promise.yaml")
    required: JsonObject = {"name": promise, "version": "v1"}
    write(path, {**raw, "spec": {**Fields(raw).mapping("spec"), "requiredPromises": [required]}})
    return folder


@pytest.mark.parametrize("own", [False, True])
def test_a_promise_that_requires_itself_is_found(
    workshop: Workshop, bench: Bench, own: bool
) -> None:
    made = with_promise_workflow(workshop, "installs") if own else workshop.bundle("plain")
    folder = require(made, "craft")

    found = findings(folder, bench, UPDATE)["promise"]

    assert found.outcome is Outcome.FAILED
    assert "Requirements not fulfilled: its requiredPromises go round" in found.message
    assert "craft -> craft" in found.message


def test_a_requirement_that_is_not_in_the_bundle_is_not_checked(
    workshop: Workshop, bench: Bench
) -> None:
    found = findings(require(workshop.bundle("plain"), "forge"), bench)["promise"]

    assert found.outcome is Outcome.NOT_CHECKED
    assert found.message == 'required, and not in the bundle: "forge" at version "v1".'


def test_beside_what_the_promise_brings_such_a_requirement_is_remarked(
    workshop: Workshop, bench: Bench
) -> None:
    folder = require(with_promise_workflow(workshop, "installs"), "forge")
    findings(folder, bench, UPDATE)

    found = findings(folder, bench)["promise"]

    assert found.outcome is Outcome.PASSED
    assert "forge" in found.message


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path, "There are bundles in it: bundle."),
        (lambda path: path / "nowhere", "there is no such folder"),
        (lambda path: path / "bundle" / "promise.yaml", "give the folder of a bundle"),
        (lambda path: path / "bundle" / "expected", "holds no promise.yaml"),
    ],
)
def test_what_is_no_bundle_is_refused_with_advice(
    workshop: Workshop, bench: Bench, make: object, words: str
) -> None:
    assert callable(make)
    findings(workshop.bundle("plain"), bench, UPDATE)

    with pytest.raises(InvalidInputError) as refused:
        open_bundle(make(workshop.path))

    assert words in refused.value.message


def test_a_yaml_file_that_is_none_of_the_bundles_is_remarked(
    workshop: Workshop, bench: Bench
) -> None:
    folder = workshop.bundle("plain")
    folder.joinpath("request.yaml").write_text("{}\n", encoding="utf-8")

    found = findings(folder, bench)["bundle"]

    assert found.outcome is Outcome.PASSED
    assert "request.yaml is none of a bundle's files" in found.message


def test_a_bundle_is_named_as_it_was_given(
    workshop: Workshop, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.bundle("plain")
    monkeypatch.chdir(workshop.path)

    found = findings(Path("bundle"), bench)

    assert {finding.bundle for finding in found.values()} == {"bundle"}

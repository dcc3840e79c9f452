"""Each check of a request, seen failing with its words, and passing where it should."""

from pathlib import Path

import pytest
from support.workshop import WITH_RULES, Workshop, findings
from support.workspace import ROOT

from troth.kit.bench import Bench
from troth.kit.examination import Options
from troth.kit.findings import Finding, Outcome

UPDATE = Options(update=True)


def after_update(folder: Path, bench: Bench) -> dict[str, Finding]:
    """Write the golden output, then look again."""
    findings(folder, bench, UPDATE)
    return findings(folder, bench)


def test_a_bundle_of_ours_passes_every_check(bench: Bench) -> None:
    found = findings(ROOT / "promises" / "namespace", bench)

    assert {finding.outcome for finding in found.values()} == {Outcome.PASSED}
    assert len(found) == 3 + 7 * 7


def test_a_good_stage_passes_every_check(workshop: Workshop, bench: Bench) -> None:
    found = after_update(workshop.bundle("plain"), bench)

    assert {finding.outcome for finding in found.values()} == {Outcome.PASSED}


@pytest.mark.parametrize(
    ("stage", "check", "words"),
    [
        ("fails", "renders", "raised LookupError (craft_stages.py:"),
        ("refuses", "renders", "spec: never. [InvalidObject]"),
        ("secret", "objects", "holds values in plain text"),
        ("misnamed", "objects", "'Not_A_Name'"),
        ("outside", "fence", "ConfigMap elsewhere/one is in namespace elsewhere, outside"),
        ("shuffled", "deterministic", "another hash seed"),
        ("zoned", "deterministic", "-  text: UTC"),
        ("folder", "deterministic", "temporary folder"),
        ("scratches", "deterministic", "temporary folder"),
        ("clock", "deterministic", "at another time, and with other randomness"),
        ("clock", "stable", "+  text: '2031-12-31T23:59:59+00:00'"),
        ("forgets", "stable", "+at: '2031-12-31T23:59:59+00:00'"),
        ("counts", "stable", "+  text: '2'"),
        ("collides", "expected", "give it another name"),
    ],
)
def test_a_bad_stage_fails_its_check_in_these_words(
    workshop: Workshop, bench: Bench, stage: str, check: str, words: str
) -> None:
    found = after_update(workshop.bundle(stage), bench)

    assert found[f"one: {check}"].outcome is Outcome.FAILED
    assert words in found[f"one: {check}"].message


def test_two_pipelines_must_not_render_the_same_object(workshop: Workshop, bench: Bench) -> None:
    found = findings(workshop.bundle("plain", "remembers"), bench)["one: objects"]

    assert found.outcome is Outcome.FAILED
    assert "ConfigMap team/one is rendered by two pipelines" in found.message


def test_a_request_that_breaks_the_schema_is_named_with_file_and_line(
    workshop: Workshop, bench: Bench
) -> None:
    folder = workshop.bundle("plain", requests={"one": {"number": 10}})

    found = findings(folder, bench)

    assert found["one: schema"].outcome is Outcome.FAILED
    assert "resource-request.yaml:7: spec.number" in found["one: schema"].message


def test_what_could_not_be_looked_at_is_never_told_as_passed(
    workshop: Workshop, bench: Bench
) -> None:
    folder = workshop.bundle("plain", requests={"one": {"number": 10}})

    found = findings(folder, bench)

    later = ("renders", "objects", "fence", "expected", "deterministic", "stable")
    assert [found[f"one: {check}"].outcome for check in later] == [Outcome.NOT_CHECKED] * 6
    assert found["one: stable"].message == "see the check schema."


@pytest.mark.parametrize("stage", ["remembers", "remembers_once", "renews"])
def test_a_stage_may_make_something_of_the_seed_if_the_status_remembers_it(
    workshop: Workshop, bench: Bench, stage: str
) -> None:
    found = after_update(workshop.bundle(stage), bench)

    assert found["one: stable"].outcome is Outcome.PASSED
    assert found["one: deterministic"].outcome is Outcome.PASSED
    assert "the status remembers" in found["one: deterministic"].message


def test_a_suspended_request_is_told_so_and_need_not_be_stable(
    workshop: Workshop, bench: Bench
) -> None:
    found = after_update(workshop.bundle("suspends"), bench)

    assert "waits for a person" in found["one: renders"].message
    assert found["one: stable"].outcome is Outcome.NOT_CHECKED


def test_without_a_fence_there_is_none_to_check(workshop: Workshop, bench: Bench) -> None:
    found = findings(workshop.bundle("outside", annotations={}), bench)

    assert found["one: fence"].outcome is Outcome.NOT_CHECKED
    assert "declares no fence" in found["one: fence"].message


def test_what_the_fence_refuses_is_not_kept_as_golden_output(
    workshop: Workshop, bench: Bench
) -> None:
    folder = workshop.bundle("outside")

    found = findings(folder, bench, UPDATE)["one: expected"]

    assert (found.outcome, found.message) == (Outcome.NOT_CHECKED, "see the check fence.")
    assert not (folder / "expected").exists()


def test_a_fence_that_is_not_declared_keeps_no_golden_output_back(
    workshop: Workshop, bench: Bench
) -> None:
    found = after_update(workshop.bundle("plain", annotations={}), bench)

    assert found["one: fence"].outcome is Outcome.NOT_CHECKED
    assert found["one: expected"].outcome is Outcome.PASSED


def test_no_secret_is_printed_or_written(workshop: Workshop, bench: Bench) -> None:
    folder = workshop.bundle("secret")

    found = findings(folder, bench, UPDATE)

    assert found["one: expected"].outcome is Outcome.NOT_CHECKED
    assert not (folder / "expected").exists()
    assert "hunter2" not in "".join(finding.message for finding in found.values())


def test_of_a_promise_that_may_render_secrets_files_are_only_named(
    workshop: Workshop, bench: Bench
) -> None:
    allowed = {"troth.dev/allow-plain-secrets": "true"}
    folder = workshop.bundle("secret", annotations=allowed)
    after_update(folder, bench)
    folder.joinpath("expected/one/objects.yaml").write_text("{}\n", encoding="utf-8")

    found = findings(folder, bench)

    assert found["one: expected"].outcome is Outcome.FAILED
    assert "objects.yaml differs" in found["one: expected"].message
    assert "hunter2" not in found["one: expected"].message


def test_cel_rules_are_said_not_to_be_evaluated(workshop: Workshop, bench: Bench) -> None:
    found = findings(workshop.bundle("plain", schema=WITH_RULES), bench)

    assert found["one: schema"].outcome is Outcome.PASSED
    assert "CEL rules" in found["one: schema"].message

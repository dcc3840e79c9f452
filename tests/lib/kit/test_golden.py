"""Golden output: its layout, what a difference looks like, and what an update does."""

from pathlib import Path

import pytest
from support.workshop import Workshop, findings, request_of, write

from troth.kit.bench import Bench
from troth.kit.examination import Options
from troth.kit.findings import Outcome

UPDATE = Options(update=True)


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_without_golden_output_it_is_said_how_to_make_it(workshop: Workshop, bench: Bench) -> None:
    folder = workshop.bundle("plain")

    found = findings(folder, bench)["one: expected"]

    assert found.outcome is Outcome.FAILED
    assert "no golden output yet; run again with --update" in found.message
    assert not (folder / "expected").exists()


def test_a_difference_is_shown_and_nothing_is_written(workshop: Workshop, bench: Bench) -> None:
    folder = workshop.bundle("plain")
    findings(folder, bench, UPDATE)
    golden = folder / "expected/one/objects.yaml"
    golden.write_text(golden.read_text().replace("hello", "edited"))

    found = findings(folder, bench)["one: expected"]

    assert found.outcome is Outcome.FAILED
    assert "--- a/objects.yaml\n+++ b/objects.yaml\n" in found.message
    assert "-  text: edited\n+  text: hello" in found.message
    assert "edited" in golden.read_text()


def test_an_update_writes_what_differs_shows_it_and_says_what_it_did(
    workshop: Workshop, bench: Bench
) -> None:
    folder = workshop.bundle("plain")
    findings(folder, bench, UPDATE)
    before = (folder / "expected/one/objects.yaml").read_bytes()
    (folder / "expected/one/objects.yaml").write_text("{}\n")
    (folder / "expected/one/old.yaml").write_text("{}\n")
    (folder / "expected/one/status.yaml").unlink()

    found = findings(folder, bench, UPDATE)["one: expected"]

    assert found.outcome is Outcome.PASSED
    assert found.summary == "written: 1 changed, 1 added, 1 removed."
    assert "+++ /dev/null" in found.message
    assert (folder / "expected/one/objects.yaml").read_bytes() == before
    assert tree(folder / "expected") == ["one/objects.yaml", "one/status.yaml"]


def test_an_update_of_what_is_right_says_nothing(workshop: Workshop, bench: Bench) -> None:
    folder = workshop.bundle("plain")
    findings(folder, bench, UPDATE)

    found = findings(folder, bench, UPDATE)

    assert [finding.message for finding in found.values() if finding.message] == []


def test_an_update_removes_what_no_request_makes_and_says_so(
    workshop: Workshop, bench: Bench
) -> None:
    folder = workshop.bundle("plain", requests={"one": {}, "two": {}})
    findings(folder, bench, UPDATE)
    (folder / "resource-request-1.yaml").unlink()

    found = findings(folder, bench, UPDATE)["bundle"]

    assert found.outcome is Outcome.PASSED
    assert "removed, since no request makes it: expected/two/objects.yaml" in found.message
    assert not (folder / "expected/two").exists()


def test_an_update_removes_nothing_while_a_request_cannot_be_read(
    workshop: Workshop, bench: Bench
) -> None:
    folder = workshop.bundle("plain", requests={"one": {}, "two": {}})
    findings(folder, bench, UPDATE)
    (folder / "resource-request-1.yaml").write_text("kind: [\n")

    found = findings(folder, bench, UPDATE)["bundle"]

    assert found.outcome is Outcome.FAILED
    assert (folder / "expected/two/objects.yaml").exists()


def test_an_update_keeps_what_stands_for_a_request_that_no_longer_renders(
    workshop: Workshop, bench: Bench
) -> None:
    folder = workshop.bundle("fails_above_five", requests={"one": {"number": 1}})
    findings(folder, bench, UPDATE)
    write(folder / "resource-request.yaml", request_of("one", {"number": 7}))

    found = findings(folder, bench, UPDATE)

    assert found["one: expected"].outcome is Outcome.NOT_CHECKED
    assert tree(folder / "expected") == ["one/objects.yaml"]


def test_several_pipelines_have_a_folder_each(workshop: Workshop, bench: Bench) -> None:
    folder = workshop.bundle("quiet", "plain")

    found = findings(folder, bench, UPDATE)

    assert found["one: expected"].outcome is Outcome.PASSED
    assert tree(folder / "expected/one") == [
        "plain/objects.yaml",
        "plain/status.yaml",
        "quiet/status.yaml",
    ]


@pytest.mark.parametrize(
    ("stage", "name", "content"),
    [
        ("selects", "destination-selectors.yaml", "- matchLabels:\n    zone: one\n"),
        ("suspends", "workflow-control.yaml", "suspend: true\nmessage: waits for a person\n"),
    ],
)
def test_what_a_stage_left_for_the_workflow_is_golden_too(
    workshop: Workshop, bench: Bench, stage: str, name: str, content: str
) -> None:
    folder = workshop.bundle(stage)

    findings(folder, bench, UPDATE)

    assert (folder / "expected/one" / name).read_text() == content


def test_a_file_that_became_a_folder_is_written_anew(workshop: Workshop, bench: Bench) -> None:
    folder = workshop.bundle("plain")
    (folder / "expected/one/objects.yaml").mkdir(parents=True)
    (folder / "expected/one/objects.yaml/old.yaml").write_text("{}\n")

    findings(folder, bench, UPDATE)

    assert tree(folder / "expected/one") == ["objects.yaml", "status.yaml"]

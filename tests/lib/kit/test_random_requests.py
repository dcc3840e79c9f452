"""What has to hold of random requests, on stages that keep to it and stages that do not."""

from pathlib import Path

import pytest
from support.workshop import Workshop
from support.workspace import ROOT

from troth.api import JsonObject
from troth.kit.bench import Bench
from troth.kit.bundle import open_bundle
from troth.kit.case import FailedCheck, NotChecked, Setting
from troth.kit.examination import Examination, Options
from troth.kit.random_requests import PROPERTIES

CLOSED: JsonObject = {"type": "object", "properties": {"text": {"enum": ["a", "b"]}}}
OPEN: JsonObject = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
IMPOSSIBLE: JsonObject = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string", "pattern": "^a$", "minLength": 2}},
}


def setting_of(folder: Path, bench: Bench) -> Setting:
    setting = Examination(open_bundle(folder), bench, Options()).setting
    assert setting is not None
    return setting


def hold(name: str, folder: Path, bench: Bench, examples: int = 15) -> str:
    return PROPERTIES[name](setting_of(folder, bench), examples)


@pytest.mark.parametrize("name", sorted(PROPERTIES))
def test_a_bundle_of_ours_keeps_to_it(bench: Bench, name: str) -> None:
    hold(name, ROOT / "promises" / "namespace", bench)


def test_a_stage_may_refuse_some_in_clear_words(workshop: Workshop, bench: Bench) -> None:
    said = hold("valid-requests", workshop.bundle("refuses_above_five"), bench, 40)

    assert "random requests were refused by the stage" in said


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("fails_above_five", "raised LookupError"),
        ("refuses", "random requests that the schema allows, the stage refuses all"),
        ("outside", "fence: pipeline outside: ConfigMap elsewhere/random"),
        ("shuffled", "deterministic: the same request gives another output"),
        ("secret", "objects: pipeline secret: objects.yaml:"),
    ],
)
def test_a_stage_that_does_not_keep_to_it_is_told(
    workshop: Workshop, bench: Bench, stage: str, words: str
) -> None:
    with pytest.raises(FailedCheck) as failed:
        hold("valid-requests", workshop.bundle(stage), bench, 40)

    assert words in str(failed.value)


def test_the_request_that_fails_is_shown_in_its_simplest_form(
    workshop: Workshop, bench: Bench
) -> None:
    with pytest.raises(FailedCheck) as failed:
        hold("valid-requests", workshop.bundle("fails_above_five"), bench, 40)

    assert "\n  number: 6\n" in str(failed.value)


def test_what_the_schema_allows_and_the_model_does_not_is_a_failure(
    workshop: Workshop, bench: Bench
) -> None:
    folder = workshop.bundle("plain", schema=OPEN)

    with pytest.raises(FailedCheck, match="does not fit the stage's model Spec"):
        hold("valid-requests", folder, bench, 40)


def test_a_schema_that_nothing_fits_leaves_nothing_to_try(workshop: Workshop, bench: Bench) -> None:
    folder = workshop.bundle("plain", schema=IMPOSSIBLE)

    with pytest.raises(NotChecked, match="no example"):
        hold("valid-requests", folder, bench)


def test_a_schema_that_takes_anything_has_no_rule_to_break(
    workshop: Workshop, bench: Bench
) -> None:
    folder = workshop.bundle("anything", schema=OPEN)

    with pytest.raises(NotChecked, match="no example"):
        hold("invalid-requests", folder, bench)


def test_invalid_requests_are_refused(workshop: Workshop, bench: Bench) -> None:
    assert not hold("invalid-requests", workshop.bundle("plain", schema=CLOSED), bench)

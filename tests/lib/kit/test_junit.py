"""Findings as JUnit XML."""

from xml.etree import ElementTree as ET

from troth.kit.findings import Check, Finding, Outcome
from troth.kit.junit import junit

FINDINGS = [
    Finding("a", None, Check.MODEL, Outcome.PASSED),
    Finding("a", "one", Check.RENDERS, Outcome.FAILED, "it fails\n-<old> & \x1b[31m"),
    Finding("a", "one", Check.FENCE, Outcome.NOT_CHECKED, "see the check renders."),
    Finding("b", None, Check.BUNDLE, Outcome.PASSED, "a remark"),
]


def test_a_bundle_is_a_suite_and_a_check_a_case() -> None:
    root = ET.fromstring(junit(FINDINGS))  # noqa: S314  (we have just written it)

    assert [suite.attrib for suite in root] == [
        {"name": "a", "tests": "3", "failures": "1", "errors": "0", "skipped": "1"},
        {"name": "b", "tests": "1", "failures": "0", "errors": "0", "skipped": "0"},
    ]
    cases = [case.attrib for case in root.iter("testcase")]
    assert cases[:2] == [
        {"classname": "a", "name": "model"},
        {"classname": "a", "name": "one: renders"},
    ]


def test_a_failure_has_its_first_line_as_message_and_all_of_it_as_text() -> None:
    [failure] = ET.fromstring(junit(FINDINGS)).iter("failure")  # noqa: S314  (as above)

    assert failure.attrib == {"message": "it fails"}
    assert failure.text == "it fails\n-<old> & �[31m"


def test_what_was_not_checked_is_skipped_with_its_reason() -> None:
    [skipped] = ET.fromstring(junit(FINDINGS)).iter("skipped")  # noqa: S314  (as above)

    assert skipped.attrib == {"message": "see the check renders."}


def test_the_same_findings_give_the_same_bytes() -> None:
    assert junit(FINDINGS) == junit(list(FINDINGS))
    assert b"time" not in junit(FINDINGS)

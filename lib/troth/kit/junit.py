"""Findings as JUnit XML, as Jenkins, GitLab and others read it.

A test suite a bundle, a test case a check. No times and no host stand in it: the same findings
give the same file.
"""

import re
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

from troth.kit.findings import Finding, Outcome

__all__ = ["junit"]

# What XML 1.0 has no spelling for, escapes included.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(findings: Iterable[Finding]) -> bytes:
    """Spell findings as one XML document, bundles and checks in the order given."""
    bundles: dict[str, list[Finding]] = {}
    for finding in findings:
        bundles.setdefault(finding.bundle, []).append(finding)
    everything = [finding for found in bundles.values() for finding in found]
    root = ET.Element("testsuites", {"name": "troth", **_counts(everything)})
    for bundle, found in bundles.items():
        suite = ET.SubElement(root, "testsuite", {"name": _text(bundle), **_counts(found)})
        for finding in found:
            _add(suite, finding)
    ET.indent(root)
    spelled: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return spelled + b"\n"


def _counts(findings: Sequence[Finding]) -> dict[str, str]:
    def count(outcome: Outcome) -> str:
        return str(sum(finding.outcome is outcome for finding in findings))

    return {
        "tests": str(len(findings)),
        "failures": count(Outcome.FAILED),
        "errors": "0",
        "skipped": count(Outcome.NOT_CHECKED),
    }


def _add(suite: ET.Element, finding: Finding) -> None:
    names = {"classname": _text(finding.bundle), "name": _text(finding.title)}
    case = ET.SubElement(suite, "testcase", names)
    summary = {"message": _text(finding.summary)}
    match finding.outcome:
        case Outcome.FAILED:
            ET.SubElement(case, "failure", summary).text = _text(finding.message)
        case Outcome.NOT_CHECKED:
            ET.SubElement(case, "skipped", summary)
        case Outcome.PASSED if finding.message:
            ET.SubElement(case, "system-out").text = _text(finding.message)
        case Outcome.PASSED:
            pass


def _text(text: str) -> str:
    return _NOT_XML.sub("�", text)

"""What has to hold of random requests: those the schema allows render, the others are refused."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec

from troth.api import Document, JsonObject, Promise, ResourceRequest, dump_documents
from troth.engine import Submission
from troth.errors import InvalidInputError, Reason
from troth.kit.case import FailedCheck, NotChecked, Setting
from troth.kit.findings import Check, Outcome
from troth.kit.request_checks import examine_case

__all__ = ["PROPERTIES"]


def _valid_requests(setting: Setting, examples: int) -> str:
    """Random requests that the schema allows render, and pass every check but golden output."""
    _need_hypothesis()
    from troth.kit.strategies import for_each, requests  # noqa: PLC0415  (it may not be installed)

    refusals: list[str] = []
    rendered = 0

    def look(spec: JsonObject) -> None:
        nonlocal rendered
        refusal = _try_valid(setting, spec)
        if refusal is None:
            rendered += 1
        else:
            refusals.append(refusal)

    try:
        for_each(requests(setting.promise, setting.specs), look, examples)
    except ValueError as error:
        raise NotChecked(f"{error}.") from error
    if not rendered:
        raise FailedCheck(
            f"of {len(refusals)} random requests that the schema allows, the stage refuses all; "
            f"let the schema say what is needed. The first: {refusals[0]}"
        )
    return f"{len(refusals)} random requests were refused by the stage." if refusals else ""


def _invalid_requests(setting: Setting, examples: int) -> str:
    """Random requests that break one rule of the schema are refused for that."""
    _need_hypothesis()
    from troth.kit.strategies import (  # noqa: PLC0415  (it may not be installed)
        for_each,
        invalid_requests,
    )

    try:
        made = invalid_requests(setting.promise)
        for_each(made, lambda spec: _try_invalid(setting, spec), examples)
    except ValueError as error:
        raise NotChecked(f"{error}.") from error
    return ""


def _need_hypothesis() -> None:
    if find_spec("hypothesis") is None:
        raise NotChecked("hypothesis is not installed, which makes random requests.")


PROPERTIES: Mapping[str, Callable[[Setting, int], str]] = {
    "valid-requests": _valid_requests,
    "invalid-requests": _invalid_requests,
}
"""What has to hold of random requests, by name; each is tried with so many of them.

Each returns a remark, or raises FailedCheck, or NotChecked.
"""


def _submission_of(promise: Promise, spec: JsonObject) -> Submission:
    """Return a request with a spec, in the stored version of the Promise's API.

    Raises:
        ValueError: the Promise has no API.
    """
    if promise.api is None:
        raise ValueError(f"the Promise {promise.name!r} has no API, so nobody can ask for anything")
    raw: JsonObject = {
        "apiVersion": f"{promise.api.group}/{promise.api.stored}",
        "kind": promise.api.kind,
        "metadata": {"name": "random", "namespace": "default"},
        "spec": spec,
    }
    document = Document(raw, "random request", dump_documents([raw]).decode(), 0)
    return Submission(ResourceRequest.parse(raw), document, "")


def _try_valid(setting: Setting, spec: JsonObject) -> str | None:
    """Make every check of a random request but that of golden output.

    A stage may refuse what its schema allows, such as two fields that do not go together, by
    raising an InvalidInputError, which tells people what is wrong. To fail in any other way is a
    mistake of the stage.

    Returns:
        None when it was rendered, else why the stage refused it.

    Raises:
        FailedCheck: one of the checks failed.
    """
    submission = _submission_of(setting.promise, spec)
    case, findings = examine_case(setting, submission, leave_out=frozenset({Check.EXPECTED}))
    failed = [finding for finding in findings if finding.outcome is Outcome.FAILED]
    if not failed:
        return None
    if failed[0].check is Check.RENDERS and isinstance(case.take.stage_error, InvalidInputError):
        return failed[0].message
    found = "\n".join(f"{finding.check}: {finding.message}" for finding in failed)
    raise FailedCheck(f"a request that the schema allows fails.\n{_spell(spec)}\n{found}")


def _try_invalid(setting: Setting, spec: JsonObject) -> None:
    """Hand in a random request that breaks a rule of the schema.

    Raises:
        FailedCheck: it was not refused for that.
    """
    try:
        setting.rehearsal.admit(_submission_of(setting.promise, spec))
    except InvalidInputError as error:
        if error.reason == Reason.SCHEMA_VIOLATION:
            return
        found = f"refused for another reason: {error.message} [{error.reason}]"
    else:
        found = "it was taken."
    raise FailedCheck(f"a request that breaks a rule of the schema: {found}\n{_spell(spec)}")


def _spell(spec: JsonObject) -> str:
    return dump_documents([{"spec": spec}]).decode().rstrip()

"""The checks of a bundle as a whole."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout

from pydantic import BaseModel

from troth.api import (
    Fields,
    Json,
    JsonObject,
    Promise,
    RequestKey,
    dump_documents,
    is_object,
)
from troth.engine import Submission
from troth.engine.installed import Requirements
from troth.engine.report import of_unmet
from troth.errors import InvalidInputError, NotServedError, TrothError, shorten
from troth.kit.bench import MOMENT
from troth.kit.bundle import Bundle
from troth.kit.case import PROMISE_FOLDER, Case, FailedCheck, NotChecked, Setting
from troth.kit.diffs import differences
from troth.kit.findings import Check, Outcome
from troth.kit.golden import leftovers, prune
from troth.kit.request_checks import examine_case
from troth.sdk import find_stage, structural_schema

__all__ = ["LOOKS"]

# Dependencies are the platform's own manifests, and bound by no fence.
_NOT_OF_PROMISES = frozenset({Check.FENCE})


def _bundle(bundle: Bundle, setting: Setting, cases: Sequence[Case]) -> str:
    """Is it whole, is nothing left over, and can what it made be undone?"""
    problems = list(bundle.problems)
    remarks = list(bundle.remarks)
    left = leftovers(setting.expected, _folders(bundle, setting))
    names = ", ".join(str(path.relative_to(bundle.folder)) for path in left)
    if left and setting.update and not problems:
        prune(setting.expected, left)
        remarks.append(f"removed, since no request makes it: {names}.")
    elif left:
        problems.append(f"no request makes {names}; run again with --update to remove it.")
    problems += _undo(setting, cases)
    if problems:
        raise FailedCheck("\n".join(problems))
    return "\n".join(remarks)


def _folders(bundle: Bundle, setting: Setting) -> list[str]:
    """Name the folders that may stand in ``expected``."""
    own = [PROMISE_FOLDER] if setting.promise.workflows.promise_configure else []
    return [*(one.request.name for one in bundle.requests), *own]


def _undo(setting: Setting, cases: Sequence[Case]) -> list[str]:
    """Run the delete workflow for every request that rendered; return what went wrong."""
    problems: list[str] = []
    for case in cases:
        if case.judged is None:
            continue
        try:
            setting.rehearsal.delete(case.draft, setting.bench.usual, MOMENT, case.take)
        except TrothError as error:
            problems.append(f"{case.name} cannot be deleted: {error.message} [{error.reason}]")
    return problems


def _model(_: Bundle, setting: Setting, __: Sequence[Case]) -> str:
    """Is the Promise's schema the one that its stage's model makes?"""
    api, pipelines = setting.promise.api, setting.promise.workflows.resource_configure
    if api is None or not pipelines:
        raise NotChecked("the Promise offers nothing that a stage would fulfil.")
    try:
        step = setting.bench.usual.steps(pipelines[0])[0]
    except NotServedError as error:
        raise NotChecked(f"the model of the stage is not known: {error.message}") from error
    model = _model_of(step.stage, step.distribution)
    if model.model_config.get("extra") == "allow":
        raise NotChecked(f"the stage {step.stage!r} takes any fields.")
    try:
        made = structural_schema(model)
    except InvalidInputError as error:
        raise NotChecked(f"the model {model.__name__} makes no schema: {error.message}") from error
    stored = Fields(api.schema).section("properties").mapping("spec")
    if made != stored:
        files = ({"schema of spec": _spelled(one)} for one in (stored, made))
        raise FailedCheck(
            f"the schema of spec is not the one that the model {model.__name__} of the stage "
            f"{step.stage!r} makes (troth.sdk.structural_schema).\n{differences(*files)}"
        )
    return ""


def _model_of(stage: str, distribution: str) -> type[BaseModel]:
    """Return the model of a stage, which is imported for that; what it prints is no report."""
    try:
        with redirect_stdout(sys.stderr):
            return find_stage(stage, distribution).model
    except TrothError:
        raise
    except (Exception, SystemExit) as error:  # foreign code: whatever its import raises
        text = shorten(str(error))
        raise FailedCheck(
            f"the stage {stage!r} cannot be imported: {type(error).__name__}: {text}"
        ) from error


def _spelled(schema: JsonObject) -> bytes:
    return dump_documents([_sorted(schema)])


def _sorted(value: Json) -> Json:
    """Put keys in one order, in which no two schemas differ."""
    if is_object(value):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_sorted(item) for item in value]
    return value


def _promise(bundle: Bundle, setting: Setting, _: Sequence[Case]) -> str:
    """Can it be installed, and is what it brings right by the checks that requests have to pass?"""
    if bundle.installed is None:
        raise NotChecked("the Promise cannot be read.")
    elsewhere = _required(setting.promise, bundle.installed)
    if not setting.promise.has_own_output:
        raise NotChecked(elsewhere)
    case, findings = examine_case(setting, bundle.installed, _NOT_OF_PROMISES)
    said = [f"{one.check}: {one.message}" for one in findings if one.message]
    if any(one.outcome is Outcome.FAILED for one in findings):
        raise FailedCheck("\n".join(said))
    said += _undo(setting, [case])
    return "\n".join([*said, elsewhere] if elsewhere else said)


def _required(promise: Promise, installed: Submission) -> str:
    """Refuse a Promise that requires itself; return what else it requires, in a sentence."""
    requirements = Requirements({promise.name: promise}, {})
    why = requirements.unmet(promise, ())
    if why is not None and promise.name in requirements.circles:
        item = of_unmet(installed, RequestKey.of_promise(promise.name), why, endless=True)
        raise FailedCheck(item.message)
    if not promise.requires:
        return ""
    named = ", ".join(str(one) for one in promise.requires)
    return f"required, and not in the bundle: {named}."


def _claims(_: Bundle, setting: Setting, cases: Sequence[Case]) -> str:
    """Can all its requests live side by side?"""
    drafts = [case.judged for case in cases if case.judged is not None]
    waiting = setting.rehearsal.claim(drafts)
    if waiting:
        intro = "routes that hang on what no request of the bundle makes are not judged:"
        raise NotChecked("\n".join([intro, *waiting]))
    if len(drafts) < len(cases):
        raise NotChecked(f"only {len(drafts)} of {len(cases)} requests have an output to compare.")
    return ""


LOOKS: Mapping[Check, Callable[[Bundle, Setting, Sequence[Case]], str]] = {
    Check.BUNDLE: _bundle,
    Check.MODEL: _model,
    Check.PROMISE: _promise,
    Check.CLAIMS: _claims,
}
"""The checks of a bundle, in the order of reports."""

"""The checks of one request, each a small function with a name.

A check passes by returning, with a remark where there is one, and fails by raising. One that needs
what an earlier one did not bring about is not made, and that is said.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from troth.api import Document, RequestSchema, dump_documents, load_documents
from troth.engine import Moment, Submission
from troth.engine.fence import check_fence
from troth.errors import TrothError
from troth.kit.bench import LATER, MOMENT
from troth.kit.case import Case, FailedCheck, NotChecked, Setting
from troth.kit.crds import Crds
from troth.kit.diffs import differences
from troth.kit.findings import Check, Finding, Outcome
from troth.kit.golden import read_golden, write_golden
from troth.kit.rehearsal import Take

__all__ = ["attempt", "checks_of", "examine_case"]


def attempt(look: Callable[[], str]) -> tuple[Outcome, str]:
    """Make a check; return how it ended and what there is to say."""
    try:
        return Outcome.PASSED, look()
    except NotChecked as reason:
        return Outcome.NOT_CHECKED, str(reason)
    except FailedCheck as verdict:
        return Outcome.FAILED, str(verdict)
    except TrothError as error:
        return Outcome.FAILED, f"{error.message} [{error.reason}]"


def checks_of(setting: Setting) -> list[Check]:
    """List the checks that are made of every request, in their order."""
    return [step.check for step in _STEPS if _asked(step.check, setting)]


def _asked(check: Check, setting: Setting) -> bool:
    return check is not Check.SCHEMAS or setting.crds is not None


def examine_case(
    setting: Setting, submission: Submission, leave_out: frozenset[Check] = frozenset()
) -> tuple[Case, list[Finding]]:
    """Make every check of a request but some, in their order."""
    case = Case(setting, submission)
    findings: list[Finding] = []
    blocking: set[Check] = set()
    for step in _STEPS:
        if step.check in leave_out or not _asked(step.check, setting):
            continue
        missing = [one for one in step.needs if one in blocking]
        if missing:
            outcome, message = Outcome.NOT_CHECKED, f"see the check {missing[0]}."
        else:
            outcome, message = attempt(partial(step.look, case))
        # One that was made and found nothing to look at, such as no fence, stands in nobody's way.
        if missing or outcome is Outcome.FAILED:
            blocking.add(step.check)
        findings.append(Finding(setting.bundle, case.name, step.check, outcome, message))
    return case, findings


def _schema(case: Case) -> str:
    case.draft = case.setting.rehearsal.admit(case.submission)
    if case.submission.is_promise:
        return ""  # it has no schema but its own view, which has read it
    api, version = case.setting.promise.api, case.submission.request.version
    if api is not None and RequestSchema(api.schemas[version]).ignored_rules:
        return "the CEL rules of the schema are not evaluated; the API server does that."
    return ""


def _renders(case: Case) -> str:
    case.take = case.setting.rehearsal.render(case.draft, case.setting.bench.usual, MOMENT)
    if case.take.error is not None:
        raise case.take.error
    suspension = case.take.rendered.suspension
    return f"suspended by {suspension.words}" if suspension is not None else ""


def _objects(case: Case) -> str:
    case.judged = case.setting.rehearsal.judge(case.draft, case.take)
    found = any(placement.objects for placement in case.judged.placements)
    return "" if found else "there is no object in the output."


def _fence(case: Case) -> str:
    if case.judged is not None:
        check_fence(case.judged)
    if not case.setting.promise.fence.declared:
        raise NotChecked("the Promise declares no fence (annotation troth.dev/fence).")
    return ""


def _expected(case: Case) -> str:
    made, there = case.golden(case.take), read_golden(case.folder)
    diff = differences(there, made, show=case.shows)
    if not diff:
        return ""
    if case.setting.update:
        return f"written: {write_golden(case.folder, made)}.\n{diff}"
    if not there:
        raise FailedCheck(f"{case.folder} holds no golden output yet; run again with --update.")
    raise FailedCheck(
        f"the output is not what stands in {case.folder}; mend the stage, or run again with "
        f"--update if it is right.\n{diff}"
    )


def _deterministic(case: Case) -> str:
    first, setting = case.golden(case.take), case.setting
    for runner in setting.bench.others:
        diff = _diff(case, first, setting.rehearsal.render(case.draft, runner, MOMENT))
        if diff:
            raise FailedCheck(
                "the same request gives another output in a process with another hash seed, time "
                "zone and temporary folder. A stage takes time and randomness from its context, "
                f"and sorts what has no order, such as sets.\n{diff}"
            )
    later = setting.rehearsal.render(case.draft, setting.bench.others[0], LATER)
    if later.error is not None:
        raise later.error
    if later.rendered.status != case.take.rendered.status:
        return "the status remembers what was made of time and randomness."
    diff = differences(_lasting(case, case.take), _lasting(case, later), show=case.shows)
    if diff:
        raise FailedCheck(
            "at another time, and with other randomness, the same request gives another output, "
            "and nothing in the status remembers what was made of them: it would change with every "
            f"run.\n{diff}"
        )
    return ""


def _diff(case: Case, first: Mapping[str, bytes], take: Take) -> str:
    if take.error is not None:
        raise take.error
    return differences(first, case.golden(take), show=case.shows)


def _stable(case: Case) -> str:
    rendered, setting = case.take.rendered, case.setting
    if rendered.suspension is not None:
        raise NotChecked("the workflow is suspended, and may go on in another way the next time.")
    moment = _before(rendered.due)
    again = setting.rehearsal.render(case.draft, setting.bench.usual, moment, rendered.status)
    if again.error is not None:
        raise again.error
    diff = differences(_lasting(case, case.take), _lasting(case, again), show=case.shows)
    if diff:
        raise FailedCheck(
            "rendered again at another time, from the status that the first run left, the output "
            "or the status is another one: sync would refuse it as Unstable. What is made of time "
            f"and randomness has to be kept in the status.\n{diff}"
        )
    return ""


def _before(due: datetime | None) -> Moment:
    """Return a later moment, but before the stages want to run again and may do something new."""
    if due is None:
        return LATER
    return LATER._replace(now=min(LATER.now, due - timedelta(seconds=1)))


def _lasting(case: Case, take: Take) -> dict[str, bytes]:
    """Return what a second run has to give again: the output, and the whole status after it.

    When the stages want to run again is none of it: that comes nearer.
    """
    left = {"status": dump_documents([take.rendered.status])}
    if take.rendered.suspension is not None:
        left["suspended"] = b"true\n"
    return {**case.golden(take, state=False), **left}


def _schemas(case: Case) -> str:
    crds = case.setting.crds or Crds({})
    problems: list[str] = []
    unknown: list[str] = []
    known, rules = 0, False
    for document in _documents(case):
        manifest = document.data
        if crds.knows(manifest):
            known, rules = known + 1, rules or crds.has_rules(manifest)
            found = crds.violations(manifest)
            problems += [f"{document.where(one.field)}: {one.message}." for one in found]
        else:
            unknown.append(f"{manifest.get('kind')} ({manifest.get('apiVersion')})")
    said = f"{known} of {known + len(unknown)} objects have a schema."
    if unknown:
        said += f" Not checked: {', '.join(sorted(set(unknown)))}."
    if rules:
        said += " CEL rules are not evaluated."
    if problems:
        raise FailedCheck("\n".join([*problems, said]))
    if not known:
        raise NotChecked(said)
    return said


def _documents(case: Case) -> Iterator[Document]:
    for group in case.take.rendered.groups:
        for path, content in (group.files or {}).items():
            if path.endswith((".yaml", ".yml")):
                yield from load_documents(content.decode(errors="replace"), path)


class _Step(NamedTuple):
    """A check, how it is made, and the checks that may neither have failed nor been left out."""

    check: Check
    look: Callable[[Case], str]
    needs: tuple[Check, ...] = ()


_STEPS = (
    _Step(Check.SCHEMA, _schema),
    _Step(Check.RENDERS, _renders, (Check.SCHEMA,)),
    _Step(Check.OBJECTS, _objects, (Check.SCHEMA, Check.RENDERS)),
    _Step(Check.FENCE, _fence, (Check.SCHEMA, Check.RENDERS, Check.OBJECTS)),
    # What a gate refuses must not be kept as golden output either.
    _Step(Check.EXPECTED, _expected, (Check.SCHEMA, Check.RENDERS, Check.OBJECTS, Check.FENCE)),
    _Step(Check.DETERMINISTIC, _deterministic, (Check.SCHEMA, Check.RENDERS)),
    _Step(Check.STABLE, _stable, (Check.SCHEMA, Check.RENDERS)),
    _Step(Check.SCHEMAS, _schemas, (Check.SCHEMA, Check.RENDERS, Check.OBJECTS)),
)

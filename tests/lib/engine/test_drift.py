"""Drift: what stages find to be missing outside, how it is told, and how it is mended once."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.outside_users import Users, platform_of
from support.platform import Platform, promise, request

from troth.engine import DriftReport, State, Verdict
from troth.errors import NotServedError, Reason, StageError, TransientError, TrothError
from troth.runners import Inspected, InspectionJob, StageJob, StageResult
from troth_statestore import ChangeSet


@pytest.fixture
def users() -> Users:
    return Users()


@pytest.fixture
def platform(users: Users) -> Platform:
    made = platform_of(users)
    made.sync(request())
    return made


def verdicts(report: DriftReport) -> dict[str, Verdict]:
    return {one.key.name: one.verdict for one in report.checked}


def test_what_is_there_is_intact_and_nothing_runs_or_is_written(
    platform: Platform, users: Users
) -> None:
    runs, files = len(platform.runner.runs), platform.files

    report = platform.check()

    assert verdicts(report) == {"one": Verdict.INTACT}
    assert report.sound
    assert {(one.name, count) for one, count in report.calls.items()} == {("main", 1)}
    assert (len(platform.runner.runs), platform.files) == (runs, files)
    assert users.looked == 1


def test_no_other_run_looks(platform: Platform, users: Users) -> None:
    platform.plan(request())
    platform.sync(request())
    platform.sync(request(value="new"))

    assert users.looked == 0


def test_all_requests_of_a_promise_are_looked_at_together(platform: Platform, users: Users) -> None:
    asked = [request(f"r{number}", f"team-{number % 3}") for number in range(9)]
    platform.sync(request(), *asked)

    report = platform.check()

    assert users.looked == 1
    assert len(report.checked) == 10


def test_what_is_missing_is_said_and_nothing_is_done(platform: Platform, users: Users) -> None:
    users.there.clear()
    records = platform.records

    report = platform.check()

    assert [(one.verdict, one.message) for one in report.checked] == [
        (Verdict.DRIFTED, "one-g1 was deleted.")
    ]
    assert not report.sound
    assert platform.records == records
    assert users.made == ["one-g1"]


def test_a_run_that_mends_makes_one_and_the_next_sync_and_check_none(
    platform: Platform, users: Users
) -> None:
    users.there.clear()

    mended = platform.mend(platform.check(), request())
    runs, again = len(platform.runner.runs), platform.sync(request())["one"]

    assert verdicts(mended) == {"one": Verdict.REPAIRED}
    assert mended.sound
    assert users.made == ["one-g1", "one-g2"]
    assert users.told[-1] == {"message": "one-g1 was deleted.", "ended": False}
    assert (again.state, len(platform.runner.runs)) == (State.UNCHANGED, runs)
    assert verdicts(platform.check()) == {"one": Verdict.INTACT}


def test_what_was_found_is_told_against_one_version_of_the_record_only(
    platform: Platform, users: Users
) -> None:
    users.there.clear()
    found = platform.check()
    platform.mend(found, request())

    second = platform.mend(found, request())

    assert users.made == ["one-g1", "one-g2"]
    (one,) = second.checked
    assert one.verdict is Verdict.DRIFTED
    assert "check again" in one.message


def test_mending_leaves_all_others_alone(platform: Platform, users: Users) -> None:
    platform.sync(request(), request("two"), request("three"))
    users.there.discard("one-g1")
    files, records = platform.files, platform.records

    mended = platform.mend(platform.check(), request(), request("two", value="edited"))

    changed = [path for path, text in platform.files.items() if files.get(path) != text]
    assert len(changed) == 1
    assert "/one/" in changed[0]
    assert platform.files.keys() == files.keys()
    assert len([path for path, text in platform.records.items() if records[path] != text]) == 1
    assert verdicts(mended)["one"] is Verdict.REPAIRED


def test_a_request_that_was_not_handed_in_is_not_mended_and_that_is_said(
    platform: Platform, users: Users
) -> None:
    users.there.clear()

    (mended,) = platform.mend(platform.check()).checked

    assert mended.verdict is Verdict.DRIFTED
    assert "not handed in" in mended.message
    assert users.made == ["one-g1"]


def test_a_stage_that_does_nothing_about_it_is_not_called_repaired(
    platform: Platform, users: Users
) -> None:
    users.there.clear()
    users.idle = True

    (mended,) = platform.mend(platform.check(), request()).checked

    assert mended.verdict is Verdict.DRIFTED
    assert "nothing was mended" in mended.message


def test_a_provider_that_fails_while_mending_is_not_called_repaired(
    platform: Platform, users: Users
) -> None:
    users.there.clear()
    users.failing = True

    (mended,) = platform.mend(platform.check(), request()).checked

    assert mended.verdict is Verdict.DRIFTED
    assert "the provider does not answer." in mended.message


def test_what_no_rendering_mends_is_reported_and_left_alone(
    platform: Platform, users: Users
) -> None:
    users.there.clear()
    users.mendable = False

    report = platform.check()
    mended = platform.mend(report, request())

    assert report.mendable == {}
    assert verdicts(mended) == {"one": Verdict.DRIFTED}
    assert users.made == ["one-g1"]


def test_a_pipeline_that_found_nothing_is_told_nothing(users: Users) -> None:
    told: list[object] = []

    def second(job: StageJob) -> StageResult:
        told.append(job.context.get("drift"))
        return StageResult()

    platform = platform_of(users)
    platform.promises = [promise(configure=["configure", "second"])]
    platform.stages["second"] = second
    platform.sync(request())
    users.there.clear()

    platform.mend(platform.check(), request())

    assert users.told[-1] is not None
    assert told == [None] * len(users.told)


def test_a_stage_is_told_that_what_is_missing_has_ended(platform: Platform, users: Users) -> None:
    users.there.clear()
    users.ended = True

    platform.mend(platform.check(), request())

    assert users.told[-1] == {"message": "one-g1 was deleted.", "ended": True}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TransientError(Reason.PROVIDER_UNREACHABLE, "it does not answer."), "does not answer"),
        (StageError(Reason.STAGE_CRASHED, "its process is gone."), "process is gone"),
    ],
)
def test_where_nothing_could_be_learned_that_is_said_and_nothing_mended(
    platform: Platform, users: Users, error: TrothError, words: str
) -> None:
    users.there.clear()
    users.error = error

    report = platform.check()

    (one,) = report.checked
    assert (one.verdict, report.sound, report.mendable) == (Verdict.UNKNOWN, False, {})
    assert words in one.message
    assert "pipeline configure" in one.message


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"{", "no JSON"),
        (b"[]", "no JSON object"),
        (b'{"findings": {"team/other": {"state": "intact"}}}', "not asked about"),
        (b'{"findings": {"team/one": {"state": "fine"}}}', "one of intact"),
        (b'{"findings": {"team/one": {"state": "drifted"}}}', "is needed here"),
        (b'{"findings": {"team/one": "intact"}}', "a mapping is needed"),
        (b'{"calls": {"main": -1}}', "a whole number"),
        (b'{"calls": {"main": "SUAM' + b"A" * 54 + b'"}}', "a whole number"),
        (b"-----BEGIN PRIVATE KEY-----", "a private key"),
    ],
)
def test_an_answer_that_makes_no_sense_is_used_for_nobody(
    platform: Platform, users: Users, said: bytes, words: str
) -> None:
    users.answers = said

    (one,) = platform.check().checked

    assert one.verdict is Verdict.UNKNOWN
    assert words in one.message


def test_one_promise_that_cannot_be_asked_costs_the_others_nothing(
    platform: Platform, users: Users
) -> None:
    def not_served(_: InspectionJob) -> Sequence[Inspected]:
        raise NotServedError(Reason.IMAGE_NOT_SERVED, "no such image.")

    platform.promises.append(promise("other", kind="Other", configure=["other"]))
    platform.runner.stages["other"] = platform.stages["configure"]
    platform.runner.looks["other"] = not_served
    platform.sync(request(), request("second", kind="Other"))

    found = verdicts(platform.check())

    assert found == {"one": Verdict.INTACT, "second": Verdict.UNKNOWN}


def test_who_has_nothing_outside_is_not_checked_and_counts_as_no_failure(users: Users) -> None:
    platform = platform_of(users)
    platform.sync(request())
    del platform.runner.looks["configure"]

    report = platform.check()

    assert verdicts(report) == {"one": Verdict.NOT_CHECKED}
    assert report.sound


def test_a_promise_that_was_not_given_is_not_asked(platform: Platform, users: Users) -> None:
    platform.promises = []

    (one,) = platform.check().checked

    assert (one.verdict, one.message) == (Verdict.NOT_CHECKED, "its Promise was not given.")
    assert users.looked == 0


def test_requests_of_another_inventory_are_not_looked_at(platform: Platform) -> None:
    platform.settings = type(platform.settings)(inventory="elsewhere")

    assert platform.check().checked == []


def test_only_those_that_are_meant_are_looked_at(platform: Platform) -> None:
    platform.sync(request(), request("two"))

    assert verdicts(platform.check(lambda key: key.name == "two")) == {"two": Verdict.INTACT}


def test_a_record_that_cannot_be_read_is_unknown(platform: Platform) -> None:
    (path,) = platform.records
    _, version = platform.store.snapshot().records()[path]
    platform.store.commit([ChangeSet(path, version, record=b"{")])

    assert verdicts(platform.check()) == {"one": Verdict.UNKNOWN}


def test_a_store_that_cannot_be_reached_is_said(platform: Platform) -> None:
    platform.others = {"moon": type(platform.store)()}
    platform.out_of_reach = frozenset({"moon"})

    report = platform.check()

    assert not report.sound
    assert verdicts(report)["moon"] is Verdict.UNKNOWN


def test_a_paused_request_is_looked_at_and_not_mended(platform: Platform, users: Users) -> None:
    paused = request(labels={"kratix.io/paused": "true"})
    platform.sync(paused)
    users.there.clear()

    mended = platform.mend(platform.check(), paused)

    assert verdicts(mended) == {"one": Verdict.DRIFTED}
    assert users.made == ["one-g1"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sets(st.integers(0, 4)), min_size=1, max_size=4))
def test_however_often_users_vanish_each_is_made_again_once(vanishing: list[set[int]]) -> None:
    users = Users()
    platform = platform_of(users)
    asked = [request(f"r{number}") for number in range(5)]
    platform.sync(*asked)

    for gone in vanishing:
        before = len(users.made)
        users.there -= {one for one in users.there if int(one[1]) in gone}
        report = platform.mend(platform.check(), *asked)
        assert len(users.made) - before == len(gone)
        assert report.sound
        assert platform.check().sound
        platform.sync(*asked)
        assert len(users.made) - before == len(gone)

"""What a request's status on a cluster says: Kratix's words, honest, only new where it is news."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from support.platform import (
    Platform,
    config_map,
    destination,
    follows_spec,
    promise,
    request,
    writes,
)

from troth.api import Fields, Json, JsonObject, Promise, RequestKey, dump_documents, is_object
from troth.engine import Item, Record, State, Submission
from troth.engine.request_status import RequestOutcome, request_status
from troth.engine.suspension import Suspension
from troth.errors import Reason, StageError
from troth.runners import StageJob, StageResult

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FOLDER = "cluster/resources/team/thing/one/configure/5058f"


@dataclass
class Live:
    """A request on a cluster: synced, its status kept as a controller would keep it."""

    platform: Platform = field(default_factory=Platform)
    status: JsonObject = field(default_factory=dict[str, Json])
    generation: int = 1
    labels: dict[str, str] = field(default_factory=dict[str, str])

    def sync(self, *others: Submission, value: str) -> JsonObject:
        item = self.platform.sync(request(labels=self.labels, value=value), *others)["one"]
        kept = {key: one for key, one in self.platform.records.items() if key.endswith("one.yaml")}
        records = [Record.decode(content, key) for key, content in kept.items()]
        record = records[0] if records else None
        outcome = RequestOutcome(item, self.platform.promises[0], record, self.generation)
        self.status = request_status(self.status, outcome, self.platform.now)
        return self.status

    def later(self) -> None:
        self.platform.now += timedelta(hours=1)


def conditions(status: JsonObject) -> dict[str, tuple[str, str, str]]:
    items = Fields(status).items("conditions")
    return {
        one.text("type"): (one.text("status"), one.text("reason", ""), one.text("message", ""))
        for one in items
    }


def moments(status: JsonObject) -> dict[str, Json]:
    return {
        one.text("type"): one.value("lastTransitionTime")
        for one in Fields(status).items("conditions")
    }


def phases(status: JsonObject) -> list[tuple[str, str]]:
    flows = Fields(status).section("kratix").section("workflows")
    return [(one.text("name"), one.text("phase")) for one in flows.items("pipelines")]


def test_a_written_request_says_all_that_kratix_says_and_where_it_is() -> None:
    live = Live()

    status = live.sync(value="x")

    troth = Fields(status).section("troth")
    commit = troth.text("commit")
    assert conditions(status) == {
        "ConfigureWorkflowCompleted": (
            "True",
            "PipelinesExecutedSuccessfully",
            "Pipelines completed",
        ),
        "WorksSucceeded": (
            "True",
            "WorksSucceeded",
            "All works associated with this resource are ready",
        ),
        "Reconciled": ("True", "Reconciled", "Reconciled"),
        "Written": ("True", "Written", f"Written in {commit}"),
    }
    assert {key: status[key] for key in ("message", "observedGeneration", "promiseVersion")} == {
        "message": "Resource requested",
        "observedGeneration": 1,
        "promiseVersion": "not-set",
    }
    assert (status["workflows"], status["workflowsSucceeded"], status["workflowsFailed"]) == (
        1,
        1,
        0,
    )
    assert phases(status) == [("configure", "Succeeded")]
    assert troth.value("placements") == [{"destination": "cluster", "path": FOLDER}]
    assert troth.text("record") in live.platform.records
    assert set(troth.mapping("digests")) == {"promise", "input", "output"}


def test_a_pass_with_nothing_new_leaves_the_status_as_it_is() -> None:
    live = Live()
    first = live.sync(value="x")
    live.later()

    assert live.sync(value="x") == first


def test_a_commit_of_another_request_is_no_news_of_this_one() -> None:
    live, other = Live(), request("two", value="y")
    first = live.sync(value="x")
    live.sync(other, value="x")
    newest = live.platform.sync(request(value="x"), other)["one"].revision
    assert newest != Fields(first).section("troth").text("commit")
    live.later()

    assert live.sync(other, value="x") == first


def test_a_changed_spec_moves_commit_generation_and_the_time_of_success_but_no_condition() -> None:
    live = Live()
    first = live.sync(value="x")
    live.later()
    live.generation = 2

    status = live.sync(value="y")

    def flows(one: JsonObject) -> Fields:
        return Fields(one).section("kratix").section("workflows")

    assert moments(status) == moments(first)
    assert status["observedGeneration"] == 2
    assert all(one.value("observedGeneration") == 2 for one in Fields(status).items("conditions"))
    assert Fields(status).section("troth").text("commit") != Fields(first).section("troth").text(
        "commit"
    )
    times = [flows(one).text("lastSuccessfulConfigureWorkflowTime") for one in (first, status)]
    assert times == ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"]


def fails(_: StageJob) -> StageResult:
    raise StageError(Reason.STAGE_FAILED, "the stage raised ValueError: no.")


def test_a_failed_stage_says_so_and_its_recovery_too() -> None:
    live = Live(Platform(stages={"configure": fails}))

    status = live.sync(value="x")

    found = conditions(status)
    assert found["ConfigureWorkflowCompleted"][:2] == ("False", "ConfigureWorkflowFailed")
    assert found["ConfigureWorkflowCompleted"][2].startswith("A Configure Pipeline has failed: ")
    assert "no." in found["ConfigureWorkflowCompleted"][2]
    assert found["Reconciled"] == ("False", "ConfigureWorkflowFailed", "Failing")
    assert found["Written"][:2] == ("False", "StageFailed")
    assert (status["workflowsSucceeded"], status["workflowsFailed"]) == (0, 1)
    assert phases(status) == [("configure", "Failed")]
    assert "no." in str(status["message"])

    live.platform.stages["configure"] = follows_spec
    live.later()
    after = live.sync(value="x")
    assert conditions(after)["Reconciled"] == ("True", "Reconciled", "Reconciled")
    assert moments(after)["Reconciled"] == "2026-01-01T01:00:00Z"
    assert after["message"] == "Resource requested"


def cannot_act(job: StageJob) -> StageResult:
    """Render, but do nothing of what was to be done outside."""
    metadata = {
        "workflow-control.yaml": dump_documents([{"effects": ["end one-g1"]}]),
        "status.yaml": dump_documents([{"message": "Since noon: no answer."}]),
    }
    return replace(follows_spec(job), metadata=metadata)


def test_what_is_undone_outside_is_written_and_not_reconciled() -> None:
    live = Live(Platform(stages={"configure": cannot_act}))

    first = live.sync(value="x")
    live.later()
    again = live.sync(value="x")

    for status in (first, again):
        found = conditions(status)
        assert found["Reconciled"][:2] == ("False", "EffectsUndone")
        assert "could not: end one-g1: Since noon: no answer." in found["Reconciled"][2]
        assert found["Written"][0] == found["WorksSucceeded"][0] == "True"
        assert phases(status) == [("configure", "Succeeded")]
        assert Fields(status).section("troth").text("commit")
        assert str(status["message"]).startswith("could not: end one-g1")
    assert first == again
    live.platform.stages["configure"] = follows_spec
    assert conditions(live.sync(value="y"))["Reconciled"][0] == "True"


def test_a_failure_keeps_the_commit_of_what_still_stands() -> None:
    live = Live()
    commit = Fields(live.sync(value="x")).section("troth").text("commit")
    live.platform.stages["configure"] = fails

    status = live.sync(value="y")

    assert conditions(status)["Written"][0] == "False"
    assert Fields(status).section("troth").text("commit") == commit


def test_a_request_that_no_destination_takes_is_pending() -> None:
    live = Live(Platform(promises=[promise(selectors={"zone": "mars"})]))

    found = conditions(live.sync(value="x"))

    assert found["WorksSucceeded"][:2] == ("Unknown", "WorksPending")
    assert found["Reconciled"] == ("Unknown", "WorksPending", "Pending")
    assert found["Written"][:2] == ("False", "NoMatchingDestination")
    assert found["ConfigureWorkflowCompleted"][1] == "PipelinesInProgress"


def test_a_destination_that_matches_no_more_is_misplaced_and_still_written() -> None:
    chosen = [promise(selectors={"zone": "a"})]
    live = Live(Platform(promises=chosen, destinations=[destination("cluster", zone="a")]))
    live.sync(value="x")
    live.platform.destinations = [destination("cluster", zone="b")]

    found = conditions(live.sync(value="x"))

    assert found["WorksSucceeded"][:2] == ("False", "WorksMisplaced")
    assert found["WorksSucceeded"][2].startswith(
        "Some works associated with this resource are misplaced: ["
    )
    assert found["Reconciled"] == ("False", "WorksFailing", "Failing")
    assert found["Written"][0] == "True"


def test_a_paused_request_keeps_all_but_reconciled() -> None:
    live = Live()
    first = live.sync(value="x")
    live.later()
    live.generation = 2
    live.labels = {"kratix.io/paused": "true"}

    status = live.sync(value="y")

    assert conditions(status).pop("Reconciled") == ("Unknown", "PausedReconciliation", "Paused")
    assert {k: v for k, v in conditions(status).items() if k != "Reconciled"} == {
        k: v for k, v in conditions(first).items() if k != "Reconciled"
    }
    assert {k: v for k, v in status.items() if k != "conditions"} == {
        k: v for k, v in first.items() if k != "conditions"
    }


def test_a_paused_request_that_a_stage_had_made_wait_stays_as_it_is() -> None:
    control: JsonObject = {"suspend": True, "message": "ask somebody"}
    live = Live(Platform(stages={"configure": writes(control=control)}))
    first = live.sync(value="x")
    live.labels = {"kratix.io/paused": "true"}
    live.generation = 2

    status = live.sync(value="y")

    assert conditions(status)["Reconciled"][1] == "PausedReconciliation"
    assert status["observedGeneration"] == 1
    assert phases(status) == phases(first) == [("configure", "Suspended")]


def test_a_stage_has_no_say_about_our_conditions_where_we_say_nothing() -> None:
    said: JsonObject = {"conditions": [{"type": "Written", "status": "False"}]}
    live = Live(Platform(stages={"configure": writes(config_map("a"), status=said)}))
    first = live.sync(value="x")
    live.labels = {"kratix.io/paused": "true"}

    assert conditions(live.sync(value="x"))["Written"] == conditions(first)["Written"]


def test_a_destination_that_is_not_given_leaves_a_request_unwritten() -> None:
    item = Item("team", "thing", "one", State.MISPLACED, Reason.DESTINATION_GONE, "not given.")

    found = conditions(request_status({}, RequestOutcome(item, promise(), None, 1), NOW))

    assert found["WorksSucceeded"][:2] == ("False", "WorksMisplaced")
    assert found["Written"] == ("False", "DestinationGone", "not given.")


def test_a_stage_that_waits_is_told_with_its_pipeline() -> None:
    control: JsonObject = {"retryAfter": "5m", "message": "the database is not there yet"}
    stages = {"first": writes(config_map("a")), "second": writes(control=control)}
    names = ("first", "second", "third")
    live = Live(Platform(stages=stages, promises=[promise(configure=names)]))

    status = live.sync(value="x")

    flows = Fields(status).section("kratix").section("workflows")
    [_, waiting, _] = flows.items("pipelines")
    assert phases(status) == [("first", "Succeeded"), ("second", "Suspended"), ("third", "Pending")]
    assert waiting.text("message") == "the database is not there yet"
    assert waiting.text("nextRetryAt") == "2026-01-01T00:05:00Z"
    assert waiting.value("attempts") == 1
    assert flows.value("suspendedGeneration") == 1
    assert conditions(status)["Reconciled"] == ("Unknown", "WorkflowSuspended", "Suspended")

    live.platform.stages |= {"second": writes(config_map("b")), "third": writes(config_map("c"))}
    live.later()
    after = live.sync(value="x")
    flows = Fields(after).section("kratix").section("workflows")
    assert [phase for _, phase in phases(after)] == ["Succeeded"] * 3
    assert not flows.has("suspendedGeneration")


def test_a_promise_that_is_not_available_is_told_and_told_again_when_it_is() -> None:
    live = Live(Platform(promises=[promise(requiredPromises=[{"name": "other"}])]))

    status = live.sync(value="x")

    assert conditions(status) == {
        "PromiseAvailable": (
            "False",
            "PromiseRequirementsNotInstalled",
            "Promise Requirements are not installed",
        )
    }

    live.platform.promises = [promise()]
    live.later()
    assert conditions(live.sync(value="x"))["PromiseAvailable"] == (
        "True",
        "PromiseAvailable",
        "Promise Requirements are met",
    )


def test_a_store_that_cannot_be_reached_fails_the_writing_not_the_stages() -> None:
    live = Live()
    first = live.sync(value="x")
    item = Item("team", "thing", "one", State.FAILED, Reason.STATE_STORE_UNREACHABLE, "no route.")
    outcome = RequestOutcome(item, live.platform.promises[0], None, 1)

    found = conditions(request_status(first, outcome, live.platform.now))

    assert found["ConfigureWorkflowCompleted"] == conditions(first)["ConfigureWorkflowCompleted"]
    assert found["WorksSucceeded"] == (
        "False",
        "WorksFailing",
        "Some works associated with this resource failed: [no route.]",
    )
    assert found["Written"] == ("False", "StateStoreUnreachable", "no route.")


def test_a_request_that_another_holds_up_is_pending_with_its_stages_done() -> None:
    item = Item("team", "thing", "one", State.REFUSED, Reason.OBJECT_HELD, "team/two has it.")

    status = request_status({}, RequestOutcome(item, promise(), None, 1), NOW)

    found = conditions(status)
    assert phases(status) == [("configure", "Succeeded")]
    assert found["ConfigureWorkflowCompleted"][0] == "True"
    assert found["WorksSucceeded"][2] == (
        "Some works associated with this resource are not ready: [team/two has it.]"
    )
    assert found["Reconciled"] == ("Unknown", "WorksPending", "Pending")


def test_a_rollback_is_a_condition_while_it_lasts() -> None:
    live = Live()
    live.sync(value="x")
    old = live.platform.files
    live.sync(value="y")
    live.platform.tamper(old)

    during = live.sync(value="y")
    after = live.sync(value="z")

    assert conditions(during)["Reverted"][:2] == ("True", "Reverted")
    assert "Reverted" not in conditions(after)


def test_what_stages_say_stands_beside_it_and_keeps_its_times() -> None:
    said: JsonObject = {
        "endpoint": "here",
        "message": "Yours is ready",
        "conditions": [
            {"type": "Valid", "status": "True", "reason": "Fresh", "message": "Until May"},
            {"type": "Reconciled", "status": "False", "reason": "NotTheirs", "message": ""},
        ],
    }
    live = Live(Platform(stages={"configure": writes(config_map("a"), status=said)}))

    first = live.sync(value="x")
    live.later()
    second = live.sync(value="x")

    assert first == second
    assert (first["endpoint"], first["message"]) == ("here", "Yours is ready")
    assert conditions(first)["Valid"] == ("True", "Fresh", "Until May")
    assert moments(first)["Valid"] == "2026-01-01T00:00:00Z"
    assert conditions(first)["Reconciled"][0] == "True"


def test_what_others_keep_in_a_status_stays() -> None:
    live = Live(
        status={
            "healthStatus": {"state": "healthy"},
            "troth": {"progress": {"handler": 1}},
            "conditions": [{"type": "Approved", "status": "True", "lastTransitionTime": "then"}],
            "kratix": {"other": 1},
        }
    )

    status = live.sync(value="x")

    assert status["healthStatus"] == {"state": "healthy"}
    assert Fields(status).section("troth").value("progress") == {"handler": 1}
    assert Fields(status).section("kratix").value("other") == 1
    assert moments(status)["Approved"] == "then"


TEXTS = st.text("abc", max_size=4)
JSON: st.SearchStrategy[Json] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 9), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=5,
)
TYPES = ["Reconciled", "Written", "Reverted", "PromiseAvailable", "Valid", "Sealed"]
CONDITIONS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(TYPES), "status": st.sampled_from(["True", "False", "Unknown"])},
        optional={"lastTransitionTime": st.just("then"), "reason": TEXTS, "extra": JSON},
    ),
    max_size=4,
)
PARTS = ["conditions", "message", "kratix", "troth", "workflows", "endpoint"]
BEFORE = st.one_of(
    st.dictionaries(st.sampled_from(PARTS), JSON, max_size=5),
    st.fixed_dictionaries({"conditions": CONDITIONS}),
)
OF_STAGES = st.fixed_dictionaries(
    {}, optional={"conditions": st.one_of(CONDITIONS, JSON), "message": JSON, "endpoint": JSON}
)
PROMISES = [promise(), promise(configure=("a", "b")), promise(configure=())]


@st.composite
def outcomes(draw: st.DrawFn) -> RequestOutcome:
    served: Promise = draw(st.sampled_from(PROMISES))
    names = [pipeline.name for pipeline in served.workflows.resource_configure]
    suspension = st.builds(
        Suspension, st.sampled_from([*names, "gone"]), TEXTS, st.one_of(st.none(), st.just(NOW))
    )
    record = st.builds(
        Record,
        key=st.just(RequestKey("team", "thing", "one")),
        asked=st.just({"apiVersion": "v1", "kind": "Thing"}),
        generation=st.just(1),
        inventory=st.just("default"),
        roots=st.just(()),
        promise_digest=TEXTS,
        input_digest=st.one_of(st.none(), TEXTS),
        outputs=st.lists(TEXTS, max_size=2).map(tuple),
        placements=st.just(()),
        traits=st.just({}),
        status=OF_STAGES,
        suspension=st.one_of(st.none(), suspension),
        version=st.none(),
        leaving=st.just(()),
        due=st.none(),
    )
    live = [state for state in State if state not in {State.REMOVED, State.ORPHANED}]
    item = Item(
        "team",
        "thing",
        "one",
        draw(st.sampled_from(live)),
        draw(st.sampled_from(list(Reason))),
        draw(TEXTS),
        revision=draw(st.one_of(st.none(), st.sampled_from(["r1", "r2"]))),
        changed=draw(st.sampled_from([(), ("file",)])),
    )
    kept = draw(st.one_of(st.none(), record))
    return RequestOutcome(item, served, kept, draw(st.one_of(st.none(), st.integers(1, 3))))


@given(before=BEFORE, outcome=outcomes())
def test_the_same_outcome_later_changes_nothing(
    before: JsonObject, outcome: RequestOutcome
) -> None:
    first = request_status(before, outcome, NOW)

    assert request_status(first, outcome, NOW + timedelta(days=1)) == first


@given(before=BEFORE, outcomes_in_turn=st.lists(outcomes(), min_size=1, max_size=4))
def test_the_time_of_a_condition_moves_just_when_its_status_does(
    before: JsonObject, outcomes_in_turn: list[RequestOutcome]
) -> None:
    status = request_status({**before, "conditions": []}, outcomes_in_turn[0], NOW)
    for number, outcome in enumerate(outcomes_in_turn[1:], start=1):
        moment = NOW + timedelta(hours=number)
        after = request_status(status, outcome, moment)
        old, new = by_type(status), by_type(after)
        for name in OWN & old.keys() & new.keys():
            moved = old[name]["status"] != new[name]["status"]
            expected = moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moved else None
            assert new[name]["lastTransitionTime"] == (expected or old[name]["lastTransitionTime"])
        status = after


OWN = {"ConfigureWorkflowCompleted", "WorksSucceeded", "Written"}


def by_type(status: JsonObject) -> dict[str, dict[str, Json]]:
    found = [one for one in cast("list[Json]", status["conditions"]) if is_object(one)]
    return {str(one["type"]): dict(one) for one in found}


@given(before=BEFORE, outcome=outcomes())
def test_conditions_have_one_line_a_type(before: JsonObject, outcome: RequestOutcome) -> None:
    said = request_status(before, outcome, NOW)["conditions"]

    assert isinstance(said, list)
    assert len({str(one["type"]) for one in said if is_object(one)}) == len(said)


@given(before=BEFORE, outcome=outcomes())
def test_nothing_is_called_reconciled_that_is_not_written(
    before: JsonObject, outcome: RequestOutcome
) -> None:
    found = by_type(request_status({**before, "conditions": []}, outcome, NOW))

    if found.get("Reconciled", {}).get("status") == "True":
        assert found["Written"]["status"] == "True"
        assert outcome.item.state in {State.WRITTEN, State.UNCHANGED}

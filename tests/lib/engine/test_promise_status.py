"""What a Promise's status on a cluster says: Kratix's words, and only new where it is news."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.platform import Platform, config_map, promise, request, writes

from troth.api import Fields, Json, JsonObject, Promise
from troth.engine import Item, Record, State
from troth.engine.promise_status import (
    PromiseOutcome,
    Required,
    RequiredState,
    promise_status,
)
from troth.errors import Reason

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def conditions(status: JsonObject) -> dict[str, tuple[str, str, str]]:
    items = Fields(status).items("conditions")
    return {
        one.text("type"): (one.text("status"), one.text("reason"), one.text("message"))
        for one in items
    }


AVAILABLE = ("True", "PromiseAvailable", "Ready to fulfil resource requests")
FULFILLED = ("True", "RequirementsInstalled", "Requirements fulfilled")


def test_a_promise_without_output_is_available_and_reconciled() -> None:
    outcome = PromiseOutcome(promise(version="v1"), available=True, generation=1)

    status = promise_status({}, outcome, NOW)

    assert conditions(status) == {
        "Reconciled": ("True", "Reconciled", "Reconciled"),
        "RequirementsFulfilled": FULFILLED,
        "Available": AVAILABLE,
    }
    facts: JsonObject = {
        "version": "v1",
        "status": "Available",
        "kind": "Thing",
        "apiVersion": "test.example.com/v1",
        "lastAvailableTime": "2026-01-01T00:00:00Z",
    }
    assert {key: status[key] for key in facts} == facts
    assert status["kratix"] == facts
    assert status["observedGeneration"] == 1
    assert "workflows" not in status


def installed() -> tuple[Promise, Platform]:
    given = promise(install=("install",))
    stages = {"configure": writes(config_map("a")), "install": writes(config_map("b", "default"))}
    return given, Platform(stages=stages, promises=[given])


def test_what_a_promise_installs_is_told_as_of_a_request() -> None:
    given, platform = installed()
    item = platform.sync(request(value="x"))[given.name]
    [(key, content)] = [
        (key, content)
        for key, (content, _) in platform.store.snapshot().records().items()
        if key.startswith("promises/")
    ]
    outcome = PromiseOutcome(
        given, available=True, item=item, record=Record.decode(content, key), generation=1
    )

    status = promise_status({}, outcome, NOW)

    assert conditions(status)["WorksSucceeded"] == (
        "True",
        "WorksSucceeded",
        "All works associated with this promise are ready",
    )
    assert conditions(status)["Written"][0] == "True"
    assert status["message"] == "Promise configured"
    assert (status["workflows"], status["workflowsSucceeded"]) == (1, 1)
    assert Fields(status).section("troth").text("record") == "promises/thing.yaml"
    assert promise_status(status, outcome, LATER) == status


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ([RequiredState.NOT_INSTALLED], "RequirementsNotInstalled"),
        ([RequiredState.NOT_AVAILABLE], "RequirementsNotAvailable"),
        ([RequiredState.NOT_AVAILABLE, RequiredState.OTHER_VERSION], "RequirementsNotInstalled"),
    ],
)
def test_requirements_are_listed_with_how_it_is_with_them(
    states: list[RequiredState], reason: str
) -> None:
    required = [Required(f"other-{number}", "v1", one) for number, one in enumerate(states)]
    item = Item("", "thing", "", State.WAITING, Reason.REQUIREMENTS_NOT_FULFILLED, "other-0.")
    outcome = PromiseOutcome(promise(), available=False, item=item, required=required)

    status = promise_status({}, outcome, NOW)

    found = conditions(status)
    assert found["RequirementsFulfilled"] == ("False", reason, "Requirements not fulfilled")
    assert found["Reconciled"] == ("Unknown", "RequirementsNotFulfilled", "Pending")
    assert found["Available"] == ("False", "PromiseUnavailable", "Cannot fulfil resource requests")
    assert status["requiredPromises"] == [
        {"name": one.name, "version": "v1", "state": str(one.state)} for one in required
    ]
    assert (status["status"], status["message"]) == ("Unavailable", "other-0.")


def test_the_time_of_being_available_moves_only_when_it_comes_back() -> None:
    up = PromiseOutcome(promise(), available=True)
    down = replace(up, available=False)

    first = promise_status({}, up, NOW)
    second = promise_status(first, up, LATER)
    third = promise_status(second, down, LATER)
    fourth = promise_status(third, up, LATER)

    times = [one["lastAvailableTime"] for one in (first, second, third, fourth)]
    assert times == ["2026-01-01T00:00:00Z"] * 3 + ["2026-01-01T01:00:00Z"]


def test_a_paused_promise_says_so_and_keeps_what_was_known() -> None:
    before = promise_status({}, PromiseOutcome(promise(), available=True, generation=1), NOW)
    paused = promise(labels={"kratix.io/paused": "true"})

    status = promise_status(before, PromiseOutcome(paused, available=False, generation=2), LATER)

    assert conditions(status)["Available"] == ("False", "PausedReconciliation", "Paused")
    assert conditions(status)["Reconciled"] == ("Unknown", "PausedReconciliation", "Paused")
    assert status["observedGeneration"] == 1


def test_a_suspended_workflow_keeps_a_promise_from_serving() -> None:
    item = Item("", "thing", "", State.SUSPENDED, Reason.WORKFLOW_SUSPENDED, "waits.")
    outcome = PromiseOutcome(promise(install=("install",)), available=False, item=item)

    found = conditions(promise_status({}, outcome, NOW))

    assert found["Available"] == ("False", "WorkflowSuspended", "Suspended")
    assert found["Reconciled"] == ("Unknown", "WorkflowSuspended", "Suspended")


def test_a_store_that_fails_is_told_in_kratix_s_words_for_promises() -> None:
    item = Item("", "thing", "", State.FAILED, Reason.STATE_STORE_REFUSED, "a hook said no.")
    outcome = PromiseOutcome(promise(install=("install",)), available=False, item=item)

    found = conditions(promise_status({}, outcome, NOW))

    assert found["WorksSucceeded"] == (
        "False",
        "WorksFailing",
        "Some works associated with this promise are not ready: [a hook said no.]",
    )


def test_a_promise_without_an_api_has_no_kind() -> None:
    status = promise_status({}, PromiseOutcome(promise(api=False), available=True), NOW)

    assert "kind" not in status


def test_who_requires_it_is_for_others_to_say() -> None:
    before: JsonObject = {"requiredBy": [{"requiredVersion": "v1"}]}

    status = promise_status(before, PromiseOutcome(promise(), available=True), NOW)

    assert status["requiredBy"] == before["requiredBy"]


TEXTS = st.text("abc", max_size=4)
JSON: st.SearchStrategy[Json] = st.recursive(
    st.one_of(st.none(), st.booleans(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(TEXTS, inner, max_size=2)),
    max_leaves=4,
)
PARTS = ["conditions", "kratix", "troth", "status", "lastAvailableTime", "requiredPromises"]
ITEMS = st.builds(
    Item,
    st.just(""),
    st.just("thing"),
    st.just(""),
    st.sampled_from([one for one in State if one not in {State.REMOVED, State.ORPHANED}]),
    st.sampled_from(list(Reason)),
    TEXTS,
    revision=st.one_of(st.none(), st.just("r1")),
)
OUTCOMES = st.builds(
    PromiseOutcome,
    st.sampled_from(
        [promise(), promise(install=("a", "b")), promise(labels={"kratix.io/paused": "true"})]
    ),
    available=st.booleans(),
    item=st.one_of(st.none(), ITEMS),
    required=st.lists(st.builds(Required, TEXTS, TEXTS, st.sampled_from(RequiredState))),
    generation=st.one_of(st.none(), st.integers(1, 3)),
)


@given(before=st.dictionaries(st.sampled_from(PARTS), JSON, max_size=5), outcome=OUTCOMES)
def test_the_same_outcome_later_changes_nothing(
    before: JsonObject, outcome: PromiseOutcome
) -> None:
    first = promise_status(before, outcome, NOW)

    assert promise_status(first, outcome, LATER) == first

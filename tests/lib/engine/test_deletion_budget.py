"""The deletion budget: what a run may remove before somebody has to agree, and to how much."""

from dataclasses import replace

import pytest
from support.platform import (
    Platform,
    config_map,
    destination,
    follows_spec,
    promise,
    request,
    writes,
)

from troth.api import DeletionLimit, RequestKey
from troth.engine import DeletionBudget, Item, State, Submission
from troth.errors import Reason
from troth_statestore.memory import MemoryStore


def keys(store: str, count: int, name: str = "r") -> dict[RequestKey, str]:
    return {RequestKey("team", "thing", f"{name}-{store}-{n:02}"): store for n in range(count)}


def stopped(
    budget: DeletionBudget, removals: dict[RequestKey, str], others: int = 0
) -> dict[str, int]:
    """How many removals of each store have to be agreed to first."""
    refused = budget.refusals(removals, {**removals, **keys("a", others, "kept")})
    found: dict[str, int] = {}
    for key in refused:
        found[removals[key]] = found.get(removals[key], 0) + 1
    return found


@pytest.mark.parametrize(
    ("budget", "a", "b", "expected"),
    [
        (DeletionBudget(), 10, 0, {}),
        (DeletionBudget(), 11, 0, {"a": 11}),
        (DeletionBudget(), 6, 5, {"a": 6, "b": 5}),
        (DeletionBudget(allowed=10), 11, 0, {"a": 11}),
        (DeletionBudget(allowed=11), 11, 0, {}),
        (DeletionBudget(allowed=11), 6, 6, {"a": 6, "b": 6}),
        (DeletionBudget(approved={"a": 12}), 12, 0, {}),
        (DeletionBudget(approved={"a": 12}), 13, 0, {"a": 13}),
        (DeletionBudget(approved={"a": 12}), 12, 10, {}),
        (DeletionBudget(approved={"a": 12}), 12, 11, {"b": 11}),
        (DeletionBudget(approved={"a": 12}), 13, 1, {"a": 13, "b": 1}),
        (DeletionBudget(approved={"b": 99}), 11, 0, {"a": 11}),
        (DeletionBudget(allowed=11, approved={"a": 12}), 12, 11, {}),
        (DeletionBudget(own={"a": DeletionLimit(0, 0)}), 1, 10, {"a": 1}),
        (DeletionBudget(own={"a": DeletionLimit(0, 100)}), 50, 11, {"b": 11}),
        (DeletionBudget(own={"a": DeletionLimit(0, 100)}), 50, 10, {}),
        (DeletionBudget(own={"a": DeletionLimit(0, 0)}, approved={"a": 1}), 1, 0, {}),
        (DeletionBudget(own={"a": DeletionLimit(0, 0)}, allowed=1), 1, 0, {}),
        (DeletionBudget(limit=DeletionLimit(2, 0)), 3, 0, {"a": 3}),
    ],
)
def test_a_budget_stops(budget: DeletionBudget, a: int, b: int, expected: dict[str, int]) -> None:
    assert stopped(budget, keys("a", a) | keys("b", b)) == expected


def test_an_approval_at_one_store_never_makes_another_stop() -> None:
    removals = keys("a", 12) | keys("b", 11)

    assert stopped(DeletionBudget(), removals, others=200) == {}
    assert stopped(DeletionBudget(approved={"a": 12}), removals, others=200) == {}


def test_what_earlier_rounds_removed_counts_against_what_was_agreed_to() -> None:
    budget = DeletionBudget(allowed=11, earlier=keys("a", 11, "gone"))

    assert stopped(budget, keys("a", 1)) == {"a": 1}


def test_what_an_earlier_round_could_not_remove_counts_once() -> None:
    budget = DeletionBudget(allowed=11, earlier=keys("a", 11))

    assert stopped(budget, keys("a", 11)) == {}


@pytest.mark.parametrize(
    ("budget", "a", "b", "needed"),
    [
        (DeletionBudget(approved={"a": 12}), 12, 0, {"a": 12}),
        (DeletionBudget(approved={"a": 12}), 10, 0, {}),
        (DeletionBudget(approved={"a": 12}), 12, 10, {"a": 12}),
        (DeletionBudget(approved={"a": 12, "b": 1}), 12, 0, {"a": 12}),
        (DeletionBudget(approved={"a": 12}, allowed=12), 12, 0, {}),
        (DeletionBudget(approved={"a": 12}, earlier=keys("a", 11, "gone")), 1, 0, {"a": 12}),
        (DeletionBudget(approved={"a": 1}, own={"a": DeletionLimit(0, 0)}), 1, 10, {"a": 1}),
    ],
)
def test_an_agreement_is_needed_for_what_would_be_refused_without(
    budget: DeletionBudget, a: int, b: int, needed: dict[str, int]
) -> None:
    removals = keys("a", a) | keys("b", b)

    assert budget.refusals(removals, removals) == {}
    assert budget.leans_on(removals, removals) == needed


@pytest.mark.parametrize(
    ("removals", "words"),
    [
        (keys("", 11), 'agree: --allow-deletions 11, or troth.dev/allow-deletions: "11" on the '),
        (keys("a", 11), "on the GitStateStore a."),
        (keys("", 11), "11 of 11 requests, more than 10 and more than 20 % of them"),
        (keys("a", 6) | keys("b", 6), "12 of 12 requests, "),
        (keys("a", 6) | keys("b", 6), "agree: --allow-deletions 12."),
    ],
)
def test_a_refusal_says_how_much_it_is_and_how_to_agree(
    removals: dict[RequestKey, str], words: str
) -> None:
    assert {words in text for text in DeletionBudget().refusals(removals, removals).values()} == {
        True
    }


def test_a_store_with_a_limit_of_its_own_is_named() -> None:
    budget = DeletionBudget(own={"a": DeletionLimit(0, 5)})
    removals = keys("a", 1)

    [text] = budget.refusals(removals, removals | keys("b", 9)).values()

    assert "1 of 1 requests in the state store a, more than 0 and more than 5 % of them" in text


def with_delete_pipeline() -> Platform:
    return Platform(
        stages={"configure": follows_spec, "delete": writes()},
        promises=[promise(delete=["delete"])],
    )


def many(count: int) -> list[Submission]:
    return [request(f"r{index:02}") for index in range(count)]


def reasons(items: dict[str, Item]) -> set[str]:
    return {item.reason for item in items.values()}


def test_no_delete_pipeline_runs_for_one_removal_more_than_was_agreed_to() -> None:
    platform = with_delete_pipeline()
    platform.sync(*many(20))
    platform.runner.runs.clear()
    platform.allow(11)

    refused = platform.sync(*many(8))
    runs_when_refused = len(platform.runner.runs)
    allowed = platform.sync(*many(9))

    assert Reason.DELETION_BUDGET in reasons(refused)
    assert runs_when_refused == 0
    assert [item.state for item in allowed.values()].count(State.REMOVED) == 11


def test_a_promise_that_goes_with_its_requests_counts_as_well() -> None:
    platform = Platform(promises=[promise(dependencies=[config_map("shared")])])
    platform.sync(*many(10))
    platform.promises = []
    platform.allow(10)

    refused = platform.sync()
    platform.allow(11)
    allowed = platform.sync()

    assert len(platform.records) == 0
    assert reasons(refused) == {Reason.DELETION_BUDGET}
    assert len(refused) == 11
    assert {item.state for item in allowed.values()} == {State.REMOVED}


def test_a_promise_stays_while_the_budget_keeps_a_request_of_it_elsewhere() -> None:
    platform = Platform(
        promises=[promise(dependencies=[config_map("shared")])],
        destinations=[destination("near", store="main"), destination("far", store="far")],
        others={"far": MemoryStore()},
    )
    platform.sync(*many(12))
    homes = {
        entry.home for key, entry in platform.plan().ledger.entries.items() if not key.is_promise
    }
    platform.promises = []
    own = {"main": DeletionLimit(0, 0)}
    platform.settings = replace(
        platform.settings, budget=DeletionBudget(DeletionLimit(99, 100), own=own)
    )

    planned = platform.plan().removals
    items = platform.sync()

    assert homes == {"main", "far"}
    assert planned
    assert not any(key.is_promise for key in planned)
    assert items["thing"].reason == Reason.PROMISE_IN_USE
    assert {State.REMOVED, State.REFUSED, State.ORPHANED} == {one.state for one in items.values()}


def agreed_to(platform: Platform, count: int) -> None:
    budget = DeletionBudget(approved={"": count})
    platform.settings = replace(platform.settings, budget=budget)


def test_an_agreement_that_was_used_is_told_once_and_is_to_be_taken_off() -> None:
    platform = Platform()
    platform.sync(*many(20))
    agreed_to(platform, 12)

    items = platform.sync(*many(8))
    unused = platform.sync(*many(7))

    said = [name for name, item in items.items() if "Take it off now" in item.message]
    assert said == ["r08"]
    assert 'troth.dev/allow-deletions: "12" on the GitStateStore was' in items["r08"].message
    assert {item.message for item in unused.values()} == {""}


def test_an_agreement_is_not_to_be_taken_off_while_some_of_it_is_still_to_come() -> None:
    platform = with_delete_pipeline()
    platform.sync(*many(12))
    agreed_to(platform, 12)
    waits = writes(control={"suspend": True, "message": "not yet"})
    done = writes()
    platform.stages["delete"] = lambda job: (
        waits if job.environ["KRATIX_OBJECT_NAME"] == "r00" else done
    )(job)

    items = platform.sync()

    assert items["r00"].state is State.SUSPENDED
    assert "Take it off once the others are gone too" in items["r01"].message

"""What the policies of the chosen stores mean for a run, and how they reach it."""

import math
from collections.abc import Sequence

import pytest
from support.clock import HandClock
from support.platform import ScriptedRunner, follows_spec, promise, request

from troth.api import DeletionLimit, StorePolicy
from troth.engine import DeletionBudget, Settings, State, Submission
from troth.errors import Reason
from troth.local import Inputs, StoreChoice, SyncOptions, open_session
from troth.local.files import Walk
from troth.local.policies import deletion_budget, push_budgets
from troth_statestore import ChangeSet, Receipt
from troth_statestore.budget import PushBudget
from troth_statestore.memory import MemoryStore

REMOTE = "https://git.example.com/fleet.git"
NOTHING = StorePolicy()


def burst_and_interval(budget: PushBudget) -> tuple[int, float]:
    burst = 0
    while not (seconds := budget.take()):
        burst += 1
    return burst, round(seconds, 1)


def of(choice: StoreChoice, given: StorePolicy = NOTHING) -> tuple[int, float] | None:
    budget = push_budgets({"": choice}, given).get("")
    return None if budget is None else burst_and_interval(budget)


@pytest.mark.parametrize(
    "location", [REMOTE, "ssh://git@git.example.com/fleet.git", "git@git.example.com:fleet.git"]
)
def test_a_store_on_a_host_takes_six_pushes_a_minute(location: str) -> None:
    assert of(StoreChoice(location)) == (3, 10)


@pytest.mark.parametrize("location", ["fleet.git", "file:///srv/fleet.git", "dir:out"])
def test_a_store_on_this_machine_takes_as_many_as_there_are(location: str) -> None:
    assert of(StoreChoice(location)) is None


@pytest.mark.parametrize(
    ("policy", "given", "expected"),
    [
        (StorePolicy(12, 1), NOTHING, (1, 5)),
        (StorePolicy(12, 1), StorePolicy(60), (1, 1)),
        (StorePolicy(12, 1), StorePolicy(push_burst=2), (2, 5)),
        (StorePolicy(math.inf), NOTHING, None),
        (StorePolicy(12), StorePolicy(math.inf), None),
        (StorePolicy(math.inf), StorePolicy(60), (3, 1)),
    ],
)
def test_an_option_goes_before_the_stores_object_and_that_before_the_default(
    policy: StorePolicy, given: StorePolicy, expected: tuple[int, float] | None
) -> None:
    assert of(StoreChoice(REMOTE, policy=policy), given) == expected


@pytest.mark.parametrize(("a", "b"), [(60, None), (None, 60)])
def test_two_stores_in_one_repository_share_the_strictest_budget(
    a: float | None, b: float | None
) -> None:
    budgets = push_budgets(
        {
            "a": StoreChoice(REMOTE, "a", policy=StorePolicy(a)),
            "b": StoreChoice(REMOTE, "b", policy=StorePolicy(b)),
            "c": StoreChoice("git@git.example.com:other.git"),
        },
        NOTHING,
    )

    assert budgets["a"] is budgets["b"]
    assert budgets["a"] is not budgets["c"]
    assert burst_and_interval(budgets["a"]) == (3, 10)


def test_what_the_stores_say_of_deletions_holds_for_each_of_them() -> None:
    chosen = {
        "a": StoreChoice(REMOTE, policy=StorePolicy(deletions=DeletionLimit(1, 2))),
        "b": StoreChoice(REMOTE, policy=StorePolicy(allow_deletions=12)),
    }

    assert deletion_budget(chosen, NOTHING, 5) == DeletionBudget(
        DeletionLimit(10, 20), 5, {"a": DeletionLimit(1, 2)}, {"b": 12}
    )


def test_a_limit_that_is_given_as_an_option_is_the_one_for_all() -> None:
    chosen = {"": StoreChoice(REMOTE, policy=StorePolicy(deletions=DeletionLimit(1, 2)))}

    found = deletion_budget(chosen, StorePolicy(deletions=DeletionLimit(3, 4)), 0)

    assert found == DeletionBudget(DeletionLimit(3, 4))


def inputs(*submissions: Submission) -> Inputs:
    found = Inputs(submissions=list(submissions), walks=[Walk("requests", (), ())])
    thing = promise()
    found.promises[thing.name] = thing
    return found


def test_an_approval_is_for_all_rounds_of_a_run_together() -> None:
    runner = ScriptedRunner({"configure": follows_spec})
    first = inputs(*(request(f"r{index:02}") for index in range(12)))
    late = inputs(request("late"))

    class Racing(MemoryStore):
        """While the first removals are written, another run touches one and adds a request."""

        raced = False
        armed = False

        def commit(self, changes: Sequence[ChangeSet]) -> Sequence[Receipt]:
            if self.armed and not self.raced:
                self.raced = True
                key = next(one.key for one in changes if one.key.endswith("r00.yaml"))
                content, version = self.snapshot().records()[key]
                super().commit([ChangeSet(key, version, record=content + b" ")])
                with open_session(late, {"": self}, runner, only_these) as other:
                    other.sync()
            return super().commit(changes)

    only_these = SyncOptions(Settings(budget=DeletionBudget(DeletionLimit(0, 0))))
    store = Racing()
    with open_session(first, {"": store}, runner, only_these) as session:
        session.sync()
    store.armed = True

    agreed = SyncOptions(Settings(budget=DeletionBudget(DeletionLimit(0, 0), allowed=12)))
    with open_session(inputs(), {"": store}, runner, agreed) as session:
        items = {item.name: item for item in session.sync()}

    assert [item.state for item in items.values()].count(State.REMOVED) == 11
    assert (items["r00"].reason, items["late"].reason) == (Reason.DELETION_BUDGET,) * 2


def test_a_session_says_which_store_it_waits_for() -> None:
    runner = ScriptedRunner({"configure": follows_spec})
    clock = HandClock()
    budget = PushBudget(6000, clock=clock)
    budget.take()
    waits: list[tuple[str, float]] = []

    def note(store: str, seconds: float) -> None:
        waits.append((store, round(seconds, 6)))
        clock.advance(seconds)

    options = SyncOptions(Settings(), budgets={"fleet": budget}, on_wait=note)

    with open_session(inputs(request("a")), {"fleet": MemoryStore()}, runner, options) as session:
        session.sync()

    assert waits == [("fleet", 0.01)]

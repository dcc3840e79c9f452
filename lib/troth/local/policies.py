"""What the policies of the chosen stores, and the options that go before them, mean for a run."""

import math
from collections.abc import Mapping

from troth.api import DeletionLimit, StorePolicy
from troth.engine import DeletionBudget
from troth.local.stores import StoreChoice, is_remote
from troth_statestore.budget import PushBudget

__all__ = ["deletion_budget", "push_budgets"]

# GitHub asks for no more than six pushes a minute and repository. Three at once are what one run
# needs: for the files elsewhere, for the records, and for Promises that go after their requests.
_REMOTE_RATE = 6.0
_BURST = 3


def push_budgets(chosen: Mapping[str, StoreChoice], given: StorePolicy) -> dict[str, PushBudget]:
    """Return the push budgets of stores, by name; those without a limit are left out.

    A store on this machine has no limit unless one is set. Stores in one repository share one
    budget, the strictest that any of them sets, since that is what hosts count.

    Args:
        chosen: the stores.
        given: what options say; it goes before what the stores' objects say.
    """
    paces: dict[str, tuple[float, int]] = {}
    for choice in chosen.values():
        rate, burst = _pace(choice, given)
        before = paces.get(choice.location, (math.inf, burst))
        paces[choice.location] = (min(rate, before[0]), min(burst, before[1]))
    budgets = {
        place: PushBudget(rate, burst) for place, (rate, burst) in paces.items() if rate < math.inf
    }
    return {
        name: budgets[choice.location]
        for name, choice in chosen.items()
        if choice.location in budgets
    }


def _pace(choice: StoreChoice, given: StorePolicy) -> tuple[float, int]:
    default = _REMOTE_RATE if is_remote(choice) else math.inf
    rates = (given.pushes_per_minute, choice.policy.pushes_per_minute, default)
    bursts = (given.push_burst, choice.policy.push_burst, _BURST)
    return (
        next(one for one in rates if one is not None),
        next(one for one in bursts if one is not None),
    )


def deletion_budget(
    chosen: Mapping[str, StoreChoice], given: StorePolicy, allowed: int
) -> DeletionBudget:
    """Return how much a run may remove.

    Args:
        chosen: the stores; what their objects say holds for each of them.
        given: what options say; a limit there is the one for all.
        allowed: removals that were agreed to for this run.
    """
    own: dict[str, DeletionLimit] = {}
    approved: dict[str, int] = {}
    for name, choice in chosen.items():
        if choice.policy.deletions is not None and given.deletions is None:
            own[name] = choice.policy.deletions
        if choice.policy.allow_deletions is not None:
            approved[name] = choice.policy.allow_deletions
    return DeletionBudget(given.deletions or DeletionLimit(), allowed, own, approved)

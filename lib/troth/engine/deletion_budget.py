"""Deletion budget: how much a run may remove before somebody has to agree.

Judged over all that a run would remove, before the first delete pipeline runs: a folder that was
emptied, or a namespace that was deleted by mistake, looks like many removals at once.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from troth.api import DeletionLimit, RequestKey
from troth.api.labels import ALLOW_DELETIONS

__all__ = ["DeletionBudget"]

_USUAL = DeletionLimit()


@dataclass(frozen=True, slots=True)
class DeletionBudget:
    """How much one run may remove unasked, and what was agreed to.

    Whoever agrees, agrees to so many removals: one more, and none of them is covered.

    Attributes:
        limit: what all stores together may lose, but for those with a limit of their own.
        allowed: removals that were agreed to for this run, in whatever store.
        own: by store, the limits of those that have one; each is judged by itself.
        approved: by store, removals that were agreed to there.
        earlier: who was to be removed in earlier rounds of the same run, each with its home store.
    """

    limit: DeletionLimit = _USUAL
    allowed: int = 0
    own: Mapping[str, DeletionLimit] = field(default_factory=dict[str, DeletionLimit])
    approved: Mapping[str, int] = field(default_factory=dict[str, int])
    earlier: Mapping[RequestKey, str] = field(default_factory=dict[RequestKey, str])

    def refusals(
        self, removals: Mapping[RequestKey, str], inventory: Mapping[RequestKey, str]
    ) -> dict[RequestKey, str]:
        """Return those of `removals` that have to be agreed to first, with what to say of them.

        Args:
            removals: who would be removed, each with its home store.
            inventory: all of whom some are removed, each with its home store.
        """
        asked = Counter({**self.earlier, **removals}.values())
        sizes = Counter({**self.earlier, **inventory}.values())
        unapproved = {
            store: count for store, count in asked.items() if count > self.approved.get(store, 0)
        }
        total = sum(unapproved.values())
        if total <= self.allowed:
            return {}
        said: dict[str, str] = {}
        for group in self._groups(sizes):
            mine = [store for store in group if store in unapproved]
            count = sum(unapproved[store] for store in mine)
            size = sum(sizes[store] for store in group)
            limit = self.own.get(group[0], self.limit)
            if limit.exceeded(count, size):
                text = (
                    f"this run would remove {count} of {size} requests{_where(group, sizes)}, more "
                    f"than {limit} of them; none of them is removed until you agree: "
                    f"--allow-deletions {total}{_or_by_annotation(mine, count)}."
                )
                said |= dict.fromkeys(mine, text)
        return {key: said[store] for key, store in removals.items() if store in said}

    def leans_on(
        self, removals: Mapping[RequestKey, str], inventory: Mapping[RequestKey, str]
    ) -> dict[str, int]:
        """Return by store the agreements without which some of `removals` would be refused.

        Args:
            removals: none of which is refused, each with its home store.
            inventory: as for `refusals`.
        """
        refused = replace(self, approved={}).refusals(removals, inventory)
        needed = {removals[key] for key in refused} & self.approved.keys()
        return {store: self.approved[store] for store in sorted(needed)}

    def _groups(self, stores: Mapping[str, int]) -> list[list[str]]:
        """Return the stores that are judged together."""
        together = sorted(stores.keys() - self.own.keys())
        alone = [[store] for store in sorted(stores.keys() & self.own.keys())]
        return [together, *alone] if together else alone


def _where(group: list[str], stores: Mapping[str, int]) -> str:
    return f" in the state store {group[0]}" if len(group) == 1 and len(stores) > 1 else ""


def _or_by_annotation(stores: list[str], count: int) -> str:
    if len(stores) != 1:
        return ""
    named = f" {stores[0]}" if stores[0] else ""
    return f', or {ALLOW_DELETIONS}: "{count}" on the GitStateStore{named}'

"""Agreed: says in the report of a run that an agreement to removals was used.

An annotation holds for as long as it stands, so whoever put it there has to take it off again: else
it agrees to the next mistake as well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from troth.api.labels import ALLOW_DELETIONS
from troth.engine.ladder import Plan
from troth.engine.values import Item, State

__all__ = ["with_agreements"]


def with_agreements(items: Iterable[Item], plan: Plan) -> list[Item]:
    """Return the lines, of each store whose agreement was used the first removal saying so."""
    found = sorted(items, key=lambda item: item.key)
    if not plan.agreements:
        return found
    gone = {item.key for item in found if item.state is State.REMOVED}
    left = {plan.ledger.entries[key].home for key in plan.removals if key not in gone}
    words = {store: _words(store, left, plan.agreements) for store in plan.agreements}
    said: list[Item] = []
    for item in found:
        entry = plan.ledger.entries.get(item.key)
        if item.state is State.REMOVED and entry is not None and entry.home in words:
            text = f"{item.message} {words.pop(entry.home)}".strip()
            said.append(replace(item, message=text))
        else:
            said.append(item)
    return said


def _words(store: str, left: Iterable[str], agreements: Mapping[str, int]) -> str:
    named = f" {store}" if store else ""
    when = "once the others are gone too" if store in left else "now"
    return (
        f'{ALLOW_DELETIONS}: "{agreements[store]}" on the GitStateStore{named} was needed for this '
        f"run's removals. Take it off {when}: as long as it stands it agrees to as many in every "
        "run."
    )

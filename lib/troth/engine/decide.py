"""Decide: what each may write, one after another in an order that never depends on the input's."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from troth.api import RequestKey
from troth.engine.change import Change, Composer
from troth.engine.claim import Claims, check_fence
from troth.engine.draft import Draft
from troth.engine.report import of_error
from troth.engine.values import Item
from troth.errors import HeldError, TrothError

__all__ = ["Decisions"]


@dataclass(slots=True)
class Decisions:
    """What was decided so far in one run.

    Attributes:
        claims: who holds what.
        composer: makes changes.
        drafts: those that came through, with the change each needs (None: nothing).
        items: lines on those that did not.
        blockers: requests that hold what another asked for.
    """

    claims: Claims
    composer: Composer
    drafts: list[tuple[Draft, Change | None]] = field(
        default_factory=list[tuple[Draft, Change | None]]
    )
    items: list[Item] = field(default_factory=list[Item])
    blockers: set[RequestKey] = field(default_factory=set[RequestKey])

    def decide(self, draft: Draft) -> TrothError | None:
        """Let a draft through, or say why not; the error is in the items then."""
        try:
            check_fence(draft)
            self.claims.take(draft)
            self.drafts.append((draft, self.composer.update(draft)))
        except TrothError as error:
            self.items.append(of_error(draft.submission, draft.key, error))
            if isinstance(error, HeldError) and error.holder is not None:
                self.blockers.add(RequestKey(*error.holder))
            return error
        return None

    def decide_all(self, drafts: Iterable[Draft]) -> None:
        """Decide in the order of keys."""
        for draft in sorted(drafts, key=lambda one: one.key):
            self.decide(draft)

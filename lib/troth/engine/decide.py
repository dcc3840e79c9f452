"""Decide: what each may write, one after another in an order that never depends on the input's."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from troth.api import RequestKey
from troth.engine.change import Change, Composer
from troth.engine.claim import Claims
from troth.engine.draft import Draft
from troth.engine.fence import check_fence
from troth.engine.report import of_error
from troth.engine.room import Room
from troth.engine.values import Item
from troth.errors import HeldError, TrothError, WaitingError

__all__ = ["Decisions", "in_order"]


def in_order(
    drafts: Iterable[Draft],
    decide: Callable[[Draft], WaitingError | None],
    goes_first: Callable[[Draft], bool] = lambda draft: draft.provides_parents,
) -> list[tuple[Draft, WaitingError]]:
    """Decide in the order of keys, what others hang on before what hangs on it.

    What waits for something is tried again while something still comes through, so that it is
    let through in the run in which that appears, whatever the order of their keys.

    Args:
        drafts: in any order.
        decide: decides on one, and returns what it waits for, None when it is decided.
        goes_first: tells of one whether others may hang on it.

    Returns:
        Those that still wait in the end.
    """
    left = sorted(drafts, key=lambda one: (not goes_first(one), one.key))
    while True:
        waiting = [(draft, error) for draft in left if (error := decide(draft)) is not None]
        if len(waiting) == len(left):
            return waiting
        left = [draft for draft, _ in waiting]


@dataclass(slots=True)
class Decisions:
    """What was decided so far in one run.

    Attributes:
        claims: who holds what.
        composer: makes changes.
        room: how large files are that requests share.
        drafts: those that came through, with the change each needs (None: nothing).
        items: lines on those that did not.
        blockers: requests that hold what another asked for.
    """

    claims: Claims
    composer: Composer
    room: Room
    drafts: list[tuple[Draft, Change | None]] = field(
        default_factory=list[tuple[Draft, Change | None]]
    )
    items: list[Item] = field(default_factory=list[Item])
    blockers: set[RequestKey] = field(default_factory=set[RequestKey])

    def decide(self, draft: Draft) -> TrothError | None:
        """Let a draft through, or say why not; the error is in the items then."""
        error = self._attempt(draft)
        if error is not None:
            self._give_up(draft, error)
        return error

    def decide_all(self, drafts: Iterable[Draft]) -> None:
        """Decide on drafts, see `in_order`."""
        for draft, error in in_order(drafts, self._settle, self.claims.provides_parents):
            self._give_up(draft, error)

    def _settle(self, draft: Draft) -> WaitingError | None:
        """Decide on a draft unless it waits for something that may come yet."""
        error = self._attempt(draft)
        if isinstance(error, WaitingError):
            return error
        if error is not None:
            self._give_up(draft, error)
        return None

    def _attempt(self, draft: Draft) -> TrothError | None:
        try:
            check_fence(draft)
            self.room.check(draft)
            self.claims.take(draft)
            self.room.take(draft)
            self.drafts.append((draft, self.composer.update(draft)))
        except TrothError as error:
            return error
        return None

    def _give_up(self, draft: Draft, error: TrothError) -> None:
        if isinstance(error, WaitingError) and draft.record is not None and draft.record.outputs:
            text = f"{error.message} Until then its files are kept as they are."
            error = WaitingError(error.reason, text)
        self.items.append(of_error(draft.submission, draft.key, error))
        if isinstance(error, HeldError) and error.holder is not None:
            self.blockers.add(RequestKey(*error.holder))

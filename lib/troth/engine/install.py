"""Install: climb with the Promises themselves, each after those it requires.

Their own output is claimed before any request's; of those that cannot serve now, requests wait.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from troth.api import Promise, RequestKey
from troth.engine.check import check_promise
from troth.engine.climb import climb
from troth.engine.decide import Decisions
from troth.engine.draft import Draft
from troth.engine.installed import Requirements
from troth.engine.prepare import Preparer
from troth.engine.report import of_error, of_unmet
from troth.engine.settled import Settled, Settlement
from troth.engine.values import Submission
from troth.errors import OutputRefusedError, TransientError, TrothError

__all__ = ["Installer", "in_vain", "why_unavailable"]


@dataclass(frozen=True, slots=True)
class Installer:
    """Installs Promises.

    Args:
        preparer: takes one up the lower rungs.
        decisions: what was decided so far, and is decided here.
    """

    preparer: Preparer
    decisions: Decisions

    def install(self, submissions: Iterable[Submission]) -> dict[str, Settled]:
        """Climb with the Promises; return why those are unavailable that are, by name."""
        handed_in = {one.request.name: one for one in submissions}
        promises = self.preparer.world.promises
        requirements = Requirements(promises, self.preparer.ledger.kept_promises())
        unavailable: dict[str, Settled] = {}
        for name in requirements.order:
            submission = handed_in.get(name)
            why = requirements.unmet(promises[name], unavailable)
            if why is not None and submission is not None:
                key, endless = RequestKey.of_promise(name), name in requirements.circles
                self.decisions.items.append(of_unmet(submission, key, why, endless=endless))
            elif why is None and submission is not None:
                why = self._climb(promises[name], submission)
            if why is not None:
                unavailable[name] = Settled(Settlement.PROMISE_UNAVAILABLE, in_vain(name, why))
        return unavailable

    def _climb(self, promise: Promise, submission: Submission) -> str | None:
        """Climb with a Promise; return why it is unavailable, None when it is available."""
        key = RequestKey.of_promise(promise.name)
        known = self.preparer.ledger.knows(key)
        try:
            check_promise(promise)
        except OutputRefusedError as error:
            self.decisions.items.append(of_error(submission, key, error))
            return error.message
        standings = self.preparer.claims.standings
        # What Kratix wrote for a Promise that brings nothing any more is its own, and goes.
        if not promise.has_own_output and not known and not standings.observed(key, None):
            return "it is paused." if promise.paused else None
        (outcome,) = climb(self.preparer, [submission], 1, lambda: None)
        if isinstance(outcome, TrothError):
            self.decisions.items.append(of_error(submission, key, outcome))
            return why_unavailable(outcome, known=known)
        refusal = self.decisions.decide(outcome)
        if refusal is not None:
            return refusal.message
        return why_unavailable(outcome, known=known)


def why_unavailable(outcome: Draft | TrothError, *, known: bool) -> str | None:
    """Return why a Promise cannot serve now, None when it can.

    Args:
        outcome: what became of its own output.
        known: whether it has been installed before.
    """
    if isinstance(outcome, TrothError):
        # What was installed stands, even where something cannot be reached now.
        return None if known and isinstance(outcome, TransientError) else outcome.message
    settled = outcome.settled
    return None if settled is None or settled.follows.available else settled.message


def in_vain(promise: str, why: str) -> str:
    """Say to those who ask something of a Promise that it cannot serve now."""
    return f"Promise {promise} cannot fulfil resource requests: {why}"

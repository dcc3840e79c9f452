"""The ladder itself: from what was handed in to a plan of what would change.

Called by the drivers. `Engine.plan` climbs as far as the claims and writes nothing; what a plan
leads to is done in ``write``. Promises come first, each after those it requires: their own output
is claimed before any request's, and what they cannot serve now waits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from troth.api import Promise, RequestKey
from troth.engine.absence import Intake, absent
from troth.engine.admit import Admission
from troth.engine.adopt import Adoptions
from troth.engine.change import Change, Composer
from troth.engine.check import OutputLimits
from troth.engine.claim import Claims
from troth.engine.climb import climb
from troth.engine.decide import Decisions
from troth.engine.digest import InputDigests
from troth.engine.draft import Draft, Settled
from troth.engine.installed import Requirements
from troth.engine.ledger import Ledger
from troth.engine.prepare import Preparer
from troth.engine.removal import DeletionBudget, PruneRules
from troth.engine.render import Renderer
from troth.engine.report import of_error
from troth.engine.values import Item, State, Submission, World
from troth.engine.view import View
from troth.errors import InvalidInputError, Reason, TrothError

__all__ = ["Engine", "Plan", "Settings"]

# Of a Promise whose own output came to this, requests may go on: it was written, now or earlier.
_AVAILABLE = frozenset({Reason.UP_TO_DATE, Reason.REVERTED, Reason.DESTINATION_GONE})


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is allowed to do.

    Attributes:
        inventory: whose requests these are.
        prune: remove also what was read from other roots.
        budget: how much may be removed unasked.
        limits: how much one request may render.
    """

    inventory: str = "default"
    prune: bool = False
    budget: DeletionBudget = field(default_factory=DeletionBudget)
    limits: OutputLimits = field(default_factory=OutputLimits)

    def __post_init__(self) -> None:
        """Refuse a name that no record could be told to belong to."""
        if not self.inventory.strip():
            message = "an inventory needs a name; leave --inventory out for the usual one."
            raise InvalidInputError(Reason.INVALID_OBJECT, message)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do.

    Attributes:
        ledger: the moment of the stores it was made against.
        drafts: requests and Promises that came through, with the change each needs (None:
            nothing).
        removals: requests and Promises to remove.
        items: those that came no further, and orphans that are kept.
        blockers: requests that hold what another of this run asked for.
    """

    ledger: Ledger
    drafts: Sequence[tuple[Draft, Change | None]]
    removals: Sequence[RequestKey]
    items: Sequence[Item]
    blockers: frozenset[RequestKey]


@dataclass(frozen=True, slots=True)
class Engine:
    """Makes plans.

    Args:
        world: Promises and Destinations.
        renderer: runs pipelines.
        settings: what a run may do.
    """

    world: World
    renderer: Renderer
    settings: Settings

    def plan(self, intake: Intake, view: View, progress: Callable[[], None] = lambda: None) -> Plan:
        """Climb the ladder with every Promise and request, up to the claims; write nothing.

        Args:
            intake: what was handed in.
            view: the moment of the stores to plan against.
            progress: called once for each request that has come so far.
        """
        ledger = Ledger.read(view)
        preparer = self._preparer(ledger)
        composer = Composer(ledger, self.settings.inventory)
        decisions = Decisions(Claims(ledger, self.world), composer)
        unavailable = self._install(intake, preparer, decisions)
        preparer = replace(preparer, unavailable=unavailable)
        workers = self.renderer.runner.parallelism
        climbed = climb(preparer, intake.submissions, workers, progress)
        key_of = preparer.admission.key_of
        for submission, outcome in zip(intake.submissions, climbed, strict=True):
            if isinstance(outcome, TrothError):
                key = key_of(submission.request)
                decisions.items.append(of_error(submission, key, outcome))
        decisions.decide_all(one for one in climbed if isinstance(one, Draft))
        removals, kept = absent(intake, ledger, key_of, self._rules(intake))
        items = [*decisions.items, *kept]
        return Plan(ledger, decisions.drafts, removals, items, frozenset(decisions.blockers))

    def _preparer(self, ledger: Ledger) -> Preparer:
        return Preparer(
            world=self.world,
            ledger=ledger,
            admission=Admission(self.world, ledger),
            digests=InputDigests(self.renderer.runner),
            renderer=self.renderer,
            adoptions=Adoptions(self.world, ledger.view),
            inventory=self.settings.inventory,
            limits=self.settings.limits,
        )

    def _install(
        self, intake: Intake, preparer: Preparer, decisions: Decisions
    ) -> dict[str, Settled]:
        """Climb with the Promises; return why those are unavailable that are."""
        handed_in = {one.request.name: one for one in intake.promises}
        requirements = Requirements(self.world.promises, preparer.ledger.kept_promises())
        unavailable: dict[str, Settled] = {}
        for name in requirements.order:
            promise, submission = self.world.promises[name], handed_in.get(name)
            why = requirements.unmet(promise, unavailable)
            if why is not None and submission is not None:
                decisions.items.append(_waits(submission, why))
            elif why is None and submission is not None:
                why = self._install_one(promise, submission, preparer, decisions)
            if why is not None:
                text = f"Promise {name} cannot fulfil resource requests: {why}"
                unavailable[name] = Settled(Reason.PROMISE_UNAVAILABLE, text, idle=True)
        return unavailable

    def _install_one(
        self, promise: Promise, submission: Submission, preparer: Preparer, decisions: Decisions
    ) -> str | None:
        """Climb with a Promise; return why it is unavailable, None when it is available."""
        key = RequestKey("", promise.name, "")
        if not promise.has_own_output and not preparer.ledger.knows(key):
            return "it is paused." if promise.paused else None
        (outcome,) = climb(preparer, [submission], 1, lambda: None)
        if isinstance(outcome, TrothError):
            decisions.items.append(of_error(submission, key, outcome))
            return outcome.message
        error = decisions.decide(outcome)
        if error is not None:
            return error.message
        settled = outcome.settled
        return None if settled is None or settled.reason in _AVAILABLE else settled.message

    def _rules(self, intake: Intake) -> PruneRules:
        settings = self.settings
        paused = frozenset(one.name for one in self.world.promises.values() if one.paused)
        return PruneRules(
            inventory=settings.inventory,
            was_read=intake.was_read,
            complete=intake.complete,
            doubtful=intake.doubtful,
            paused=paused,
            prune=settings.prune,
            budget=settings.budget,
        )


def _waits(submission: Submission, why: str) -> Item:
    return Item(
        "",
        submission.request.name,
        "",
        State.WAITING,
        Reason.REQUIREMENTS_NOT_FULFILLED,
        f"Requirements not fulfilled: {why}.",
        source=submission.origin.where(),
    )

"""The ladder itself: from what was handed in to a plan of what would change.

Called by the drivers. `Engine.plan` climbs as far as the claims and writes nothing; what a plan
leads to is done in ``write``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from troth.api import RequestKey
from troth.engine.admit import Admission
from troth.engine.change import Composer
from troth.engine.check import OutputLimits
from troth.engine.claim import Claims, check_fence, held_in_the_dark
from troth.engine.climb import climb
from troth.engine.digest import InputDigests
from troth.engine.draft import Draft
from troth.engine.ledger import Ledger
from troth.engine.prepare import Preparer
from troth.engine.removal import DeletionBudget, PruneRules, sort_out
from troth.engine.render import Renderer
from troth.engine.report import of_error, of_unreadable
from troth.engine.values import Item, Submission, World
from troth.errors import HeldError, InvalidInputError, Reason, TrothError
from troth_statestore import ChangeSet, Owner, Snapshot, request_key

__all__ = ["Engine", "Intake", "Plan", "Settings"]


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
class Intake:
    """What a driver hands in for one run.

    Attributes:
        submissions: the requests, each identity once.
        was_read: tells of a root, as records name them, whether this run read all of it.
        complete: whether everything there could be read.
        refused: group, kind, namespace and name of requests that were there, but of no use.
        doubtful: namespace and name of objects that were there and are of no known group.
    """

    submissions: Sequence[Submission]
    was_read: Callable[[str], bool]
    complete: bool
    refused: frozenset[tuple[str, str, str, str]] = frozenset()
    doubtful: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do.

    Attributes:
        ledger: the moment of the store it was made against.
        drafts: requests that came through, with the change each needs (None: nothing).
        removals: requests to remove.
        items: requests that came no further, and orphans that are kept.
        blockers: requests that hold what another of this run asked for.
    """

    ledger: Ledger
    drafts: Sequence[tuple[Draft, ChangeSet | None]]
    removals: Sequence[RequestKey]
    items: Sequence[Item]
    blockers: frozenset[RequestKey]


@dataclass(frozen=True, slots=True)
class _Claimed:
    """What the claims left: drafts to write, lines on the others, who stood in the way."""

    drafts: Sequence[tuple[Draft, ChangeSet | None]]
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

    def plan(
        self, intake: Intake, snapshot: Snapshot, progress: Callable[[], None] = lambda: None
    ) -> Plan:
        """Climb the ladder with every request, up to the claims; write nothing.

        Args:
            intake: what was handed in.
            snapshot: the moment of the store to plan against.
            progress: called once for each request that has come so far.
        """
        ledger = Ledger.read(snapshot)
        admission = Admission(self.world, ledger)
        preparer = Preparer(
            world=self.world,
            ledger=ledger,
            admission=admission,
            digests=InputDigests(self.renderer.runner),
            renderer=self.renderer,
            inventory=self.settings.inventory,
            limits=self.settings.limits,
        )
        workers = self.renderer.runner.parallelism
        climbed = climb(preparer, intake.submissions, workers, progress)
        claimed = self._claim(intake.submissions, ledger, admission, climbed)
        removals, kept = self._absent(intake, ledger, admission)
        return Plan(ledger, claimed.drafts, removals, [*claimed.items, *kept], claimed.blockers)

    def _claim(
        self,
        submissions: Sequence[Submission],
        ledger: Ledger,
        admission: Admission,
        climbed: Sequence[Draft | TrothError],
    ) -> _Claimed:
        """Decide, in the order of keys, what each request may write."""
        composer = Composer(ledger, self.settings.inventory)
        dark = held_in_the_dark(ledger, self.world.destinations.values())
        claims = Claims({**dark, **ledger.holders()})
        items = [
            of_error(submission, admission.key_of(submission.request), outcome)
            for submission, outcome in zip(submissions, climbed, strict=True)
            if isinstance(outcome, TrothError)
        ]
        through: list[tuple[Draft, ChangeSet | None]] = []
        blockers: set[RequestKey] = set()
        drafts = (outcome for outcome in climbed if isinstance(outcome, Draft))
        for draft in sorted(drafts, key=lambda one: one.key):
            try:
                check_fence(draft)
                claims.take(draft.key, draft.placements)
                through.append((draft, composer.update(draft)))
            except TrothError as error:
                items.append(of_error(draft.submission, draft.key, error))
                if isinstance(error, HeldError) and error.holder is not None:
                    blockers.add(RequestKey(*error.holder))
        return _Claimed(through, items, frozenset(blockers))

    def _absent(
        self, intake: Intake, ledger: Ledger, admission: Admission
    ) -> tuple[list[RequestKey], list[Item]]:
        """Conclude from what was not handed in which requests are to be removed."""
        present, lost = _present(intake, ledger, admission)
        rules = self._rules(intake, complete=intake.complete and not lost)
        removals, kept = sort_out(ledger, present, rules)
        given = {request_key(Owner(*key)) for key in present}
        unreadable = [
            of_unreadable(key, error)
            for key, error in ledger.unreadable.items()
            if key not in given
        ]
        return removals, [*kept, *unreadable]

    def _rules(self, intake: Intake, *, complete: bool) -> PruneRules:
        settings = self.settings
        return PruneRules(
            inventory=settings.inventory,
            was_read=intake.was_read,
            complete=complete,
            doubtful=intake.doubtful,
            prune=settings.prune,
            budget=settings.budget,
        )


def _present(intake: Intake, ledger: Ledger, admission: Admission) -> tuple[set[RequestKey], bool]:
    """Return the requests that were handed in, and whether any of them has lost its Promise.

    One that was refused, or whose Promise is missing now, is known by its kind and name.
    """
    present: set[RequestKey] = set()
    keyless = set(intake.refused)
    lost = False
    for submission in intake.submissions:
        request = submission.request
        key = admission.key_of(request)
        if key is not None:
            present.add(key)
        else:
            lost = True
            keyless.add((request.group, request.kind, request.namespace, request.name))
    if keyless:
        for key, (record, _) in ledger.records.items():
            group = str(record.asked["apiVersion"]).rpartition("/")[0]
            if (group, record.asked["kind"], key.namespace, key.name) in keyless:
                present.add(key)
    return present, lost

"""The ladder itself: from what was handed in to a plan of what would change.

Called by the drivers. `Engine.plan` climbs as far as the claims and writes nothing; what a plan
leads to is done in ``write``. Promises come first, each after those it requires: their own output
is claimed before any request's, and what they cannot serve now waits.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from troth.api import RequestKey, ResourceRequest
from troth.engine.absence import Intake, absent
from troth.engine.admit import Admission
from troth.engine.adopt import Adoptions
from troth.engine.change import Change, Composer
from troth.engine.check import OutputLimits
from troth.engine.claim import Claims
from troth.engine.climb import climb
from troth.engine.decide import Decisions
from troth.engine.digest import InputDigests
from troth.engine.draft import Draft
from troth.engine.drifted import Drifted
from troth.engine.guard import Guards
from troth.engine.heirs import Heirs, Succession, hold_back, keep_unserved
from troth.engine.install import Installer
from troth.engine.job_folders import take_job_folders
from troth.engine.ledger import Ledger
from troth.engine.perform import Performer
from troth.engine.prepare import Preparer
from troth.engine.remains import NO_REMAINS, Remains, find_remains
from troth.engine.removal import (
    DeletionBudget,
    PruneRules,
    Remover,
    agreements,
    files_of_others,
)
from troth.engine.render import Renderer
from troth.engine.report import of_error
from troth.engine.room import Room
from troth.engine.rotations import RotationLimit
from troth.engine.sealing import sealing_digest
from troth.engine.suspension import Suspension
from troth.engine.upkeep import Upkeep, upkeep
from troth.engine.values import Item, Spot, World
from troth.engine.view import View
from troth.errors import InvalidInputError, Reason, TrothError

__all__ = ["Engine", "Plan", "Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is allowed to do.

    Attributes:
        inventory: whose requests these are.
        prune: remove also what was read from other roots.
        budget: how much may be removed unasked.
        limits: how much one request may render.
        rotations: how many requests may rotate since a cluster has lost its keys.
        drifts: what was found to be other outside than records say, to be mended in this run.
    """

    inventory: str = "default"
    prune: bool = False
    budget: DeletionBudget = field(default_factory=DeletionBudget)
    limits: OutputLimits = field(default_factory=OutputLimits)
    rotations: RotationLimit = field(default_factory=RotationLimit)
    drifts: Mapping[RequestKey, Drifted] = field(default_factory=dict[RequestKey, Drifted])

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
        waiting: those of the removals whose delete pipelines are not to run yet, with what they
            asked for.
        heirs: who takes over from some of the removals.
        upkeep: what Destinations need for themselves.
        performer: lets stages do outside what they want to, before what they render is written.
        agreements: by store, what was agreed to and is needed for some of the removals.
    """

    ledger: Ledger
    drafts: Sequence[tuple[Draft, Change | None]]
    removals: Sequence[RequestKey]
    items: Sequence[Item]
    blockers: frozenset[RequestKey]
    waiting: Mapping[RequestKey, Suspension]
    heirs: Heirs
    upkeep: Sequence[Upkeep]
    performer: Performer
    agreements: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def rotating(self) -> frozenset[RequestKey]:
        """The requests that rotate since a cluster has lost its keys."""
        return frozenset(draft.key for draft, _ in self.drafts if draft.rotates)

    @property
    def kept_files(self) -> frozenset[Spot]:
        """The files that no removal takes, since somebody names them who stays."""
        return files_of_others(self.ledger, (draft for draft, _ in self.drafts), self.removals)

    def only(self, keys: Collection[RequestKey]) -> "Plan":
        """Return what the plan would do for some requests, without any removal."""
        return replace(
            self,
            drafts=[one for one in self.drafts if one[0].key in keys],
            removals=(),
            items=[one for one in self.items if one.key in keys],
            waiting={},
            heirs=self.heirs.left(()),
            upkeep=(),
            agreements={},
        )


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
        self, intake: Intake, moment: View | Ledger, progress: Callable[[], None] = lambda: None
    ) -> Plan:
        """Climb the ladder with every Promise and request, up to the claims; write nothing.

        Args:
            intake: what was handed in.
            moment: of the stores, to plan against; read already, or not.
            progress: called once for each request that has come so far.
        """
        ledger = moment if isinstance(moment, Ledger) else Ledger.read(moment)
        admission = Admission(self.world, ledger)
        key_of = admission.key_of
        succession = Succession(intake, ledger, self.world, admission)
        rules = self._rules(intake)
        removals, kept = absent(intake, ledger, key_of, rules, succession.heir_of)
        heirs = succession.among(removals)
        claims = Claims(ledger, self.world, removals, heirs)
        adoptions = Adoptions(self.world, ledger)
        preparer = self._preparer(ledger, admission, claims, adoptions)
        composer = Composer(ledger, self.settings.inventory)
        room = Room(ledger.view, self.settings.limits.shared_bytes)
        decisions = Decisions(claims, composer, room)
        preparer = self._decide(intake, preparer, decisions, progress)
        rationed = self.settings.rotations.ration(decisions.drafts, self.world, composer)
        came = [draft for draft, _ in rationed]
        removals, unserved = keep_unserved(removals, heirs, ledger, came)
        present = _present(intake, key_of)
        drafts = adoptions.bequeath(rationed, claims.files)
        drafts = take_job_folders(self.world, ledger, drafts, present)
        remains = self._remains(intake, ledger, present, drafts, claims)
        items = [*decisions.items, *kept, *unserved, *adoptions.left(drafts), *remains.items]
        drafts, early = hold_back(Guards(ledger, drafts).guarded(), heirs, removals)
        items += early
        waiting = Remover(self.world, ledger, self.renderer).waiting(removals)
        heirs = heirs.left(removals)
        lost = [key for key in removals if key not in heirs.by_old]
        return Plan(
            ledger=ledger,
            drafts=drafts,
            removals=removals,
            items=items,
            blockers=frozenset(decisions.blockers),
            waiting=waiting,
            heirs=heirs,
            upkeep=self._upkeep(intake, ledger, remains),
            performer=self._performer(preparer, composer),
            agreements=agreements(ledger, lost, self.settings.inventory, self.settings.budget),
        )

    def _decide(
        self,
        intake: Intake,
        preparer: Preparer,
        decisions: Decisions,
        progress: Callable[[], None],
    ) -> Preparer:
        """Install Promises, climb with requests, and decide; return who prepares from now on."""
        unavailable = Installer(preparer, decisions).install(intake.promises)
        preparer = replace(preparer, unavailable=unavailable)
        workers = self.renderer.runner.parallelism
        climbed = climb(preparer, intake.submissions, workers, progress)
        for submission, outcome in zip(intake.submissions, climbed, strict=True):
            if isinstance(outcome, TrothError):
                key = preparer.admission.key_of(submission.request)
                decisions.items.append(of_error(submission, key, outcome))
        decisions.decide_all(one for one in climbed if isinstance(one, Draft))
        return preparer

    def _remains(
        self,
        intake: Intake,
        ledger: Ledger,
        present: Iterable[RequestKey | None],
        drafts: Sequence[tuple[Draft, Change | None]],
        claims: Claims,
    ) -> Remains:
        """Find what is nobody's; where only some are asked about, nobody looks for it."""
        if intake.scope is not None:
            return NO_REMAINS
        return find_remains(self.world, ledger, present, drafts, claims.files)

    def _upkeep(self, intake: Intake, ledger: Ledger, remains: Remains) -> Sequence[Upkeep]:
        if intake.scope is not None:
            return ()
        return upkeep(self.world, ledger, intake, self.settings.inventory, remains.behind)

    def _performer(self, preparer: Preparer, composer: Composer) -> Performer:
        performing = replace(preparer, renderer=self.renderer.performing)
        return Performer(performing, composer, self.renderer.runner.parallelism)

    def _preparer(
        self, ledger: Ledger, admission: Admission, claims: Claims, adoptions: Adoptions
    ) -> Preparer:
        return Preparer(
            world=self.world,
            ledger=ledger,
            admission=admission,
            claims=claims,
            digests=InputDigests(self.renderer.runner, partial(sealing_digest, self.world)),
            renderer=self.renderer,
            adoptions=adoptions,
            inventory=self.settings.inventory,
            limits=self.settings.limits,
            drifts=self.settings.drifts,
        )

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


def _present(
    intake: Intake, key_of: Callable[[ResourceRequest], RequestKey | None]
) -> set[RequestKey | None]:
    """Return what was handed in; what no Promise offers has no key."""
    promises = {RequestKey.of_promise(one.request.name) for one in intake.promises}
    return {*promises, *(key_of(one.request) for one in intake.submissions)}

"""One command's work: inputs, state stores, a runner, and the engine between them.

Called by the commands. ``plan`` says what would change, ``sync`` does it; both answer with the
same report.
"""

import secrets
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType

from troth.api import Destination, RequestKey, Secrets
from troth.engine import (
    DriftCheck,
    DriftReport,
    Engine,
    Inspector,
    Intake,
    Item,
    Ledger,
    Moment,
    Plan,
    Renderer,
    Settings,
    View,
    World,
    Writer,
    settle,
)
from troth.engine.carry import Submit
from troth.engine.history import Past
from troth.engine.repair import Repairs, find_repairs
from troth.errors import InvalidInputError, Reason, TrothError
from troth.local.inputs import Inputs
from troth.local.past import flushing, handed_in, histories
from troth.local.sealing import Certificates
from troth.local.stores import look
from troth.runners import InspectingRunner
from troth.sdk.sealing import CertificateCache
from troth_statestore import StateStore
from troth_statestore.budget import Pace, PushBudget

__all__ = ["ASSUMED_DESTINATION", "Session", "SyncOptions", "open_session"]

ASSUMED_DESTINATION = Destination(
    name="default", labels={}, path="default", store=None, takes_all=True
)
"""Where everything goes when no Destination is given; it takes every selector."""


_NOTHING: Mapping[RequestKey, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What a command asks of a session.

    Attributes:
        settings: go to the engine.
        progress: called for each request that has been rendered.
        named_stores: whether the stores are those that the files name, so that one which could not
            be read there may hold what was placed earlier.
        budgets: how often stores may be pushed to, by name; others as often as need be.
        on_wait: called with a store's name and seconds when a push has to wait for its budget.
        secrets: where the Secrets are that Destinations refer to, None where nobody knows.
    """

    settings: Settings
    progress: Callable[[], None] = lambda: None
    named_stores: bool = False
    budgets: Mapping[str, PushBudget] = field(default_factory=dict[str, PushBudget])
    on_wait: Callable[[str, float], None] = lambda _, __: None
    secrets: Secrets | None = None


def _moment() -> Moment:
    return Moment(datetime.now(UTC).replace(microsecond=0), secrets.token_bytes(32))


def _certificates() -> CertificateCache:
    return CertificateCache(datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Session:
    """A run over given inputs, with open stores, by name, and a runner."""

    inputs: Inputs
    stores: Mapping[str, StateStore]
    runner: InspectingRunner
    options: SyncOptions
    moment: Callable[[], Moment] = _moment
    certificates: CertificateCache = field(default_factory=_certificates)

    @property
    def world(self) -> World:
        """Promises and Destinations; the one that is assumed when there is none."""
        destinations = self.inputs.destinations
        if self.inputs.without_destinations:
            destinations = {ASSUMED_DESTINATION.name: ASSUMED_DESTINATION}
        return World(self.inputs.promises, destinations, tuple(sorted(self.stores)))

    def look(self) -> View:
        """Return what the stores hold now. Raises as `troth.local.stores.look`."""
        view = look(self.stores)
        if not self.options.named_stores:
            return view
        return replace(view, unreached={**self.inputs.hidden_stores, **view.unreached})

    def plan(
        self,
        moment: View | Ledger,
        earlier: Mapping[RequestKey, str] = _NOTHING,
        rotated: frozenset[RequestKey] = frozenset(),
    ) -> Plan:
        """Say what would change against a moment of the stores.

        Args:
            moment: that moment; read already, or not.
            earlier: what earlier rounds of the run were to remove, each with its home store; it
                counts against the deletion budget.
            rotated: what earlier rounds have let rotate; it counts against their limit.
        """
        inputs = self.inputs
        intake = Intake(
            submissions=inputs.submissions,
            was_read=inputs.was_read,
            complete=inputs.complete,
            promises=inputs.promise_submissions,
            refused=frozenset(inputs.refused),
            doubtful=frozenset(inputs.doubtful),
        )
        settings = self.options.settings
        settings = replace(
            settings,
            budget=replace(settings.budget, earlier=earlier),
            rotations=replace(settings.rotations, begun=rotated),
        )
        engine = Engine(self.world, self._renderer, settings)
        return engine.plan(intake, moment, self.options.progress)

    def foresee(self) -> tuple[Plan, Repairs]:
        """Say what `sync` would do now: to records that cannot be read, and then to all."""
        ledger = Ledger.read(self.look())
        repairs = self._repairs(ledger, ())
        if repairs.found:
            ledger = Ledger.read(repairs.after(ledger.view))
        return self.plan(ledger), repairs

    def sync(self, repair: Sequence[str] = ()) -> Sequence[Item]:
        """Bring the stores to what the inputs ask for; answer with a line for each request.

        Args:
            repair: requests whose records, which cannot be read, are put right although their
                files are not what those say.

        Raises:
            InvalidInputError: a record that is to be repaired can be read, or is not known.
            StoreError, TransientError: as `look`.
        """
        with flushing(self.stores, self._pace) as submit:
            writer = Writer(self.world, self._renderer, self.options.settings, submit)
            ledger = Ledger.read(self.look())
            repairs = _repaired(self._repairs(ledger, repair), submit)
            # What was read already need not be read again, unless it has just changed.
            items = settle(self._rounds([] if repairs.found else [ledger]), writer)
        return [*self.inputs.problems, *repairs.told(items)]

    def check_drift(self, wanted: Callable[[RequestKey], bool] = lambda _: True) -> DriftReport:
        """Have stages look at what requests have outside; nothing is changed.

        Args:
            wanted: tells of a request whether it is to be looked at.

        Raises:
            InvalidInputError: no store knows any request, so that it is the wrong one.
            StoreError, TransientError: as `look`.
        """
        ledger = Ledger.read(self.look())
        if not (ledger.entries or ledger.unreadable or ledger.view.unreached):
            message = "the state store knows no request; look at --state-store and --branch."
            raise InvalidInputError(Reason.INVALID_OBJECT, message)
        inspector = Inspector(self.runner, self.moment)
        inventory = self.options.settings.inventory
        return DriftCheck(self.world, ledger, inspector, inventory).check(wanted)

    def mend_drift(self, found: DriftReport) -> DriftReport:
        """Render again, with effects, what has drifted and may be mended, and nothing else.

        Nothing is removed, whatever was not handed in.

        Raises:
            StoreError, TransientError: as `look`.
        """
        drifts = found.mendable
        settings = replace(self.options.settings, drifts=drifts)
        if not drifts:
            return found
        names = {(key.namespace, key.name) for key in drifts}
        asked = [one for one in self.inputs.submissions
                 if (one.request.namespace, one.request.name) in names]  # fmt: skip
        inputs = replace(self.inputs, submissions=asked, complete=False)
        run = replace(self, inputs=inputs, options=replace(self.options, settings=settings))
        with flushing(self.stores, self._pace) as submit:
            writer = Writer(self.world, self._renderer, settings, submit)
            items = settle(lambda: run.plan(self.look()).only(drifts), writer)
        return found.after(items, Ledger.read(self.look()))

    def _repairs(self, ledger: Ledger, asked: Sequence[str]) -> Repairs:
        past = Past(ledger, histories(self.stores), self.world)
        return find_repairs(past, self.options.settings.inventory, asked)

    def _rounds(self, moments: Sequence[Ledger]) -> Callable[[], Plan]:
        """Return what makes the plan of each round; the first against `moments`, where given."""
        removed: dict[RequestKey, str] = {}
        rotated: set[RequestKey] = set()
        known = iter(moments)

        def plan() -> Plan:
            made = self.plan(next(known, None) or self.look(), removed, frozenset(rotated))
            rotated.update(made.rotating)
            removed.update({key: made.ledger.entries[key].home for key in made.removals})
            return made

        return plan

    def _pace(self, store: str) -> Pace:
        return Pace(self.options.budgets.get(store), on_wait=partial(self.options.on_wait, store))

    @property
    def sealing(self) -> Certificates:
        """The sealing certificates of the Destinations."""
        return Certificates(self.world, self.certificates, self.options.secrets)

    @property
    def _renderer(self) -> Renderer:
        return Renderer(self.runner, self.moment, sealing=self.sealing.of)


def _repaired(repairs: Repairs, submit: Submit) -> Repairs:
    """Write repairs; return those that landed."""
    fates = handed_in(submit, [one.change for one in repairs.found])
    return repairs.without(
        {
            one.key: f"It could not be put back: {fate.message}"
            for one, fate in zip(repairs.found, fates, strict=True)
            if isinstance(fate, TrothError)
        }
    )


@contextmanager
def open_session(
    inputs: Inputs, stores: Mapping[str, StateStore], runner: InspectingRunner, options: SyncOptions
) -> Generator[Session]:
    """Open a session, and close its stores and runner at the end."""
    with ExitStack() as open_things:
        for store in stores.values():
            open_things.callback(store.close)
        open_things.callback(runner.close)
        yield Session(inputs, stores, runner, options)

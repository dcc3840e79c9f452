"""One command's work: inputs, state stores, a runner, and the engine between them.

Called by the commands. ``plan`` says what would change, ``sync`` does it; both answer with the
same report.
"""

import secrets
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from troth.api import Destination
from troth.engine import (
    Engine,
    Intake,
    Item,
    Moment,
    Plan,
    Renderer,
    Settings,
    View,
    World,
    Writer,
    settle,
)
from troth.local.inputs import Inputs
from troth.local.stores import look
from troth.runners import Runner
from troth_statestore import ChangeSet, Receipt, StateStore
from troth_statestore.flusher import Flusher

__all__ = ["ASSUMED_DESTINATION", "Session", "SyncOptions", "open_session"]

ASSUMED_DESTINATION = Destination(
    name="default", labels={}, path="default", store=None, takes_all=True
)
"""Where everything goes when no Destination is given; it takes every selector."""


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What a command asks of a session.

    Attributes:
        settings: go to the engine.
        progress: called for each request that has been rendered.
        named_stores: whether the stores are those that the files name, so that one which could not
            be read there may hold what was placed earlier.
    """

    settings: Settings
    progress: Callable[[], None] = lambda: None
    named_stores: bool = False


def _moment() -> Moment:
    return Moment(datetime.now(UTC).replace(microsecond=0), secrets.token_bytes(32))


@dataclass(frozen=True, slots=True)
class Session:
    """A run over given inputs, with open stores, by name, and a runner."""

    inputs: Inputs
    stores: Mapping[str, StateStore]
    runner: Runner
    options: SyncOptions
    moment: Callable[[], Moment] = _moment

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

    def plan(self, view: View) -> Plan:
        """Say what would change against a moment of the stores."""
        inputs = self.inputs
        intake = Intake(
            submissions=inputs.submissions,
            was_read=inputs.was_read,
            complete=inputs.complete,
            promises=inputs.promise_submissions,
            refused=frozenset(inputs.refused),
            doubtful=frozenset(inputs.doubtful),
        )
        engine = Engine(self.world, self._renderer, self.options.settings)
        return engine.plan(intake, view, self.options.progress)

    def sync(self) -> Sequence[Item]:
        """Bring the stores to what the inputs ask for; answer with a line for each request.

        Raises:
            StoreError, TransientError: as `look`.
        """
        flushers = {name: Flusher(store) for name, store in self.stores.items()}

        def submit(store: str, changes: Sequence[ChangeSet]) -> Sequence[Future[Receipt]]:
            return flushers[store].submit_all(changes)

        writer = Writer(self.world, self._renderer, self.options.settings, submit)
        try:
            items = settle(lambda: self.plan(self.look()), writer)
        finally:
            for flusher in flushers.values():
                flusher.close()
        return [*self.inputs.problems, *items]

    @property
    def _renderer(self) -> Renderer:
        return Renderer(self.runner, self.moment)


@contextmanager
def open_session(
    inputs: Inputs, stores: Mapping[str, StateStore], runner: Runner, options: SyncOptions
) -> Generator[Session]:
    """Open a session, and close its stores and runner at the end."""
    with ExitStack() as open_things:
        for store in stores.values():
            open_things.callback(store.close)
        open_things.callback(runner.close)
        yield Session(inputs, stores, runner, options)

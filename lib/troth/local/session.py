"""One command's work: inputs, a store, a runner, and the engine between them.

Called by the commands. ``plan`` says what would change, ``sync`` does it; both answer with the
same report.
"""

import secrets
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
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
    World,
    Writer,
    settle,
)
from troth.local.inputs import Inputs
from troth.runners import Runner
from troth_statestore import Snapshot, StateStore
from troth_statestore.flusher import Flusher

__all__ = ["ASSUMED_DESTINATION", "Session", "SyncOptions", "open_session"]

ASSUMED_DESTINATION = Destination(
    name="default", labels={}, path="default", store=None, takes_all=True
)
"""Where everything goes when no Destination is given; it takes every selector."""


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What a command asks of a session; `settings` go to the engine."""

    settings: Settings
    progress: Callable[[], None] = lambda: None


def _moment() -> Moment:
    return Moment(datetime.now(UTC).replace(microsecond=0), secrets.token_bytes(32))


@dataclass(frozen=True, slots=True)
class Session:
    """A run over given inputs, with an open store and a runner."""

    inputs: Inputs
    store: StateStore
    runner: Runner
    options: SyncOptions
    moment: Callable[[], Moment] = _moment

    @property
    def world(self) -> World:
        """Promises and Destinations; the one that is assumed when there is none."""
        destinations = self.inputs.destinations
        if self.inputs.without_destinations:
            destinations = {ASSUMED_DESTINATION.name: ASSUMED_DESTINATION}
        return World(self.inputs.promises, destinations)

    def plan(self, snapshot: Snapshot) -> Plan:
        """Say what would change against a moment of the store."""
        inputs = self.inputs
        intake = Intake(
            submissions=inputs.submissions,
            was_read=inputs.was_read,
            complete=inputs.complete,
            refused=frozenset(inputs.refused),
            doubtful=frozenset(inputs.doubtful),
        )
        engine = Engine(self.world, self._renderer, self.options.settings)
        return engine.plan(intake, snapshot, self.options.progress)

    def sync(self) -> Sequence[Item]:
        """Bring the store to what the inputs ask for; answer with a line for each request.

        Raises:
            StoreError, TransientError: the store cannot be read at all.
        """
        flusher = Flusher(self.store)
        writer = Writer(self.world, self._renderer, self.options.settings, flusher.submit_all)
        try:
            items = settle(lambda: self.plan(self.store.snapshot()), writer)
        finally:
            flusher.close()
        return [*self.inputs.problems, *items]

    @property
    def _renderer(self) -> Renderer:
        return Renderer(self.runner, self.moment)


@contextmanager
def open_session(
    inputs: Inputs, store: StateStore, runner: Runner, options: SyncOptions
) -> Generator[Session]:
    """Open a session, and close its store and runner at the end."""
    with closing(store), closing(runner):
        yield Session(inputs, store, runner, options)

"""The clerk: one thread that serves requests, those together that came while it was at work.

Whoever sees a change hands in the key alone. What is asked for is looked up when its turn comes, so
that of many edits the last one counts, and one plan and one push serve all that wait. So a request
that comes alone is served at once, and a thousand in a few rounds.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Condition, Thread
from typing import Protocol

from troth.api import RequestKey
from troth.controller.agenda import Agenda
from troth.engine import (
    Engine,
    Intake,
    Item,
    Ledger,
    Plan,
    Record,
    Renderer,
    Settings,
    State,
    Submission,
    View,
    World,
    Writer,
    settle,
)
from troth.engine.report import state_of
from troth.engine.values import HELD
from troth.engine.write import Submit
from troth.errors import FaultError, Reason, TrothError

__all__ = ["Answer", "Clerk", "Desk"]

_log = logging.getLogger(__name__)

# How long after a failure something is tried again; each further one doubles it.
_SOONEST, _LATEST = timedelta(seconds=1), timedelta(minutes=5)

# What waits for others is tried again so long after others were written; and what waits since so
# many credentials are made anew at once, for so many in a minute.
_SETTLING, _RATION = timedelta(seconds=1), timedelta(minutes=1)

_MOVED = frozenset({State.WRITTEN, State.REMOVED})

# What is refused, and may pass though nobody touches the request: it is tried again like a failure.
_PASSING = frozenset({Reason.INTERNAL_ERROR, Reason.SECRET_NOT_FOUND})

# Requests of one plan: what a plan keeps in memory grows with them.
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request; its record as it is now, None where there is none."""

    item: Item
    record: Record | None


class Desk(Protocol):
    """What a clerk works with. All of it is asked for by his thread alone."""

    @property
    def renderer(self) -> Renderer:
        """Runs pipelines."""
        ...

    @property
    def settings(self) -> Settings:
        """What may be done in one plan."""
        ...

    @property
    def submit(self) -> Submit:
        """Hands change sets to a store."""
        ...

    def world(self) -> World:
        """Return Promises and Destinations as they are now."""
        ...

    def look(self) -> View:
        """Return what the stores hold now.

        Raises:
            StoreError, TransientError: none of them can be read.
        """
        ...

    def find(self, key: RequestKey) -> Submission | None:
        """Return what is asked for now, None where it is gone, or to go."""
        ...

    def now(self) -> datetime:
        """Return the moment, UTC."""
        ...

    def tell(self, answer: Answer) -> None:
        """Take note of what became of a request that nobody waits for an answer of."""
        ...


class Clerk:
    """Serves what is handed in, until it is closed.

    Args:
        desk: what there is to work with.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._state = Condition()
        self._asked: dict[RequestKey, list[Future[Answer]]] = {}
        self._closing = False
        self._again = False
        self._agenda = Agenda()
        self._waiting: set[RequestKey] = set()
        self._failures: dict[RequestKey, int] = {}
        self._ledger: Ledger | None = None
        self._thread = Thread(target=self._work, name="troth-clerk")
        self._thread.start()

    def hand_in(self, key: RequestKey) -> Future[Answer]:
        """Ask for a request or a Promise to be served as it is now, or removed when it is gone.

        Raises:
            RuntimeError: the clerk was closed.
        """
        answer: Future[Answer] = Future()
        with self._state:
            if self._closing:
                message = "this clerk was closed"
                raise RuntimeError(message)
            self._asked.setdefault(key, []).append(answer)
            self._state.notify()
        return answer

    def remind(self, keys: Iterable[RequestKey]) -> None:
        """Have requests looked at again; the desk is told what becomes of them."""
        with self._state:
            for key in keys:
                self._asked.setdefault(key, [])
            self._state.notify()

    def try_again(self) -> None:
        """Look now at what failed and at what waits: what was in the way may be gone."""
        with self._state:
            self._again = True
            self._state.notify()

    def wake(self) -> None:
        """Look at the clock again, which may have been set."""
        with self._state:
            self._state.notify()

    def close(self) -> None:
        """Serve those that somebody waits for, and end."""
        with self._state:
            self._closing = True
            self._state.notify()
        self._thread.join()

    def _work(self) -> None:
        while (asked := self._take()) is not None:
            answers = self._answers(asked)
            self._plan_ahead(answers)
            for key, answer in answers.items():
                for future in asked[key]:
                    if future.set_running_or_notify_cancel():
                        future.set_result(answer)
            for key, answer in answers.items():
                if not asked[key]:
                    self._tell(answer)

    def _tell(self, answer: Answer) -> None:
        try:
            self._desk.tell(answer)
        except Exception as error:  # noqa: BLE001  (the others are still to be told)
            _log.debug("Telling failed.", exc_info=error)
            key = answer.item.key
            _log.error("What became of %s could not be told: %s", key, FaultError.of(error))

    def _take(self) -> dict[RequestKey, list[Future[Answer]]] | None:
        """Wait for something to do; return it, None at the end."""
        with self._state:
            while True:
                now = self._desk.now()
                for key in self._agenda.take(now):
                    self._asked.setdefault(key, [])
                if self._again:
                    self._again = False
                    for key in self._failures.keys() | self._waiting:
                        self._asked.setdefault(key, [])
                if self._closing:
                    self._asked = {key: waits for key, waits in self._asked.items() if waits}
                if self._asked:
                    # Those first that somebody waits for.
                    order = sorted(self._asked, key=lambda key: not self._asked[key])
                    return {key: self._asked.pop(key) for key in order[:_MOST]}
                if self._closing:
                    return None
                moment = self._agenda.next
                self._state.wait((moment - now).total_seconds() if moment is not None else None)

    def _answers(self, keys: Collection[RequestKey]) -> dict[RequestKey, Answer]:
        try:
            return self._served(keys)
        except TrothError as error:
            failure = error
        except Exception as error:  # noqa: BLE001  (a fault of ours costs these, not all to come)
            _log.debug("Serving requests failed.", exc_info=error)
            failure = FaultError.of(error)
        return {key: Answer(_failed(key, failure), None) for key in keys}

    def _served(self, keys: Iterable[RequestKey]) -> dict[RequestKey, Answer]:
        found = {key: self._desk.find(key) for key in keys}
        told = {item.key: item for item in self._settled(found)}
        ledger = self._look()
        records = {key: entry.record for key, entry in ledger.entries.items() if key in found}
        return {
            key: Answer(told.get(key) or _unsaid(key, one, ledger), records.get(key))
            for key, one in found.items()
        }

    def _settled(self, found: Mapping[RequestKey, Submission | None]) -> Sequence[Item]:
        desk, world, renderer = self._desk, self._desk.world(), self._desk.renderer
        writer = Writer(world, renderer, desk.settings, desk.submit)
        rotated: set[RequestKey] = set()
        given = [one for one in found.values() if one is not None]
        intake = Intake(
            submissions=[one for one in given if not one.is_promise],
            was_read=lambda _: True,
            complete=True,
            promises=[one for one in given if one.is_promise],
            scope=frozenset(found),
        )

        def plan() -> Plan:
            limit = replace(desk.settings.rotations, begun=frozenset(rotated))
            engine = Engine(world, renderer, replace(desk.settings, rotations=limit))
            made = engine.plan(intake, self._look())
            rotated.update(made.rotating)
            return made

        return settle(plan, writer)

    def _look(self) -> Ledger:
        view = self._desk.look()
        self._ledger = Ledger.read(view) if self._ledger is None else self._ledger.after(view)
        return self._ledger

    def _plan_ahead(self, answers: Mapping[RequestKey, Answer]) -> None:
        """Note when each is to be looked at again, and that what waits may have become free."""
        now = self._desk.now()
        for key, answer in answers.items():
            self._waiting.discard(key)
            if answer.item.state is State.WAITING or answer.item.reason in HELD:
                self._waiting.add(key)
            self._agenda.note(key, self._next_moment(key, answer, now))
        if any(one.item.state in _MOVED or one.item.changed for one in answers.values()):
            for key in self._waiting:
                noted = self._agenda.moment(key)
                # Not moved back by what moves next: where much is written, it would never come.
                if noted is None or noted > now + _SETTLING:
                    self._agenda.note(key, now + _SETTLING)

    def _next_moment(self, key: RequestKey, answer: Answer, now: datetime) -> datetime | None:
        item = answer.item
        due = _due(answer.record)
        # What is undone outside is tried when its stages are due: before that, nothing would run.
        failed = item.state is State.FAILED and item.reason != Reason.EFFECTS_UNDONE
        # What is due already and is not done will not be done by asking again at once.
        if failed or item.reason in _PASSING or (due and due <= now):
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            return now + min(_SOONEST * 2.0 ** min(failures - 1, 16), _LATEST)
        self._failures.pop(key, None)
        if item.reason == Reason.KEY_REPLACED and item.state is State.WAITING:
            self._waiting.discard(key)
            return now + _RATION
        return due


def _due(record: Record | None) -> datetime | None:
    """Return when a request wants to be looked at, None for never."""
    if record is None:
        return None
    suspension = record.suspension
    moments = [record.due, suspension.not_before if suspension is not None else None]
    return min((one for one in moments if one is not None), default=None)


def _failed(key: RequestKey, error: TrothError) -> Item:
    return Item(*key, state_of(error), error.reason, error.message)


def _unsaid(key: RequestKey, submission: Submission | None, ledger: Ledger) -> Item:
    """Return a line for one that no plan speaks of: what is gone and left nothing needs nothing."""
    if submission is None:
        try:
            ledger.find(key)
        except TrothError as error:  # it may have left something where nobody can look now
            return _failed(key, error)
        return Item(*key, State.REMOVED, Reason.REMOVED)
    if key.is_promise:  # without output of its own
        return Item(*key, State.UNCHANGED, Reason.UP_TO_DATE)
    message = "no plan speaks of it, although it was handed in."
    return _failed(key, FaultError(Reason.INTERNAL_ERROR, message))

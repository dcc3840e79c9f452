"""Hands workers to threads, and replaces those that died, hung or are worn."""

import os
import signal
import threading
from collections.abc import Iterable

from troth.errors import Reason, TransientError
from troth.runners.warm._conditions import Conditions
from troth.runners.warm._limits import Limits
from troth.runners.warm._messages import Answer, Order, Outcome
from troth.runners.warm._processes import Nursery, Worker

__all__ = ["Pool"]


class Pool:
    """At most `size` workers, started as they are needed.

    A worker that was given one Promise's secrets never serves another: a stage may have left them
    in its process. It is that Promise's from then on, and ended when its place is needed.

    Args:
        size: how many workers.
        folder: temporary folder for the nursery's log.
        distributions: whose stages workers have imported.
        limits: of one run.
        conditions: of the processes.
    """

    def __init__(
        self,
        size: int,
        folder: str,
        distributions: Iterable[str],
        limits: Limits,
        conditions: Conditions,
    ) -> None:
        self.size = size
        self._folder = folder
        self._distributions = tuple(distributions)
        self._limits = limits
        self._conditions = conditions
        self._state = threading.Condition()
        self._idle: list[Worker] = []
        self._live = 0
        self._closed = False
        self._starting = threading.Lock()
        self._nursery: Nursery | None = None

    def call(self, order: Order) -> Answer:
        """Have a worker run an order, waiting for a free one first.

        Raises:
            TransientError: no worker could be started.
            ValueError: the pool is closed.
        """
        worker = self._hand_over(order)
        worker.runs += 1
        answer: Answer | None = None
        try:
            answer = self._await(worker)
        finally:  # also when the wait was interrupted: the worker is in the middle of something
            kept = answer is not None and not answer.worn and worker.runs < self._limits.runs
            status = self._give_back(worker, fit=kept)
        if answer is None:
            if self._closed:
                raise ValueError("the runner was closed during a run")
            return Answer(Outcome.DIED, message=_cause_of_death(status))
        return answer

    def _hand_over(self, order: Order) -> Worker:
        """Send the order to a worker that is there to take it."""
        message = order.encode()
        for _ in range(self.size + 1):  # all idle ones may have been killed by someone
            worker = self._take(order.keeper)
            try:
                worker.channel.send(message, seconds=self._limits.seconds)
            except OSError:
                self._give_back(worker, fit=False)
            else:
                return worker
        text = "every worker process was dead before it was given a stage; see the system's log."
        raise TransientError(Reason.STAGE_CRASHED, text)

    def _await(self, worker: Worker) -> Answer | None:
        try:
            message = worker.channel.receive(self._limits.seconds)
            return None if message is None else Answer.decode(message)
        except TimeoutError:
            return Answer(Outcome.LATE, worn="it hung")
        except ValueError:
            return Answer(Outcome.DIED, message="gave no answer that makes sense", worn="it lies")

    def _take(self, keeper: str) -> Worker:
        with self._state:
            while not (self._closed or self._idle or self._live < self.size):
                self._state.wait()
            if self._closed:
                raise ValueError("the runner is closed")
            fit = [one for one in self._idle if one.keeper == keeper]
            fit = fit or [one for one in self._idle if not one.keeper]
            if fit:
                self._idle.remove(fit[-1])
                fit[-1].keeper = keeper
                return fit[-1]
            other = self._idle.pop(0) if self._live == self.size else None
            self._live += 1
        try:
            if other is not None:
                self._give_back(other, fit=False)
            worker = self._start()
        except BaseException:
            self._leave()
            raise
        worker.keeper = keeper
        return worker

    def _start(self) -> Worker:
        with self._starting:
            if self._closed:
                raise ValueError("the runner is closed")
            if self._nursery is None or not self._nursery.alive:
                if self._nursery is not None:
                    self._nursery.close()
                self._nursery = Nursery(
                    self._folder, self._distributions, self._limits, self._conditions
                )
            nursery = self._nursery
        return nursery.fork()

    def _give_back(self, worker: Worker, *, fit: bool) -> int | None:
        """Let a worker serve others, or end it and return its wait status."""
        if fit:
            with self._state:
                self._idle.append(worker)
                self._state.notify()
            return None
        try:
            return worker.end()
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._state:
            self._live -= 1
            self._state.notify()

    def close(self) -> None:
        """End every process; runs in other threads fail."""
        with self._state:
            self._closed = True
            self._state.notify_all()
        with self._starting:
            if self._nursery is not None:
                self._nursery.close()
        for worker in self._idle:
            worker.channel.close()


def _cause_of_death(status: int | None) -> str:
    if status is None:
        return "ended, and nobody saw how"
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ended with exit code {code}; a stage returns its output, it does not exit"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    hint = ""
    if -code == signal.SIGKILL:
        hint = "; unless the stage did that itself, the machine ran out of memory"
    return f"was killed by {name}{hint}"

"""The inside of a worker process: takes orders, runs stages, answers. Called by the nursery.

A stage may do what it likes to its process; each run sets anew what a stage can see of it
(environment, time zone, folder, umask, streams), and a worker that cannot be made fresh that way
says that it is worn and is replaced.
"""

import contextlib
import os
import resource
import socket
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel

from troth.errors import InvalidInputError, TrothError
from troth.runners.warm._limits import Limits
from troth.runners.warm._messages import Answer, Order, Outcome
from troth.runners.warm._wire import Channel
from troth.sdk import Stage, find_stage, run_stage, stage_entry_points

__all__ = ["LOG_NAME", "serve"]

LOG_NAME = "log"  # the file in the run folder that takes what a stage prints

_UMASK = 0o022  # what a container has
_TEXT_LIMIT = 10_000  # characters of an exception's text that are sent; the runner cuts further


def serve(end: socket.socket, limits: Limits) -> None:
    """Run stages until the runner is gone."""
    channel = Channel(end)
    worker = _Worker(limits)
    while (message := channel.receive()) is not None:
        answer = worker.run(Order.decode(message))
        channel.send(answer.encode())


class _Worker:
    def __init__(self, limits: Limits) -> None:
        self._stages: dict[tuple[str, str], tuple[Stage[BaseModel], str]] = {}
        idle = _data_bytes()
        self._worn_bytes = idle + limits.memory_bytes // 4
        # RLIMIT_DATA, not RLIMIT_AS: eight idle threads reserve 575 MiB of address space and use
        # 65 MiB of it. What it does not count is memory that is shared on purpose.
        _limit(resource.RLIMIT_DATA, idle + limits.memory_bytes)
        _limit(resource.RLIMIT_FSIZE, limits.scratch_file_bytes)
        _limit(resource.RLIMIT_CORE, 0)

    def run(self, order: Order) -> Answer:
        """Run one stage; whatever it raises becomes an answer."""
        process = os.getpid()
        package = ""
        streams: tuple[TextIO, ...] = ()
        try:
            streams = _freshen(order)
            stage, package = self._stage(order.stage, order.distribution)
            run_stage(stage, Path(order.root), order.environ)
            answer = Answer(Outcome.DONE)
        except BaseException as error:  # noqa: BLE001  (a worker outlives what a stage raises)
            answer = _answer_to(error, package)
        if os.getpid() != process:  # a child the stage forked came back here instead of ending
            os._exit(0)
        _silence(streams)
        return replace(answer, worn=self._worn(answer))

    def _stage(self, name: str, distribution: str) -> tuple[Stage[BaseModel], str]:
        """Find a stage and the package it stands in, once: looking through metadata is slow."""
        known = self._stages.get((name, distribution))
        if known is None:
            points = {point.name: point for point in stage_entry_points(distribution)}
            stage = find_stage(name, distribution)
            known = stage, points[name].module.partition(".")[0]
            self._stages[name, distribution] = known
        return known

    def _worn(self, answer: Answer) -> str:
        if answer.outcome is Outcome.OUT_OF_MEMORY:
            return "it ran out of memory"
        if _children_remain():
            return "the stage left child processes"
        if threading.active_count() > 1:
            return "the stage left threads"
        if _data_bytes() > self._worn_bytes:
            return "it kept memory"
        return ""


def _limit(kind: int, value: int) -> None:
    """Set a soft limit; the hard one may be lower already, and then that counts."""
    _, hard = resource.getrlimit(kind)
    soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (soft, hard))


def _data_bytes() -> int:
    """Return the private memory of this process, as RLIMIT_DATA counts it."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    return pages * resource.getpagesize()


def _freshen(order: Order) -> tuple[TextIO, TextIO]:
    """Set all that a stage sees of its process, as if it were the first here."""
    os.environ.clear()
    os.environ.update(order.environ)
    time.tzset()
    os.chdir(order.root)
    os.umask(_UMASK)
    _point(os.open(os.devnull, os.O_RDONLY), 0)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NOFOLLOW
    _point(os.open(LOG_NAME, flags, 0o600), 1, 2)
    sys.argv = [order.stage]
    sys.stdout, sys.stderr = _text_stream(1), _text_stream(2)
    return sys.stdout, sys.stderr


def _text_stream(descriptor: int) -> TextIO:
    """Open a stream that writes line by line, so that a crash leaves what was said before it."""
    return open(
        descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
    )


def _point(descriptor: int, *targets: int) -> None:
    """Make standard streams be an open file."""
    for target in targets:
        os.dup2(descriptor, target)
    if descriptor not in targets:
        os.close(descriptor)


def _silence(streams: Sequence[TextIO]) -> None:
    """Let go of the log, so that removing the run folder frees it."""
    for stream in streams:
        # The log is full, or the stage closed the stream: either way the rest of it is lost.
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    _point(os.open(os.devnull, os.O_WRONLY), 1, 2)


def _children_remain() -> bool:
    """Tell whether a child is still running; those that ended are let go.

    A worker is the reaper of all that descends from it, so daemons show here as well.
    """
    while True:
        try:
            child, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if not child:
            return True


def _answer_to(error: BaseException, package: str) -> Answer:
    if isinstance(error, MemoryError):
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))  # room to answer; we end after it
        return Answer(Outcome.OUT_OF_MEMORY, where=_where(error, package))
    if isinstance(error, SystemExit):
        return Answer(Outcome.EXITED, where=_where(error, package))
    if isinstance(error, TrothError):
        known = next(kind for kind in type(error).__mro__ if kind.__module__ == "troth.errors")
        field = error.field if isinstance(error, InvalidInputError) else ()
        return Answer(
            Outcome.REFUSED, known.__name__, error.reason, str(error)[-_TEXT_LIMIT:], field
        )
    try:
        text = str(error)[-_TEXT_LIMIT:]
    except Exception:  # noqa: BLE001  (foreign code, and its failing says nothing)
        text = "(its text cannot be had)"
    return Answer(Outcome.RAISED, type(error).__name__, message=text, where=_where(error, package))


def _where(error: BaseException, package: str) -> str:
    """Return ``file:line`` of the last step in the stage's own code, else of the last step."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    steps = [
        (str(frame.f_globals.get("__name__", "")), frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    own = [step for step in steps if package and step[0].partition(".")[0] == package]
    if not own:
        own = [step for step in steps if step[0].partition(".")[0] not in {"troth", "importlib"}]
    return f"{Path(own[-1][1]).name}:{own[-1][2]}" if own else ""

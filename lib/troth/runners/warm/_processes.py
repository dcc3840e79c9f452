"""The runner's handles on its processes: one nursery, and the workers forked by it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import IO

from troth.errors import Reason, TransientError, shorten
from troth.runners.warm._conditions import Conditions
from troth.runners.warm._limits import Limits
from troth.runners.warm._wire import Channel

__all__ = ["Nursery", "Worker"]

_START_SECONDS = 60.0  # for the nursery to import everything and fork, on a machine that is busy
_STOP_SECONDS = 10.0  # for the nursery to end all workers and itself

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from troth.runners.warm._nursery import main; main(int(sys.argv[2]), sys.argv[3])"
)
# What modules see while they are imported; each run gets its own environment.
_ENVIRON = {"PATH": os.defpath, "HOME": "/", "LANG": "C.UTF-8"}


class Worker:
    """A worker process: its channel, and the nursery that must end it.

    Attributes:
        runs: how many stages it was given.
        keeper: the Promise whose secrets it has seen, "" while it has seen none.
    """

    def __init__(self, process: int, channel: Channel, nursery: "Nursery") -> None:
        self.process = process
        self.channel = channel
        self.runs = 0
        self.keeper = ""
        self._nursery = nursery

    def end(self) -> int | None:
        """Kill it with all its descendants; return its wait status, None when nobody knows it."""
        self.channel.close()
        return self._nursery.end(self.process)


class Nursery:
    """A started nursery process.

    It is given nothing of this process but ``sys.path``: no environment, no ``__main__``.

    Args:
        folder: temporary folder, which the nursery removes in the end.
        distributions: whose stages it imports.
        limits: what its workers get.
        conditions: what it and its workers are like.
    """

    def __init__(
        self,
        folder: str,
        distributions: Iterable[str],
        limits: Limits,
        conditions: Conditions,
    ) -> None:
        setup = {
            "distributions": sorted(set(distributions)),
            "limits": asdict(limits),
            "folder": folder,
        }
        self._lock = threading.Lock()
        self._log = Path(folder) / "nursery.log"
        ours, theirs = socket.socketpair()
        with theirs, self._log.open("wb") as log:
            self._process = _start(theirs.fileno(), json.dumps(setup), log, conditions)
        self._channel = Channel(ours)

    @property
    def alive(self) -> bool:
        """Whether it can still fork."""
        return self._process.poll() is None

    def fork(self) -> Worker:
        """Get a new worker.

        Raises:
            TransientError: the nursery could not start, or not fork.
        """
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            try:
                self._channel.send({"fork": True}, [theirs.fileno()], _START_SECONDS)
                answer = self._channel.receive(_START_SECONDS)
                problem = answer and answer.get("error")
            except OSError as error:
                answer, problem = None, str(error) or type(error).__name__
        process = answer.get("worker") if answer else None
        if isinstance(process, int):
            return Worker(process, Channel(ours), self)
        ours.close()
        if answer is None:  # it is dead or stuck: the next call shall start another
            self._process.kill()
        said = problem or self._last_words() or "it ended without a word"
        message = f"no worker process could be started: {said}. Is the machine out of memory?"
        raise TransientError(Reason.STAGE_CRASHED, message)

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            return shorten(self._log.read_text(encoding="utf-8", errors="replace"))
        return ""

    def end(self, worker: int) -> int | None:
        """Kill a worker with its group and its orphans; return its wait status."""
        try:
            with self._lock:
                self._channel.send({"end": worker}, seconds=_STOP_SECONDS)
                answer = self._channel.receive(_STOP_SECONDS)
        except OSError:
            answer = None
        if answer is None:  # the nursery is dead, the worker with it; not so what a stage left
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(worker, signal.SIGKILL)
            return None
        status = answer.get("status")
        return status if isinstance(status, int) else None

    def close(self) -> None:
        """End every worker and the nursery."""
        self._channel.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _start(
    descriptor: int, setup: str, log: IO[bytes], conditions: Conditions
) -> subprocess.Popen[bytes]:
    paths = json.dumps([os.path.abspath(path) for path in sys.path])  # noqa: PTH100  ("" too)
    environ = {**_ENVIRON, **conditions.environ}
    alone = ["-I"]
    if conditions.hash_seed is not None:  # -I would ignore it; the environment is ours anyway
        alone = ["-P", "-s"]
        environ["PYTHONHASHSEED"] = str(conditions.hash_seed)
    flags = [*alone, "-X", "utf8", *(["-B"] if sys.dont_write_bytecode else [])]
    return subprocess.Popen(
        [sys.executable, *flags, "-c", _BOOT, paths, str(descriptor), setup],
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=log,
        cwd="/",
        env=environ,
        start_new_session=True,  # an interrupt at the terminal is the runner's to handle
    )

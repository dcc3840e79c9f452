"""The nursery: a process that forks workers, ends them, and dies with the runner.

Started by `_processes` as ``python -I -c``. It has imported the SDK and the stages, so a fork of
it is a worker that is warm at once; all its workers run the code as it was when it started. It
runs no stage, so it always hears when the runner is gone, and then leaves nothing behind.
"""

import contextlib
import ctypes
import gc
import json
import os
import signal
import socket
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn, cast

from troth.runners.warm._folders import remove_tree
from troth.runners.warm._limits import Limits
from troth.runners.warm._wire import Channel
from troth.runners.warm._worker import serve
from troth.sdk import stage_entry_points

__all__ = ["main"]

# prctl(2), Linux.
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def main(descriptor: int, setup: str) -> None:
    """Serve the runner at the other end of a socket until it is gone.

    Args:
        descriptor: the socket.
        setup: JSON with ``distributions`` to import, ``limits`` of workers, and the ``folder``
            to remove in the end, in case the runner no longer could.
    """
    given = cast("dict[str, object]", json.loads(setup))
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    for distribution in cast("list[str]", given["distributions"]):
        _preload(distribution)
    gc.collect()
    gc.freeze()  # what is shared with the workers stays shared when they collect
    control = socket.socket(fileno=descriptor)
    nursery = _Nursery(control, Limits(**cast("dict[str, int]", given["limits"])))
    try:
        nursery.serve()
    finally:
        nursery.end_all()
        remove_tree(str(given["folder"]))


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _preload(distribution: str) -> None:
    """Import the stages of a distribution.

    One that cannot be imported is tried again by the worker that is told to run it, which
    reports why; here it must not keep the others from being served.
    """
    for point in stage_entry_points(distribution):
        with contextlib.suppress(BaseException):
            point.load()


class _Nursery:
    def __init__(self, control: socket.socket, limits: Limits) -> None:
        self._control = control
        self._channel = Channel(control)
        self._limits = limits
        self._workers: set[int] = set()

    def serve(self) -> None:
        """Do what the runner asks for: ``fork`` with a socket, ``end`` with a process id."""
        while True:
            request, descriptors = self._channel.receive_with_descriptors(1)
            if request is None:
                return
            if descriptors:
                answer = self._fork(descriptors[0])
            else:
                answer = {"status": self._end(cast("int", request["end"]))}
            self._channel.send(answer)

    def _fork(self, descriptor: int) -> Mapping[str, object]:
        try:
            worker = os.fork()
        except OSError as error:
            os.close(descriptor)
            return {"error": error.strerror}
        if not worker:
            _become_worker(self._control, descriptor, self._limits)
        os.close(descriptor)
        self._workers.add(worker)
        return {"worker": worker}

    def _end(self, worker: int) -> int | None:
        """Kill a worker with its whole group and return its wait status."""
        if worker not in self._workers:
            return None
        for kill in (os.killpg, os.kill):  # it may not lead its group yet
            with contextlib.suppress(ProcessLookupError):
                kill(worker, signal.SIGKILL)
        _, status = os.waitpid(worker, 0)
        self._workers.discard(worker)
        self._end_orphans()
        return status

    def _end_orphans(self) -> None:
        """Kill what a worker's stages left, daemons too: it is ours since their parents ended."""
        while orphans := _children() - self._workers:
            for orphan in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(orphan, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(orphan, 0)

    def end_all(self) -> None:
        """Kill every worker."""
        for worker in sorted(self._workers):
            self._end(worker)


def _children() -> set[int]:
    """List the children of this process; none where the kernel does not tell."""
    try:
        text = Path("/proc/thread-self/children").read_text("ascii")
    except FileNotFoundError:
        return set()
    return {int(child) for child in text.split()}


def _become_worker(control: socket.socket, descriptor: int, limits: Limits) -> NoReturn:
    """Be a worker from here on; never returns."""
    try:
        control.close()
        os.setsid()  # leads a group of its own, which is what the nursery kills
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        serve(socket.socket(fileno=descriptor), limits)
    except BaseException:  # noqa: BLE001  (the runner sees the exit code; nothing may go up)
        traceback.print_exc()
        os._exit(70)
    os._exit(0)

"""Programs that run beside the tests, each with a log, ended by its own process id."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

__all__ = ["Daemon", "eventually", "free_ports"]

_STOP = 10.0  # seconds to end in good order; all of them stand being killed
_PAUSE = 0.05  # seconds between two looks
_LINES = 40

T = TypeVar("T")


@dataclass(frozen=True)
class Daemon:
    """A program that runs until it is stopped. `log` holds what it says, over all its lives."""

    name: str
    log: Path
    process: "subprocess.Popen[bytes]"

    @classmethod
    def start(
        cls, command: Sequence[str], log: Path, environ: Mapping[str, str] | None = None
    ) -> "Daemon":
        """Start a program; it does not outlive these tests, however they end.

        Of the machine's variables it gets PATH alone: a proxy is nothing for loopback.
        """
        # The kernel kills it with us: a test run that is killed cannot stop what it started.
        with log.open("ab") as output:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *command],
                cwd=log.parent,
                env={"PATH": os.environ["PATH"], "HOME": str(log.parent), **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        return cls(log.stem, log, process)

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def stop(self) -> None:
        """End it, and wait until it has ended; one that does not listen is killed."""
        self.process.terminate()
        try:
            self.process.wait(timeout=_STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def tail(self) -> str:
        """Return the last lines of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_LINES:])

    def until(self, ready: Callable[[], T | None], limit: float = 60.0) -> T:
        """Wait until it is ready; return what `ready` does once that is not None.

        Raises:
            AssertionError: it ended, or is not ready in time; with the last lines of its log.
        """
        try:
            return eventually(lambda: ready() if self.runs else _ended(self), limit)
        except AssertionError as error:
            message = f"{self.name} is not ready: {error}\n{self.tail()}"
            raise AssertionError(message) from None


def eventually(probe: Callable[[], T | None], limit: float = 60.0) -> T:
    """Ask again and again; return the first answer that is not None.

    Args:
        probe: what is asked.
        limit: seconds. Wide, since it is only waited for when something is broken.

    Raises:
        AssertionError: there was none in time.
    """
    end = time.monotonic() + limit
    while (found := probe()) is None:
        if time.monotonic() > end:
            message = f"nothing came in {limit:.0f} s"
            raise AssertionError(message)
        time.sleep(_PAUSE)
    return found


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on now."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _ended(daemon: Daemon) -> None:
    message = f"it ended with {daemon.process.returncode}"
    raise AssertionError(message)

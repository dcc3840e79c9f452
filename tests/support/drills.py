"""What drills share: how long they go on, what commits tell, and who is left of those killed."""

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from support.repositories import Remote

__all__ = ["LONG", "Mark", "committed_steps", "rounds", "steps_in"]

# Read while tests are collected: they themselves see no variable of the machine.
LONG = os.environ.get("TROTH_DRILLS") == "long"

_PATIENCE = 60  # seconds until processes that do not end fail their test

# A commit of several requests says of each what a commit of its own would, but git takes only the
# last paragraph for trailers.
_STEP = re.compile(r"^Troth-Request: (\S+)\nTroth-Generation: (\S+)$", re.MULTILINE)


def rounds(*, usual: int, long: int) -> range:
    """Return the seeds of a drill's rounds."""
    return range(long if LONG else usual)


def steps_in(message: str) -> list[tuple[str, ...]]:
    """Return (request, generation) of each request that a commit's message tells of."""
    return _STEP.findall(message)


def committed_steps(remote: Remote) -> Counter[tuple[str, ...]]:
    """Return how often each (request, generation) was committed."""
    return Counter(step for message in remote.messages() for step in steps_in(message))


@dataclass(frozen=True)
class Mark:
    """A variable by which a drill's processes are known, with all that they start.

    Those of a host are not among them: it serves many, and gives them an environment of its own.
    """

    text: str

    @property
    def environ(self) -> dict[str, str]:
        """What a process is given to bear it."""
        return {"DRILL": self.text}

    def alive(self) -> list[str]:
        """Return the command lines of those that have not ended."""
        return sorted(line for _, line in self._bearers())

    def wait(self) -> None:
        """Wait until all have ended."""
        end = time.monotonic() + _PATIENCE
        while left := self.alive():
            assert time.monotonic() < end, left
            time.sleep(0.01)

    def end(self) -> None:
        """End those that are left."""
        for process, _ in self._bearers():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def _bearers(self) -> Iterator[tuple[int, str]]:
        wanted = f"DRILL={self.text}".encode()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has just ended, or is another user's
                if wanted in (process / "environ").read_bytes().split(b"\0"):
                    line = (process / "cmdline").read_bytes().replace(b"\0", b" ")
                    yield int(process.name), line.decode(errors="replace").strip()

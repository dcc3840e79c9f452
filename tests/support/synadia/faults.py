"""How a fake Control Plane misbehaves, and what it counted."""

from collections import Counter, deque
from dataclasses import dataclass

from support.loopback import Answer, Cut

__all__ = ["Answer", "Cut", "Fault", "Faults", "lost", "slow", "status"]


@dataclass(frozen=True)
class Fault:
    """A way to misbehave in one call.

    Attributes:
        answer: sent instead of the plane's own.
        works: whether the call is done all the same.
        cut: when the connection is cut, if it is.
        wait: seconds between the work and its answer.
    """

    answer: Answer | None = None
    works: bool = True
    cut: Cut | None = None
    wait: float = 0


def lost() -> Fault:
    """Do the work, and hang up without a word."""
    return Fault(cut=Cut.AFTER)


def slow(seconds: float) -> Fault:
    """Do the work, and take one's time to say so."""
    return Fault(wait=seconds)


def status(
    code: int,
    text: str = "",
    *,
    works: bool = False,
    media_type: str | None = None,
    retry_after: str | None = None,
) -> Fault:
    """Answer with a status."""
    given = {"Content-Type": media_type, "Retry-After": retry_after}
    headers = {name: value for name, value in given.items() if value is not None}
    return Fault(Answer(code, headers, text.encode()), works=works)


class Faults:
    """What the next calls of each kind will meet."""

    def __init__(self) -> None:
        self._next: dict[str, deque[Fault | None]] = {}
        self._always: dict[str, Fault] = {}
        self.calls: Counter[str] = Counter()

    def next(self, kind: str, *faults: Fault | None) -> None:
        """Let the next calls of a kind meet these, one each; None lets one through."""
        self._next.setdefault(kind, deque()).extend(faults)

    def always(self, kind: str, fault: Fault | None) -> None:
        """Let every call of a kind meet this one, until it is None."""
        self._always.pop(kind, None)
        if fault is not None:
            self._always[kind] = fault

    def take(self, kind: str) -> Fault:
        """Count a call, and say what it meets."""
        self.calls[kind] += 1
        waiting = self._next.get(kind)
        found = waiting.popleft() if waiting else self._always.get(kind)
        return found or Fault()

"""What waits to be written: in lanes, so that nobody's many hold up another's one.

Pure: no thread, no clock. `Flusher` keeps one under its lock.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from heapq import heappop, heappush

from troth_statestore._checks import touched
from troth_statestore.paths import ancestors
from troth_statestore.protocol import ChangeSet, Receipt

__all__ = ["Entry", "Lanes"]


@dataclass(slots=True, eq=False)
class Entry:
    """A change set that waits, and whom it keeps waiting.

    Attributes:
        lane: whose it is; None for what is everybody's, and goes first.
        since: when it was handed in, as its clock tells.
        order: its place among all that were handed in.
        blockers: how many it must come after are not written yet.
        blocked: those that must come after it.
    """

    change: ChangeSet
    lane: str | None = None
    since: float = 0.0
    receipt: Future[Receipt] = field(default_factory=Future[Receipt])
    order: int = 0
    blockers: int = 0
    blocked: list["Entry"] = field(default_factory=list["Entry"])

    def __lt__(self, other: "Entry") -> bool:
        """Tell whether it was handed in earlier."""
        return self.order < other.order


class Lanes:
    """Change sets that wait, one queue a lane.

    They are taken in turns, one from each lane that has any. Within a lane they keep their order,
    and so do those that touch the same key or paths, in whatever lanes: the later one is only
    ready to be taken when the earlier one is done.
    """

    def __init__(self) -> None:
        self._handed_in = 0
        self._waiting: dict[int, Entry] = {}
        self._first: list[Entry] = []  # heap: what is ready of nobody's lane
        self._ready: dict[str, list[Entry]] = {}  # heaps; none is empty
        self._turns: deque[str] = deque()  # the lanes of `_ready`, whose turn is next first
        self._ties = _Ties()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    @property
    def oldest(self) -> Entry | None:
        """The one that has waited longest."""
        return next(iter(self._waiting.values()), None)

    def add(self, entry: Entry) -> None:
        """Let an entry wait, behind those it must not overtake."""
        entry.order = self._handed_in = self._handed_in + 1
        self._waiting[entry.order] = entry
        earlier = self._ties.tie(entry)
        entry.blockers = len(earlier)
        for one in earlier:
            one.blocked.append(entry)
        if not earlier:
            self._make_ready(entry)

    def take(self, limit: int) -> list[Entry]:
        """Take what may be written together, at most `limit`; what was cancelled is let go.

        Those that are returned cannot be cancelled any more. Hand them to `done` before the next
        call, or what they block never becomes ready.
        """
        batch: list[Entry] = []
        while len(batch) < limit and (entry := self._next()) is not None:
            del self._waiting[entry.order]
            if entry.receipt.set_running_or_notify_cancel():
                batch.append(entry)
            else:
                self.done([entry])
        return batch

    def done(self, batch: Sequence[Entry]) -> None:
        """Free what had to wait for these."""
        for entry in batch:
            self._ties.untie(entry)
            for one in entry.blocked:
                one.blockers -= 1
                if not one.blockers:
                    self._make_ready(one)

    def _make_ready(self, entry: Entry) -> None:
        if entry.lane is None:
            heappush(self._first, entry)
            return
        if entry.lane not in self._ready:
            self._ready[entry.lane] = []
            self._turns.append(entry.lane)
        heappush(self._ready[entry.lane], entry)

    def _next(self) -> Entry | None:
        if self._first:
            return heappop(self._first)
        if not self._turns:
            return None
        lane = self._turns.popleft()
        entry = heappop(self._ready[lane])
        if self._ready[lane]:
            self._turns.append(lane)
        else:
            del self._ready[lane]
        return entry


class _Ties:
    """Which of the entries that are not done yet touch what: who must come after whom.

    Of a path only the last that touches it is kept, since that one comes after all before it.
    """

    def __init__(self) -> None:
        self._last: dict[str, Entry] = {}
        self._below: dict[str, set[Entry]] = {}  # folder → those that touch something in it

    def tie(self, entry: Entry) -> set[Entry]:
        """Enter an entry; return those it must come after."""
        earlier: set[Entry] = set()
        for path in touched(entry.change):
            folders = ancestors(path)
            for one in (path, *folders):
                if one in self._last:
                    earlier.add(self._last[one])
            if path in self._below:
                earlier |= self._below[path]
            self._last[path] = entry
            for folder in folders:
                self._below.setdefault(folder, set()).add(entry)
        earlier.discard(entry)
        return earlier

    def untie(self, entry: Entry) -> None:
        """Forget an entry."""
        for path in touched(entry.change):
            if self._last.get(path) is entry:
                del self._last[path]
            for folder in ancestors(path):
                found = self._below.get(folder)
                if found is not None:
                    found.discard(entry)
                    if not found:
                        del self._below[folder]

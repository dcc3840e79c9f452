"""The agenda: when which request is to be looked at again, though nobody has asked for it."""

import heapq
from datetime import datetime

from troth.api import RequestKey

__all__ = ["Agenda"]


class Agenda:
    """Moments by request; each has one at most."""

    def __init__(self) -> None:
        self._moments: dict[RequestKey, datetime] = {}
        # May name moments that no longer count: taking them out of the middle would cost more.
        self._heap: list[tuple[datetime, RequestKey]] = []

    def note(self, key: RequestKey, moment: datetime | None) -> None:
        """Note when a request is to be looked at, in the place of what was noted; None: never."""
        if moment is None:
            self._moments.pop(key, None)
        elif self._moments.get(key) != moment:
            self._moments[key] = moment
            heapq.heappush(self._heap, (moment, key))

    def moment(self, key: RequestKey) -> datetime | None:
        """Return when a request is to be looked at, None for never."""
        return self._moments.get(key)

    @property
    def next(self) -> datetime | None:
        """The first moment that is noted, None where there is none."""
        while self._heap and self._moments.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self, now: datetime) -> list[RequestKey]:
        """Return whose moment has come, in its order, and forget it."""
        due: list[RequestKey] = []
        while (moment := self.next) is not None and moment <= now:
            _, key = heapq.heappop(self._heap)
            del self._moments[key]
            due.append(key)
        return due

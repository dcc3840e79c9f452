"""What a store has seen of its records: tells whether others have written since, and what."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from troth_statestore._plan import Step
from troth_statestore.protocol import ChangeSet, Outcome, digest_bytes

__all__ = ["Seen"]


class Seen:
    """The versions of records at the last snapshot, with what this store wrote itself since."""

    def __init__(self) -> None:
        self._versions: Mapping[str, str] | None = None
        self._written: dict[str, str | None] = {}

    def look(self, versions: Mapping[str, str]) -> None:
        """Note what a snapshot shows: key → version; nobody may change that map afterwards."""
        self._versions = versions
        self._written = {}

    def refused(
        self,
        changes: Sequence[ChangeSet],
        versions: Mapping[str, str],
        read: Callable[[Sequence[str]], Mapping[str, bytes]],
    ) -> frozenset[str]:
        """Ask the guards; return the keys of those changes that may not be written any more.

        Args:
            changes: what is to be written.
            versions: key → version of the records now.
            read: returns the bytes of records that are there now, by key.
        """
        guards = [(change.key, change.guard) for change in changes if change.guard is not None]
        if not guards or self._versions is None:
            return frozenset()
        moved = self._moved(self._versions, versions)
        if not moved:
            return frozenset()
        there = read([key for key in moved if key in versions])
        records = {key: there.get(key) for key in moved}
        return frozenset(key for key, guard in guards if not guard(records))

    def _moved(self, seen: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
        """Return the keys of records that are neither as they were seen nor this store's own."""
        if seen is now:
            return []
        known = {**seen, **self._written}
        keys = known.keys() | now.keys()
        return sorted(key for key in keys if known.get(key) != now.get(key))

    def wrote(self, steps: Iterable[Step]) -> None:
        """Note what this store has written itself."""
        for step in steps:
            if step.outcome is Outcome.WRITTEN and step.record_differs:
                record = step.change.record
                self._written[step.change.key] = None if record is None else digest_bytes(record)

"""What a store has seen of its records: tells whether somebody else has written since."""

from collections.abc import Iterable, Mapping

from troth_statestore._plan import Step
from troth_statestore.protocol import Outcome, digest_bytes

__all__ = ["Seen"]


class Seen:
    """The versions of records at the last snapshot, with what this store wrote itself since."""

    def __init__(self) -> None:
        self._versions: dict[str, str] | None = None

    def look(self, versions: Mapping[str, str]) -> None:
        """Note what a snapshot shows: key → version."""
        self._versions = dict(versions)

    def moved(self, versions: Mapping[str, str]) -> bool:
        """Tell whether there is anything now that neither was seen nor is this store's own."""
        return self._versions is not None and self._versions != versions

    def wrote(self, steps: Iterable[Step]) -> None:
        """Note what this store has written itself."""
        if self._versions is None:
            return
        for step in steps:
            if step.outcome is Outcome.WRITTEN and step.record_differs:
                if step.change.record is None:
                    self._versions.pop(step.change.key, None)
                else:
                    self._versions[step.change.key] = digest_bytes(step.change.record)

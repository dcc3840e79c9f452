"""Room: how large a file may grow that all requests of a Destination share."""

from dataclasses import dataclass, field

from troth.engine.draft import Draft
from troth.engine.values import Spot
from troth.engine.view import View
from troth.errors import OutputRefusedError, Reason
from troth_statestore import is_piece, split_place

__all__ = ["Room"]


@dataclass(slots=True)
class Room:
    """The sizes of shared files as a run makes them, in bytes.

    What a run removes is still counted in it, since the removal may fail.

    Args:
        view: tells how large they are at the start.
        limit: how large one may be.
    """

    view: View
    limit: int
    _sizes: dict[Spot, int] = field(default_factory=dict[Spot, int])

    def check(self, draft: Draft) -> None:
        """Refuse what makes a shared file larger than agents read.

        Raises:
            OutputRefusedError: names the file.
        """
        for file, growth in self._growth(draft).items():
            size = self._size(file) + growth
            if growth > 0 and size > self.limit:
                message = (
                    f"with it the file {file} would have {size} bytes, at most {self.limit} are "
                    "allowed; let another Destination take some of what goes there."
                )
                raise OutputRefusedError(Reason.TOO_LARGE, message)

    def take(self, draft: Draft) -> None:
        """Count what was let through."""
        for file, growth in self._growth(draft).items():
            self._sizes[file] = self._size(file) + growth

    def _growth(self, draft: Draft) -> dict[Spot, int]:
        """Return by file how many bytes a fresh output adds to it."""
        found: dict[Spot, int] = {}
        if draft.settled is not None:
            return found
        for placement in draft.placements:
            for path, content in (placement.contents or {}).items():
                if is_piece(path):
                    file = Spot(placement.store, split_place(path)[0])
                    found[file] = found.get(file, 0) + len(path) + len(content)
        if found:
            shared = [spot for spot in draft.observed if is_piece(spot.path)]
            for spot, content in self.view.read(shared).items():
                file = Spot(spot.store, split_place(spot.path)[0])
                if file in found:
                    found[file] -= len(spot.path) + len(content)
        return found

    def _size(self, file: Spot) -> int:
        if file not in self._sizes:
            self._sizes[file] = sum(len(content) for content in self.view.read([file]).values())
        return self._sizes[file]

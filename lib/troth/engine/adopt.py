"""Adopt: take over what Kratix wrote in the layout ``none``.

There Kratix keeps, for each of its placements, a file ``.kratix/<name>.yaml`` that lists what it
wrote. Whoever renders one of those files now is its heir: the other files of the list become the
request's own, to be kept or removed with it, and the list goes, since records take its place.
Source: Kratix's workplacement controller (``workplacement_controller.go``).
"""

from collections.abc import Iterable, Mapping

from troth.api import Fields, Layout, load_object
from troth.engine.values import Placement, Spot, World
from troth.engine.view import View
from troth.errors import TrothError
from troth_statestore import flat_file

__all__ = ["Adoptions"]

_FOLDER = ".kratix"


class Adoptions:
    """What Kratix left behind in the Destinations of a run.

    Args:
        world: the Destinations; only those of the layout ``none`` have such files.
        view: the moment of the stores.
    """

    def __init__(self, world: World, view: View) -> None:
        self._lists: dict[Spot, dict[Spot, str]] = {}
        for destination in world.destinations.values():
            if destination.layout is Layout.NONE:
                folder = flat_file(destination.path, _FOLDER)
                self._read(Spot(world.store_of(destination), folder), view)

    def _read(self, folder: Spot, view: View) -> None:
        lists = view.digests(folder)
        for spot, content in sorted(view.read(lists).items()):
            files = {Spot(spot.store, path) for path in _listed(content, spot)}
            found = {
                at: digest for file in files for at, digest in view.digests(file).items()
                if at == file
            }  # fmt: skip
            for file in found:
                self._lists[file] = {**found, spot: lists[spot]}

    def heritage(self, placements: Iterable[Placement]) -> Mapping[Spot, str]:
        """Return the files, with their digests, that come with what is rendered."""
        found: dict[Spot, str] = {}
        for placement in placements:
            if placement.owned is None:
                for spot in placement.spots:
                    found |= self._lists.get(spot, {})
        return found


def _listed(content: bytes, spot: Spot) -> tuple[str, ...]:
    """Return the files that a list names; none when it is no list of Kratix's."""
    try:
        return Fields(load_object(content.decode("utf-8", errors="replace"), str(spot))).texts(
            "files"
        )
    except TrothError:
        return ()  # not Kratix's, so it stays where it is, and what it names is nobody's

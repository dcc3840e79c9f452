"""The lists that Kratix keeps in the layout ``none``, of what it wrote for each of its placements.

Source: Kratix's workplacement controller (``workplacement_controller.go``).
"""

from collections.abc import Container

from troth.api import Fields, load_object
from troth.engine.values import Spot
from troth.engine.view import View
from troth.errors import TrothError
from troth_statestore import flat_file

__all__ = ["LISTS", "read_lists"]

LISTS = ".kratix"
"""The folder of the lists, below a Destination's path; no stage may write there."""


def read_lists(view: View, root: Spot, held: Container[Spot]) -> dict[Spot, dict[Spot, str]]:
    """Return list → digests of itself and of the files that it names, as far as they are there.

    A list is believed only of files below its own Destination, and only of those that no record
    says the owner of.

    Args:
        view: the moment of the stores.
        root: the Destination's path.
        held: files that somebody owns.
    """
    lists = view.digests(Spot(root.store, flat_file(root.path, LISTS)))
    found: dict[Spot, dict[Spot, str]] = {}
    for spot, content in sorted(view.read(lists).items()):
        if spot in held:
            continue
        names = (Spot(root.store, path) for path in _listed(content, spot, root.path))
        there = {file: view.digests(file).get(file) for file in names if file not in held}
        files = {file: digest for file, digest in there.items() if digest is not None}
        found[spot] = {**files, spot: lists[spot]}
    return found


def _listed(content: bytes, spot: Spot, root: str) -> list[str]:
    """Return the files below a Destination's path that a list names; none when it is no list."""
    try:
        text = content.decode("utf-8", errors="replace")
        names = Fields(load_object(text, str(spot))).texts("files")
    except TrothError:
        return []  # not Kratix's, so it stays where it is, and what it names is nobody's
    paths = [name.lstrip("/") for name in names]
    below = flat_file(root, "x").removesuffix("x")
    if all(path.startswith(below) for path in paths):
        return paths
    # Older versions of Kratix left the Destination's path out, of all files of a list.
    return [flat_file(root, path) for path in paths]

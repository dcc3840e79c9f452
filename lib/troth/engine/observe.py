"""Observe: what a request's folders hold now, against what its record says they should."""

from collections.abc import Iterable, Mapping
from enum import Enum, auto

from troth.api import RequestKey
from troth.engine.digest import output_digest
from troth.engine.record import Record
from troth_statestore import Owner, Snapshot, nested_folder

__all__ = ["Sight", "compare", "observe"]


class Sight(Enum):
    """How the files of a request compare with its record."""

    INTACT = auto()
    """They are what was written last."""
    REVERTED = auto()
    """They are what was written earlier: somebody rolled the branch back."""
    DRIFTED = auto()
    """They are something else."""


def observe(
    key: RequestKey, record: Record | None, paths: Iterable[str], snapshot: Snapshot
) -> Mapping[str, str]:
    """Return path → digest of every file in the folders that belong to a request.

    Args:
        key: the request.
        record: what is remembered of it; its folders count wherever they are.
        paths: of all Destinations; in each there is a folder that is the request's, whether it
            has been placed there or not, so that what was left behind there is found.
        snapshot: the moment of the store.
    """
    folders = {nested_folder(path, Owner(*key)) for path in paths}
    if record is not None:
        folders |= {placement.owned for placement in record.placements}
    found: dict[str, str] = {}
    for folder in sorted(folders):
        found |= snapshot.digests(folder)
    return found


def compare(record: Record, observed: Mapping[str, str]) -> Sight:
    """Tell how what was observed compares with the digests of the last outputs."""
    if not record.outputs:
        return Sight.INTACT if not observed else Sight.DRIFTED
    seen = output_digest(observed)
    if seen == record.outputs[0]:
        return Sight.INTACT
    return Sight.REVERTED if observed and seen in record.outputs else Sight.DRIFTED

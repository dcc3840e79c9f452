"""What was found to be other outside than a record says, as a run is told it that is to mend it."""

from collections.abc import Mapping
from typing import NamedTuple

from troth.api import RequestKey
from troth.engine.draft import Draft
from troth.sdk import Drift

__all__ = ["Drifted", "drift_of"]


class Drifted(NamedTuple):
    """What was found, and the version of the record that it was held against.

    `drifts` is by the pipeline whose stages found it, so that no other makes anything anew.
    """

    drifts: Mapping[str, Drift]
    version: str


def drift_of(draft: Draft, drifts: Mapping[RequestKey, Drifted]) -> Mapping[str, Drift]:
    """Return what a request's stages are to mend, by pipeline.

    It is told against one version of the record: what somebody has rendered since, and be it an
    earlier round of the same run, need not be mended, and must not be made a second time.
    """
    found = drifts.get(draft.key)
    if found is None or draft.entry is None or draft.entry.version != found.version:
        return {}
    return found.drifts

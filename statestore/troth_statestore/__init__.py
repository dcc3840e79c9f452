"""What keeps rendered files and records: the protocols, their twins and the layouts.

Here belong reading and writing a store, and where in it a file lies. What a file or a record
means does not: records are opaque bytes, and nothing here knows a Promise.
"""

from troth_statestore.history import Commit, FileStep, History
from troth_statestore.layout import (
    Owner,
    flat_file,
    group_id,
    nested_folder,
    nested_group,
    record_key,
    revision_key,
)
from troth_statestore.paths import why_unsafe
from troth_statestore.protocol import (
    ChangeSet,
    Guard,
    Outcome,
    Probe,
    Receipt,
    Snapshot,
    StateStore,
    digest_bytes,
)

__all__ = [
    "ChangeSet",
    "Commit",
    "FileStep",
    "Guard",
    "History",
    "Outcome",
    "Owner",
    "Probe",
    "Receipt",
    "Snapshot",
    "StateStore",
    "digest_bytes",
    "flat_file",
    "group_id",
    "nested_folder",
    "nested_group",
    "record_key",
    "revision_key",
    "why_unsafe",
]

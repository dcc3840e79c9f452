"""What keeps rendered files and records: the protocols, their twins and the layouts.

Here belong reading and writing a store, and where in it a file lies. What a file or a record
means does not: records are opaque bytes, and nothing here knows a Promise.
"""

from troth_statestore.history import Commit, FileStep, History
from troth_statestore.layout import (
    Owner,
    aggregated_folder,
    destination_key,
    flat_file,
    group_id,
    nested_folder,
    nested_group,
    record_key,
    revision_key,
)
from troth_statestore.paths import why_unsafe
from troth_statestore.pieces import (
    KEPT,
    as_piece,
    documents_in,
    is_piece,
    split_place,
    why_no_piece,
    why_unsafe_place,
)
from troth_statestore.protocol import (
    ChangeSet,
    Deed,
    Guard,
    Outcome,
    Probe,
    Receipt,
    Snapshot,
    StateStore,
    digest_bytes,
)

__all__ = [
    "KEPT",
    "ChangeSet",
    "Commit",
    "Deed",
    "FileStep",
    "Guard",
    "History",
    "Outcome",
    "Owner",
    "Probe",
    "Receipt",
    "Snapshot",
    "StateStore",
    "aggregated_folder",
    "as_piece",
    "destination_key",
    "digest_bytes",
    "documents_in",
    "flat_file",
    "group_id",
    "is_piece",
    "nested_folder",
    "nested_group",
    "record_key",
    "revision_key",
    "split_place",
    "why_no_piece",
    "why_unsafe",
    "why_unsafe_place",
]

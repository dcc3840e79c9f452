"""The embedded driver: folders in, state store out, no cluster anywhere.

Here belong finding objects in files, choosing a store by the command's options, and serving the
stages that a bundle brings in its folder ``stage/``. What is done with the objects is the engine's.
"""

from troth.local.commit_policy import CommitPolicy
from troth.local.inputs import Inputs
from troth.local.loader import load
from troth.local.secrets import SecretsFolder
from troth.local.session import Session, SyncOptions, open_session
from troth.local.stores import StoreChoice, open_store
from troth.local.ways_in import WaysIn

__all__ = [
    "CommitPolicy",
    "Inputs",
    "SecretsFolder",
    "Session",
    "StoreChoice",
    "SyncOptions",
    "WaysIn",
    "load",
    "open_session",
    "open_store",
]

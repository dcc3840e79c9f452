"""The Git twin of the state store.

Here belongs all that speaks Git: running it, a cache, listing, importing, pushing, and what its
words mean. What is to be written is decided outside, by the plan that all twins share.
"""

from troth_statestore.git._create import create_bare, local_folder
from troth_statestore.git._settings import Author, GitSettings
from troth_statestore.git._signing import KeyFile, KeySource
from troth_statestore.git._store import GitStore

__all__ = [
    "Author",
    "GitSettings",
    "GitStore",
    "KeyFile",
    "KeySource",
    "create_bare",
    "local_folder",
]

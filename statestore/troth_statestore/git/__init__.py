"""The Git twin of the state store.

Here belongs all that speaks Git: running it, a cache, listing, importing, pushing, and what its
words mean. What is to be written is decided outside, by the plan that all twins share.
"""

from troth_statestore.git._create import create_bare, described, local_folder, scheme_of
from troth_statestore.git._logins import BasicLogin, Credentials, Login, SshLogin
from troth_statestore.git._secret import login_of_secret
from troth_statestore.git._settings import Author, GitSettings
from troth_statestore.git._signing import KeyFile, KeySource
from troth_statestore.git._store import GitStore

__all__ = [
    "Author",
    "BasicLogin",
    "Credentials",
    "GitSettings",
    "GitStore",
    "KeyFile",
    "KeySource",
    "Login",
    "SshLogin",
    "create_bare",
    "described",
    "local_folder",
    "login_of_secret",
    "scheme_of",
]

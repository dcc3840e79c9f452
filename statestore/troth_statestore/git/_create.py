"""What is asked of an address before a store is opened, and making a repository there."""

from pathlib import Path

from troth.errors import Reason, StoreError, shorten
from troth_statestore.git._command import GitCommand
from troth_statestore.git._location import Location

__all__ = ["create_bare", "described", "local_folder", "scheme_of"]

_TIMEOUT = 60.0  # seconds; nothing but a few files is written


def local_folder(url: str) -> Path | None:
    """Return the folder that `url` names on this machine, None for a remote host.

    Raises:
        InvalidInputError: `url` holds a secret, or is none that is served.
    """
    return Location.parse(url).folder


def described(url: str) -> str:
    """Return `url` as people may be shown it.

    Raises:
        InvalidInputError: `url` holds a secret, or is none that is served.
    """
    return Location.parse(url).description


def scheme_of(url: str) -> str:
    """Return by what `url` is reached: file, git, http, https or ssh.

    Raises:
        InvalidInputError: `url` holds a secret, or is none that is served.
    """
    return Location.parse(url).scheme


def create_bare(path: Path, branch: str = "main") -> None:
    """Make an empty bare repository whose HEAD is `branch`, with the folders above it.

    Raises:
        StoreError: something is there already, or it cannot be made.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise StoreError(
            Reason.STATE_STORE_REFUSED,
            f"No repository was made at {path}: it is there already and not empty.",
        )
    made = GitCommand(None, _TIMEOUT).run(
        *("init", "--quiet", "--bare", "--template=", "--object-format=sha1"),
        *(f"--initial-branch={branch}", str(path.absolute())),
    )
    if made.status != 0:
        raise StoreError(
            Reason.STATE_STORE_REFUSED,
            f"No repository could be made at {path}: {shorten(made.stderr)}",
        )

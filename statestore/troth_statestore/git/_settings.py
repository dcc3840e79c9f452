"""What can be set about a `GitStore`: built once by whoever makes it, read from nowhere else."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from troth_statestore.git._logins import Credentials
from troth_statestore.git._signing import KeySource

__all__ = ["Author", "GitSettings"]


@dataclass(frozen=True, slots=True)
class Author:
    """Who the commits are by; author and committer alike."""

    name: str = "Troth"
    email: str = "noreply@troth.dev"

    def __post_init__(self) -> None:
        """Refuse what would break a commit's header."""
        for text in (self.name, self.email):
            if not text.strip() or any(character in text for character in "<>\n\0"):
                raise ValueError(f"{text!r} cannot stand in a commit's author line")


def _now() -> int:
    return int(time.time())


@dataclass(frozen=True, slots=True)
class GitSettings:
    """How a `GitStore` goes about it; the defaults fit a team's repository."""

    author: Author = Author()
    """Who the commits are by."""
    signing_key: KeySource | None = None
    """Where the private SSH key is that commits are signed with; it is read before each write, so
    that it may change. Without it commits are not signed."""
    cache: Path | None = None
    """Folder to keep fetched objects in between runs; None for one that `close` removes."""
    one_commit_a_flush: bool = False
    """Write the files of one `commit` call as one Git commit, instead of one for each key."""
    borrow: bool = True
    """Read the objects of a repository on this machine where they lie, instead of fetching."""
    read_only: bool = False
    """Only look: leave alone what a writer was cut off from finishing."""
    accept_remote: bool = False
    """Take branches that were set back, replaced or deleted since the last run for what they are,
    and say so on the records branch, instead of stopping."""
    attempts: int = 5
    """How often a push is tried when others keep pushing in between."""
    timeout: float = 120.0
    """Seconds after which a git command is killed."""
    credentials: Credentials | None = None
    """Where the login comes from; None for what git on this machine has by itself."""
    ca_file: Path | None = None
    """Certificates in PEM that vouch for hosts over https; None for those of the machine."""
    clock: Callable[[], int] = _now
    """Seconds since 1970 for commit dates, asked once for each time commits are made."""

    def __post_init__(self) -> None:
        """Refuse what would never try, or never wait."""
        if self.attempts < 1 or self.timeout <= 0:
            raise ValueError(f"{self.attempts} attempts of {self.timeout} seconds do nothing")

"""What lets a `GitStore` in: logins, and the seam where they come from."""

from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["DEFAULT_USERNAME", "BasicLogin", "Credentials", "Login", "SshLogin"]

# Beside a token hosts want a user name that is not empty, and most do not look at it; this one is
# what GitHub documents, and what Kratix takes.
DEFAULT_USERNAME = "x-access-token"


@dataclass(frozen=True, slots=True)
class BasicLogin:
    """A user and a password, or a token in its place, for https."""

    password: str = field(repr=False)
    username: str = DEFAULT_USERNAME


@dataclass(frozen=True, slots=True)
class SshLogin:
    """A private key for ssh, and the host keys that are trusted.

    Attributes:
        private_key: as OpenSSH or PEM have it, without a passphrase.
        known_hosts: lines as in ``~/.ssh/known_hosts``; None for the files of the account that
            runs this.
    """

    private_key: str = field(repr=False)
    known_hosts: str | None = None


Login = BasicLogin | SshLogin


class Credentials(Protocol):
    """Where a login comes from. It is asked each time a host is spoken to.

    So a login that changes is taken up without a restart, and none is kept longer than needed.
    """

    @property
    def name(self) -> str:
        """What people are told it is, such as ``Secret platform/fleet``; no secret."""
        ...

    def read(self) -> Login:
        """Return the login as it is now.

        Raises:
            StoreError: there is none, or none that can be used.
        """
        ...

"""The key that a store signs its commits with: where it comes from, and what is said without it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from troth.errors import Reason, StoreError

if TYPE_CHECKING:
    from troth_statestore.git._sshsig import SigningKey

__all__ = ["KeyFile", "KeySource", "Signer"]

_KINDS = "Use an SSH key of the kind ed25519, ecdsa or rsa (2048 bits or more)"


class KeySource(Protocol):
    """Where a private SSH key comes from."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    def read(self) -> bytes:
        """Return the private key as it is now.

        Raises:
            OSError: it cannot be read.
            TrothError: the same, in words of its own.
        """
        ...


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A private key in a file, as ``ssh-keygen`` makes it."""

    path: Path

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def read(self) -> bytes:
        """Read the file. Raises OSError."""
        return self.path.read_bytes()


class Signer:
    """A store's signing key, asked for anew each time, so that a rotated one is taken up.

    Args:
        source: where it comes from.
        store: what the store is called in messages.
    """

    def __init__(self, source: KeySource, store: str) -> None:
        self._source = source
        self._store = store
        self._known: tuple[bytes, SigningKey] | None = None

    def key(self) -> "SigningKey":
        """Return the key as it is now.

        Raises:
            StoreError: there is none, or none that can sign.
        """
        try:
            content = self._source.read()
            # Reading an RSA key takes a tenth of a second.
            if self._known is None or self._known[0] != content:
                self._known = content, _parsed(content)
        except OSError as exc:
            raise self._unusable(f"cannot be read: {exc.strerror}", "Put it there") from exc
        except ValueError as exc:
            raise self._unusable(str(exc), _KINDS) from None  # what went before may quote the key
        return self._known[1]

    def _unusable(self, why: str, advice: str) -> StoreError:
        return StoreError(
            Reason.SIGNING_KEY_UNUSABLE,
            f"State store {self._store}: its commits are to be signed, and "
            f"the key {self._source.name} {why}. Nothing was written. {advice}; the next write "
            "takes it up.",
        )


def _parsed(content: bytes) -> "SigningKey":
    # Whoever signs nothing shall not wait for the cryptography to load.
    from troth_statestore.git._sshsig import SigningKey  # noqa: PLC0415  (see above)

    return SigningKey.parse(content)

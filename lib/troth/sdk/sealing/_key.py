"""The platform's sealing key: by it values are known again although nobody may read them again.

A plain digest of a short secret can be guessed; a keyed one cannot without the key. The key seals
and opens nothing. Whoever loses it loses no ciphertext, only the means to compare.
"""

import hashlib
import hmac

from troth.errors import InvalidInputError, Reason

__all__ = ["SealingKey"]

_SHORTEST = 16  # bytes: 128 bits, what nobody guesses

# What is authenticated begins with what it is for, so that no fingerprint is ever an id.
_FINGERPRINT = b"troth.dev/sealed-value/1"
_ID = b"troth.dev/sealing-key-id/1"
_ID_LENGTH = 16  # hex digits: enough to tell a few keys apart

_PART = 8  # bytes that tell the length of a part


class SealingKey:
    """A key for fingerprints of values.

    Args:
        key: its bytes; a newline at the end is no part of it, since editors and Secrets add one.
        source: where it was had from, for messages: the name of a variable, say.

    Raises:
        InvalidInputError: it is empty or too short.
    """

    __slots__ = ("_key", "key_id")

    def __init__(self, key: bytes, source: str) -> None:
        key = key.removesuffix(b"\n").removesuffix(b"\r")
        if len(key) < _SHORTEST:
            found = f"only {len(key)} bytes" if key else "nothing"
            message = (
                f"the sealing key {source} has to be at least {_SHORTEST} random bytes, found "
                f"{found}. Make one once with `openssl rand -hex 32`, and back it up."
            )
            raise InvalidInputError(Reason.SEALING_KEY_UNUSABLE, message)
        self._key = key
        self.key_id = hmac.digest(key, _ID, "sha256").hex()[:_ID_LENGTH]
        """Which key it is; nothing of the key follows from it."""

    def fingerprint(self, value: bytes, label: str, destination: str) -> str:
        """Return the fingerprint of a value where it is sealed for, 64 hex digits.

        HMAC-SHA-256 over what it is for, the value, the target's label and the Destination's name,
        each led by its length, so that no two different ones read the same.
        """
        told = hmac.new(self._key, digestmod=hashlib.sha256)
        for part in (_FINGERPRINT, value, label.encode(), destination.encode()):
            told.update(len(part).to_bytes(_PART, "big"))
            told.update(part)
        return told.hexdigest()

    def __repr__(self) -> str:
        """Return which key it is, not the key."""
        return f"SealingKey({self.key_id})"

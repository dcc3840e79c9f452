"""NATS keys: Ed25519 key pairs by kind, and the spelling of their public keys and seeds.

A public key is the base32 of a prefix, 32 bytes and a CRC-16/XMODEM in little endian: 56 characters
that begin with the kind's letter. A seed has the prefix of all seeds before that of its kind: 58
characters that begin with ``S`` and the letter. Source: nats-io/nkeys, strkey.go and crc16.go.

No message quotes what was read: people put seeds where public keys belong.
"""

import base64
import binascii
from dataclasses import dataclass, field
from enum import Enum

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from troth.errors import InvalidInputError, Reason

__all__ = ["RAW_LENGTH", "KeyKind", "KeyPair", "key_kind", "public_key_bytes", "verify_signature"]

RAW_LENGTH = 32  # bytes of a raw seed, and of a raw public key

_CRC_LENGTH = 2  # bytes
_PUBLIC_LENGTH = 56  # characters
_SEED_LENGTH = 58  # characters
_SEED_PREFIX = 18 << 3
_SIGNATURE_LENGTH = 64  # bytes


class KeyKind(Enum):
    """Whose key it is; the value is the prefix byte."""

    OPERATOR = 14 << 3
    ACCOUNT = 0
    USER = 20 << 3

    @property
    def word(self) -> str:
        """The kind as messages name it."""
        return self.name.lower()

    @property
    def letter(self) -> str:
        """The first letter of its public keys."""
        return self.name[0]


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key that signs.

    Attributes:
        kind: whose key it is.
        public_key: as NATS spells it.
    """

    kind: KeyKind
    public_key: str
    _signing: SigningKey = field(repr=False)

    @classmethod
    def from_bytes(cls, kind: KeyKind, raw: bytes) -> "KeyPair":
        """Make the key pair of 32 bytes, which the caller has from a source of randomness.

        Raises:
            ValueError: there are more or fewer of them.
        """
        if len(raw) != RAW_LENGTH:
            raise ValueError(f"a key is made of {RAW_LENGTH} bytes, not of {len(raw)}")
        signing = SigningKey(raw)
        public = _spell(bytes([kind.value]) + bytes(signing.verify_key))
        return cls(kind, public, signing)

    @classmethod
    def from_seed(cls, seed: str, kind: KeyKind) -> "KeyPair":
        """Read a seed of this kind; blanks around it are no part of it.

        Raises:
            InvalidInputError: it is no seed, was damaged, or is of another kind.
        """
        what = f"the seed of {_one(kind)} key"
        raw = _read(seed.strip(), _SEED_LENGTH, what)
        if raw[0] & 0xF8 != _SEED_PREFIX:
            raise _wrong(what, "it does not begin with 'S', as all seeds do.")
        found = (raw[0] & 7) << 5 | raw[1] >> 3
        if found != kind.value:
            raise _wrong(what, f"it is the seed of another kind; its text begins S{kind.letter}.")
        return cls.from_bytes(kind, raw[2:])

    @property
    def seed(self) -> str:
        """The secret itself, as NATS spells it."""
        prefix = bytes([_SEED_PREFIX | self.kind.value >> 5, (self.kind.value & 31) << 3])
        return _spell(prefix + bytes(self._signing))

    def sign(self, data: bytes) -> bytes:
        """Return the 64 bytes of a signature; the same data give the same bytes."""
        return self._signing.sign(data).signature


def public_key_bytes(text: str, kind: KeyKind) -> bytes:
    """Read a public key of this kind.

    Raises:
        InvalidInputError: it is none, was damaged, or is of another kind.
    """
    what = f"the public key of {_one(kind)}"
    if len(text) == _SEED_LENGTH and text.startswith("S"):
        raise _wrong(what, "there is a seed in its place, which is a secret; make a new key.")
    raw = _read(text, _PUBLIC_LENGTH, what)
    if raw[0] != kind.value:
        raise _wrong(what, f"it is of another kind; it has to begin with {kind.letter!r}.")
    return raw[1:]


def key_kind(text: str) -> KeyKind:
    """Tell what kind a public key is of, by its first letter.

    Raises:
        InvalidInputError: it is a public key of no kind known here.
    """
    for kind in KeyKind:
        if text.startswith(kind.letter):
            public_key_bytes(text, kind)
            return kind
    letters = ", ".join(kind.letter for kind in KeyKind)
    raise _wrong("a public key", f"it begins with none of {letters}.")


def verify_signature(public_key: str, data: bytes, signature: bytes) -> bool:
    """Tell whether the owner of a public key signed the data.

    Raises:
        InvalidInputError: it is no public key.
    """
    raw = public_key_bytes(public_key, key_kind(public_key))
    if len(signature) != _SIGNATURE_LENGTH:
        return False
    try:
        VerifyKey(raw).verify(data, signature)
    except BadSignatureError:
        return False
    return True


def _spell(raw: bytes) -> str:
    checked = raw + binascii.crc_hqx(raw, 0).to_bytes(_CRC_LENGTH, "little")
    return base64.b32encode(checked).decode().rstrip("=")


def _read(text: str, length: int, what: str) -> bytes:
    """Return what a text spells, without its CRC."""
    if len(text) != length:
        raise _wrong(what, f"it has {len(text)} characters instead of {length}.")
    try:
        raw = base64.b32decode(text + "=" * (-length % 8))
    except (binascii.Error, ValueError):
        # The library's own error might quote what it read.
        raise _wrong(what, "it holds characters other than A to Z and 2 to 7.") from None
    body = raw[:-_CRC_LENGTH]
    # The CRC, and the spelling too: two bits of a seed's last character count for nothing.
    if _spell(body) != text:
        raise _wrong(what, "its checksum is wrong: it was damaged or copied in part.")
    return body


def _one(kind: KeyKind) -> str:
    return f"a {kind.word}" if kind is KeyKind.USER else f"an {kind.word}"


def _wrong(what: str, text: str) -> InvalidInputError:
    return InvalidInputError(Reason.INVALID_CREDENTIALS, f"{what} cannot be used: {text}")

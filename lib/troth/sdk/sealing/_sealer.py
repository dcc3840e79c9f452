"""Sealing: a value becomes a ciphertext that only the cluster of a certificate can open.

A ciphertext is standard base64 of (sealed-secrets ``pkg/crypto/crypto.go``, ``HybridEncrypt``)::

    uint16, big-endian   length of the next part: the bytes of the RSA modulus
    that many bytes      the session key under RSA-OAEP: SHA-256, MGF1 with SHA-256, the target's
                         label
    the rest             the value under AES-256-GCM with the session key: nonce of 12 zero bytes,
                         no further data; the tag of 16 bytes at its end

The session key is random and used once, which is why the nonce may be zero, and why sealing one
value twice never gives the same text: who wants stable output seals through `seal_stably`.
"""

import base64
import os
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from troth.sdk.sealing._certificate import Certificate
from troth.sdk.sealing._target import Target

__all__ = ["InProcessSealer", "Sealer"]

_SESSION_KEY = 32  # bytes: AES-256
_NONCE = bytes(12)


class Sealer(Protocol):
    """Seals values with one certificate."""

    @property
    def certificate(self) -> Certificate:
        """Return what it seals with."""
        ...

    def seal(self, value: bytes, target: Target) -> str:
        """Return the ciphertext of a value, standard base64.

        Raises:
            NotServedError: the program that should do it is missing.
            PermanentError: it cannot be sealed.
            TransientError: it took too long.
        """
        ...


class InProcessSealer:
    """Seals in this process: no program, no network, some ten thousand values a second.

    Args:
        certificate: what to seal with.
    """

    def __init__(self, certificate: Certificate) -> None:
        self._certificate = certificate

    @property
    def certificate(self) -> Certificate:
        """Return what it seals with."""
        return self._certificate

    def seal(self, value: bytes, target: Target) -> str:
        """Return the ciphertext of a value, standard base64."""
        session_key = os.urandom(_SESSION_KEY)
        padding = OAEP(MGF1(SHA256()), SHA256(), target.label.encode())
        wrapped = self._certificate.public_key.encrypt(session_key, padding)
        sealed = AESGCM(session_key).encrypt(_NONCE, value, None)
        return base64.b64encode(len(wrapped).to_bytes(2, "big") + wrapped + sealed).decode()

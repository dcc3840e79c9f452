"""The sealing certificate: the public key that a cluster's sealed-secrets controller shows.

It is self-signed, so there is no chain to check: that it is the right one follows from where it
was had. As kubeseal does, the first certificate of a bundle counts and its beginning is not looked
at, since the clocks of clusters differ.
"""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from troth.errors import InvalidInputError, Reason

__all__ = ["Certificate", "key_fingerprint"]

_SMALLEST_KEY = 2048  # bits; what NIST SP 800-131A allows at least; controllers make 4096

_FIRST = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")

_ADVICE = (
    "Give the certificate of the sealed-secrets controller that reads the Destination, as "
    "`kubeseal --fetch-cert` prints it."
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that may be sealed with, as `parse` lets through.

    Attributes:
        source: where it was had from, for messages.
        pem: the certificate alone, without the rest of a bundle.
        fingerprint: of its public key, as ``ssh-keygen -l`` prints it: ``SHA256:…``.
        not_after: the moment from which it is refused.
        public_key: what values are sealed with.
    """

    source: str
    pem: bytes = field(repr=False)
    fingerprint: str
    not_after: datetime
    public_key: RSAPublicKey = field(repr=False, compare=False)

    @classmethod
    def parse(cls, pem: bytes, source: str, now: datetime) -> "Certificate":
        """Read the first certificate of a PEM bundle.

        Args:
            pem: the bundle.
            source: where it was had from, for messages.
            now: the moment, with its zone, that the certificate has to be good at.

        Raises:
            InvalidInputError: it is none, is expired, or its key is not RSA or too weak.
        """
        block = _first_block(pem, source)
        try:
            loaded = x509.load_pem_x509_certificate(block)
            key = loaded.public_key()
        except (ValueError, UnsupportedAlgorithm) as error:
            message = "its first certificate cannot be read: it was cut off or changed on its way."
            raise _unusable(source, message) from error
        if not isinstance(key, RSAPublicKey):
            kind = type(key).__name__.removesuffix("PublicKey")
            message = f"its key is of the kind {kind}, and Sealed Secrets knows RSA alone."
            raise _unusable(source, message)
        if key.key_size < _SMALLEST_KEY:
            message = f"its RSA key has {key.key_size} bits, at least {_SMALLEST_KEY} are needed."
            raise _unusable(source, message)
        certificate = cls(
            source, block + b"\n", key_fingerprint(key), loaded.not_valid_after_utc, key
        )
        certificate.refuse_expired(now)
        return certificate

    def refuse_expired(self, now: datetime) -> None:
        """Raise where the certificate is good no longer.

        Raises:
            InvalidInputError: it has expired.
        """
        if now > self.not_after:
            end = self.not_after.astimezone(UTC).isoformat().replace("+00:00", "Z")
            message = f"it has expired on {end}."
            raise _unusable(self.source, message)


def key_fingerprint(key: RSAPublicKey) -> str:
    """Return the fingerprint of a key as OpenSSH spells it, which is how controllers name theirs.

    Source: OpenSSH ``sshkey_fingerprint``; sealed-secrets ``pkg/crypto/crypto.go``.
    """
    spelled = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    digest = hashlib.sha256(base64.b64decode(spelled.split()[1])).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def _first_block(pem: bytes, source: str) -> bytes:
    """Return the first certificate's block; no message quotes a block, it could be a key."""
    kinds = {match.decode() for match in _BLOCK.findall(pem)}
    private = sorted(kind for kind in kinds if "PRIVATE KEY" in kind)
    if private:
        message = (
            f"it holds a private key (a block {private[0]!r}). Take that away from there: who has "
            "it opens everything that is sealed."
        )
        raise _unusable(source, message)
    found = _FIRST.search(pem)
    if found is None:
        what = (
            f"blocks {', '.join(sorted(kinds))}" if kinds else f"{len(pem)} bytes that are no PEM"
        )
        raise _unusable(source, f"no certificate was found in it, but {what}.")
    return found.group()


def _unusable(source: str, problem: str) -> InvalidInputError:
    message = f"the sealing certificate {source} cannot be used: {problem} {_ADVICE}"
    return InvalidInputError(Reason.CERTIFICATE_UNUSABLE, message)

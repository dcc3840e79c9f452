"""A sealed-secrets controller's side for tests: keys, certificates, and what opens a sealed value.

The unsealer is written after the controller's own, apart from the sealer that it judges.
"""

import base64
import json
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from support.minted import note_secret

from troth.api import JsonObject, canonical
from troth.sdk.sealing import Certificate, InProcessSealer, Sealer, Target

__all__ = [
    "BEGIN",
    "END",
    "NOW",
    "SEALING_KEY_NOTE",
    "CannotOpenError",
    "CountingSealer",
    "certificate",
    "certificate_pem",
    "private_key",
    "private_pem",
    "recovery_unseal",
    "unseal",
]

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
END = datetime(2100, 1, 1, tzinfo=UTC)  # kubeseal goes by the machine's clock

SEALING_KEY_NOTE = "the sealing key"
"""How the notes of private keys begin, by which all that is sealed can be opened."""


class CannotOpenError(Exception):
    """A sealed value is for another key or another label, or was changed."""


def private_key(name: str = "ours", size: int = 2048) -> rsa.RSAPrivateKey:
    """Return a key, the same one for the same name and size."""
    return _made(name, size)


def certificate_pem(
    key: CertificateIssuerPrivateKeyTypes, begin: datetime = BEGIN, end: datetime = END
) -> bytes:
    """Return a self-signed certificate as the controller makes them: with an empty name."""
    name = x509.Name([])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def certificate(name: str = "ours") -> Certificate:
    """Return the certificate of a key."""
    return Certificate.parse(certificate_pem(private_key(name)), name, NOW)


def private_pem(key: rsa.RSAPrivateKey) -> bytes:
    """Return a key as a backup of the controller's has it."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def unseal(ciphertext: str, label: str, key: rsa.RSAPrivateKey | None = None) -> bytes:
    """Open a sealed value as the controller does.

    Raises:
        CannotOpenError: it cannot be opened.
    """
    key = key or private_key()
    sealed = base64.b64decode(ciphertext, validate=True)
    size = int.from_bytes(sealed[:2], "big")
    wrapped, rest = sealed[2 : 2 + size], sealed[2 + size :]
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label.encode())
    try:
        return AESGCM(key.decrypt(wrapped, oaep)).decrypt(bytes(12), rest, None)
    except (ValueError, InvalidTag) as error:
        raise CannotOpenError from error


def recovery_unseal(kubeseal: Path, manifest: JsonObject, key: Path) -> dict[str, bytes]:
    """Have kubeseal open a whole SealedSecret; return the data of the Secret.

    Raises:
        CannotOpenError: it cannot be opened.
    """
    done = subprocess.run(
        [str(kubeseal), "--recovery-unseal", "--recovery-private-key", str(key)],
        input=canonical(manifest),
        capture_output=True,
        check=False,
        timeout=60,
    )
    if done.returncode != 0:
        raise CannotOpenError(done.stderr.decode())
    data: dict[str, str | None] = json.loads(done.stdout).get("data", {})
    return {name: base64.b64decode(value or "") for name, value in data.items()}


class CountingSealer:
    """A sealer that counts what is sealed."""

    def __init__(self, sealer: Sealer | None = None) -> None:
        self._sealer = sealer or InProcessSealer(certificate())
        self.count = 0

    @property
    def certificate(self) -> Certificate:
        """Return what it seals with."""
        return self._sealer.certificate

    def seal(self, value: bytes, target: Target) -> str:
        """Seal, and count it."""
        self.count += 1
        return self._sealer.seal(value, target)


@cache
def _made(name: str, size: int) -> rsa.RSAPrivateKey:
    key = rsa.generate_private_key(65537, size)
    note_secret(f"{SEALING_KEY_NOTE} {name}", private_pem(key))
    return key

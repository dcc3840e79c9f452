"""SSH keys, and signatures as OpenSSH makes them: in this process, so that the key leaves it never.

Formats: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig, of which
https://www.rfc-editor.org/rfc/rfc4251#section-5 has the types.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    SSHPrivateKeyTypes,
    load_pem_private_key,
    load_ssh_private_key,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

__all__ = ["SigningKey"]

_NAMESPACE = b"git"
_HASH = b"sha512"
_ARMOUR_COLUMNS = 70
_RSA_BITS = 2048  # fewer are too weak, and hosts refuse them

# Curve → its name in SSH, and the hash that goes with it (RFC 5656, section 6.2.1).
_CURVES: dict[str, tuple[bytes, hashes.HashAlgorithm]] = {
    "secp256r1": (b"ecdsa-sha2-nistp256", hashes.SHA256()),
    "secp384r1": (b"ecdsa-sha2-nistp384", hashes.SHA384()),
    "secp521r1": (b"ecdsa-sha2-nistp521", hashes.SHA512()),
}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key that can sign.

    Attributes:
        public: its public half, as SSH writes it.
        sign_bytes: gives the signature of some bytes, as SSH writes it.
    """

    public: bytes
    sign_bytes: Callable[[bytes], bytes] = field(repr=False)

    @classmethod
    def parse(cls, content: bytes) -> "SigningKey":
        """Read a private key in the format of OpenSSH, or in PEM.

        Raises:
            ValueError: it is none, is of a kind that is not served, or has a passphrase. The
                message says which, and holds nothing of the key.
        """
        key = _loaded(content)
        line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        return cls(base64.b64decode(line.split()[1]), _sign_with(key))

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a commit, in lines; the last has no line end."""
        scope = _string(_NAMESPACE) + _string(b"") + _string(_HASH)
        signed = b"SSHSIG" + scope + _string(hashlib.sha512(message).digest())
        blob = b"SSHSIG" + (1).to_bytes(4) + _string(self.public) + scope
        text = base64.b64encode(blob + _string(self.sign_bytes(signed)))
        starts = range(0, len(text), _ARMOUR_COLUMNS)
        lines = b"\n".join(text[start : start + _ARMOUR_COLUMNS] for start in starts)
        return b"-----BEGIN SSH SIGNATURE-----\n%s\n-----END SSH SIGNATURE-----" % lines


_Key = Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def _loaded(content: bytes) -> _Key:
    openssh = b"BEGIN OPENSSH PRIVATE KEY" in content
    load: Callable[[bytes, None], SSHPrivateKeyTypes | PrivateKeyTypes]
    load = load_ssh_private_key if openssh else load_pem_private_key
    try:
        key = load(content, None)
    except TypeError:
        raise ValueError("is protected by a passphrase, which nobody is there to type") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("is no private key that can be read") from None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < _RSA_BITS:
        raise ValueError(f"has {key.key_size} bits, which are too few")
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name not in _CURVES:
        raise ValueError(f"is on the curve {key.curve.name}, which SSH does not know")
    if not isinstance(key, Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ValueError("is of another kind")  # noqa: TRY004  (the type of what was read)
    return key


def _sign_with(key: _Key) -> Callable[[bytes], bytes]:
    match key:
        case Ed25519PrivateKey():
            return partial(_ed25519, key)
        case rsa.RSAPrivateKey():
            return partial(_rsa, key)
        case _:
            return partial(_ecdsa, key)


def _ed25519(key: Ed25519PrivateKey, message: bytes) -> bytes:
    return _string(b"ssh-ed25519") + _string(key.sign(message))


def _rsa(key: rsa.RSAPrivateKey, message: bytes) -> bytes:
    signature = key.sign(message, padding.PKCS1v15(), hashes.SHA512())
    return _string(b"rsa-sha2-512") + _string(signature)


def _ecdsa(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    name, algorithm = _CURVES[key.curve.name]
    # RFC 6979, so that the same commit is the same commit whenever it is made.
    signature = key.sign(message, ec.ECDSA(algorithm, deterministic_signing=True))
    return _string(name) + _string(b"".join(map(_mpint, decode_dss_signature(signature))))


def _string(content: bytes) -> bytes:
    return len(content).to_bytes(4) + content


def _mpint(number: int) -> bytes:
    # Two's complement: a positive number has a leading zero bit.
    return _string(number.to_bytes(number.bit_length() // 8 + 1))

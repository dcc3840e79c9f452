"""Making the values: out of random bytes that are given, so that nothing else decides.

(But for a number that OpenSSH wants in a file with a private key, which means nothing.)

A password is drawn without bias: bytes that would favour the first characters of the alphabet are
passed over.
"""

import string
from collections.abc import Iterator, Mapping

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from troth_pipelines.stages.generated_secret._model import GeneratedSecretSpec, Password

__all__ = ["SECRET_TYPES", "keys_of", "make_values"]

SECRET_TYPES: Mapping[str, str] = {
    "password": "Opaque",
    "token": "Opaque",
    "ssh-key": "kubernetes.io/ssh-auth",
    "basic-auth": "kubernetes.io/basic-auth",
}
"""The type of Secret that each type of request is; Kubernetes checks the keys of the last two."""

_TOKEN_BYTES = 32
_LETTERS = string.ascii_letters + string.digits


def keys_of(spec: GeneratedSecretSpec) -> tuple[str, ...]:
    """Return the keys of the Secret."""
    match spec.type:
        case "ssh-key":
            return ("ssh-privatekey", "ssh-publickey")
        case "basic-auth":
            return ("username", "password")
        case _:
            return (spec.key or spec.type,)


def make_values(spec: GeneratedSecretSpec, seed: bytes, label: str) -> dict[str, bytes]:
    """Make the values of a Secret by key.

    Args:
        spec: what is asked for.
        seed: 32 random bytes or more, which are used for nothing else under this label.
        label: what they are made for: request and generation.
    """
    keys = keys_of(spec)
    match spec.type:
        case "token":
            return {keys[0]: _key(seed, label, _TOKEN_BYTES).hex().encode()}
        case "ssh-key":
            return dict(zip(keys, _key_pair(spec, seed, label), strict=True))
        case "basic-auth":
            password = _password(spec.password, seed, label)
            return {"username": (spec.username or "").encode(), "password": password}
        case _:
            return {keys[0]: _password(spec.password, seed, label)}


def _key(seed: bytes, label: str, length: int) -> bytes:
    """Derive bytes for one purpose; RFC 5869."""
    info = b"troth.dev/generated-secret/1 " + label.encode()
    return HKDF(hashes.SHA256(), length, salt=None, info=info).derive(seed)


def _stream(key: bytes) -> Iterator[int]:
    """Return endless random bytes: the key stream of ChaCha20, whose nonce a key is used with."""
    encryptor = Cipher(algorithms.ChaCha20(key, bytes(16)), mode=None).encryptor()
    while True:
        yield from encryptor.update(bytes(256))


def _password(policy: Password, seed: bytes, label: str) -> bytes:
    """Draw a password that has of each kind of character that it may have."""
    symbols = "".join(dict.fromkeys(policy.symbols))
    alphabet = _LETTERS + symbols
    kinds = [string.ascii_lowercase, string.ascii_uppercase, string.digits]
    kinds += [symbols] if symbols else []
    # A multiple of the alphabet's length: what lies above would make some characters likelier.
    limit = 256 - 256 % len(alphabet)
    characters = (alphabet[byte % len(alphabet)] for byte in _stream(_key(seed, label, 32))
                  if byte < limit)  # fmt: skip
    while True:  # a draw that lacks a kind is thrown away whole: mending it would be a bias
        drawn = "".join(next(characters) for _ in range(policy.length))
        if all(set(kind) & set(drawn) for kind in kinds):
            return drawn.encode()


def _key_pair(spec: GeneratedSecretSpec, seed: bytes, label: str) -> tuple[bytes, bytes]:
    private = Ed25519PrivateKey.from_private_bytes(_key(seed, label, 32))
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    comment = f" {spec.username}" if spec.username else ""
    return (
        private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
        public + comment.encode() + b"\n",
    )

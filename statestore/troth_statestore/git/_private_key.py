"""Reading a private key as far as needed to say what is wrong with it before ssh only says no."""

import base64
import binascii
import re

__all__ = ["normal_key", "why_unusable"]

_PEM = re.compile(
    r"-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----\n(.*?)-----END \1PRIVATE KEY-----", re.DOTALL
)
# Format: PROTOCOL.key of OpenSSH. The magic word, then the name of the cipher as a string.
_OPENSSH_MAGIC = b"openssh-key-v1\0"
_UNENCRYPTED = _OPENSSH_MAGIC + b"\0\0\0\4none"


def normal_key(text: str) -> str:
    """Return a key with the line ends that ssh insists on, which editors and Secrets lose."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"


def why_unusable(key: str) -> str | None:
    """Return what is wrong with a `normal_key`, None when nothing is seen."""
    if re.match(r"(ssh|ecdsa|sk)-\S+ ", key):
        return "it is a public key; the private one is needed"
    found = _PEM.search(key)
    if found is None:
        return "it is no private key (-----BEGIN ... PRIVATE KEY-----)"
    if _is_encrypted(found[1].strip(), found[2]):
        return "it has a passphrase, which nobody is there to type; take one without"
    return None


def _is_encrypted(kind: str, body: str) -> bool:
    if kind == "ENCRYPTED" or "Proc-Type: 4,ENCRYPTED" in body:
        return True
    if kind != "OPENSSH":
        return False
    try:
        content = base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error:
        return False  # ssh shall judge what is broken
    return content.startswith(_OPENSSH_MAGIC) and not content.startswith(_UNENCRYPTED)

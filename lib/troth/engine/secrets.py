"""Finding secrets in plain sight: values of Secrets, private keys, NATS seeds.

A gate, not a vault: it catches what must never be written, however it came there.
"""

import base64
import binascii
import re
from collections.abc import Mapping

from troth.api import JsonObject, is_object

__all__ = ["plain_secret_in_object", "plain_secret_in_text", "redact"]

_PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY( BLOCK)?-----")
# The whole of one, or what is left of it where a message was cut.
_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY.*?(-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|\Z)", re.DOTALL
)
# An nkey seed: S, the role (user, account, operator, server, cluster, curve), base32 of 36 bytes.
_NATS_SEED = re.compile(r"(?<![A-Z2-7])S[UAONCX][A-Z2-7]{56}(?![A-Z2-7])")
# "PRIVATE KEY" in base64, as far as it is the same whatever stands around it, at each of the three
# places in a group of three bytes where it may begin; with all the base64 it stands in. Tried once
# for each run of base64: a try at each letter of it takes hours for a megabyte, with every thread.
_BASE64_KEY = re.compile(
    r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]*(?:UFJJVkFURSBLRV|BSSVZBVEUgS0VZ|QUklWQVRFIEtFW)[A-Za-z0-9+/=]*"
)


def plain_secret_in_text(text: str) -> tuple[int, str] | None:
    """Return the line (from 1) and the kind of the first secret found, None when there is none."""
    found: list[tuple[int, str]] = []
    if match := _PRIVATE_KEY.search(text):
        found.append((match.start(), "a private key"))
    if match := _BASE64_KEY.search(text):
        found.append((match.start(), "a private key in base64"))
    for seed in _NATS_SEED.finditer(text):
        if _is_nkey(seed.group()):
            found.append((seed.start(), "a NATS seed"))
            break
    if not found:
        return None
    position, what = min(found)
    return text.count("\n", 0, position) + 1, what


def redact(text: str) -> str:
    """Return a message without the secrets that the gate knows: a stage may have raised one."""
    text = _KEY_BLOCK.sub("[a private key]", text)
    text = _BASE64_KEY.sub("[a private key]", text)
    return _NATS_SEED.sub("[a NATS seed]", text)


def _is_nkey(text: str) -> bool:
    """Check the CRC-16/XMODEM that ends an nkey (source: nats-io/nkeys, strkey.go)."""
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error:
        return False
    return binascii.crc_hqx(raw[:-2], 0) == int.from_bytes(raw[-2:], "little")


def plain_secret_in_object(manifest: JsonObject) -> tuple[str | int, ...] | None:
    """Return the field of a Secret that holds values, None when it is no Secret or holds none."""
    if manifest.get("kind") != "Secret" or manifest.get("apiVersion") != "v1":
        return None
    for name in ("data", "stringData"):
        values = manifest.get(name)
        if is_object(values) and any(values.values()):
            return (name, next(key for key, value in values.items() if value))
    annotations = _annotations(manifest)
    if any("last-applied-configuration" in key for key in annotations):
        return ("metadata", "annotations")
    return None


def _annotations(manifest: JsonObject) -> Mapping[str, object]:
    metadata = manifest.get("metadata")
    annotations = metadata.get("annotations") if is_object(metadata) else None
    return annotations if is_object(annotations) else {}

"""Finding secrets in plain sight: values of Secrets, private keys, NATS seeds.

A gate, not a vault: it catches what must never be written, however it came there.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from functools import partial

from troth.api import JsonObject, is_object
from troth.runners.spellings import literals, readings, squeezed

__all__ = ["plain_secret_in_object", "plain_secret_in_text", "redact"]

_PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY( BLOCK)?-----")
# The whole of one, or what is left of it where a message was cut.
_KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY.*?(-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|\Z)", re.DOTALL
)
# An nkey seed: S, the role (user, account, operator, server, cluster, curve), base32 of 36 bytes.
_NATS_SEED = re.compile(r"(?<![A-Z2-7])S[UAONCX][A-Z2-7]{56}(?![A-Z2-7])")
# "PRIVATE KEY" in base64, as far as it is the same whatever stands around it, at each of the three
# places in a group of three bytes where it may begin.
_BASE64_KEY = re.compile("UFJJVkFURSBLRV|BSSVZBVEUgS0VZ|QUklWQVRFIEtFW")
_HEX_KEY = re.compile(b"PRIVATE KEY".hex(), re.IGNORECASE)
# What it stands in, whole. Not part of the above: that would try each place of a long ciphertext.
_BASE64 = re.compile("[A-Za-z0-9+/]{14,}=*")
_HEX = re.compile("[0-9a-fA-F]{22,}")

# Seeds once more, where nothing tells where one begins: what stands beside it was glued to it.
_SEED_LENGTH = 58
_SEED_START = re.compile(rf"(?=S[UAONCX][A-Z2-7]{{{_SEED_LENGTH - 2}}})")
_SEED_RUN = re.compile(rf"S[UAONCX][A-Z2-7]{{{_SEED_LENGTH - 2},}}")
# Groups of four whose first character begins with the upper bits of a character of base32.
_BASE64_SEED = re.compile(r"(?:[MNQ-W][A-Za-z0-9]{3}){18,}[A-Za-z0-9]{0,3}")
_NO_BASE64 = re.compile("[^A-Za-z0-9]")
_HEX_SEED = re.compile(
    rf"53(?:55|41|4[fF]|4[eE]|43|58)(?:4[1-9a-fA-F]|5[0-9aA]|3[2-7]){{{_SEED_LENGTH - 2}}}"
)

_SHORTEST = 25  # characters of the shortest of all these, the frame of a key without a blank


def _literals_of(words: str) -> tuple[bytes, ...]:
    spelled = {squeezed(literal) for literal in literals(words)}
    return tuple(sorted(one for one in spelled if len(one) >= len(squeezed(words.encode()))))


_KEY_LITERALS = (*_literals_of("PRIVATE KEY-----"), b"PRIVATEKEYBLOCK-----")
_CREDS_LITERALS = _literals_of("-----BEGIN USER NKEY SEED-----")


def plain_secret_in_text(text: str) -> tuple[int, str] | None:
    """Return the line (from 1) and the kind of the first secret found, None when there is none.

    One that is folded, escaped or encoded is found as well; its line is that in which it ends.
    """
    found: list[tuple[int, str]] = []
    if match := _PRIVATE_KEY.search(text):
        found.append((match.start(), "a private key"))
    if match := _BASE64_KEY.search(text):
        found.append((match.start(), "a private key in base64"))
    for seed in _NATS_SEED.finditer(text):
        if _is_nkey(seed.group()):
            found.append((seed.start(), "a NATS seed"))
            break
    if found:
        position, what = min(found)
        return text.count("\n", 0, position) + 1, what
    hidden = _hidden_in(text) if len(text) >= _SHORTEST else None
    return None if hidden is None else (_line_of_hidden(text), hidden)


def redact(text: str) -> str:
    """Return a message without the secrets that the gate knows: a stage may have raised one."""
    text = _KEY_BLOCK.sub("[a private key]", text)
    for words, key in ((_BASE64, _BASE64_KEY), (_HEX, _HEX_KEY)):
        text = words.sub(partial(_without_key, key), text)
    for spelled in (_NATS_SEED, _BASE64_SEED, _HEX_SEED):
        text = spelled.sub("[a NATS seed]", text)
    return text


def _without_key(key: re.Pattern[str], word: re.Match[str]) -> str:
    return "[a private key]" if key.search(word.group()) else word.group()


def _hidden_in(text: str) -> str | None:
    """Return the kind of a secret that a text holds in another spelling."""
    for reading in readings(text.encode(errors="replace")):
        if any(literal in reading for literal in _KEY_LITERALS):
            return "a private key in another spelling"
        said = reading.decode(errors="replace")
        if any(literal in reading for literal in _CREDS_LITERALS) or any(
            _is_nkey(seed) for seed in _seeds(said)
        ):
            return "a NATS seed in another spelling"
    return None


def _seeds(said: str) -> Iterator[str]:
    """Return what has the form of an nkey's seed, at whatever place of a run of such characters."""
    texts = [found.group() for found in _SEED_RUN.finditer(said)]
    for found in _BASE64_SEED.finditer(said):
        # A seed may begin and end within a group of four.
        start, end = found.span()
        texts.append(_decoded(said[:start][-4:].rjust(4, "A") + said[start : end + 4]))
    texts += [bytes.fromhex(found.group()).decode() for found in _HEX_SEED.finditer(said)]
    for text in texts:
        for begin in _SEED_START.finditer(text):
            yield text[begin.start() : begin.start() + _SEED_LENGTH]


def _decoded(run: str) -> str:
    """Read base64 of which it is not sure where it begins and ends."""
    run = _NO_BASE64.sub("A", run)
    run += "A" * (-len(run) % 4)
    return binascii.a2b_base64(run).decode("ascii", errors="replace")


def _line_of_hidden(text: str) -> int:
    """Return the first line (from 1) up to which a text holds what `_hidden_in` found."""
    lines = text.splitlines(keepends=True)
    below, upto = 0, len(lines)
    while upto - below > 1:
        middle = (below + upto) // 2
        if _hidden_in("".join(lines[:middle])) is None:
            below = middle
        else:
            upto = middle
    return upto


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

"""Spellings: the ways in which a value may stand in a text, for a search that misses none of them.

YAML folds and escapes, URLs quote, people encode in base64 and in hex. What can be taken off a text
is taken off (`readings`), what cannot is looked for as it then stands (`literals`). Nothing is
parsed: broken files hold secrets too, and this is many times faster.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote_to_bytes

__all__ = ["literals", "readings", "squeezed"]

# Blanks, which folding and indenting move; quotes, which quoting doubles; what begins a comment;
# and a plus sign, by which forms spell a blank.
_LOOSE = b" \t\r\n\v\f\"'#+"
# Line breaks of YAML 1.1 beyond ASCII (NEL, LS, PS), and the byte order mark.
_WIDE = (b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xef\xbb\xbf")

_ESCAPE = re.compile(
    rb"\\(?:x([0-9A-Fa-f]{2})|u([dD][89abAB][0-9A-Fa-f]{2})\\u([dD][c-fC-F][0-9A-Fa-f]{2})"
    rb"|u([0-9A-Fa-f]{4})|U(000[0-9A-Fa-f]{5}|0010[0-9A-Fa-f]{4})|(.))",
    re.DOTALL,
)
# YAML 1.2, section 5.7; JSON's are among them.
_NAMED = {
    b"0": b"\0", b"a": b"\a", b"b": b"\b", b"t": b"\t", b"\t": b"\t", b"n": b"\n", b"v": b"\v",
    b"f": b"\f", b"r": b"\r", b"e": b"\x1b", b" ": b" ", b'"': b'"', b"/": b"/", b"\\": b"\\",
    b"N": b"\xc2\x85", b"_": b"\xc2\xa0", b"L": b"\xe2\x80\xa8", b"P": b"\xe2\x80\xa9",
    b"\n": b"", b"\r": b"",
}  # fmt: skip
_ROUNDS = 3  # JSON in JSON in a quoted scalar

_GROUP = 3  # bytes that four characters of base64 stand for


def squeezed(value: bytes) -> bytes:
    """Return a value without what may come and go in it, as all `readings` are."""
    value = value.translate(None, _LOOSE)
    for wide in _WIDE:
        value = value.replace(wide, b"")
    return value


def readings(content: bytes) -> Iterator[bytes]:
    """Return what a text says, `squeezed`: as it is, without its escapes, and with no percent left.

    Args:
        content: the text, of whatever format.
    """
    for text in _unescaped(content):
        yield squeezed(text)
        if b"%" in text:
            yield squeezed(unquote_to_bytes(text.translate(None, b" \t\r\n")))


def literals(value: str) -> frozenset[bytes]:
    """Return how a value stands in a text in which nothing is folded: itself, and encoded.

    In base64 it is known wherever it begins in what was encoded, and also encoded twice, as a
    registry's login is in the data of a Secret. Characters that depend on what stands beside the
    value are left out.
    """
    raw = value.encode()
    plain = {
        raw,
        *(json.dumps(value, ensure_ascii=escaped)[1:-1].encode() for escaped in (True, False)),
    }
    once = set(_in_base64(plain))
    return frozenset(
        {
            *plain,
            repr(value)[1:-1].encode(),
            ascii(value)[1:-1].encode(),
            quote(raw, safe="").encode(),
            quote_plus(raw).encode(),
            *once,
            *_in_base64(once),
            *(text.hex().encode() for text in plain),
            *(text.hex().upper().encode() for text in plain),
        }
    )


def _in_base64(texts: Iterable[bytes]) -> Iterator[bytes]:
    """Return texts in base64, as far as it is the same whatever stands around them."""
    for text in texts:
        for before in range(_GROUP):
            encoded = base64.b64encode(b"\0" * before + text)
            # Each byte before the text has a say in a third of a group, and those after it too.
            first, last = -(-before * 8 // 6), (before + len(text)) * 8 // 6
            sure = encoded[first:last]
            yield sure
            yield sure.translate(bytes.maketrans(b"+/", b"-_"))


def _unescaped(text: bytes) -> Iterator[bytes]:
    """Return a text, and what it says when its escapes are read once, twice and so on."""
    yield text
    for _ in range(_ROUNDS):
        before = text
        text = _ESCAPE.sub(_unescape, text) if b"\\" in text else text
        if text == before:
            return
        yield text


def _unescape(found: re.Match[bytes]) -> bytes:
    byte, high, low, short, long, named = found.groups()
    if named is not None:
        return _NAMED.get(named, found[0])
    if high is not None:
        point = 0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00
    else:
        point = int(byte or short or long, 16)
    return chr(point).encode(errors="surrogatepass")

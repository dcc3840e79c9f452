"""Where values of Secrets stand that a stage was given: in what it left, or in what it said."""

import base64
from collections.abc import Iterator, Mapping

from troth.runners.protocol import Leak

__all__ = ["find_leaks", "without_secrets"]

_REDACTED = "[a secret]"

# Shorter ones are found in everything; whoever guards them by length has none worth the name.
_SHORTEST = 8

_FRAME = "-----"  # lines that frame keys and certificates are no secret


def find_leaks(files: Mapping[str, bytes], secrets: Mapping[str, str]) -> tuple[Leak, ...]:
    """Return the files in which a secret stands, as it is, in part, or in base64.

    Args:
        files: path → content.
        secrets: value → name of the variable that holds it.
    """
    if not secrets:
        return ()
    wanted = [(part.encode(), name) for value, name in secrets.items() for part in _parts(value)]
    found = {
        Leak(path, name)
        for path, content in files.items()
        for part, name in wanted
        if part in content
    }
    return tuple(sorted(found))


def without_secrets(text: str, secrets: Mapping[str, str]) -> str:
    """Return a text with every secret in it made unreadable.

    One that the text begins in the middle of, since it was cut, counts as well.
    """
    parts = sorted({part for value in secrets for part in _parts(value)}, key=len, reverse=True)
    for part in parts:
        text = text.replace(part, _REDACTED)
    ends = (part[start:] for part in parts for start in range(1, len(part) - _SHORTEST + 1))
    longest = max((end for end in ends if text.startswith(end)), key=len, default="")
    return _REDACTED + text[len(longest) :] if longest else text


def _parts(value: str) -> Iterator[str]:
    """Spell what gives a secret away: itself, each line of it, and both in base64."""
    whole = value.strip()
    lines = [line.strip() for line in whole.splitlines()] if "\n" in whole else []
    for part in (whole, *(line for line in lines if _FRAME not in line)):
        if len(part) < _SHORTEST:
            continue
        yield part
        for padding in ("", "\n"):  # people often seal a value with the line's end it stands in
            yield base64.b64encode((part + padding).encode()).decode()

"""Where values of Secrets stand that a stage was given: in what it left, or in what it said."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from troth.api import Json, is_object, load_values
from troth.errors import InvalidInputError
from troth.runners.protocol import Leak
from troth.runners.spellings import literals, readings, squeezed

__all__ = ["find_leaks", "without_secrets"]

_REDACTED = "[a secret]"

# Bytes. Shorter ones are found in everything; whoever guards them by length has none worth it.
_SHORTEST = 8

_UNNAMED = "the name of a file"

_FRAME = "-----"  # lines that frame keys and certificates are no secret


def find_leaks(files: Mapping[str, bytes], secrets: Mapping[str, str]) -> tuple[Leak, ...]:
    """Return the files in which a secret stands, whole or a line of it, however it is spelled.

    In a file's name it counts as well; then the file is not named.

    Args:
        files: path → content.
        secrets: value → name of the variable that holds it.
    """
    wanted = [_Wanted.of(value, name) for value, name in secrets.items()]
    found: set[Leak] = set()
    for path, content in files.items() if wanted else ():
        said = _names_in(path.encode(errors="surrogateescape"), wanted)
        place = _UNNAMED if said else path
        found |= {Leak(place, name) for name in said | _names_in(content, wanted)}
    return tuple(sorted(found))


def without_secrets(text: str, secrets: Collection[str]) -> str:
    """Return a text with every secret in it made unreadable.

    One that the text begins in the middle of, since it was cut, counts as well.
    """
    spelled = {
        one.decode() for value in secrets for part in _parts(value) for one in literals(part)
    }
    parts = sorted((one for one in spelled if len(one) >= _SHORTEST), key=len, reverse=True)
    for part in parts:
        text = text.replace(part, _REDACTED)
    ends = (part[start:] for part in parts for start in range(1, len(part) - _SHORTEST + 1))
    longest = max((end for end in ends if text.startswith(end)), key=len, default="")
    return _REDACTED + text[len(longest) :] if longest else text


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A secret that is looked for.

    Attributes:
        name: of the variable that holds it.
        needles: what gives it away in a reading.
        exact: itself, where too little of it is left in a reading to be known by; else None.
    """

    name: str
    needles: tuple[bytes, ...] = field(repr=False)
    exact: str | None = field(repr=False)

    @classmethod
    def of(cls, value: str, name: str) -> "_Wanted":
        """Spell what gives a value away: itself, and each line of it."""
        parts = list(_parts(value))
        spelled = {squeezed(one) for part in parts for one in literals(part)}
        needles = tuple(sorted(one for one in spelled if len(one) >= _SHORTEST))
        is_thin = parts and len(squeezed(parts[0].encode())) < _SHORTEST
        return cls(name, needles, parts[0] if is_thin else None)


def _names_in(content: bytes, wanted: Collection[_Wanted]) -> set[str]:
    """Return the variables whose values stand in a text."""
    found: set[str] = set()
    for reading in readings(content):
        left = [one for one in wanted if one.name not in found]
        found |= {one.name for one in left if any(needle in reading for needle in one.needles)}
    thin = [one for one in wanted if one.exact is not None]
    said = tuple(_said(content)) if thin else ()
    return found | {one.name for one in thin if any(str(one.exact) in text for text in said)}


def _said(content: bytes) -> Iterator[str]:
    """Return a text, and each word that it says as YAML."""
    text = content.decode(errors="replace")
    yield text
    try:
        yield from _texts(load_values(text, ""))
    except InvalidInputError:
        return  # that it is no YAML is for others to say


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif is_object(value):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool | int | float):
        for item in value:
            yield from _texts(item)


def _parts(value: str) -> Iterator[str]:
    """Return what gives a secret away: the whole of it first, then each line."""
    whole = value.strip()
    lines = [line.strip() for line in whole.splitlines()] if "\n" in whole else []
    for part in (whole, *(line for line in lines if _FRAME not in line)):
        if len(part.encode()) >= _SHORTEST:
            yield part

"""Plain data as YAML and JSON know it, and a reader that turns it into typed views.

`Fields` is how every view reads its object: it checks types as it goes and raises errors that
name the field, what was found there and what was expected.
"""

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias, TypeGuard

from troth.errors import InvalidInputError, Reason

__all__ = [
    "Fields",
    "Json",
    "JsonObject",
    "canonical",
    "digest_of",
    "field_path",
    "is_object",
    "kind_of",
]

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]


def is_object(value: Json) -> TypeGuard[JsonObject]:
    """Tell whether a value is a mapping."""
    return isinstance(value, dict | Mapping)  # dict first: asking an abstract class is slow


def field_path(parts: Iterable[str | int]) -> str:
    """Spell a path as people write it: ``spec.routes[0].path``."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part and all(c.isalnum() or c in "-_" for c in part):
            text += f".{part}" if text else part
        else:
            text += f"[{part!r}]"
    return text


def canonical(value: Json) -> bytes:
    """Return the one spelling of a value that digests are taken of: sorted, compact JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(value: Json) -> str:
    """Return the sha256 of a value's canonical spelling, 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def kind_of(value: Json) -> str:
    """Say what a value is, for messages; long texts are cut."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {value[:60]!r}"
        case Mapping():
            return "a mapping"
        case _:
            return "a list"


class Fields:
    """Reads the fields of one mapping, naming them in errors.

    Args:
        raw: the mapping.
        at: where it stands in its object, for messages and line numbers.
        reason: what the errors raised here say.
    """

    def __init__(
        self,
        raw: JsonObject,
        at: tuple[str | int, ...] = (),
        reason: Reason = Reason.INVALID_OBJECT,
    ) -> None:
        self._raw = raw
        self._at = at
        self._reason = reason

    def error(self, name: str | int, text: str) -> InvalidInputError:
        """Make the error that says `text` of the field `name`."""
        at = (*self._at, name)
        return InvalidInputError(self._reason, f"{field_path(at)}: {text}", at)

    def has(self, name: str) -> bool:
        """Tell whether the field is there and not null."""
        return self._raw.get(name) is not None

    def value(self, name: str) -> Json:
        """Return a field as it is, None when absent."""
        return self._raw.get(name)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text field; without a default it must be there and not empty."""
        value = self._raw.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or (not value and default is None):
            raise self.error(name, f"a text is needed here, found {kind_of(value)}.")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a boolean field."""
        value = self._raw.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.error(name, f"true or false is needed here, found {kind_of(value)}.")
        return value

    def mapping(self, name: str) -> JsonObject:
        """Return a mapping field, empty when absent."""
        value = self._raw.get(name)
        if value is None:
            return {}
        if not is_object(value):
            raise self.error(name, f"a mapping is needed here, found {kind_of(value)}.")
        return value

    def section(self, name: str) -> "Fields":
        """Return a reader of a mapping field, of an empty mapping when absent."""
        return Fields(self.mapping(name), (*self._at, name), self._reason)

    def items(self, name: str) -> list["Fields"]:
        """Return a reader for each item of a list of mappings, none when absent."""
        value = self._raw.get(name)
        if value is None:
            return []
        if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
            raise self.error(name, f"a list is needed here, found {kind_of(value)}.")
        at = (*self._at, name)
        readers: list[Fields] = []
        for index, item in enumerate(value):
            if not is_object(item):
                message = f"a mapping is needed here, found {kind_of(item)}."
                raise Fields({}, at, self._reason).error(index, message)
            readers.append(Fields(item, (*at, index), self._reason))
        return readers

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, empty when absent."""
        value = self._raw.get(name)
        if value is None:
            return ()
        if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
            raise self.error(name, f"a list of texts is needed here, found {kind_of(value)}.")
        found = tuple(item for item in value if isinstance(item, str))
        if len(found) != len(value):
            raise self.error(name, "every item of this list has to be a text (put it in quotes).")
        return found

    def string_map(self, name: str) -> dict[str, str]:
        """Return a mapping of text to text, as labels are; empty when absent."""
        found: dict[str, str] = {}
        for key, value in self.mapping(name).items():
            if not isinstance(value, str):
                raise self.section(name).error(
                    key, f"a text is needed here, found {kind_of(value)} (put it in quotes)."
                )
            found[key] = value
        return found

    def refuse_unknown(self, known: Iterable[str], what: str) -> None:
        """Raise when there is a field that `what` does not have, with the nearest name."""
        names = set(known)
        for name in self._raw:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise self.error(name, f"{what} has no such field.{hint}")

    @property
    def raw(self) -> JsonObject:
        """The mapping itself."""
        return self._raw

"""Matches: which requests one matches, and which of two matches takes a request.

Source: the precedence of rules in ``HTTPRouteRule`` of gateway.networking.k8s.io/v1: an Exact path,
then the longest prefix, then a method, then the most headers, then the most query parameters.
How regular expressions rank is left to each implementation there, so here they are taken to win
whatever they could win, and to lose whatever they could lose: all requests at or below the path
elements that they begin with.
"""

import re
from enum import StrEnum
from typing import NamedTuple

from troth.api import Fields, Json

__all__ = [
    "ANY_METHOD",
    "Condition",
    "Match",
    "PathType",
    "is_below",
    "normal_path",
    "read_path_type",
    "takes",
]

ANY_METHOD = "*"

_ESCAPE = re.compile("%[0-9a-fA-F]{2}")
_UNRESERVED = re.compile(r"[-A-Za-z0-9._~]")  # RFC 3986, section 2.3
_EXACT = "Exact"
# An escape too: plain paths have but one spelling of it, see `normal_path`, and patterns any.
_NOT_LITERAL = re.compile(r"[][.+*?(){}\\^$%]")


class PathType(StrEnum):
    """How a path is matched."""

    EXACT = "Exact"
    PREFIX = "PathPrefix"
    REGULAR_EXPRESSION = "RegularExpression"


class Condition(NamedTuple):
    """What a match asks of one header or one query parameter; the name of a header in small."""

    name: str
    type: str
    value: str

    @property
    def is_exact(self) -> bool:
        """Whether there is but one value that fulfils it."""
        return self.type == _EXACT


class Match(NamedTuple):
    """One match of a rule, in its one spelling: see `normal_path`; the conditions by name."""

    path_type: PathType = PathType.PREFIX
    path: str = "/"
    method: str = ANY_METHOD
    headers: tuple[Condition, ...] = ()
    query: tuple[Condition, ...] = ()

    @property
    def anchor(self) -> str:
        """The path at or below which everything lies that it matches.

        Of a regular expression these are the whole elements it begins with; it is read as tied to
        the beginning of the path, as gateways read it.
        """
        return _literal(self.path) if self.is_pattern else self.path

    @property
    def is_pattern(self) -> bool:
        """Whether its path is a regular expression."""
        return self.path_type is PathType.REGULAR_EXPRESSION

    @property
    def rank(self) -> tuple[bool, int, bool, int, int]:
        """How specific it is; of two that match a request the higher one takes it."""
        exact, named = self.path_type is PathType.EXACT, self.method != ANY_METHOD
        return exact, len(self.path), named, len(self.headers), len(self.query)

    def __str__(self) -> str:
        """Spell it as messages do."""
        method = "any method" if self.method == ANY_METHOD else f"method {self.method}"
        words = [f"{self.path_type} {self.path}", method]
        words += [f"header {one.name} {one.type} {one.value!r}" for one in self.headers]
        words += [f"query {one.name} {one.type} {one.value!r}" for one in self.query]
        return ", ".join(words)

    def encode(self) -> dict[str, Json]:
        """Spell it for a record; what is as usual is left out."""
        spelled: dict[str, Json] = {"path": self.path}
        if self.path_type is not PathType.PREFIX:
            spelled["type"] = str(self.path_type)
        if self.method != ANY_METHOD:
            spelled["method"] = self.method
        for name, conditions in (("headers", self.headers), ("query", self.query)):
            if conditions:
                spelled[name] = [condition._asdict() for condition in conditions]
        return spelled

    @classmethod
    def decode(cls, fields: Fields) -> "Match":
        """Read it from a record. Raises InvalidInputError when it is not as it was written."""
        return cls(
            path_type=read_path_type(fields),
            path=fields.text("path"),
            method=fields.text("method", ANY_METHOD),
            headers=tuple(_decode_condition(item) for item in fields.items("headers")),
            query=tuple(_decode_condition(item) for item in fields.items("query")),
        )


def _decode_condition(fields: Fields) -> Condition:
    return Condition(fields.text("name"), fields.text("type"), fields.text("value"))


def read_path_type(fields: Fields) -> PathType:
    """Read the field ``type`` of a path; a prefix when absent."""
    spelled = fields.text("type", PathType.PREFIX)
    try:
        return PathType(spelled)
    except ValueError:
        known = ", ".join(PathType)
        raise fields.error(
            "type", f"{spelled!r} is no type of a path; there are {known}."
        ) from None


def normal_path(path: str, kind: PathType) -> str:
    """Return the one spelling of a path: no needless escape, no ``/`` at the end of a prefix."""
    if kind is PathType.REGULAR_EXPRESSION:
        return path
    path = _ESCAPE.sub(_unescape, path)
    return path.rstrip("/") or "/" if kind is PathType.PREFIX else path


def _unescape(escape: re.Match[str]) -> str:
    character = chr(int(escape[0][1:], 16))
    return character if _UNRESERVED.fullmatch(character) else escape[0].upper()


def is_below(path: str, prefix: str) -> bool:
    """Tell whether a path is at or below a prefix: by whole elements, not by characters."""
    return prefix in {"/", path} or path.startswith(f"{prefix}/")


def _literal(pattern: str) -> str:
    """Return the whole elements a regular expression begins with.

    What stands before ``?`` or ``*`` need not be there, and an alternative may begin anyhow.
    """
    text = pattern.removeprefix("^")
    if "|" in text:
        return "/"
    meta = _NOT_LITERAL.search(text)
    literal = text[: meta.start()] if meta is not None else text
    if meta is not None and meta[0] in "?*{":
        literal = literal[:-1]
    return literal[: literal.rfind("/")] or "/" if literal.startswith("/") else "/"


def _agree(first: tuple[Condition, ...], second: tuple[Condition, ...]) -> bool:
    """Tell whether both may hold of one request: unless one name is to have two exact values."""
    wanted = {one.name: one.value for one in first if one.is_exact}
    return all(wanted.get(one.name, one.value) == one.value for one in second if one.is_exact)


def _conditions_agree(first: Match, second: Match) -> bool:
    methods = {first.method, second.method} - {ANY_METHOD}
    return (
        len(methods) <= 1
        and _agree(first.headers, second.headers)
        and _agree(first.query, second.query)
    )


def _paths_meet(first: Match, second: Match) -> bool:
    """Tell whether both may match one path: never when neither anchor is below the other."""
    below = is_below(first.anchor, second.anchor), is_below(second.anchor, first.anchor)
    if PathType.EXACT not in {first.path_type, second.path_type}:
        return any(below)
    if first.path_type is second.path_type:
        return first.path == second.path
    return below[0] if first.path_type is PathType.EXACT else below[1]


def takes(taker: Match, other: Match, *, nearer: bool) -> bool:
    """Tell whether `taker` may take a request that `other` has.

    What a regular expression may take or lose lies at or below its `anchor`; within that it may
    take from longer paths, and lose to shorter ones. Where both rank the same, the older route has
    it; a route made anew may be the younger one, so that counts as taken too.

    Args:
        taker: the match that is new.
        other: the match that is there.
        nearer: whether the host of `taker` is the more specific one, which goes before all else;
            otherwise both are of one host.
    """
    if not _conditions_agree(taker, other) or not _paths_meet(taker, other):
        return False
    return nearer or taker.is_pattern or other.is_pattern or taker.rank >= other.rank

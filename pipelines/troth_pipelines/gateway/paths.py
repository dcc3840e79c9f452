"""Paths as the Gateway API matches them: which are taken, and one spelling for each.

Source: the rules of ``HTTPPathMatch`` in gateway.networking.k8s.io/v1. They hold for the types
Exact and PathPrefix; a RegularExpression is any text that RE2 compiles. Besides them, an escape of
a character that needs none is refused: two spellings of one path would be two claims to it.
"""

import re
from enum import StrEnum
from typing import cast

# google-re2 brings neither stubs nor annotations.
import re2  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

from troth.errors import shorten

__all__ = [
    "PATH_LIMIT",
    "PATH_PATTERN",
    "PathType",
    "normal_path",
    "path_problem",
    "regular_expression_problem",
]

PATH_LIMIT = 1024  # characters

# What a schema can say of a path; `path_problem` says the rest.
PATH_PATTERN = r"^/([-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})*$"

_ESCAPE = re.compile("%[0-9a-fA-F]{2}")
_FOREIGN = re.compile(r"[^-A-Za-z0-9/._~!$&'()*+,;=:@%]|%(?![0-9a-fA-F]{2})")
_UNRESERVED = re.compile(r"[-A-Za-z0-9._~]")  # RFC 3986, section 2.3
_QUOTE_LIMIT = 100  # characters of a path or of RE2's reason that a message quotes

# What people write in paths that are none, and what they can write instead.
_INSTEAD = {
    "{": "end a prefix before the placeholder, or use a regular expression",
    "}": "end a prefix before the placeholder, or use a regular expression",
    "?": "a path has no query; match it apart",
    "#": "a path has no fragment; leave it out",
}

_RE2_ERROR = cast("type[Exception]", re2.error)


class PathType(StrEnum):
    """How a path is matched."""

    EXACT = "Exact"
    PREFIX = "PathPrefix"
    REGULAR_EXPRESSION = "RegularExpression"


def path_problem(path: str) -> str | None:
    """Say what is wrong with an Exact path or a prefix; None when nothing is."""
    if len(path) > PATH_LIMIT:
        return f"a path of {len(path)} characters; at most {PATH_LIMIT} are allowed"
    quoted = repr(path if len(path) <= _QUOTE_LIMIT else f"{path[:_QUOTE_LIMIT]}…")
    if not path.startswith("/"):
        return f"{quoted} does not begin with '/'"
    if foreign := _FOREIGN.search(path):
        instead = _INSTEAD.get(foreign[0], "write it as % and two hex digits a byte")
        return f"{quoted} holds {foreign[0]!r}, which no path may hold; {instead}"
    if "//" in path:
        return f"{quoted} holds '//'; write one '/'"
    if dots := {".", ".."}.intersection(path.split("/")):
        return f"{quoted} holds the step {min(dots)!r}; write the path it leads to"
    return _escape_problem(path, quoted)


def _escape_problem(path: str, quoted: str) -> str | None:
    for escape in _ESCAPE.findall(path):
        character = chr(int(escape[1:], 16))
        if character == "/":
            return f"{quoted} holds {escape!r}, an escaped '/', which no path may hold"
        if _UNRESERVED.fullmatch(character):
            return f"{quoted} holds {escape!r}; write the character {character!r} itself"
    return None


def normal_path(path: str, kind: PathType) -> str:
    """Return the one spelling of a path that has no problem.

    Escapes are written with capitals. A ``/`` at the end of a prefix is ignored by the API, and
    left out here; of an Exact path it is part.
    """
    if kind is PathType.REGULAR_EXPRESSION:
        return path
    path = _ESCAPE.sub(lambda escape: escape[0].upper(), path)
    return path.rstrip("/") or "/" if kind is PathType.PREFIX else path


def regular_expression_problem(pattern: str) -> str | None:
    """Say why RE2, which gateways match with, refuses a pattern; None when it does not."""
    options = re2.Options()
    options.log_errors = False  # it would write to stderr by itself
    try:
        re2.compile(pattern, options)
    except _RE2_ERROR as error:
        reason = cast("object", error.args[0])
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        return f"RE2 does not accept this regular expression: {shorten(text, _QUOTE_LIMIT)}"
    return None

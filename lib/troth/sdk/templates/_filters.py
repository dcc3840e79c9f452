"""The filters and tests that expressions may use: jinja2's own where they suit, ours elsewhere.

All are pure: no clock, no randomness, no order but the given one. Ours differ from jinja2's of
the same name where those would write Python's spelling (``True``, ``None``) into a manifest, or
pass over a mistake in silence.
"""

import base64
import functools
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias, cast

from jinja2.filters import FILTERS as DEFAULT_FILTERS
from jinja2.tests import TESTS as DEFAULT_TESTS

from troth.api import dump_documents
from troth.sdk.templates._values import Budget, ExpressionError, as_json, as_text, describe

__all__ = ["CONCAT", "FILTERS", "TESTS", "Function", "numbers_up_to"]

Function: TypeAlias = Callable[..., object]

# What `a ~ b` becomes: no name that an expression could spell.
CONCAT = "~"

# A text that one filter makes; a file of the output may not be larger.
_TEXT_LIMIT = 1024 * 1024

_RANGE_LIMIT = 10_000
_INDENT_LIMIT = 100
_LABEL_LIMIT = 63  # characters, RFC 1123


def concat(parts: Sequence[object]) -> str:
    """Join what stands between the ``~`` of an expression."""
    return _joined("", parts)


def _joined(separator: str, values: Sequence[object]) -> str:
    texts = [as_text(value) for value in values]
    if sum(map(len, texts)) + len(separator) * len(texts) > _TEXT_LIMIT:
        raise ExpressionError(f"this makes a text of more than {_TEXT_LIMIT} characters")
    return separator.join(texts)


def numbers_up_to(*bounds: int) -> list[int]:
    """Return the numbers of a range, as a list: ``range(stop)``, ``range(start, stop, step)``."""
    numbers = range(*bounds)
    if numbers[_RANGE_LIMIT:]:  # len() of a huge one overflows
        raise ExpressionError(f"a range has at most {_RANGE_LIMIT} numbers")
    return list(numbers)


def lower(value: object) -> str:
    """Make a text lower case."""
    return as_text(value).lower()


def upper(value: object) -> str:
    """Make a text upper case."""
    return as_text(value).upper()


def trim(value: object) -> str:
    """Take white space off both ends."""
    return as_text(value).strip()


def replace(value: object, old: str, new: str) -> str:
    """Replace every `old` by `new`."""
    text = as_text(value)
    if len(text) + text.count(old) * (len(new) - len(old)) > _TEXT_LIMIT:
        raise ExpressionError(f"this makes a text of more than {_TEXT_LIMIT} characters")
    return text.replace(old, new)


def split(value: object, separator: str) -> list[str]:
    """Cut a text at every separator."""
    return as_text(value).split(separator)


def join(values: object, separator: str = "") -> str:
    """Join the items of a list into one text."""
    if not isinstance(values, list | tuple):
        raise ExpressionError(f"join needs a list, found {describe(values)}")
    return _joined(separator, cast("list[object]", values))


def indent(value: object, width: int = 4) -> str:
    """Indent every line but the first, and empty ones."""
    if not 0 <= width <= _INDENT_LIMIT:
        raise ExpressionError(f"indent takes 0 to {_INDENT_LIMIT} spaces")
    return re.sub(r"\n(?=[^\n])", "\n" + " " * width, as_text(value))


def integer(value: object) -> int:
    """Read a whole number; a fraction is cut off."""
    try:
        return int(cast("float", value))
    except (TypeError, ValueError, OverflowError):
        raise ExpressionError(f"int finds no whole number in {describe(value)}") from None


def items(value: object) -> list[tuple[str, object]]:
    """Return the keys and values of a mapping, as pairs."""
    if not isinstance(value, Mapping):
        raise ExpressionError(f"items needs a mapping, found {describe(value)}")
    return list(cast("Mapping[str, object]", value).items())


def to_json(value: object, indent: int | None = None) -> str:
    """Spell a value as JSON, keys sorted, on one line unless an indentation is given."""
    if indent is not None and not 0 <= indent <= _INDENT_LIMIT:
        raise ExpressionError(f"tojson indents by 0 to {_INDENT_LIMIT} spaces")
    plain = as_json(value, Budget())
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, indent=indent)


def to_yaml(value: object) -> str:
    """Spell a mapping or a list as YAML."""
    if not isinstance(value, Mapping | list | tuple):
        raise ExpressionError(f"toyaml needs a mapping or a list, found {describe(value)}")
    return dump_documents([as_json(cast("object", value), Budget())]).decode()


def b64encode(value: object) -> str:
    """Spell the UTF-8 bytes of a text in base64."""
    return base64.b64encode(as_text(value).encode()).decode()


def sha256(value: object) -> str:
    """Return the sha256 of a text's UTF-8 bytes, 64 hex digits."""
    return hashlib.sha256(as_text(value).encode()).hexdigest()


def dns_label(value: object) -> str:
    """Make a DNS label of a text: lower case, runs of anything else become one hyphen.

    Nothing is cut and no hash is added: two texts must not quietly become one name.
    """
    label = re.sub(r"[^a-z0-9]+", "-", as_text(value).lower()).strip("-")
    if not 1 <= len(label) <= _LABEL_LIMIT:
        raise ExpressionError(
            f"dns_label needs a text that makes 1 to {_LABEL_LIMIT} characters, found {len(label)}"
        )
    return label


def _listed(function: Function) -> Function:
    """Make a filter of jinja2 give a list, where it gives a generator that has no length."""

    @functools.wraps(function)
    def listed(*arguments: object, **options: object) -> list[object]:
        return list(cast("Sequence[object]", function(*arguments, **options)))

    return listed


def _starts(value: object, start: str) -> bool:
    return as_text(value).startswith(start)


def _ends(value: object, end: str) -> bool:
    return as_text(value).endswith(end)


_KEPT = ("default", "first", "last", "length", "list", "max", "min", "sort")
_LISTED = ("map", "reject", "rejectattr", "select", "selectattr", "unique")
_KEPT_TESTS = (
    "boolean", "defined", "divisibleby", "eq", "equalto", "even", "float", "ge", "gt", "in",
    "integer", "le", "lt", "mapping", "ne", "none", "number", "odd", "sequence", "string",
    "undefined", "==", "!=", "<", "<=", ">", ">=",
)  # fmt: skip

FILTERS: Mapping[str, Function] = MappingProxyType(
    {
        **{name: cast("Function", DEFAULT_FILTERS[name]) for name in _KEPT},
        **{name: _listed(cast("Function", DEFAULT_FILTERS[name])) for name in _LISTED},
        "b64encode": b64encode,
        "dns_label": dns_label,
        "indent": indent,
        "int": integer,
        "items": items,
        "join": join,
        "lower": lower,
        "replace": replace,
        "sha256": sha256,
        "split": split,
        "string": as_text,
        "tojson": to_json,
        "toyaml": to_yaml,
        "trim": trim,
        "upper": upper,
    }
)
"""The filters, by the names that expressions use."""

TESTS: Mapping[str, Function] = MappingProxyType(
    {
        **{name: cast("Function", DEFAULT_TESTS[name]) for name in _KEPT_TESTS},
        "endswith": _ends,
        "startswith": _starts,
    }
)
"""The tests, by the names that expressions use after ``is``."""

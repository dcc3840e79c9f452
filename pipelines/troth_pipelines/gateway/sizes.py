"""Amounts of bytes as Kubernetes spells them (``50Mi``, ``10M``), and as gateways want them.

Whole numbers only: a limit of half a byte is a slip of the pen. Source: apimachinery
``pkg/api/resource/quantity.go``; nginx.org, "Configuration file measurement units".
"""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, StrictInt

from troth.api import Fields
from troth.errors import shorten

__all__ = ["SIZE_PATTERN", "Size", "kubernetes_size", "nginx_size", "parse_size"]

SIZE_PATTERN = "^[1-9][0-9]{0,14}(k|M|G|Ki|Mi|Gi)?$"
_LIMIT = 17  # characters
_SPLIT = re.compile("([1-9][0-9]{0,14})(k|M|G|Ki|Mi|Gi)?")
_UNITS = {
    "k": 1000, "M": 1000**2, "G": 1000**3, "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3,
}  # fmt: skip

# NGINX Gateway Fabric takes no more than four digits before the unit.
_NGINX_UNITS = (("g", 1024**3), ("m", 1024**2), ("k", 1024), ("", 1))
_NGINX_LIMIT = 9999

_ADVICE = "write a whole number above 0 with a unit such as 512Ki, 50Mi or 1Gi"


def _whole(value: object) -> int | str:
    """Take ``1e3`` for 1000, which it is to an API server; YAML reads a float from it."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int | str) and not isinstance(value, bool):
        return value
    message = f"this is neither a whole number nor a text; {_ADVICE}"
    raise ValueError(message)


# A union cannot carry a pattern in pydantic, and the schema of int-or-string takes it from here.
Size = Annotated[
    StrictInt | str,
    BeforeValidator(_whole),
    Field(json_schema_extra={"pattern": SIZE_PATTERN, "maxLength": _LIMIT, "minimum": 1}),
]
"""A number of bytes, at least one, or a text such as 50Mi."""


def parse_size(value: int | str, fields: Fields, name: str) -> int:
    """Return a number of bytes. Raises InvalidInputError, naming `name` in `fields`."""
    match = _SPLIT.fullmatch(str(value))
    if match is None:
        raise fields.error(
            name,
            f"{shorten(str(value), 40)!r} is no size; {_ADVICE}.",
        )
    digits, unit = match.groups()
    return int(digits) * _UNITS.get(unit, 1)


def kubernetes_size(count: int) -> str:
    """Spell bytes with the largest unit that leaves a whole number: 50Mi, 10M."""
    fitting = [unit for unit, size in _UNITS.items() if count % size == 0]
    unit = max(fitting, key=_UNITS.__getitem__, default="")
    return f"{count // _UNITS.get(unit, 1)}{unit}"


def nginx_size(count: int) -> str | None:
    """Spell bytes as NGINX wants them, ``50m``; None when its units cannot say this number."""
    for unit, size in _NGINX_UNITS:
        number, rest = divmod(count, size)
        if not rest and number <= _NGINX_LIMIT:
            return f"{number}{unit}"
    return None

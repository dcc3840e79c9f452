"""Kubernetes quantities of CPU and bytes: a subset that is whole numbers inside.

Written back in the spelling that the API server would choose itself, so that no agent sees a
difference between Git and cluster. Source: apimachinery ``pkg/api/resource/quantity.go``.
"""

import re
from collections.abc import Sequence

from troth.api import Fields
from troth.errors import shorten

__all__ = [
    "BYTES_PATTERN",
    "CPU_PATTERN",
    "QUANTITY_LIMIT",
    "parse_bytes",
    "parse_cpu",
    "spell_bytes",
    "spell_cpu",
]

CPU_PATTERN = r"^([0-9]{1,6}(\.[0-9]{1,3})?|[0-9]{1,9}m)$"
# No fractions: 1.1Gi is no whole number of bytes, and the API server would spell it in millibytes.
BYTES_PATTERN = "^([0-9]{1,15}|[0-9]{1,6}(k|M|G|T|Ki|Mi|Gi|Ti))$"
QUANTITY_LIMIT = 16  # characters

_DECIMAL = ("", "k", "M", "G", "T", "P", "E")
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def parse_cpu(value: int | str, fields: Fields, name: str) -> int:
    """Return CPU in thousandths of a core. Raises InvalidInputError, naming `name` in `fields`."""
    text = str(value)
    if not re.fullmatch(CPU_PATTERN.strip("^$"), text):
        raise fields.error(
            name,
            f"{shorten(text, 40)!r} is no amount of CPU; write cores such as 4 or 0.5, or "
            "thousandths such as 500m.",
        )
    if text.endswith("m"):
        return int(text[:-1])
    cores, _, fraction = text.partition(".")
    return int(cores) * 1000 + int(fraction.ljust(3, "0"))


def parse_bytes(value: int | str, fields: Fields, name: str) -> int:
    """Return a number of bytes. Raises InvalidInputError, naming `name` in `fields`."""
    text = str(value)
    if not re.fullmatch(BYTES_PATTERN.strip("^$"), text):
        raise fields.error(
            name,
            f"{shorten(text, 40)!r} is no amount of bytes; write a whole number with a unit such "
            "as 512Mi or 8Gi.",
        )
    digits = text.rstrip("kMGTi")
    unit = text[len(digits) :]
    step, units = (1024, _BINARY) if unit.endswith("i") else (1000, _DECIMAL)
    factor: int = step ** units.index(unit)
    return int(digits) * factor


def spell_cpu(thousandths: int) -> str:
    """Spell CPU: 4, 2500m."""
    return _scaled(thousandths, 1000, ("m", *_DECIMAL))


def spell_bytes(count: int) -> str:
    """Spell bytes in powers of 1024 or of 1000, whichever is shorter: 8Gi, 8G."""
    return min(_scaled(count, 1024, _BINARY), _scaled(count, 1000, _DECIMAL), key=len)


def _scaled(number: int, step: int, units: Sequence[str]) -> str:
    power = 0
    while number and number % step == 0 and power < len(units) - 1:
        number //= step
        power += 1
    return f"{number}{units[power]}" if number else "0"

"""What every measurement returns: rows, printed as a table and kept as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

__all__ = ["FULL", "QUICK", "Row", "Scale", "print_rows", "write_json"]


_COLUMNS = 120  # a name and its note on one line, also where no terminal tells a width


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes:
        name: what was measured.
        value: the figure.
        unit: of the figure, e.g. ``requests/s``.
        note: budget, spread, or what else is needed to read it.
    """

    name: str
    value: float
    unit: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured.

    Attributes:
        small: live requests of the smaller store.
        large: live requests of the larger one.
        flush: change sets handed in at once.
        sample: requests that the worktree sequence is measured over.
        rounds: flushes of which the median counts.
        waits: requests of each blocking caller.
        seconds: how long requests arrive at a steady rate.
        commits: of the repository with a long history, where that is asked for.
        huge: live requests of the store that is written from nothing, where that is asked for.
    """

    small: int
    large: int
    flush: int
    sample: int
    rounds: int
    waits: int
    seconds: float
    commits: int
    huge: int


FULL = Scale(
    small=2_000,
    large=10_000,
    flush=500,
    sample=20,
    rounds=7,
    waits=30,
    seconds=20,
    commits=100_000,
    huge=100_000,
)
"""The scale that the budgets are written for."""

QUICK = Scale(
    small=100,
    large=400,
    flush=50,
    sample=3,
    rounds=2,
    waits=2,
    seconds=0.5,
    commits=200,
    huge=2_000,
)
"""Enough to see that everything runs."""


def print_rows(title: str, rows: Sequence[Row]) -> None:
    """Print rows as a table."""
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    table.add_column("figure", justify="right")
    table.add_column("unit")
    table.add_column("note")
    for row in rows:
        table.add_row(row.name, f"{row.value:,.{_digits(row.value)}f}", row.unit, row.note)
    Console(width=_COLUMNS).print(table)


def write_json(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as a JSON list."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


def _digits(value: float) -> int:
    return 0 if abs(value) >= 100 else 2

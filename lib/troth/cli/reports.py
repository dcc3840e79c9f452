"""Reports on standard output, as a table for people or JSON for programs."""

import json
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from troth.api import Json
from troth.engine import FAILING, Item, State
from troth.errors import Reason, TrothError
from troth.local import Inputs

__all__ = [
    "console",
    "exit_code",
    "item_json",
    "print_items",
    "print_json",
    "receipt_json",
    "summary",
    "tell_problems",
    "with_problems",
]

_WIDE = 1000  # columns, where nobody's terminal cuts the line: a program reads it

_COLOURS = {
    State.WRITTEN: "green",
    State.UNCHANGED: "dim",
    State.REMOVED: "magenta",
    State.REFUSED: "red",
    State.FAILED: "red",
    State.UNSCHEDULED: "red",
}


def console(*, stderr: bool = False) -> Console:
    """Return a console that colours on a terminal and never wraps in a pipe."""
    made = Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)
    if not made.is_terminal:
        made.width = _WIDE
    return made


def print_items(items: Sequence[Item], *, planned: bool = False) -> None:
    """Print a line for each item, then what there is to say about some, then a summary.

    Args:
        items: what to print.
        planned: say that this is what would become of them, not what did.
    """
    out = console()
    state = "WOULD BE" if planned else "STATE"
    if items:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("NAMESPACE", "NAME", "PROMISE", state, "REASON", "DESTINATION", "COMMIT"):
            table.add_column(heading, no_wrap=not out.is_terminal, overflow="fold")
        for item in items:
            destinations = ", ".join(sorted({destination for destination, _ in item.placements}))
            table.add_row(
                item.namespace or "-",
                item.name or "-",
                item.promise or "-",
                Text(item.state, style=_COLOURS.get(item.state, "yellow")),
                item.reason,
                destinations or "-",
                (item.revision or "-")[:12],
            )
        out.print(table)
        for item in items:
            if item.message:
                who = f"Promise {item.promise}: " if item.promise and not item.name else ""
                if item.name:
                    who = f"{item.namespace or 'Destination'}/{item.name}: "
                out.print(Text(f"{item.state}: {who}{item.message}"), style=None)
    out.print(f"Would be: {summary(items)}" if planned and items else summary(items))


def summary(items: Iterable[Item]) -> str:
    """Return one sentence that counts the items by state, and one on rotations where there are."""
    counts: dict[State, int] = {}
    rotations: dict[State, int] = {}
    for item in items:
        counts[item.state] = counts.get(item.state, 0) + 1
        if item.reason == Reason.KEY_REPLACED:
            rotations[item.state] = rotations.get(item.state, 0) + 1
    if not counts:
        return "Nothing to do: no request was found."
    told = ", ".join(f"{counts[state]} {state.lower()}" for state in State if state in counts) + "."
    made, waiting = rotations.get(State.WRITTEN, 0), rotations.get(State.WAITING, 0)
    if made or waiting:
        told += f" Credentials for clusters that lost their keys: {made} made anew"
        told += f", {waiting} waiting." if waiting else "."
    return told


def item_json(item: Item) -> dict[str, Json]:
    """Return an item as JSON has it."""
    return {
        "namespace": item.namespace,
        "promise": item.promise,
        "name": item.name,
        "state": item.state.value,
        "reason": str(item.reason),
        "message": item.message,
        "placements": [{"destination": d, "path": path} for d, path in item.placements],
        "revision": item.revision,
        "source": item.source,
    }


def receipt_json(item: Item) -> dict[str, Json]:
    """Return an item as JSON has it, with what was written for it."""
    return {**item_json(item), "tree": item.tree, "changed": list(item.changed)}


def print_json(kind: str, items: Sequence[Json], **more: Json) -> None:
    """Print a report as one JSON document, with more besides its items where there is any."""
    report = {"apiVersion": "troth.dev/v1alpha1", "kind": kind, "items": items, **more}
    click.echo(json.dumps(report, indent=2, ensure_ascii=False))


def exit_code(items: Iterable[Item]) -> int:
    """Return 1 when any item was refused, failed or found no place, else 0."""
    return 1 if any(item.state in FAILING for item in items) else 0


@contextmanager
def with_problems(inputs: Inputs) -> Generator[None]:
    """Say what was wrong with the files, where what follows fails: one of it may be why."""
    try:
        yield
    except TrothError:
        tell_problems(inputs)
        raise


def tell_problems(inputs: Inputs) -> None:
    """Say on standard error what was wrong with the files."""
    for problem in inputs.problems:
        console(stderr=True).print(f"{problem.state}: {problem.message}")

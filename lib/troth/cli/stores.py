"""``troth stores``: try every state store that a run would use."""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from troth.api import Json
from troth.cli.options import output_option
from troth.cli.progress import busy
from troth.cli.reports import console, print_json, tell_problems
from troth.cli.store_options import StoreOptions, store_options
from troth.errors import TrothError
from troth.local import Inputs, StoreChoice, load, open_store
from troth.local.stores import meant, of_object, place_of, refuse_same_place
from troth_statestore import Probe
from troth_statestore.readiness import Condition, Readiness, Status

__all__ = ["stores"]

_COLOURS = {Status.TRUE: "green", Status.FALSE: "red", Status.UNKNOWN: "yellow"}


@dataclass(frozen=True, slots=True)
class _Tried:
    """A store, and what trying it told."""

    name: str
    choice: StoreChoice | None
    condition: Condition

    @property
    def branch(self) -> str:
        return "" if self.choice is None else self.choice.branch

    @property
    def place(self) -> str:
        return "" if self.choice is None else place_of(self.choice)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A store that is opened to be tried, and closed again."""

    choice: StoreChoice

    def probe(self) -> Probe:
        with closing(open_store(self.choice, create=False)) as store:
            return store.probe()


@dataclass(frozen=True, slots=True)
class _Unopened:
    """A store that cannot even be opened."""

    error: TrothError

    def probe(self) -> Probe:
        raise self.error


@click.command()
@click.argument(
    "paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[PATH]..."
)
@store_options
@output_option
def stores(*, paths: tuple[Path, ...], stores: StoreOptions, form: str) -> int:
    """Try every state store that a run over PATH... would use, and write nothing.

    Each is asked for its branches and for leave to push. Ends with 1 when one is not ready, and the
    message says why not, or when one may be missing, since something could not be read.

    \b
    Examples:
      troth stores --state-store build/fleet.git
      troth stores platform/destinations --secrets-dir secrets
      troth stores -s https://git.example.com/fleet.git --git-password-file token -o json
    """  # noqa: D301  (click's \b keeps the lines of the examples)
    if not paths and stores.state_store is None:
        raise click.UsageError("give --state-store, or set TROTH_STATE_STORE, or give PATH.")
    with busy("Reading the files"):
        inputs = load(paths)
    tell_problems(inputs)  # a store may be missing for one
    with busy("Trying the state stores"):
        tried = _try_all(stores, inputs)
    if form == "json":
        print_json("StoresReport", [_as_json(one) for one in tried])
    else:
        _print(tried)
    ready = all(one.condition.status is Status.TRUE for one in tried)
    return 0 if ready and not inputs.problems else 1


def _try_all(options: StoreOptions, inputs: Inputs) -> list[_Tried]:
    if options.state_store is not None:
        choice = options.one()
        return [_tried(choice.name, choice)]
    names = meant(inputs.destinations.values(), inputs.stores, options.ways)
    found: dict[str, StoreChoice | TrothError] = {}
    for name in names:
        try:
            found[name] = of_object(name, options.branch, inputs.stores, options.ways)
        except TrothError as error:  # that one is not ready; the others may be
            found[name] = error
    refuse_same_place({k: one for k, one in found.items() if isinstance(one, StoreChoice)})
    return [_tried(name, one) for name, one in found.items()]


def _tried(name: str, found: StoreChoice | TrothError) -> _Tried:
    if isinstance(found, TrothError):
        return _Tried(name, None, Readiness(_Unopened(found), time.time).try_now())
    return _Tried(name, found, Readiness(_Opened(found), time.time).try_now())


def _as_json(one: _Tried) -> dict[str, Json]:
    return {
        "name": one.name,
        "place": one.place,
        "branch": one.branch,
        "ready": str(one.condition.status),
        "reason": one.condition.reason,
        "message": one.condition.message,
        "revision": one.condition.revision,
    }


def _print(tried: Sequence[_Tried]) -> None:
    """Print a line for each, then why those are not ready that are not."""
    out = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("NAME", "PLACE", "BRANCH", "READY", "REASON", "COMMIT"):
        table.add_column(heading, no_wrap=not out.is_terminal, overflow="fold")
    for one in tried:
        known = one.condition
        ready = Text(known.status, style=_COLOURS[known.status])
        cells = (one.name or "-", one.place or "-", one.branch or "-")
        table.add_row(*cells, ready, known.reason, (known.revision or "-")[:12])
    out.print(table)
    for one in tried:
        if one.condition.status is not Status.TRUE:
            out.print(Text(f"{one.name or 'state store'}: {one.condition.message}"))
    ready_ones = sum(one.condition.status is Status.TRUE for one in tried)
    out.print(f"{ready_ones} of {len(tried)} ready.")

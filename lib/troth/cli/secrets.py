"""``troth secrets``: what sealed values the state stores hold."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from troth.api import Json
from troth.cli.looking import Looked, looking
from troth.cli.options import output_option
from troth.cli.reports import console, print_json
from troth.cli.selection import Selection, selection_options
from troth.cli.store_options import StoreOptions, store_options
from troth.engine.sealed_report import Listed, report_sealed
from troth.engine.sealed_values import find_sealed
from troth.engine.suspension import spell_moment
from troth.local.sealing import Certificates
from troth.sdk.sealing import CertificateCache

__all__ = ["secrets"]

_LATE = datetime.max.replace(tzinfo=UTC)
_HEADINGS = (
    *("NAMESPACE", "NAME", "PROMISE", "SECRET", "KEY", "DESTINATION", "CERTIFICATE"),
    *("GENERATION", "AGE", "NEXT", "PROBLEMS"),
)
_UNITS = ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "m"))

_SORTS: Mapping[str, Callable[[Listed], object]] = {
    "owner": attrgetter("found.owner"),
    "secret": lambda one: one.found.secret or ("", ""),
    "destination": attrgetter("found.destination"),
    "age": lambda one: one.found.issued or _LATE,
    "next": lambda one: one.found.due or _LATE,
}


@click.group()
def secrets() -> None:
    """Look at sealed values; no command here knows a plain one."""


@secrets.command(name="list")
@click.argument(
    "paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[PATH]..."
)
@selection_options
@click.option("--destination", "-d", metavar="NAME", help="Only values sealed for this one.")
@click.option("--old", is_flag=True, help="Only values that are not under the newest certificate.")
@click.option("--problems", is_flag=True, help="Only values with which something is wrong.")
@click.option(
    "--sort",
    type=click.Choice(list(_SORTS)),
    default="owner",
    show_default=True,
    help="What the list is ordered by: the oldest, and what is renewed next, come first.",
)
@store_options
@output_option
def list_(  # noqa: PLR0913  (each is an option, handed over by name)
    *,
    paths: tuple[Path, ...],
    selection: Selection,
    destination: str | None,
    old: bool,
    problems: bool,
    sort: str,
    stores: StoreOptions,
    form: str,
) -> int:
    """List each sealed value: whose it is, for which cluster, since when, and until when.

    It is told from the records, and from the files of those that keep none of it (unknown).
    Destinations in PATH... tell which certificates are the newest. Ends with 1 when a record or a
    store could not be read.

    \b
    Examples:
      troth secrets list --state-store build/fleet.git
      troth secrets list platform -s build/fleet.git --old
      troth secrets list platform -s build/fleet.git -n default --sort next -o json
    """  # noqa: D301  (click's \b keeps the lines of the examples)
    now = datetime.now(UTC)
    with looking(paths, stores) as looked:
        certificates = Certificates(looked.world, CertificateCache(now), stores.ways.secrets)
        found = [one for one in find_sealed(looked.ledger) if selection.takes(one.owner)]
        listed = report_sealed(found, looked.world, certificates.current, now)
        unread = _tell_unread(looked)
    chosen = [
        one
        for one in listed
        if destination in {None, one.found.destination}
        and not (old and one.is_current is not False)
        and not (problems and not one.problems)
    ]
    chosen.sort(key=_SORTS[sort])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue]  (each compares with its own)
    if form == "json":
        print_json("SecretsReport", [_as_json(one) for one in chosen])
    else:
        _print(chosen, now, len(listed), judged=bool(looked.world.destinations))
    return 1 if unread else 0


def _tell_unread(looked: Looked) -> bool:
    """Say on standard error what could not be looked at; tell whether there was anything."""
    ledger = looked.ledger
    for error in (*ledger.unreadable.values(), *ledger.view.unreached.values()):
        console(stderr=True).print(f"Not looked at: {error.message}")
    return bool(ledger.unreadable or ledger.view.unreached)


def _as_json(one: Listed) -> dict[str, Json]:
    found, value = one.found, one.found.value
    moments = {"issued": found.issued, "expires": found.expires, "reconcileAt": found.due}
    told: list[Json] = [{"kind": kind, "message": message} for kind, message in one.problems]
    return {
        **found.owner._asdict(),
        "secret": None if found.secret is None else "/".join(found.secret),
        "key": found.key,
        "destination": found.destination,
        "certificate": None if value is None else value.certificate,
        "current": one.is_current,
        "generation": None if value is None else value.generation,
        **{key: None if at is None else spell_moment(at) for key, at in moments.items()},
        "problems": told,
    }


def _print(listed: Sequence[Listed], now: datetime, of: int, *, judged: bool) -> None:
    """Print a line for each value, then what is wrong with some, then a summary."""
    out = console()
    if listed:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in _HEADINGS:
            table.add_column(heading, no_wrap=not out.is_terminal, overflow="fold")
        for one in listed:
            table.add_row(*_cells(one, now))
        out.print(table)
    for one in listed:
        for kind, message in one.problems:
            out.print(
                Text(f"{kind}: {one.found.owner}, {one.found.key or 'its status'}: {message}")
            )
    counts = (
        (sum(one.is_current is True for one in listed), "under the newest certificate"),
        (sum(one.is_current is False for one in listed), "under an old one"),
        (sum(one.is_current is None for one in listed), "of which that is unknown"),
    )
    said = ", ".join(f"{number} {what}" for number, what in counts if number)
    nothing = f"None of {of} sealed values is meant." if of else "No sealed value was found."
    out.print(f"Values: {said}." if said else nothing)
    if listed and not judged:
        out.print("Give the Destinations as PATH to tell old certificates from the newest.")


def _cells(one: Listed, now: datetime) -> list[str | Text]:
    found, value = one.found, one.found.value
    standing = {True: "newest", False: "old", None: "unknown"}[one.is_current]
    fingerprint = value.certificate.removeprefix("SHA256:")[:8] if value is not None else ""
    namespace, promise, name = (part or "-" for part in found.owner)
    return [
        *(namespace, name, promise),
        "/".join(found.secret) if found.secret is not None else "-",
        found.key or "-",
        found.destination or "-",
        Text(f"{fingerprint} {standing}".strip(), style="" if one.is_current else "yellow"),
        str(value.generation) if value is not None else "-",
        _age(now - found.issued) if found.issued is not None else "-",
        spell_moment(found.due) if found.due is not None else "-",
        Text(", ".join(kind for kind, _ in one.problems) or "-"),
    ]


def _age(age: timedelta) -> str:
    """Spell how long ago something was, in the largest unit of which there is one."""
    return next((f"{age // unit}{name}" for unit, name in _UNITS if age >= unit), "0m")

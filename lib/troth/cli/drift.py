"""``troth drift``: is what requests have outside still as the state store says?"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from troth.api import Json
from troth.cli.options import WorkOptions, output_option, pace_options, runner_options
from troth.cli.reports import console, print_json, tell_problems
from troth.cli.selection import Selection, selection_options
from troth.cli.store_options import StoreOptions, store_options
from troth.cli.working import working
from troth.engine import ROTATIONS, Account, Checked, DriftReport, Verdict
from troth.errors import InvalidInputError, Reason

__all__ = ["drift"]

_COLOURS = {
    Verdict.DRIFTED: "red",
    Verdict.UNKNOWN: "yellow",
    Verdict.REPAIRED: "green",
    Verdict.NOT_CHECKED: "dim",
}
_WORDS = {
    Verdict.DRIFTED: "drifted",
    Verdict.REPAIRED: "repaired",
    Verdict.UNKNOWN: "unknown",
    Verdict.INTACT: "intact",
    Verdict.NOT_CHECKED: "not checked",
}
_QUIET = frozenset({Verdict.INTACT, Verdict.NOT_CHECKED})


@click.command()
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path),
    metavar="PATH...",
)  # fmt: skip
@store_options
@click.option(
    "--repair",
    is_flag=True,
    help="Render again, with effects, what has drifted; nothing else is written or removed.",
)
@selection_options
@click.option(
    "--inventory",
    default="default",
    show_default=True,
    metavar="NAME",
    help="Whose requests are looked at.",
)
@pace_options
@runner_options
@click.option("--verbose", "-v", is_flag=True, help="List also what is intact or not checked.")
@output_option
def drift(  # noqa: PLR0913  (each is an option, handed over by name)
    *,
    paths: tuple[Path, ...],
    stores: StoreOptions,
    repair: bool,
    selection: Selection,
    inventory: str,
    verbose: bool,
    form: str,
    **others: object,
) -> int:
    """Ask providers whether what requests have outside is still as their records say.

    Needs the Promises in PATH..., and with --repair the requests too. Each provider is asked once
    for a whole account, never once a request; nothing is changed without --repair. No other
    command asks a provider for what is not due.

    \b
    Examples:
      troth drift promises/ requests/ -s build/fleet.git --secrets-dir secrets
      troth drift promises/ requests/ -s build/fleet.git --secrets-dir secrets --repair
      troth drift promises/nats-user -s build/fleet.git --secrets-dir secrets -n team-a -o json
    """  # noqa: D301  (click's \b keeps the lines of the examples)
    options = _options(paths, stores, inventory, others)
    with working(options, writes=repair) as session:
        tell_problems(session.inputs)
        unread = bool(session.inputs.problems)  # one of them may be a Promise, or what it is asked
        report = session.check_drift(selection.takes)
        _refuse_nobody(report, selection)
        if repair:
            report = session.mend_drift(report)
    if form == "json":
        calls: list[Json] = [_call_json(*one) for one in report.calls.items()]
        print_json("DriftReport", [_as_json(one) for one in report.checked], calls=calls)
    else:
        _print(report, verbose=verbose)
    return 0 if report.sound and not unread else 1


def _options(
    paths: Sequence[Path], stores: StoreOptions, inventory: str, others: Mapping[str, object]
) -> WorkOptions:
    """Return what a run is given, in which nothing may be removed."""
    return WorkOptions(
        paths=paths,
        stores=stores,
        inventory=inventory,
        source=None,
        prune=False,
        allow_deletions=0,
        deletion_budget=None,
        rotation_limit=ROTATIONS,
        **others,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  (click has checked each)
    )


def _refuse_nobody(report: DriftReport, selection: Selection) -> None:
    """Refuse to say that all is well with a request that nobody knows.

    Raises:
        InvalidInputError: a request was named, and none was found.
    """
    asked = asdict(selection)
    if not report.checked and any(text is not None for text in asked.values()):
        named = ", ".join(f"{part} {text}" for part, text in asked.items() if text is not None)
        message = f"the state store knows no request of {named}."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)


def _as_json(one: Checked) -> Json:
    return {**one.key._asdict(), "state": one.verdict.value, "message": one.message}


def _call_json(account: Account, count: int) -> Json:
    return {"promise": account.promise, "account": account.name, "calls": count}


def _print(report: DriftReport, *, verbose: bool) -> None:
    """Print a line for each request that is worth one, then why, then summaries."""
    out = console()
    told = [one for one in report.checked if verbose or one.verdict not in _QUIET]
    if told:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("NAMESPACE", "NAME", "PROMISE", "STATE"):
            table.add_column(heading, no_wrap=not out.is_terminal, overflow="fold")
        for one in told:
            namespace, promise, name = (part or "-" for part in one.key)
            state = Text(one.verdict, style=_COLOURS.get(one.verdict, ""))
            table.add_row(namespace, name, promise, state)
        out.print(table)
    for one in told:
        if one.message:
            out.print(Text(f"{one.verdict}: {one.key}: {one.message}"))
    for account, count in report.calls.items():
        out.print(f"Asked account {account.name} ({account.promise}) in {count} calls.")
    counts = Counter(one.verdict for one in report.checked)
    said = [f"{counts[verdict]} {_WORDS[verdict]}" for verdict in Verdict if counts[verdict]]
    out.print(f"{', '.join(said)}." if said else "Nothing to check: there is no request.")

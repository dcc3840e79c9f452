"""``troth verify``: prove a state store against its own records."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from troth.api import Json
from troth.api.labels import KRATIX_GROUP
from troth.cli.looking import looking
from troth.cli.options import output_option
from troth.cli.progress import busy, progress
from troth.cli.reports import console, print_json
from troth.cli.store_options import StoreOptions, store_options
from troth.engine import View
from troth.engine.edited import tell_edited
from troth.engine.proof import NOBODY, Flaw, Problem, Proof, Verdict
from troth.engine.stale import tell_stale
from troth.engine.verify import verify as prove
from troth.errors import InvalidInputError, Reason
from troth.local import Inputs

__all__ = ["verify"]

# Paths that a table lists for each problem; JSON has all of them.
_LISTED = 20

_TELLING = frozenset({"Destination", "GitStateStore"})


@click.command()
@click.argument(
    "paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[PATH]..."
)
@store_options
@click.option(
    "--quick",
    is_flag=True,
    help="Leave out whether the objects that the records name are those in the files. Every byte "
    "of the files is proved all the same.",
)
@output_option
def verify(
    *,
    paths: tuple[Path, ...],
    stores: StoreOptions,
    quick: bool,
    form: str,
) -> int:
    """Prove the files of a state store against its records, and write nothing.

    Needs nothing but the store. Destinations and GitStateStores in PATH... tell of several stores,
    of folders in which nothing was written yet, and what reads them. A table lists what is not
    proved; JSON lists everything.

    \b
    Examples:
      troth verify --state-store build/fleet.git
      troth verify -s build/fleet.git --quick -o json
      troth verify platform/destinations
    """  # noqa: D301  (click's \b keeps the lines of the examples)
    with looking(paths, stores) as looked:
        ledger = looked.ledger
        _require_something(ledger.view)
        with progress("Proving", len(ledger.entries), "Looking for what nobody owns") as advance:
            proofs = prove(ledger, looked.world, objects=not quick, progress=advance)
        with busy("Reading the history"):
            proofs = tell_edited(tell_stale(proofs, looked.past), looked.past)
    proofs = [*_unread(looked.inputs), *proofs]
    if form == "json":
        print_json("VerifyReport", [_as_json(proof) for proof in proofs])
    else:
        _print(proofs)
    return 1 if any(proof.verdict is Verdict.NOT_PROVED for proof in proofs) else 0


def _require_something(view: View) -> None:
    """Refuse to prove what was never written: it is the wrong store, or the wrong branch.

    Raises:
        InvalidInputError: no store that was reached holds anything.
    """
    if all(one.revision is None and not one.records() for one in view.snapshots.values()):
        message = (
            "the state store holds neither files nor records, so there is nothing to prove; look "
            "at --state-store and --branch."
        )
        raise InvalidInputError(Reason.INVALID_OBJECT, message)


def _unread(inputs: Inputs) -> list[Proof]:
    """Return what in the paths could not be used, and may have told of a Destination or store."""
    telling = {name for group, kind, _, name in inputs.refused
               if group == KRATIX_GROUP and kind in _TELLING}  # fmt: skip
    return [
        Proof(
            NOBODY,
            Verdict.NOT_PROVED,
            (Problem(Flaw.INPUT_UNREADABLE, item.message, (item.source,)),),
        )
        for item in inputs.problems
        if not item.name or item.name in telling
    ]


def _as_json(proof: Proof) -> dict[str, Json]:
    problems: list[Json] = [
        {"kind": str(one.flaw), "message": one.message, "paths": list(one.paths)}
        for one in proof.problems
    ]
    return {
        **proof.key._asdict(),
        "state": str(proof.verdict),
        "problems": problems,
        "revision": proof.revision,
    }


def _print(proofs: Sequence[Proof]) -> None:
    """Print a line for each that is not plainly proved, then why, then a summary."""
    out = console()
    told = [proof for proof in proofs if proof.problems]
    if told:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("NAMESPACE", "NAME", "PROMISE", "STATE", "PROBLEMS"):
            table.add_column(heading, no_wrap=not out.is_terminal, overflow="fold")
        for proof in told:
            colour = "red" if proof.verdict is Verdict.NOT_PROVED else "yellow"
            flaws = ", ".join(dict.fromkeys(one.flaw for one in proof.problems))
            namespace, promise, name = (part or "-" for part in proof.key)
            table.add_row(namespace, name, promise, Text(proof.verdict, style=colour), flaws)
        out.print(table)
    for proof in told:
        who = f"{proof.key}: " if proof.key.promise else ""
        for one in proof.problems:
            out.print(Text(f"{one.flaw}: {who}{one.message}"))
            for path in one.paths[:_LISTED]:
                out.print(Text(f"  {path}"))
            if len(one.paths) > _LISTED:
                out.print(f"  and {len(one.paths) - _LISTED} more")
    counts = Counter(proof.verdict for proof in proofs)
    words = {Verdict.PROVED: "proved", Verdict.NOT_PROVED: "not proved", Verdict.NOTED: "noted"}
    said = [f"{counts[verdict]} {words[verdict]}" for verdict in Verdict if counts[verdict]]
    out.print(f"{', '.join(said)}." if said else "Nothing to prove: there is no record.")

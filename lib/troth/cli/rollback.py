"""``troth rollback``: bring the files of a request back to what they were at a commit."""

import sys

import click

from troth.cli.diffs import changed_json, print_diffs
from troth.cli.looking import OneRequest, find, one_request_options
from troth.cli.progress import busy
from troth.cli.reports import print_items, print_json, receipt_json
from troth.engine import Item, State
from troth.engine.report import of_record
from troth.engine.rollback import Rollback, roll_back
from troth.engine.survey import ends_when_due
from troth.errors import Reason, TrothError
from troth.local.past import hand_over
from troth_statestore import Receipt

__all__ = ["rollback"]


@click.command()
@one_request_options
@click.option(
    "--to",
    "commits",
    required=True,
    multiple=True,
    metavar="COMMIT",
    help="A commit of the request, as troth history lists it. Where it has files in several "
    "stores, one for each of them that is to change.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def rollback(
    *, which: OneRequest, form: str, commits: tuple[str, ...], dry_run: bool, yes: bool
) -> int:
    """Set the files of a request back to what they were at a commit, by a new commit.

    They are kept until the request changes, or its stages are due to run again. What its stages
    keep, outside or in their status, is not set back, and nothing is that would bring back a sealed
    value. Shows the diff and asks.

    \b
    Examples:
      troth history payments-dev -s build/fleet.git
      troth rollback payments-dev --to 1a2b3c4d -s build/fleet.git
      troth rollback namespace/payments-dev --to 1a2b3c4d -s build/fleet.git --dry-run
    """  # noqa: D301  (click's \b keeps the lines of the examples)
    with which.looking(writes=not dry_run) as looked:
        key = find(looked.ledger, which)
        with busy("Reading the history"):
            found = roll_back(looked.past, key, commits)
        if form != "json":
            print_diffs(found.files)
        if not found.files:
            revision = looked.ledger.view.revision(found.steps[-1].store)
            text = "its files are so already."
            item = of_record(found.record, State.UNCHANGED, Reason.REVERTED, text, revision)
        else:
            item = _wanted(found)
        if dry_run or not found.files:
            return _tell(found, item, form, planned=dry_run)
        _confirm(found, yes=yes)
        [fate] = hand_over(looked.stores, [found.change])
    if isinstance(fate, TrothError):
        raise fate
    return _tell(found, _written(item, fate), form, planned=False)


def _wanted(found: Rollback) -> Item:
    named = ", ".join(step.commit.revision[:12] for step in found.steps)
    text = f"its files are those of {named}; they are kept until the request changes."
    text += ends_when_due(found.record)
    return of_record(found.record, State.WRITTEN, Reason.REVERTED, text)


def _written(item: Item, receipt: Receipt) -> Item:
    return Item(
        *(item.namespace, item.promise, item.name, item.state, item.reason, item.message),
        *(item.placements, receipt.revision, item.source, receipt.tree, receipt.changed),
    )


def _confirm(found: Rollback, *, yes: bool) -> None:
    """Ask somebody who sits there; a program has to have said so."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("nobody can be asked here: add --yes, or --dry-run.")
    number = len(found.files)
    click.confirm(f"Write {number} file{'' if number == 1 else 's'}?", abort=True, err=True)


def _tell(found: Rollback, item: Item, form: str, *, planned: bool) -> int:
    if form == "json":
        changes = [changed_json(one) for one in found.files]
        print_json("RollbackReport", [{**receipt_json(item), "changes": changes}])
    else:
        print_items([item], planned=planned)
    return 0

"""``troth status``: what a state store knows of its requests."""

from contextlib import closing

import click

from troth.api import dump_documents
from troth.cli.options import output_option
from troth.cli.reports import console, exit_code, item_json, print_items, print_json
from troth.cli.store_options import StoreOptions, store_options
from troth.engine import Entry, Ledger, View, survey, survey_one
from troth.errors import InvalidInputError, Reason
from troth.local import open_store

__all__ = ["status"]


@click.command()
@click.argument("which", required=False, metavar="[PROMISE[/NAME]]")
@click.option("--namespace", "-n", metavar="NS", help="Only requests of this namespace.")
@store_options
@output_option
def status(
    *,
    which: str | None,
    namespace: str | None,
    stores: StoreOptions,
    form: str,
) -> int:
    """Show what the state store holds: every request, or one, or a Promise itself, with its status.

    \b
    Examples:
      troth status --state-store build/fleet.git
      troth status namespace/payments-dev -n default -s build/fleet.git
    """  # noqa: D301  (click's \b keeps the lines of the examples)
    with closing(open_store(stores.one(), create=False)) as store:
        ledger = Ledger.read(View.of(store.snapshot()))
        if which is not None:
            return _show_one(ledger, _find(ledger, which, namespace), form)
        items = [one for one in survey(ledger) if namespace in {None, one.namespace}]
    if form == "json":
        print_json("StatusReport", [item_json(item) for item in items])
    else:
        print_items(items)
    return exit_code(items)


def _find(ledger: Ledger, which: str, namespace: str | None) -> Entry:
    promise, _, name = which.partition("/")
    found = [
        entry
        for key, entry in ledger.entries.items()
        if (key.promise, key.name) == (promise, name)
        and (key.is_promise or namespace in {None, key.namespace})
    ]
    if len(found) > 1:
        spaces = ", ".join(sorted(entry.record.key.namespace for entry in found))
        raise click.UsageError(f"{which} stands in several namespaces ({spaces}); choose with -n.")
    for spot, error in ledger.unreadable.items():
        if not found and spot.path.endswith(f"/{which}.yaml"):
            raise error
    if not found:
        where = f" in namespace {namespace}" if namespace else ""
        what = f"request {which}{where}" if name else f"Promise {which} with output of its own"
        message = f"the state store knows no {what}; requests are named PROMISE/NAME."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    return found[0]


def _show_one(ledger: Ledger, entry: Entry, form: str) -> int:
    item, record = survey_one(ledger, entry), entry.record
    if form == "json":
        print_json("StatusReport", [{**item_json(item), "status": record.status}])
        return exit_code([item])
    print_items([item])
    out = console()
    out.print(f"\ngeneration {record.generation}, inventory {record.inventory}")
    for placement in record.placements:
        out.print(f"\n{placement.destination}: {placement.path}")
        for path in placement.files:
            out.print(f"  {path.removeprefix(placement.path + '/')}")
    if record.status:
        out.print("\nstatus:")
        click.echo(dump_documents([record.status]).decode(), nl=False)
    return exit_code([item])

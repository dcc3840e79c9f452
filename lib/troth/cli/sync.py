"""``troth sync``: bring a state store to what files ask for."""

import click

from troth.cli.options import WorkOptions, work_options
from troth.cli.reports import exit_code, print_items, print_json, receipt_json
from troth.cli.working import working

__all__ = ["sync"]


@click.command()
@work_options
@click.option(
    "--repair",
    multiple=True,
    metavar="NAME",
    help="Put the record of a request right that cannot be read, although its files differ from "
    "its newest version that can; [NAMESPACE/]PROMISE/NAME tells it from others.",
)
def sync(*, options: WorkOptions, form: str, repair: tuple[str, ...]) -> int:
    """Render every request in PATH... and commit what changed to the state store.

    A folder is read recursively; one that holds promise.yaml is a bundle, of which promise.yaml
    and resource-request*.yaml are read. Running it again changes nothing. A request whose file is
    gone is removed, if everything it was read from could be read again.

    \b
    Examples:
      troth sync promises/namespace --state-store build/fleet.git
      troth sync promises/ requests/ -s https://git.example.com/platform/fleet.git
      troth sync requests/ -s dir:build/fleet -o json
    """  # noqa: D301  (click's \b keeps the lines of the examples)
    with working(options, writes=True) as session:
        items = session.sync(repair)
    if form == "json":
        print_json("SyncReport", [receipt_json(item) for item in items])
    else:
        print_items(items)
    return exit_code(items)

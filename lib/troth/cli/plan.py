"""``troth plan``: show what sync would change, and write nothing."""

from dataclasses import replace

import click

from troth.api import Json
from troth.cli.diffs import changed_json, print_diffs
from troth.cli.options import WorkOptions, work_options
from troth.cli.reports import exit_code, item_json, print_items, print_json
from troth.cli.working import working
from troth.engine import Preview, preview

__all__ = ["plan"]

_CHANGES = 2  # exit code of --detailed-exitcode when there is something to do


@click.command()
@work_options
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 0 when nothing would change, 1 on any error, 2 when something would.",
)
def plan(*, options: WorkOptions, form: str, detailed_exitcode: bool) -> int:
    """Show as a diff what sync would change for PATH..., and write nothing.

    \b
    Examples:
      troth plan promises/namespace --state-store build/fleet.git
      troth plan promises/ requests/ -s build/fleet.git --detailed-exitcode
    """  # noqa: D301  (click's \b keeps the lines of the examples)
    with working(options, writes=False) as session:
        found, repairs = session.foresee()
        previews = preview(found)
        problems = [Preview(item) for item in session.inputs.problems]
    previews = [*problems, *(replace(one, item=repairs.tell(one.item)) for one in previews)]
    items = [one.item for one in previews]
    previews += map(Preview, repairs.beside(items))
    items = [one.item for one in previews]
    if form == "json":
        print_json("PlanReport", [_as_json(one) for one in previews])
    else:
        print_diffs(change for one in previews for change in one.files)
        print_items(items, planned=True)
    if failed := exit_code(items):
        return failed
    changes = bool(repairs.found) or any(one.files for one in previews)
    return _CHANGES if detailed_exitcode and changes else 0


def _as_json(one: Preview) -> Json:
    return {**item_json(one.item), "changes": [changed_json(change) for change in one.files]}

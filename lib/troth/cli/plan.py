"""``troth plan``: show what sync would change, and write nothing."""

import difflib
from collections.abc import Sequence

import click
from rich.text import Text

from troth.api import Json
from troth.cli.options import WorkOptions, work_options
from troth.cli.reports import console, exit_code, item_json, print_items, print_json
from troth.cli.working import working
from troth.engine import FileChange, Preview, preview

__all__ = ["plan"]

_CHANGES = 2  # exit code of --detailed-exitcode when there is something to do

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


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
        previews = preview(session.plan(session.look()))
        problems = [Preview(item) for item in session.inputs.problems]
    previews = [*problems, *previews]
    items = [one.item for one in previews]
    if form == "json":
        print_json("PlanReport", [_as_json(one) for one in previews])
    else:
        _print_diffs(previews)
        print_items(items, planned=True)
    if failed := exit_code(items):
        return failed
    return _CHANGES if detailed_exitcode and any(one.files for one in previews) else 0


def _as_json(one: Preview) -> Json:
    changes: list[Json] = [{"path": str(c.spot), "action": _action(c)} for c in one.files]
    return {**item_json(one.item), "changes": changes}


def _action(change: FileChange) -> str:
    if change.before is None:
        return "create"
    return "delete" if change.after is None else "update"


def _print_diffs(previews: Sequence[Preview]) -> None:
    out = console()
    for one in previews:
        for change in one.files:
            for line in _diff(change):
                out.print(Text(line, style=_COLOURS.get(line[:1], "")))


def _diff(change: FileChange) -> list[str]:
    def lines(content: bytes | None) -> list[str]:
        return (content or b"").decode(errors="replace").splitlines()

    before = "/dev/null" if change.before is None else f"a/{change.spot}"
    after = "/dev/null" if change.after is None else f"b/{change.spot}"
    diff = difflib.unified_diff(
        lines(change.before), lines(change.after), before, after, lineterm=""
    )
    return list(diff)

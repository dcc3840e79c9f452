"""``troth reseal``: give old ciphertexts a renewed certificate."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path

import click

from troth.api import Json
from troth.cli.controller_options import ControllerOptions, controller_options
from troth.cli.options import WorkOptions, output_option, runner_options
from troth.cli.progress import progress
from troth.cli.reports import console, exit_code, print_items, print_json, receipt_json
from troth.cli.selection import Selection, selection_options
from troth.cli.store_options import StoreOptions, store_options
from troth.cli.working import working
from troth.local.controllers import Reencryption
from troth.local.reseal import Reseal, Resealed

__all__ = ["reseal"]


def _work(function: Callable[..., int]) -> Callable[..., int]:
    """Take what a session needs that renders what was fulfilled already, and nothing else."""

    @wraps(function)
    def collected(
        *,
        paths: Sequence[Path],
        stores: StoreOptions,
        inventory: str,
        images: Mapping[str, str],
        stage_timeout: float,
        **others: object,
    ) -> int:
        options = WorkOptions(
            *(paths, stores, inventory, None),
            prune=False,
            allow_deletions=0,
            deletion_budget=None,
            rotation_limit=0,
            pushes_per_minute=None,
            push_burst=None,
            accept_remote=False,
            images=images,
            stage_timeout=stage_timeout,
        )
        return function(options=options, **others)

    return collected


@click.command()
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH...",
)
@selection_options
@controller_options
@click.option(
    "--dry-run", is_flag=True, help="Say what would be sealed anew; ask and write nothing."
)
@store_options
@click.option(
    "--inventory",
    default="default",
    show_default=True,
    metavar="NAME",
    help="Whose requests these are, as for sync.",
)
@runner_options
@output_option
@_work
def reseal(
    *,
    options: WorkOptions,
    selection: Selection,
    controllers: ControllerOptions,
    dry_run: bool,
    form: str,
) -> int:
    """Seal anew what is not under the newest certificate of its Destination.

    PATH... are those of sync, since stages render from the new state: nothing but ciphertexts may
    change, or nothing is written for that request. The controller of each cluster is asked to seal
    its own values anew, and no value leaves it; the certificate that it has now has to be the one
    that the Destination names. Ends with 1 when a value stays under an old certificate.

    \b
    Examples:
      troth reseal promises requests platform -s build/fleet.git --dry-run
      troth reseal promises requests platform -s build/fleet.git -n default
      troth reseal promises requests platform -s build/fleet.git --controller west=http://127.0.0.1:8080
    """  # noqa: D301  (click's \b keeps the lines of the examples)
    with working(options, writes=not dry_run, creates=False) as session:
        found = controllers.among(session.sealing)
        run = Reseal(session, Reencryption(found, session.moment().now), dry_run)
        todo = run.look(selection.takes)
        with progress("Sealing anew", len(todo.aged)) as advance:
            told = sorted(run.carry_out(todo, advance), key=lambda one: one.item.key)
    if form == "json":
        print_json("ResealReport", [_as_json(one) for one in told])
    else:
        _print(told, planned=dry_run)
    return 1 if any(one.kept for one in told) else exit_code(one.item for one in told)


def _as_json(one: Resealed) -> dict[str, Json]:
    return {
        **receipt_json(one.item),
        "resealed": one.renewed,
        "kept": one.kept,
        "current": one.current,
        "unknown": one.unknown,
    }


def _print(told: Sequence[Resealed], *, planned: bool) -> None:
    """Print a line for each in which something is, or should be, sealed anew; then the counts."""
    items = [one.item for one in told if one.renewed or one.kept]
    if items:
        print_items(items, planned=planned)
    counts = (
        (sum(one.renewed for one in told), "would be sealed anew" if planned else "sealed anew"),
        (sum(one.kept for one in told), "kept under an old certificate"),
        (sum(one.current for one in told), "under the newest already"),
        (sum(one.unknown for one in told), "of unknown certificate"),
    )
    said = ", ".join(f"{number} {what}" for number, what in counts if number)
    console().print(f"Values: {said}." if said else "No sealed value was found.")

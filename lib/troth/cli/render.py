"""``troth render``: show the manifests of a request, with no state store at all."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from troth.api import Workflows
from troth.cli.options import runner_options
from troth.cli.reports import console, exit_code, print_items
from troth.cli.working import make_runner, serving, warn_of_open_promises
from troth.engine import Settings, preview
from troth.engine.draft import Draft
from troth.errors import InvalidInputError, Reason
from troth.local import SyncOptions, load, open_session
from troth.local.files import root_of
from troth_statestore.memory import MemoryStore

__all__ = ["render"]


@click.command()
@click.argument("request", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--promise",
    "-p",
    "promises",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="File or folder with the Promise.  [default: promise.yaml beside the request]",
)
@click.option(
    "--output",
    "-d",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the files there instead of to standard output.",
)
@runner_options
def render(
    *,
    request: Path,
    promises: tuple[Path, ...],
    folder: Path | None,
    images: Mapping[str, str],
    stage_timeout: float,
) -> int:
    """Render the manifests of REQUEST as sync would write them.

    \b
    Examples:
      troth render promises/namespace/resource-request.yaml
      troth render request.yaml --promise promises/namespace --output build/manifests
    """  # noqa: D301  (click's \b keeps the lines of the examples)
    inputs = load([request, *(promises or _beside(request))])
    inputs.submissions = [one for one in inputs.submissions if one.root == root_of(request, None)]
    # This one request is asked for, whatever else its Promise does or requires.
    inputs.promises = {
        name: replace(one, requires=(), dependencies=(), workflows=_of_requests(one.workflows))
        for name, one in inputs.promises.items()
    }
    warn_of_open_promises(inputs)
    with serving(promises or [request.parent], images) as served:
        runner = make_runner(served, stage_timeout)
        with open_session(inputs, {"": MemoryStore()}, runner, SyncOptions(Settings())) as session:
            plan = session.plan(session.look())
    items = [*inputs.problems, *(one.item for one in preview(plan))]
    drafts = [draft for draft, _ in plan.drafts]
    if exit_code(items) or not drafts:
        print_items(items)
        return exit_code(items) or 1
    files = _files(drafts)
    if folder is None:
        for path, content in files.items():
            click.echo(f"# {path}\n---\n{content.decode()}", nl=False)
    else:
        _write(folder, files)
    return 0


def _of_requests(workflows: Workflows) -> Workflows:
    return replace(workflows, promise_configure=(), promise_delete=())


def _beside(request: Path) -> list[Path]:
    beside = request.parent / "promise.yaml"
    if not beside.is_file():
        message = f"there is no promise.yaml beside {request}; name the Promise with --promise."
        raise InvalidInputError(Reason.PROMISE_NOT_FOUND, message)
    return [beside]


def _files(drafts: Sequence[Draft]) -> dict[str, bytes]:
    """Return path → content, with as many folders before a path as tell the files apart."""
    files: dict[str, bytes] = {}
    pipelines = {placement.group.pipeline for draft in drafts for placement in draft.placements}
    for draft in drafts:
        for placement in draft.placements:
            parts = list(draft.key) if len(drafts) > 1 else []
            parts += [placement.group.pipeline] if len(pipelines) > 1 else []
            for path, content in (placement.group.files or {}).items():
                files["/".join([*parts, path])] = content
    return dict(sorted(files.items()))


def _write(folder: Path, files: dict[str, bytes]) -> None:
    try:
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    except OSError as error:
        message = f"{error.filename}: this cannot be written: {error.strerror}."
        raise InvalidInputError(Reason.INVALID_OBJECT, message) from error
    console(stderr=True).print(f"{len(files)} files written to {folder}.")

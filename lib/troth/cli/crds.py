"""``troth crds``: the CustomResourceDefinitions that a cluster needs, and what a Promise adds."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from troth.api import JsonObject, dump_documents
from troth.api.crds import installed_crd, platform_crds
from troth.cli.promise_path import promise_file, promise_in

__all__ = ["crds"]


@click.command()
@click.argument(
    "name",
    required=False,
    metavar="[NAME]",
    type=click.Choice(list(platform_crds()), case_sensitive=False),
)
@click.option(
    "--promise",
    "-p",
    "path",
    type=click.Path(exists=True, path_type=Path),
    metavar="PROMISE_PATH",
    help="Print the CRD that this Promise, a file or a bundle's folder, installs.",
)
@click.option(
    "--output",
    "--output-format",
    "-o",
    "form",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="Form of what is printed.",
)
def crds(*, name: str | None, path: Path | None, form: str) -> int:
    """Print the CRDs of the platform's own kinds, or the one of NAME, such as promises.

    They are those of Kratix, so that what was written for it is accepted, with checks of their
    own. The CRD of a Promise is what its author wrote, with the status that a controller writes.

    \b
    Examples:
      troth crds | kubectl apply --server-side --filename -
      troth crds destinations
      troth crds --promise promises/namespace --output json
    """  # noqa: D301  (click's \b keeps the lines of the examples)
    if name is not None and path is not None:
        raise click.UsageError("give NAME or --promise, not both.")
    if path is not None:
        found: Sequence[JsonObject] = [installed_crd(promise_in(promise_file(path)))]
    else:
        known = platform_crds()
        found = list(known.values()) if name is None else [known[name]]
    click.echo(_json(found) if form == "json" else dump_documents(found).decode(), nl=False)
    return 0


def _json(found: Sequence[JsonObject]) -> str:
    """Spell one object, or several as the list that kubectl takes."""
    one = found[0] if len(found) == 1 else {"apiVersion": "v1", "kind": "List", "items": found}
    return json.dumps(one, indent=2, ensure_ascii=False) + "\n"

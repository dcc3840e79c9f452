"""``troth controller``: serve what is asked for with kubectl."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from troth.api import Secrets
from troth.cli.options import runner_options
from troth.cli.working import make_runner
from troth.errors import InvalidInputError, Reason
from troth.runners.warm import WarmRunner

__all__ = ["controller"]


@dataclass(frozen=True, slots=True)
class _Asked:
    kubeconfig: Path | None
    inventory: str
    ca_file: Path | None
    allow_open_promises: bool
    images: Mapping[str, str]
    stage_timeout: float


@click.command()
@click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Leads to the API server; without it, that of the Pod this runs in.",
)
@click.option(
    "--inventory",
    default="controller",
    show_default=True,
    help="Whose requests these are: only those of this name are removed by this controller.",
)
@click.option(
    "--git-ca-file",
    "ca_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificates that vouch for the hosts of state stores, PEM.",
)
@click.option(
    "--allow-open-promises",
    is_flag=True,
    help="Serve Promises without a fence, such as Kratix's own: their requests may write into "
    "any namespace but the system's.",
)
@runner_options
def controller(**given: Any) -> None:  # noqa: ANN401  (click has checked each)
    """Watch Promises and requests in a cluster, and write what they ask for to Git.

    Needs the extra `controller`, and the CRDs that `troth crds` prints. When it is told to end, what
    it has begun is written first.

    \b
    Examples:
      troth crds | kubectl apply --server-side --filename -
      troth controller --kubeconfig ~/.kube/config
    """  # noqa: D301  (click's \b keeps the lines of the examples)
    try:
        from troth.controller.run import Options, run  # noqa: PLC0415  (the extra may be missing)
    except ModuleNotFoundError as error:
        message = (
            f"the controller needs {error.name}, which is not installed; install troth[controller]."
        )
        raise InvalidInputError(Reason.INVALID_OBJECT, message) from None
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", force=True
    )

    asked = _Asked(**given)

    def runner_of(secrets: Secrets) -> WarmRunner:
        return make_runner(asked.images, asked.stage_timeout, secrets)

    run(
        Options(
            runner_of,
            asked.kubeconfig,
            asked.inventory,
            asked.ca_file,
            allows_open=asked.allow_open_promises,
        )
    )

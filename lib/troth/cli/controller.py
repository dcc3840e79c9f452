"""``troth controller``: serve what is asked for with kubectl."""

import logging
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from troth.api import Secrets
from troth.cli.options import runner_options
from troth.cli.working import make_runner
from troth.errors import InvalidInputError, Reason
from troth.runners.warm import WarmRunner

if TYPE_CHECKING:
    from troth.controller.lease import LeaseTerms

__all__ = ["controller"]

_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class _Asked:
    kubeconfig: Path | None
    inventory: str
    ca_file: Path | None
    allow_open_promises: bool
    lease: str
    lease_namespace: str | None
    lease_seconds: int
    no_leader_election: bool
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
@click.option(
    "--lease",
    default="troth-controller",
    show_default=True,
    help="The Lease that is waited for, so that of several controllers one serves.",
)
@click.option(
    "--lease-namespace",
    help="Where the Lease is; that of the Pod, or default, where nothing is given.",
)
@click.option(
    "--lease-seconds",
    type=click.IntRange(3, 3600),
    default=15,
    show_default=True,
    help="How long others wait after it was last renewed.",
)
@click.option(
    "--no-leader-election",
    is_flag=True,
    help="Serve at once, without a Lease: there must be no other controller.",
)
@runner_options
def controller(**given: Any) -> None:  # noqa: ANN401  (click has checked each)
    """Watch Promises and requests in a cluster, and write what they ask for to Git.

    Needs the extra `controller`, and the CRDs that `troth crds` prints. When it is told to end,
    what it has begun is written first; it ends with 1 when another has taken its Lease.

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

    def runner_of(source: Secrets) -> WarmRunner:
        return make_runner(asked.images, asked.stage_timeout, source)

    run(
        Options(
            runner_of,
            asked.kubeconfig,
            asked.inventory,
            asked.ca_file,
            allows_open=asked.allow_open_promises,
            lease=None if asked.no_leader_election else _terms(asked),
        )
    )


def _terms(asked: _Asked) -> "LeaseTerms":
    from troth.controller.lease import LeaseTerms  # noqa: PLC0415  (the extra may be missing)

    namespace = asked.lease_namespace
    if namespace is None:
        namespace = _POD.read_text(encoding="utf-8") if _POD.is_file() else "default"
    # No other process may take itself for this one, not even the next one of this machine.
    identity = f"{socket.gethostname()}_{secrets.token_hex(8)}"
    return LeaseTerms(asked.lease, namespace.strip(), identity, asked.lease_seconds)

"""The ``troth`` command and the one place that turns errors into words and exit codes.

Exit codes: 0 done, 1 something was refused or failed, 2 wrong usage.
"""

import logging
import sys
from collections.abc import Sequence

import click

from troth import __version__
from troth.cli.completion import completion
from troth.cli.controller import controller
from troth.cli.crds import crds
from troth.cli.docs import docs
from troth.cli.drift import drift
from troth.cli.history import history
from troth.cli.init import init
from troth.cli.plan import plan
from troth.cli.render import render
from troth.cli.reseal import reseal
from troth.cli.rollback import rollback
from troth.cli.seal import seal
from troth.cli.secrets import secrets
from troth.cli.status import status
from troth.cli.stores import stores
from troth.cli.sync import sync
from troth.cli.test import test
from troth.cli.verify import verify
from troth.errors import FaultError, InvalidInputError, TransientError, TrothError

__all__ = ["main", "troth"]

_FAILED = 1
_WRONG_USAGE = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="troth")
@click.option("--debug", is_flag=True, help="Print what goes on inside, and tracebacks.")
def troth(*, debug: bool) -> None:
    """Fulfil Promises: render what developers ask for, and keep it in Git for Argo CD or Flux."""
    logging.basicConfig(level=logging.DEBUG if debug else logging.WARNING, format="%(message)s")


_ABOUT_STORES = (status, history, rollback, verify, drift, stores)
_ABOUT_SECRETS = (seal, secrets, reseal)
for command in (
    *(sync, plan, render, *_ABOUT_STORES, *_ABOUT_SECRETS),
    *(test, docs, init, crds, controller, completion),
):
    troth.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command, and leave the process with its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # There, 2 means changes: what went wrong, and be it the usage, has to be told by another.
    wrong_usage = _FAILED if "--detailed-exitcode" in given else _WRONG_USAGE
    try:
        code: object = troth.main(given, prog_name="troth", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(wrong_usage)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Aborted; what had been pushed stays, the rest is taken up next time.", err=True)
        sys.exit(_FAILED)
    except TrothError as error:
        _tell(error)
        sys.exit(wrong_usage if isinstance(error, InvalidInputError) else _FAILED)
    except Exception as error:
        _tell(FaultError.of(error))
        if "--debug" in given:
            raise
        sys.exit(_FAILED)
    sys.exit(code if isinstance(code, int) else 0)


def _tell(error: TrothError) -> None:
    click.echo(f"Error: {error.message} [{error.reason}]", err=True)
    if isinstance(error, TransientError):
        click.echo("This may pass by itself; try again later.", err=True)

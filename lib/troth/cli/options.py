"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

__all__ = ["branch_option", "inventory_options", "output_option", "paths_argument", "store_option"]

F = TypeVar("F", bound=Callable[..., object])


def paths_argument(function: F) -> F:
    """Take the files and folders to read."""
    return click.argument(
        "paths",
        nargs=-1,
        required=True,
        type=click.Path(exists=True, path_type=Path),
        metavar="PATH...",
    )(function)


def store_option(function: F) -> F:
    """Take the state store, also from TROTH_STATE_STORE."""
    return click.option(
        "--state-store",
        "-s",
        envvar="TROTH_STATE_STORE",
        show_envvar=True,
        metavar="URL|DIR",
        help="Git URL, or a path: a bare repository, made when it does not exist. dir:PATH is a "
        "plain folder. Without it the GitStateStore among the files is used.",
    )(function)


def branch_option(function: F) -> F:
    """Take the branch that agents read."""
    return click.option(
        "--branch", "-b", metavar="NAME", help="Branch that agents read.  [default: main]"
    )(function)


def inventory_options(function: F) -> F:
    """Take whose requests these are, and what may be removed."""
    for option in (
        click.option(
            "--allow-deletions",
            type=click.IntRange(min=0),
            default=0,
            metavar="N",
            help="Agree to remove up to N requests, where more than 10 and more than a fifth of "
            "the inventory would go.",
        ),
        click.option(
            "--prune",
            is_flag=True,
            help="Remove also requests that were read from paths not given this time.",
        ),
        click.option(
            "--inventory",
            default="default",
            show_default=True,
            metavar="NAME",
            help="Whose requests these are; only they are ever removed.",
        ),
    ):
        function = option(function)
    return function


def output_option(function: F) -> F:
    """Take the form of the report."""
    return click.option(
        "--output-format",
        "-o",
        "form",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        help="Form of the report on standard output.",
    )(function)

"""Options that several commands share, and what a command that works on requests is given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TypeVar

import click

__all__ = [
    "WorkOptions",
    "branch_option",
    "output_option",
    "runner_options",
    "store_option",
    "work_options",
]

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class WorkOptions:
    """The options of a command that works on requests; each is described where it is declared."""

    paths: Sequence[Path]
    state_store: str | None
    branch: str | None
    inventory: str
    source: str | None
    prune: bool
    allow_deletions: int
    images: Mapping[str, str]
    stage_timeout: float


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


def runner_options(function: F) -> F:
    """Take which images are served, and how long a stage may run."""
    return _all(
        function,
        click.option(
            "--image",
            "images",
            multiple=True,
            metavar="PATTERN=PACKAGE",
            callback=_images,
            help="Serve images that match PATTERN by the stages of an installed package, e.g. "
            "acme-stage:*=acme; may be repeated.",
        ),
        click.option(
            "--stage-timeout",
            type=click.FloatRange(min=0.1, max=86400.0),
            default=60.0,
            show_default=True,
            metavar="SECONDS",
            help="How long a stage may run.",
        ),
    )


def work_options(function: Callable[..., int]) -> Callable[..., int]:
    """Take all that `WorkOptions` holds, and hand it over as ``options``."""

    @wraps(function)
    def collected(**given: object) -> int:
        mine = {one.name: given.pop(one.name) for one in fields(WorkOptions)}
        return function(options=WorkOptions(**mine), **given)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  (click has checked each)

    return _all(
        collected,
        click.argument(
            "paths",
            nargs=-1,
            required=True,
            type=click.Path(exists=True, path_type=Path),
            metavar="PATH...",
        ),
        store_option,
        branch_option,
        click.option(
            "--inventory",
            default="default",
            show_default=True,
            metavar="NAME",
            help="Whose requests these are; only they are ever removed.",
        ),
        click.option(
            "--source",
            metavar="NAME",
            help="Name of the folder this runs in, where its own name changes from run to run, as "
            "in a CI job. A request is removed only when all it was read from is read again, and "
            "that is told by absolute paths, or by this name and the relative path.",
        ),
        click.option(
            "--prune",
            is_flag=True,
            help="Remove also requests that were read from paths not given this time.",
        ),
        click.option(
            "--allow-deletions",
            type=click.IntRange(min=0),
            default=0,
            metavar="N",
            help="Agree to remove up to N requests, where more than 10 and more than a fifth of "
            "the inventory would go.",
        ),
        runner_options,
        output_option,
    )


def _all(function: F, *decorators: Callable[[F], F]) -> F:
    """Apply decorators so that the options stand in help in the order given."""
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def _images(_: click.Context, __: click.Parameter, given: Sequence[str]) -> Mapping[str, str]:
    """Return pattern → package, the stages we ship first."""
    images = {"troth-stage:*": "troth"}
    for one in given:
        pattern, equals, package = one.partition("=")
        if not (pattern and equals and package):
            raise click.BadParameter(f"{one!r} is no PATTERN=PACKAGE, e.g. acme-stage:*=acme.")
        images[pattern] = package
    return images

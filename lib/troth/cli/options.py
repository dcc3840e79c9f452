"""Options that several commands share, and what a command that works on requests is given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TypeVar, cast

import click

from troth.api import DeletionLimit, StorePolicy
from troth.api.store_policy import limit_of, rate_of
from troth.cli.store_options import StoreOptions, store_options
from troth.engine import ROTATIONS

__all__ = [
    "WorkOptions",
    "output_option",
    "pace_options",
    "runner_options",
    "work_options",
]

F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WorkOptions:
    """The options of a command that works on requests; each is described where it is declared."""

    paths: Sequence[Path]
    stores: StoreOptions
    inventory: str
    source: str | None
    prune: bool
    allow_deletions: int
    deletion_budget: DeletionLimit | None
    rotation_limit: int
    pushes_per_minute: float | None
    push_burst: int | None
    accept_remote: bool
    images: Mapping[str, str]
    stage_timeout: float

    @property
    def policy(self) -> StorePolicy:
        """What was said for all stores, before what their objects say."""
        return StorePolicy(self.pushes_per_minute, self.push_burst, self.deletion_budget)


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
        cast("Callable[..., int]", collected),
        click.argument(
            "paths",
            nargs=-1,
            required=True,
            type=click.Path(exists=True, path_type=Path),
            metavar="PATH...",
        ),
        store_options,
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
        _budget_options,
        runner_options,
        output_option,
    )


def _budget_options(function: F) -> F:
    """Take how much may be removed or rotated in a run, and what `pace_options` takes."""
    return _all(
        function,
        click.option(
            "--allow-deletions",
            type=click.IntRange(min=0),
            default=0,
            metavar="N",
            help="Agree to remove up to N requests in this run, where the deletion budget would "
            "stop it.",
        ),
        click.option(
            "--deletion-budget",
            envvar="TROTH_DELETION_BUDGET",
            show_envvar=True,
            callback=_read(limit_of),
            metavar="N,PERCENT%",
            help="Stop where more than N requests and more than this part of the inventory would "
            "go; 100% never stops.  [default: 10,20%]",
        ),
        click.option(
            "--rotation-limit",
            envvar="TROTH_ROTATION_LIMIT",
            show_envvar=True,
            type=click.IntRange(min=0),
            default=ROTATIONS,
            show_default=True,
            metavar="N",
            help="How many requests may make their credentials anew in this run since a cluster "
            "has lost its sealing keys; the others wait with what they have.",
        ),
        pace_options,
    )


def pace_options(function: F) -> F:
    """Take how often stores are pushed to, and whether what was done to them is accepted."""
    return _all(
        function,
        click.option(
            "--pushes-per-minute",
            envvar="TROTH_PUSHES_PER_MINUTE",
            show_envvar=True,
            callback=_read(rate_of),
            metavar="N|unlimited",
            help="How often a store may be pushed to.  [default: 6 on a host, unlimited on this "
            "machine]",
        ),
        click.option(
            "--push-burst",
            envvar="TROTH_PUSH_BURST",
            show_envvar=True,
            type=click.IntRange(min=1),
            metavar="N",
            help="Pushes that need not wait after a pause.  [default: 3]",
        ),
        click.option(
            "--accept-remote",
            is_flag=True,
            help="Go on from what is there, where a branch of the state store was set back, "
            "replaced or deleted since the last run.",
        ),
    )


def _read(
    read: Callable[[str], T],
) -> Callable[[click.Context, click.Parameter, str | None], T | None]:
    """Return a callback that reads an option's text, and says what is wrong with it."""

    def callback(_: click.Context, __: click.Parameter, text: str | None) -> T | None:
        try:
            return None if text is None else read(text)
        except ValueError as error:
            raise click.BadParameter(f"{error}.") from error

    return callback


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

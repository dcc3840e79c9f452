"""What ``sync`` and ``plan`` do alike: read inputs, open store and runner, say what is assumed."""

import math
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console

from troth.api import RequestSchema, Secrets
from troth.api.labels import ALLOW_DELETIONS
from troth.cli.options import WorkOptions
from troth.cli.progress import busy, progress
from troth.cli.reports import console, with_problems
from troth.engine import RotationLimit, Settings
from troth.local import Inputs, Session, SyncOptions, load, open_session, open_store
from troth.local.own_stages import serve_own_stages
from troth.local.policies import deletion_budget, push_budgets
from troth.local.session import ASSUMED_DESTINATION
from troth.local.stores import StoreChoice, exists
from troth.runners.warm import Limits, WarmRunner
from troth_statestore import StateStore
from troth_statestore.memory import MemoryStore

__all__ = ["make_runner", "remark", "serving", "warn_of_open_promises", "working"]


@contextmanager
def working(options: WorkOptions, *, writes: bool, creates: bool = True) -> Generator[Session]:
    """Open a session for a command; remarks go to standard error.

    Args:
        options: of the command.
        writes: whether the stores will be written to.
        creates: whether one that is not there is made then, and else taken for an empty one.

    Raises:
        InvalidInputError: an option or a path is wrong.
        StoreError, TransientError: the store cannot be used.
    """
    with busy("Reading the files"):
        inputs = load(options.paths, options.source)
    remark(inputs)
    with serving(options.paths, options.images) as images:
        chosen = _chosen(options, inputs)
        settings = Settings(
            inventory=options.inventory,
            prune=options.prune,
            budget=deletion_budget(chosen, options.policy, options.allow_deletions),
            rotations=RotationLimit(options.rotation_limit),
        )
        stores = _stores(
            chosen, inputs, writes=writes, creates=creates, accept=options.accept_remote
        )
        runner = make_runner(images, options.stage_timeout, options.stores.ways.secrets)
        err = console(stderr=True)
        with (
            progress("Rendering", len(inputs.submissions), err=err) as advance,
            open_session(
                *(inputs, stores, runner),
                SyncOptions(
                    settings,
                    advance,
                    named_stores=options.stores.state_store is None,
                    budgets=push_budgets(chosen, options.policy),
                    on_wait=partial(_say_wait, err),
                    secrets=options.stores.ways.secrets,
                ),
            ) as session,
        ):
            yield session


def _say_wait(err: Console, store: str, seconds: float) -> None:
    named = f" {store}" if store else ""
    err.print(f"Waiting {math.ceil(seconds)} s for the push budget of the state store{named}.")


@contextmanager
def serving(named: Iterable[Path], images: Mapping[str, str]) -> Generator[Mapping[str, str]]:
    """Serve also the stages that stand in bundles among these paths; remarks go to standard error.

    Args:
        named: paths as the command was given them.
        images: pattern → package, what is served in any case.

    Raises:
        InvalidInputError: such a bundle's package cannot be used.
    """
    with serve_own_stages(named, images) as served:
        for note in served.notes:
            console(stderr=True).print(f"Note: {note}")
        yield served.images


def make_runner(
    images: Mapping[str, str], stage_timeout: float, secrets: Secrets | None = None
) -> WarmRunner:
    """Return a runner that serves these images (pattern → package), with a limit in seconds."""
    return WarmRunner(images, limits=Limits(seconds=stage_timeout), secrets=secrets)


def _chosen(options: WorkOptions, inputs: Inputs) -> dict[str, StoreChoice]:
    with with_problems(inputs):
        chosen = options.stores.choose(inputs.destinations.values(), inputs.stores)
    for name, choice in chosen.items():
        if choice.policy.allow_deletions:
            console(stderr=True).print(
                f"Note: {ALLOW_DELETIONS} on the GitStateStore{f' {name}' if name else ''} agrees "
                f"to {choice.policy.allow_deletions} removals in every run; take it off when they "
                "are done."
            )
    return chosen


def _stores(
    chosen: Mapping[str, StoreChoice], inputs: Inputs, *, writes: bool, creates: bool, accept: bool
) -> dict[str, StateStore]:
    with with_problems(inputs):
        return {
            name: _open(choice, writes=writes, creates=creates, accept=accept)
            for name, choice in chosen.items()
        }


def _open(choice: StoreChoice, *, writes: bool, creates: bool, accept: bool) -> StateStore:
    if creates and not writes and not exists(choice):
        return MemoryStore()  # a plan against the store that sync would make
    return open_store(choice, create=writes and creates, writes=writes, accept_remote=accept)


def remark(inputs: Inputs) -> None:
    """Say what was assumed and what was left out, on standard error."""
    err = console(stderr=True)
    if inputs.without_destinations:
        err.print(
            f"Note: no Destination was given; one named {ASSUMED_DESTINATION.name!r} with path "
            f"{ASSUMED_DESTINATION.path!r} is assumed, which takes everything."
        )
    for path in inputs.empty:
        err.print(f"Note: {path} holds no object; so nothing is removed in this run.")
    for path in inputs.passed_over:
        err.print(
            f"Note: {path} stands in a bundle and is none of its files; it is not read, and "
            "nothing is removed in this run."
        )
    for kind, count in sorted(inputs.left_out.items()):
        err.print(f"Note: left out {count} x {kind}: no Promise here offers that group.")
    warn_of_open_promises(inputs)


def warn_of_open_promises(inputs: Inputs) -> None:
    """Warn about Promises without a fence, on standard error."""
    err = console(stderr=True)
    for promise in inputs.promises.values():
        if promise.api is not None and not promise.fence.declared:
            err.print(
                f"Warning: Promise {promise.name} declares no fence (annotation troth.dev/fence); "
                "its output may touch any namespace but the system's."
            )
        schemas = promise.api.schemas.values() if promise.api is not None else ()
        if any(RequestSchema(schema).ignored_rules for schema in schemas):
            err.print(
                f"Note: the schema of Promise {promise.name} holds CEL rules, which are not "
                "evaluated here; the API server does that."
            )

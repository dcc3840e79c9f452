"""What commands do alike that look at stores without requests: open them, and find who is meant."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path

import click

from troth.api import RequestKey
from troth.cli.options import output_option
from troth.cli.progress import busy
from troth.cli.reports import tell_problems
from troth.cli.store_options import StoreOptions, store_options
from troth.engine import Ledger, World
from troth.engine.history import Past
from troth.engine.ledger import names_in
from troth.errors import InvalidInputError, Reason
from troth.local import Inputs, load, open_store
from troth.local.past import histories
from troth.local.stores import look
from troth_statestore import StateStore

__all__ = ["Looked", "OneRequest", "find", "looking", "one_request_options"]


@dataclass(frozen=True, slots=True)
class Looked:
    """Open stores, by name, and what they hold at one moment."""

    inputs: Inputs
    stores: Mapping[str, StateStore]
    ledger: Ledger

    @property
    def world(self) -> World:
        """The Destinations that were given."""
        return World({}, self.inputs.destinations, tuple(sorted(self.stores)))

    @property
    def past(self) -> Past:
        """What the stores held before."""
        return Past(self.ledger, histories(self.stores), self.world)


@contextmanager
def looking(
    paths: Sequence[Path], options: StoreOptions, *, writes: bool = False
) -> Generator[Looked]:
    """Open the stores that a command means, and look at them.

    Args:
        paths: files that tell of Destinations and stores; may be none.
        options: which stores, and how they are entered.
        writes: whether they will be written to, so that what was cut off is finished first.

    Raises:
        UsageError: nothing says which store is meant.
        InvalidInputError, StoreError, TransientError: as the stores and paths say.
    """
    if not paths and options.state_store is None:
        raise click.UsageError("give --state-store, or set TROTH_STATE_STORE, or give PATH.")
    with busy("Reading the files"):
        inputs = load(paths)
    tell_problems(inputs)  # something may be looked for in vain because of one
    chosen = options.choose(inputs.destinations.values(), inputs.stores)
    with ExitStack() as opened:
        stores = {
            name: opened.enter_context(closing(open_store(choice, create=False, writes=writes)))
            for name, choice in chosen.items()
        }
        with busy("Reading the state store"):
            ledger = Ledger.read(look(stores))
        yield Looked(inputs, stores, ledger)


@dataclass(frozen=True, slots=True)
class OneRequest:
    """The options of a command about one request; each is described where it is declared."""

    name: str
    paths: Sequence[Path]
    namespace: str | None
    promise: str | None
    stores: StoreOptions

    def looking(self, *, writes: bool = False) -> AbstractContextManager[Looked]:
        """Open the stores, and look at them. Raises as `looking`."""
        return looking(self.paths, self.stores, writes=writes)


def one_request_options(function: Callable[..., int]) -> Callable[..., int]:
    """Take all that `OneRequest` holds, and hand it over as ``which``; and the form of output."""

    @wraps(function)
    def collected(**given: object) -> int:
        mine = {one.name: given.pop(one.name) for one in fields(OneRequest)}
        return function(which=OneRequest(**mine), **given)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  (click has checked each)

    decorated: Callable[..., int] = collected
    for take in (
        output_option,
        store_options,
        click.option("--promise", "-p", metavar="NAME", help="The Promise it is a request of."),
        click.option("--namespace", "-n", metavar="NS", help="The namespace it is in."),
        click.argument(
            "paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[PATH]..."
        ),
        click.argument("name", metavar="[PROMISE/]NAME"),
    ):
        decorated = take(decorated)
    return decorated


def find(ledger: Ledger, which: OneRequest, *, gone: bool = False) -> RequestKey:
    """Return the request, or the Promise itself, that a command line names.

    Args:
        ledger: what the stores hold.
        which: how it was named; its Promise may stand before its name.
        gone: whether one that is fully named need not be there any more.

    Raises:
        UsageError: several have that name.
        InvalidInputError: none has.
    """
    before, slash, name = which.name.rpartition("/")
    if slash and which.promise not in {None, before}:
        raise click.UsageError(f"{which.name} is no request of the Promise {which.promise}.")
    promise = before if slash else which.promise
    known = {*ledger.entries, *filter(None, (names_in(spot.path) for spot in ledger.unreadable))}
    found = sorted(key for key in known if _is_meant(key, name, promise, which.namespace))
    if len(found) > 1:
        listed = ", ".join(str(key) for key in found)
        raise click.UsageError(f"{name} is the name of several ({listed}); use -n and --promise.")
    if found:
        return found[0]
    if gone and promise is not None and which.namespace is not None:
        return RequestKey(which.namespace, promise, name)
    of_promise = f" of Promise {promise}" if promise is not None else ""
    where = f" in namespace {which.namespace}" if which.namespace is not None else ""
    message = f"the state store knows no request {name}{of_promise}{where}."
    if gone:
        message += " To look for one that was removed, give -n and --promise."
    raise InvalidInputError(Reason.INVALID_OBJECT, message)


def _is_meant(key: RequestKey, name: str, promise: str | None, namespace: str | None) -> bool:
    if key.is_promise:
        return key.promise == name and promise is None and namespace is None
    fits = promise in {None, key.promise} and namespace in {None, key.namespace}
    return key.name == name and fits

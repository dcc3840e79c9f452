"""Which requests a command means that looks at many: by namespace, Promise and name."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps

import click

from troth.api import RequestKey

__all__ = ["Selection", "selection_options"]


@dataclass(frozen=True, slots=True)
class Selection:
    """The options by which requests are chosen; None means any."""

    namespace: str | None
    promise: str | None
    name: str | None

    def takes(self, key: RequestKey) -> bool:
        """Tell whether a request, or a Promise itself, is meant."""
        return (
            self.namespace in {None, key.namespace}
            and self.promise in {None, key.promise}
            and self.name in {None, key.name}
        )


def selection_options(function: Callable[..., int]) -> Callable[..., int]:
    """Take all that `Selection` holds, and hand it over as ``selection``."""

    @wraps(function)
    def collected(**given: object) -> int:
        mine = {one.name: given.pop(one.name) for one in fields(Selection)}
        return function(selection=Selection(**mine), **given)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  (click has checked each)

    decorated: Callable[..., int] = collected
    for take in (
        click.option("--name", metavar="NAME", help="Only requests of this name."),
        click.option("--promise", "-p", metavar="NAME", help="Only requests of this Promise."),
        click.option("--namespace", "-n", metavar="NS", help="Only requests in this namespace."),
    ):
        decorated = take(decorated)
    return decorated

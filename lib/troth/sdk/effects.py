"""Effects: what a stage does outside, such as making a user at a provider.

A stage does it through its context and in no other way. Where nothing is to be done outside (when
a change is only looked at, and while it is not yet known whether what is rendered may be written),
effects are not performed: the stage is told `UNKNOWN` and renders without.

An effect may be interrupted after the provider has done it. So whatever is made outside has a name
that follows from the request and its generation, and is looked for before it is made.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from troth.sdk.unknown import UNKNOWN, Unknown

__all__ = ["PERFORM", "RECALL", "Effects", "PerformedEffects", "RecalledEffects"]

T = TypeVar("T")

PERFORM: Final = "perform"
"""How ``effects`` in troth.json says that they are performed, as they are without that file."""

RECALL: Final = "recall"
"""How it says that they are not."""


class Effects(Protocol):
    """The way to the outside."""

    @property
    def performed(self) -> bool:
        """Whether effects are performed in this run."""
        ...

    def perform(self, what: str, act: Callable[[], T]) -> T | Unknown:
        """Do something outside, and return what came of it; `UNKNOWN` where it is not done.

        Call it only for what is yet to be done: a stage that asks for an effect in every run
        never comes to rest, and is refused as unstable.

        Args:
            what: says it to people, such as ``create the NATS user orders-g2``; no secrets.
            act: does it. What it raises goes to the caller.
        """
        ...


@dataclass(frozen=True, slots=True)
class PerformedEffects:
    """Effects that are performed; `wanted` says what could not be done, in order."""

    performed: bool = True
    wanted: list[str] = field(default_factory=list[str])

    def perform(self, what: str, act: Callable[[], T]) -> T | Unknown:
        """Do it, and note it where that fails: then it is yet to be done."""
        try:
            return act()
        except BaseException:
            self.wanted.append(what)
            raise


@dataclass(frozen=True, slots=True)
class RecalledEffects:
    """Effects that are not performed; `wanted` says what would have been done, in order."""

    performed: bool = False
    wanted: list[str] = field(default_factory=list[str])

    def perform(self, what: str, act: Callable[[], T]) -> T | Unknown:  # noqa: ARG002  (`Effects`)
        """Note that it is wanted."""
        self.wanted.append(what)
        return UNKNOWN

"""The words of a report, and the values that travel along the ladder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from troth.api import (
    Destination,
    Promise,
    RequestKey,
    ResourceRequest,
)
from troth.errors import Reason

__all__ = [
    "FAILING",
    "HELD",
    "Group",
    "Item",
    "ObjectId",
    "ObjectVersion",
    "Origin",
    "Placement",
    "Spot",
    "State",
    "Submission",
    "World",
]


class State(StrEnum):
    """What became of a request in a run."""

    WRITTEN = "Written"
    UNCHANGED = "Unchanged"
    WAITING = "Waiting"
    UNSCHEDULED = "Unscheduled"
    MISPLACED = "Misplaced"
    SUSPENDED = "Suspended"
    REFUSED = "Refused"
    FAILED = "Failed"
    REMOVED = "Removed"
    ORPHANED = "Orphaned"


FAILING = frozenset({State.REFUSED, State.FAILED, State.UNSCHEDULED})
"""The states that make a run fail (exit code 1)."""


HELD = frozenset(
    {Reason.OBJECT_HELD, Reason.PATH_HELD, Reason.ROUTE_HELD, Reason.ROUTE_NOT_ALLOWED}
)
"""Reasons that go away when another request of the run lets go of something."""


class ObjectId(NamedTuple):
    """What an agent knows a Kubernetes object by; the version is no part of it."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """Spell it as messages do: ``Kind namespace/name``."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else (
            f"{self.kind} {self.name}"
        )  # fmt: skip


class Spot(NamedTuple):
    """A file or folder in one of a run's state stores; where there is only one, it is ""."""

    store: str
    path: str

    def __str__(self) -> str:
        """Spell it as messages do."""
        return f"{self.store}:{self.path}" if self.store else self.path


@dataclass(frozen=True, slots=True)
class World:
    """What a run knows apart from the requests.

    `stores` names the state stores of the run. Where there is only one, every Destination is in
    it, whatever it refers to; the first is home to requests that have no place yet.
    """

    promises: Mapping[str, Promise]
    destinations: Mapping[str, Destination]
    stores: tuple[str, ...] = ("",)

    def store_of(self, destination: Destination) -> str:
        """Return the name of the state store that a Destination lies in."""
        if len(self.stores) == 1 or destination.store is None:
            return self.stores[0]
        return destination.store.name


class Origin(Protocol):
    """Where a request was read from: a file that knows its lines, or an object in a cluster."""

    def where(self, path: Sequence[str | int] = ()) -> str:
        """Return where the field at `path` stands, or what comes nearest above it."""
        ...


class ObjectVersion(NamedTuple):
    """Which state of which object a request is, by an API server; files have none.

    `created` is RFC 3339 UTC, as the server spells it, so that later is greater.
    """

    uid: str
    generation: int
    created: str


@dataclass(frozen=True, slots=True)
class Submission:
    """A request, or a Promise, as it was handed in.

    `origin` tells where its fields stand, for messages; `root` is what was read to find it, for
    pruning; `version` is of an object that an API server keeps.
    """

    request: ResourceRequest
    origin: Origin
    root: str
    version: ObjectVersion | None = None

    @property
    def is_promise(self) -> bool:
        """Whether it is a Promise, handed in for its own output."""
        return not self.request.namespace


@dataclass(frozen=True, slots=True)
class Group:
    """A workload group: the files of one folder of one pipeline's output, scheduled together.

    Attributes:
        selector: the effective labels, Promise over workflow.
        files: path below the pipeline's output → content; None when the group is only remembered.
    """

    pipeline: str
    directory: str
    selector: Mapping[str, str]
    files: Mapping[str, bytes] | None

    @property
    def source(self) -> str:
        """Where it came from, for messages: a Promise's static dependencies have no pipeline."""
        return f"pipeline {self.pipeline}" if self.pipeline else "spec.dependencies"


@dataclass(frozen=True, slots=True)
class Placement:
    """A workload group, where it goes, and what it holds.

    `path` is its folder in the store, `owned` the folder of the whole request in that
    Destination, nothing in which is anybody else's (None in a layout without such folders);
    `files` are the paths of its files, sorted. `behind` tells that it was left as it was while its
    Destination was not given. `contents` and `digests` hold their bytes and the digests of those,
    None when nothing was rendered because nothing changed.
    """

    group: Group
    destination: str
    path: str
    owned: str | None
    files: tuple[str, ...]
    store: str = ""
    objects: tuple[ObjectId, ...] = ()
    behind: bool = False
    contents: Mapping[str, bytes] | None = None
    digests: Mapping[str, str] | None = None

    def owns(self, spot: Spot) -> bool:
        """Tell whether a file is the request's, by the folder that it has in this Destination."""
        if self.owned is None:
            return spot in self.spots
        return spot.store == self.store and spot.path.startswith(f"{self.owned}/")

    @property
    def spots(self) -> list[Spot]:
        """Where its files are."""
        return [Spot(self.store, path) for path in self.files]


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a report: what became of one request.

    `placements` are ``(destination, path)``; `revision` is the store's revision that carries it.
    Where the run wrote files for it, `changed` are their places and `tree` the digest of all files
    of the store at that revision, if it has one.
    """

    namespace: str
    promise: str
    name: str
    state: State
    reason: str
    message: str = ""
    placements: tuple[tuple[str, str], ...] = ()
    revision: str | None = None
    source: str = ""
    tree: str | None = None
    changed: tuple[str, ...] = ()

    @property
    def key(self) -> RequestKey:
        """Who the request is."""
        return RequestKey(self.namespace, self.promise, self.name)

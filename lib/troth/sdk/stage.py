"""What a stage is: a model of the request, and a pure function from it to output.

A stage gets everything it may depend on as arguments. It has no clock, no randomness and no
environment of its own: the same request, context and status give the same output, byte for byte.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeAlias, TypeVar

from pydantic import BaseModel

from troth.api import Json, JsonObject
from troth.errors import TrothError
from troth.sdk.drift import Drift, Inspection
from troth.sdk.effects import Effects, RecalledEffects

__all__ = [
    "Context",
    "Control",
    "Output",
    "OutputFile",
    "Request",
    "SealingInput",
    "Selector",
    "Stage",
]

M = TypeVar("M", bound=BaseModel)

OutputFile: TypeAlias = Sequence[JsonObject] | bytes
"""A file of the output: Kubernetes objects, spelled by us, or bytes, written as they are."""


@dataclass(frozen=True, slots=True)
class Request(Generic[M]):
    """What was asked for.

    Attributes:
        spec: the spec, read into the stage's model.
        status: what earlier runs left; a stage keeps its state here.
        generation: counts changes of the spec; None where nobody counts (a bare file contract).
        raw: the whole object as it was given.
    """

    name: str
    namespace: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    spec: M
    status: JsonObject
    generation: int | None
    raw: JsonObject

    @property
    def id(self) -> str:
        """What it is called among the requests of its Promise: ``namespace/name``."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class SealingInput:
    """What secrets of a request are sealed with.

    Attributes:
        destination: name of the Destination whose controller is to open them.
        certificate: that controller's, PEM; empty where there is a problem with it.
        epoch: changes when that controller has lost its keys, so that it can open nothing that
            was sealed before.
        same: names of all Destinations whose controller is that one.
        problem: why the certificate cannot be had or used; who has nothing to seal need not mind.
    """

    destination: str
    certificate: bytes
    epoch: str = ""
    same: tuple[str, ...] = ()
    problem: TrothError | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What a stage may know of the moment it runs in.

    Attributes:
        now: the moment, UTC, whole seconds; the only clock a stage has.
        seed: random bytes of this run; what is made from them belongs into the status, so that
            the next run finds it there.
        action: ``configure``, ``delete`` or ``inspect``.
        promise: the Promise's name.
        pipeline: the pipeline's name.
        environ: the container's variables, which is how a Promise sets a stage up. Read only those
            that the Promise sets: a container has others, which differ from run to run.
        effects: the way to the outside; there is no other.
        sealing: what to seal secrets with, None where no Destination's certificate is known.
        drift: what was found to be other outside than the status says, and is to be put right in
            this run; None where nobody looked, or all was right.
    """

    now: datetime
    seed: bytes
    action: str
    promise: str
    pipeline: str
    environ: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    effects: Effects = field(default_factory=RecalledEffects)
    sealing: SealingInput | None = None
    drift: Drift | None = None


@dataclass(frozen=True, slots=True)
class Selector:
    """Where a folder of the output (or all the rest, ``.``) should be scheduled."""

    match_labels: Mapping[str, str]
    directory: str = "."


@dataclass(frozen=True, slots=True)
class Control:
    """A stage's wish to be suspended, or to be run again (workflow-control.yaml).

    Attributes:
        suspend: wait until the request changes or somebody lifts the suspension.
        message: why, for people.
        retry_after: wait so long instead, a Go duration such as ``30s`` or ``1h30m``.
        reconcile_after: what was rendered counts, and the stage is run again after so long though
            nothing has changed, such as when a credential is to be renewed. Without it nothing
            but a change runs it again. Kratix does not know it: it runs every stage now and then.
    """

    suspend: bool = False
    message: str = ""
    retry_after: str | None = None
    reconcile_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """What a stage gives back.

    `files` maps paths below the output folder to their content; `status` is merged into the
    request's status, key by key.
    """

    files: Mapping[str, OutputFile] = field(default_factory=dict[str, OutputFile])
    status: Mapping[str, Json] = field(default_factory=dict[str, Json])
    selectors: Sequence[Selector] = ()
    control: Control | None = None


@dataclass(frozen=True, slots=True)
class Stage(Generic[M]):
    """A stage, found by its entry point in the group ``troth.stages``.

    Attributes:
        model: pydantic model of the request's spec.
        configure: renders a request.
        delete: undoes, outside the state store, what configure did; most stages have nothing to do.
        inspect: looks at what many requests have outside, and changes nothing. It is given all
            requests of the Promise that have a status, and asks each provider once for all that
            belong together, never once a request. What fails for some of them it says of these,
            and goes on with the others.
    """

    model: type[M]
    configure: Callable[[Request[M], Context], Output]
    delete: Callable[[Request[M], Context], Output] | None = None
    inspect: Callable[[Sequence[Request[M]], Context], Inspection] | None = None

"""The seam between the engine and whatever runs stages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from troth.api import JsonObject, Pipeline
from troth.errors import TrothError

__all__ = [
    "Inspected",
    "InspectingRunner",
    "InspectionJob",
    "Leak",
    "Runner",
    "StageJob",
    "StageResult",
]


@dataclass(frozen=True, slots=True)
class StageJob:
    """One run of one pipeline: all its containers, in order, on one set of folders.

    Attributes:
        promise: name of the Promise, for messages and for keeping Promises apart.
        pipeline: what to run.
        environ: the KRATIX_* variables of the file contract; a container's own come on top.
        object: content of input/object.yaml.
        context: content of input/troth.json.
        namespace: where the Secrets and ConfigMaps are that its variables come from.
        rehearsed: whether variables whose Secrets cannot be had are left out: nothing of what it
            renders is written anywhere.
    """

    promise: str
    pipeline: Pipeline
    environ: Mapping[str, str]
    object: JsonObject
    context: JsonObject
    namespace: str = ""
    rehearsed: bool = False


class Leak(NamedTuple):
    """A file that a stage left, and the variable whose secret value stands in it."""

    file: str
    variable: str


@dataclass(frozen=True, slots=True)
class StageResult:
    """What a pipeline left behind.

    Attributes:
        files: path below output/ → content.
        metadata: file name in metadata/ → content; only the names of the file contract.
        leaks: where values of Secrets stand that the stages were given.
    """

    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    metadata: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    leaks: tuple[Leak, ...] = ()


@dataclass(frozen=True, slots=True)
class InspectionJob:
    """One look of a pipeline's stages at what many requests have outside.

    Attributes:
        promise: name of the Promise, for messages and for keeping Promises apart.
        pipeline: whose stages look.
        environ: the variables of the file contract; a container's own come on top.
        requests: content of input/requests.json, by the namespace where the Secrets and ConfigMaps
            of each are that variables come from.
        context: content of input/troth.json.
    """

    promise: str
    pipeline: Pipeline
    environ: Mapping[str, str]
    requests: Mapping[str, Sequence[JsonObject]]
    context: JsonObject


@dataclass(frozen=True, slots=True)
class Inspected:
    """What one stage said of some of a job's requests.

    Attributes:
        namespaces: of whose requests.
        said: metadata/inspection.json; None where the stage looks at nothing, or failed.
        error: why it failed.
    """

    namespaces: tuple[str, ...]
    said: bytes | None = None
    error: TrothError | None = None


class Runner(Protocol):
    """Runs pipelines; safe to call from several threads, which is how it runs several at once."""

    @property
    def parallelism(self) -> int:
        """How many runs it does at once; calling from more threads gains nothing."""
        ...

    def fingerprint(self, pipeline: Pipeline) -> str:
        """Name the code that would run, so that an edited stage counts as a change at once.

        Raises:
            NotServedError: this runner serves no such image, or cannot honour a field.
        """
        ...

    def run(self, job: StageJob) -> StageResult:
        """Run a pipeline.

        Raises:
            NotServedError: as `fingerprint`.
            InvalidInputError: a Secret that a variable comes from cannot be had.
            StageError: a stage failed, hung, crashed or ate too much memory.
            OutputRefusedError: it left a symlink, an unsafe path, or too much.
        """
        ...

    def close(self) -> None:
        """End every process of its own."""
        ...


class InspectingRunner(Runner, Protocol):
    """A runner that can also have stages look at what requests have outside."""

    def inspect(self, job: InspectionJob) -> Sequence[Inspected]:
        """Have a pipeline's stages look at what requests have outside.

        Each stage runs once for all requests whose variables have the same values. Variables whose
        Secrets are not there are left out: whoever needs one says so, of those it needs it for.
        What fails costs those of one run alone.

        Raises:
            NotServedError: as `fingerprint`.
        """
        ...

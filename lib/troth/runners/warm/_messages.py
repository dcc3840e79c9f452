"""What runner and worker say to each other."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import cast

__all__ = ["Answer", "Order", "Outcome"]


@dataclass(frozen=True, slots=True)
class Order:
    """One stage to run.

    Attributes:
        stage: name of its entry point.
        distribution: the installed distribution the entry point belongs to.
        root: the run folder, absolute.
        environ: the stage's whole environment.
        keeper: the Promise whose secrets are in it, "" where there is none; the pool's affair.
    """

    stage: str
    distribution: str
    root: str
    environ: Mapping[str, str] = field(repr=False)
    keeper: str = ""

    def encode(self) -> Mapping[str, object]:
        """Return the order as plain data."""
        return {
            "stage": self.stage,
            "distribution": self.distribution,
            "root": self.root,
            "environ": dict(self.environ),
        }

    @classmethod
    def decode(cls, message: Mapping[str, object]) -> "Order":
        """Read an order, which comes from the runner and is trusted."""
        return cls(
            stage=str(message["stage"]),
            distribution=str(message["distribution"]),
            root=str(message["root"]),
            environ=cast("Mapping[str, str]", message["environ"]),
        )


class Outcome(StrEnum):
    """How a run ended."""

    DONE = "done"
    REFUSED = "refused"  # an error of Troth's own tree
    RAISED = "raised"  # any other exception
    OUT_OF_MEMORY = "out-of-memory"
    EXITED = "exited"  # sys.exit
    DIED = "died"  # the process is gone; said by the pool
    LATE = "late"  # said by the pool


@dataclass(frozen=True, slots=True)
class Answer:
    """How a run ended, in words that need checking, since foreign code ran where they come from.

    Attributes:
        outcome: how it ended.
        kind: name of the exception's class.
        reason: the reason of an error of Troth's own.
        message: what the exception says, or how the process died.
        field: the field an InvalidInputError names.
        where: ``file:line`` in the stage's own code, empty when unknown.
        worn: why the worker should serve no other run, empty when it may.
    """

    outcome: Outcome
    kind: str = ""
    reason: str = ""
    message: str = ""
    field: tuple[str | int, ...] = ()
    where: str = ""
    worn: str = ""

    def encode(self) -> Mapping[str, object]:
        """Return the answer as plain data."""
        return asdict(self)

    @classmethod
    def decode(cls, message: Mapping[str, object]) -> "Answer":
        """Read an answer.

        Raises:
            ValueError: it is none.
        """
        texts = {name: message.get(name) for name in ("kind", "reason", "message", "where", "worn")}
        path = message.get("field")
        if not all(isinstance(text, str) for text in texts.values()) or not isinstance(path, list):
            raise ValueError("not an answer")
        parts = tuple(p for p in cast("list[object]", path) if isinstance(p, str | int))
        outcome = Outcome(str(message.get("outcome")))
        return cls(outcome=outcome, field=parts, **cast("dict[str, str]", texts))

"""What a runner's processes are like, apart from the code they run."""

from dataclasses import dataclass

__all__ = ["Conditions"]


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a stage should not notice; a test of stages gives two runners different ones.

    Attributes:
        time_zone: TZ of every stage, and of the nursery that imports them.
        hash_seed: PYTHONHASHSEED, from which the order of sets follows; None for another one
            whenever the nursery starts.
        temporary: TMPDIR of them all, a folder that is there; None for the machine's usual one.
    """

    time_zone: str = "UTC"
    hash_seed: int | None = None
    temporary: str | None = None

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which a process sees them, apart from those of the interpreter."""
        given = {"TZ": self.time_zone, "TMPDIR": self.temporary}
        return {name: value for name, value in given.items() if value is not None}

"""How fast the Git store writes, against a writer with a worktree on the same machine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import truediv
from statistics import median
from tempfile import TemporaryDirectory

from bench._site import Shape
from bench._table import Row, Scale
from bench._worker import Answer, Task, in_turns, once

__all__ = ["run"]

_NAMESPACES = 50
_FASTER = 100  # budget: times the worktree sequence, at the larger scale over 50 namespaces
_SLOWER = 1.5  # budget: the smaller scale's rate over the larger one's


@dataclass(frozen=True, slots=True)
class _Rates:
    """Requests a second, round by round, and what it took."""

    task: Task
    rates: list[float]
    last: Answer

    @property
    def name(self) -> str:
        """What the table calls it."""
        return self.task.shape.name

    def row(self) -> Row:
        """Return the median with what it stands for."""
        spread = f"{min(self.rates):.0f} to {max(self.rates):.0f}"
        memory = f"peak {self.last.memory[0]:.0f} MB, of one git {self.last.memory[1]:.0f} MB"
        return Row(self.name, median(self.rates), "requests/s", f"{spread}; {memory}")

    def disk_row(self) -> Row:
        """Return what each request left on disk."""
        written = len(self.rates) * self.task.number
        cache, remote = (size * 1000 / written for size in self.last.disk)
        note = f"the cache grows by {cache:.1f}"
        return Row(f"{self.name}: the remote grows by", remote, "kB/request", note)


def run(scale: Scale) -> list[Row]:
    """Measure the writer; it takes some minutes at the full scale."""
    rows: list[Row] = []
    for namespaces in (_NAMESPACES, 1):
        with TemporaryDirectory(prefix="troth-bench-") as folder:
            rows += _run_shape(scale, folder, namespaces)
    return rows


def _run_shape(scale: Scale, folder: str, namespaces: int) -> list[Row]:
    shapes = [Shape(f"{folder}/{live}", live, namespaces) for live in (scale.small, scale.large)]
    for shape in shapes:
        once(Task("fill", shape))
    large = shapes[-1]
    others = [replace(large, one_commit_a_flush=True), replace(large, signed=True)]
    if namespaces == _NAMESPACES:
        others.append(replace(large, https=True))
    measured = _measured([*shapes, *others], scale)
    rows = [row for one in measured for row in (one.row(), one.disk_row())]
    for one in measured[:2]:
        worktree = once(Task("worktree", one.task.shape, scale.sample)).seconds
        rate = 1 / median(worktree)
        rows.append(Row(f"{one.name}, worktree sequence", rate, "requests/s"))
        rows.append(Row(f"{one.name}, store to worktree", median(one.rates) / rate, "times"))
    rows += _compared(measured[1], measured[2:])
    return rows + (_budgets(measured[:2], rows) if namespaces == _NAMESPACES else [])


def _measured(shapes: Sequence[Shape], scale: Scale) -> list[_Rates]:
    tasks = [Task("flush", shape, scale.flush) for shape in shapes]
    return [
        _Rates(task, [task.number / answer.seconds[0] for answer in own], own[-1])
        for task, own in zip(tasks, in_turns(tasks, scale.rounds), strict=True)
    ]


def _compared(plain: _Rates, others: Sequence[_Rates]) -> list[Row]:
    """Tell how each way relates to the plain one, in rounds taken in turns."""
    return [
        Row(
            f"{other.name}: time to the plain one's",
            median(map(truediv, plain.rates, other.rates)),
            "times",
        )
        for other in others
    ]


def _budgets(measured: Sequence[_Rates], rows: Sequence[Row]) -> list[Row]:
    small, large = measured
    slower = median(map(truediv, small.rates, large.rates))
    name = f"{large.name}, store to worktree"
    faster = next(row.value for row in rows if row.name == name)
    return [
        Row(
            f"Budget: {name}",
            *(faster, "times"),
            f"at least {_FASTER}: {'kept' if faster >= _FASTER else 'MISSED'}",
        ),
        Row(
            f"Budget: from {small.task.shape.live:,} to {large.name}",
            *(slower, "times slower"),
            f"at most {_SLOWER}: {'kept' if slower <= _SLOWER else 'MISSED'}; median of rounds "
            "taken in turns",
        ),
    ]

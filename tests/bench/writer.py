"""How fast the Git store writes, against a writer with a worktree on the same machine.

Each shape runs in a process of its own, so that its peak of memory is its own:
``python -m bench.writer JSON`` is what `run` starts for it.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import count
from operator import truediv
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench._table import FULL, QUICK, Row, Scale, print_rows
from bench._workload import change_set, owner
from bench._worktree import worktree_seconds

from troth_statestore import Outcome, record_key
from troth_statestore.flusher import Flusher
from troth_statestore.git import GitSettings, GitStore, create_bare

__all__ = ["run"]

_NAMESPACES = 50
_FASTER = 100  # budget: times the worktree sequence, at the larger scale over 50 namespaces
_SLOWER = 1.5  # budget: the smaller scale's rate over the larger one's


@dataclass(frozen=True, slots=True)
class _Task:
    """What one process does: fill a repository, write with the store, or with a worktree."""

    what: str
    folder: str
    live: int
    namespaces: int
    flush: int
    one_commit_a_flush: bool = False

    @property
    def name(self) -> str:
        """What the table calls it."""
        where = "one namespace" if self.namespaces == 1 else f"{self.namespaces} namespaces"
        how = ", one commit a flush" if self.one_commit_a_flush else ""
        return f"{self.live:,} live in {where}{how}"


@dataclass(frozen=True, slots=True)
class _Peaks:
    """The most memory that a process held, and any one that it started, in MB."""

    own: float
    git: float


@dataclass(frozen=True, slots=True)
class _Rates:
    """Requests a second: round by round, with the memory it took."""

    task: _Task
    rates: list[float]
    peaks: _Peaks

    def row(self) -> Row:
        """Return the median with what it stands for."""
        spread = f"{min(self.rates):.0f} to {max(self.rates):.0f}"
        memory = f"peak {self.peaks.own:.0f} MB, of one git {self.peaks.git:.0f} MB"
        return Row(self.task.name, median(self.rates), "requests/s", f"{spread}; {memory}")


def run(scale: Scale) -> list[Row]:
    """Measure the writer; it takes some minutes at the full scale."""
    rows: list[Row] = []
    for namespaces in (_NAMESPACES, 1):
        with TemporaryDirectory(prefix="troth-bench-") as folder:
            rows += _run_shape(scale, folder, namespaces)
    return rows


def _run_shape(scale: Scale, folder: str, namespaces: int) -> list[Row]:
    tasks = [
        _Task("store", f"{folder}/{live}", live, namespaces, scale.flush)
        for live in (scale.small, scale.large)
    ]
    for task in tasks:
        _once(replace(task, what="fill"))
    measured = _in_turns(tasks, scale.rounds)
    rows = [one.row() for one in measured]
    if namespaces == 1:
        whole = [replace(task, one_commit_a_flush=True) for task in tasks]
        rows += [one.row() for one in _in_turns(whole, scale.rounds)]
    for one in measured:
        worktree = _once(replace(one.task, what="worktree", flush=scale.sample))
        rate, name = median(worktree), one.task.name
        rows.append(Row(f"{name}, worktree sequence", rate, "requests/s"))
        rows.append(Row(f"{name}, store to worktree", median(one.rates) / rate, "times"))
    return rows + (_budgets(measured, rows[-1].value) if namespaces == _NAMESPACES else [])


def _budgets(measured: Sequence[_Rates], faster: float) -> list[Row]:
    small, large = measured
    slower = median(map(truediv, small.rates, large.rates))
    return [
        Row(
            f"Budget: {large.task.name}, store to worktree",
            *(faster, "times"),
            f"at least {_FASTER}: {'kept' if faster >= _FASTER else 'MISSED'}",
        ),
        Row(
            f"Budget: from {small.task.live:,} to {large.task.name}",
            *(slower, "times slower"),
            f"at most {_SLOWER}: {'kept' if slower <= _SLOWER else 'MISSED'}; median of rounds "
            "taken in turns",
        ),
    ]


@contextmanager
def _process(task: _Task) -> Iterator[subprocess.Popen[str]]:
    """Run a task in a process of its own, which does a round for each line it is sent."""
    tests = Path(__file__).parent.parent
    with subprocess.Popen(
        [sys.executable, "-m", "bench.writer", json.dumps(asdict(task))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tests)},
    ) as process:
        yield process
    if process.returncode != 0:
        raise AssertionError(f"{task.name}: {task.what} failed")


def _ask(process: subprocess.Popen[str]) -> list[float]:
    if process.stdin is None or process.stdout is None:
        raise AssertionError("a process without pipes")
    process.stdin.write("\n")
    process.stdin.flush()
    answer: list[float] = json.loads(process.stdout.readline() or "[]")
    return answer


def _once(task: _Task) -> list[float]:
    with _process(task) as process:
        return _ask(process)


def _in_turns(tasks: Sequence[_Task], rounds: int) -> list[_Rates]:
    """Measure tasks a round each, again and again, so that a noisy moment meets them all."""
    with ExitStack() as stack:
        processes = [stack.enter_context(_process(task)) for task in tasks]
        answers = [[_ask(process) for process in processes] for _ in range(rounds)]
    return [
        _Rates(task, [rate for rate, _, _ in own], _Peaks(*own[-1][1:]))
        for task, own in zip(tasks, zip(*answers, strict=True), strict=True)
    ]


def _peaks() -> list[float]:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return [resource.getrusage(kind).ru_maxrss / 1024 for kind in kinds]


def _fill(task: _Task) -> None:
    remote = Path(task.folder) / "filled.git"
    create_bare(remote)
    changes = [change_set(number, task.namespaces, 0, None) for number in range(task.live)]
    with closing(GitStore(str(remote), settings=GitSettings(one_commit_a_flush=True))) as store:
        store.commit(changes)


@contextmanager
def _copy(task: _Task) -> Iterator[Path]:
    """Yield a copy of the filled repository, so that each task meets the same."""
    with TemporaryDirectory(dir=task.folder) as folder:
        remote = Path(folder) / "remote.git"
        shutil.copytree(Path(task.folder) / "filled.git", remote)
        yield remote


def _store(task: _Task) -> Generator[list[float], None, None]:
    """Yield the rate of each flush, and the peaks of memory so far."""
    settings = GitSettings(one_commit_a_flush=task.one_commit_a_flush)
    with _copy(task) as remote, closing(GitStore(str(remote), settings=settings)) as store:
        flusher = Flusher(store)
        for version in count(1):
            yield [_flush(task, store, flusher, version), *_peaks()]


def _flush(task: _Task, store: GitStore, flusher: Flusher, version: int) -> float:
    """Hand in new versions of requests spread over the store; return how many a second landed."""
    versions = {key: version for key, (_, version) in store.snapshot().records().items()}
    step = task.live // task.flush
    numbers = range(version % step, task.live, step)[: task.flush]
    keys = [record_key(owner(number, task.namespaces)) for number in numbers]
    changes = [
        change_set(number, task.namespaces, version, versions[key])
        for number, key in zip(numbers, keys, strict=True)
    ]
    begin = time.perf_counter()
    receipts = [future.result() for future in flusher.submit_all(changes)]
    seconds = time.perf_counter() - begin
    if any(receipt.outcome is not Outcome.WRITTEN for receipt in receipts):
        raise AssertionError("not everything was written")
    return len(receipts) / seconds


def _worktree(task: _Task) -> list[float]:
    """Return the rate of each request of a sample."""
    numbers = range(0, task.live, task.live // task.flush)[: task.flush]
    with _copy(task) as remote:
        seconds = worktree_seconds(remote, remote.with_name("clone"), task.namespaces, numbers)
    return [1 / one for one in seconds]


def _serve(task: _Task) -> None:
    """Do a round for each line of standard input, and answer it with a line of JSON."""
    rounds = _store(task)
    with closing(rounds):
        for _ in sys.stdin:
            match task.what:
                case "fill":
                    _fill(task)
                    answer: list[float] = []
                case "worktree":
                    answer = _worktree(task)
                case _:
                    answer = next(rounds)
            sys.stdout.write(f"{json.dumps(answer)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            print_rows("State store writer", run(FULL))
        case ["--quick"]:
            print_rows("State store writer", run(QUICK))
        case [given, *_]:
            _serve(_Task(**json.loads(given)))

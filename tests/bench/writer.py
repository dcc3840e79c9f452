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
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench._table import FULL, QUICK, Row, Scale, print_rows
from bench._workload import change_set, owner
from bench._worktree import worktree_seconds

from troth_statestore import Outcome, request_key
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
    one_commit_a_flush: bool = False
    flush: int = 0
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class _Result:
    """What it measured: requests a second in each round, and peaks of memory in MB."""

    rates: list[float]
    own_peak: float
    git_peak: float


def run(scale: Scale) -> list[Row]:
    """Measure the writer; it takes some minutes at the full scale."""
    rows: list[Row] = []
    rates: dict[tuple[int, int], float] = {}
    ratios: dict[tuple[int, int], float] = {}
    for namespaces in (_NAMESPACES, 1):
        for live in (scale.small, scale.large):
            with TemporaryDirectory(prefix="troth-bench-") as folder:
                shape = _Shape(scale, folder, live, namespaces)
                shape.fill()
                store, worktree = shape.store(), shape.worktree()
                rates[live, namespaces] = median(store.rates)
                ratios[live, namespaces] = median(store.rates) / median(worktree.rates)
                rows += _rows(shape.name, store, worktree)
                if namespaces == 1:
                    rows.append(_rate(f"{shape.name}, one commit a flush", shape.store(whole=True)))
    return rows + _budgets(scale, rates, ratios)


@dataclass(frozen=True, slots=True)
class _Shape:
    scale: Scale
    folder: str
    live: int
    namespaces: int

    @property
    def name(self) -> str:
        where = "one namespace" if self.namespaces == 1 else f"{self.namespaces} namespaces"
        return f"{self.live:,} live in {where}"

    def fill(self) -> None:
        _measured(_Task("fill", self.folder, self.live, self.namespaces))

    def store(self, *, whole: bool = False) -> _Result:
        scale = self.scale
        return _measured(
            _Task(
                *("store", self.folder, self.live, self.namespaces),
                one_commit_a_flush=whole,
                flush=scale.flush,
                rounds=scale.rounds,
            )
        )

    def worktree(self) -> _Result:
        sample = self.scale.sample
        return _measured(_Task("worktree", self.folder, self.live, self.namespaces, flush=sample))


def _rows(name: str, store: _Result, worktree: _Result) -> list[Row]:
    ratio = median(store.rates) / median(worktree.rates)
    return [
        _rate(name, store),
        Row(f"{name}, worktree sequence", median(worktree.rates), "requests/s"),
        Row(f"{name}, store to worktree", ratio, "times"),
    ]


def _rate(name: str, result: _Result) -> Row:
    low, high = min(result.rates), max(result.rates)
    memory = f"peak {result.own_peak:.0f} MB, of git {result.git_peak:.0f} MB"
    return Row(name, median(result.rates), "requests/s", f"{low:.0f} to {high:.0f}; {memory}")


def _budgets(
    scale: Scale, rates: dict[tuple[int, int], float], ratios: dict[tuple[int, int], float]
) -> list[Row]:
    faster = ratios[scale.large, _NAMESPACES]
    slower = rates[scale.small, _NAMESPACES] / rates[scale.large, _NAMESPACES]
    return [
        Row(
            f"Budget: store to worktree at {scale.large:,} in {_NAMESPACES} namespaces",
            *(faster, "times"),
            f"at least {_FASTER}: {'kept' if faster >= _FASTER else 'MISSED'}",
        ),
        Row(
            f"Budget: {scale.small:,} to {scale.large:,} in {_NAMESPACES} namespaces",
            *(slower, "times slower"),
            f"at most {_SLOWER}: {'kept' if slower <= _SLOWER else 'MISSED'}",
        ),
    ]


def _measured(task: _Task) -> _Result:
    """Run a task in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.writer", json.dumps(asdict(task))],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    )
    if done.returncode != 0:
        raise AssertionError(f"{task}: {done.stderr}")
    return _Result(**json.loads(done.stdout))


def _perform(task: _Task) -> _Result:
    rates = {"fill": _fill, "store": _store, "worktree": _worktree}[task.what](task)
    own, children = (
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return _Result(rates, own, children)


def _fill(task: _Task) -> list[float]:
    remote = Path(task.folder) / "filled.git"
    create_bare(remote)
    changes = [change_set(number, task.namespaces, 0, None) for number in range(task.live)]
    with closing(GitStore(str(remote), settings=GitSettings(one_commit_a_flush=True))) as store:
        store.commit(changes)
    return []


def _store(task: _Task) -> list[float]:
    remote = Path(task.folder) / "remote.git"
    shutil.copytree(Path(task.folder) / "filled.git", remote)
    settings = GitSettings(one_commit_a_flush=task.one_commit_a_flush)
    with closing(GitStore(str(remote), settings=settings)) as store:
        flusher = Flusher(store)
        rates = [_flush(task, store, flusher, number) for number in range(1, task.rounds + 1)]
        flusher.close()
    shutil.rmtree(remote)
    return rates


def _flush(task: _Task, store: GitStore, flusher: Flusher, version: int) -> float:
    """Hand in new versions of requests spread over the store; return how many a second landed."""
    versions = {key: version for key, (_, version) in store.snapshot().records().items()}
    step = task.live // task.flush
    numbers = range(version % step, task.live, step)[: task.flush]
    keys = [request_key(owner(number, task.namespaces)) for number in numbers]
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
    remote = Path(task.folder) / "remote.git"
    clone = Path(task.folder) / "clone"
    shutil.copytree(Path(task.folder) / "filled.git", remote)
    step = task.live // task.flush
    seconds = worktree_seconds(
        remote, clone, task.namespaces, range(0, task.live, step)[: task.flush]
    )
    shutil.rmtree(remote)
    shutil.rmtree(clone)
    return [1 / one for one in seconds]


def _main(arguments: Sequence[str]) -> None:
    match arguments:
        case []:
            print_rows("State store writer", run(FULL))
        case ["--quick"]:
            print_rows("State store writer", run(QUICK))
        case [task, *_]:
            sys.stdout.write(json.dumps(asdict(_perform(_Task(**json.loads(task))))))


if __name__ == "__main__":
    _main(sys.argv[1:])

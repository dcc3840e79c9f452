"""One task in a process of its own, so that its peak of memory is its own.

``python -m bench._worker JSON`` is what `process` starts; it does a round for each line it is sent,
and answers with a line of JSON.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count
from pathlib import Path

from bench._site import Shape, Site, copied, fill, megabytes, site
from bench._workload import change_set
from bench._worktree import worktree_seconds

from troth_statestore import Outcome, Receipt
from troth_statestore.flusher import Flusher
from troth_statestore.git import GitSettings, GitStore

__all__ = ["Answer", "Task", "in_turns", "once"]


@dataclass(frozen=True, slots=True)
class Task:
    """What one process does.

    Attributes:
        what: ``fill``, ``grow``, ``look``, ``worktree``, ``flush``, ``callers`` or ``arrivals``.
        shape: of the repository.
        number: requests of a round; for ``callers``, of each of them.
        callers: who wait for their receipt before they ask again.
        rate: arrivals a second.
    """

    what: str
    shape: Shape
    number: int = 0
    callers: int = 0
    rate: float = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a round took.

    Attributes:
        seconds: of the flush, or of each request.
        memory: the most that the process held, and any one that it started, in MB.
        disk: of the cache, and that by which the remote has grown, in MB.
    """

    seconds: list[float]
    memory: list[float]
    disk: list[float]


def once(task: Task) -> Answer:
    """Do one round of a task."""
    with _process(task) as process:
        return _ask(process)


def in_turns(tasks: Sequence[Task], rounds: int) -> list[list[Answer]]:
    """Do tasks a round each, again and again, so that a noisy moment meets them all.

    Returns:
        for each task the answers of its rounds.
    """
    with ExitStack() as stack:
        processes = [stack.enter_context(_process(task)) for task in tasks]
        answers = [[_ask(process) for process in processes] for _ in range(rounds)]
    return [list(own) for own in zip(*answers, strict=True)]


@contextmanager
def _process(task: Task) -> Iterator[subprocess.Popen[str]]:
    tests = Path(__file__).parent.parent
    with subprocess.Popen(
        [sys.executable, "-m", "bench._worker", json.dumps(asdict(task))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tests)},
    ) as process:
        yield process
    if process.returncode != 0:
        raise AssertionError(f"{task.shape.name}: {task.what} failed")


def _ask(process: subprocess.Popen[str]) -> Answer:
    if process.stdin is None or process.stdout is None:
        raise AssertionError("a process without pipes")
    process.stdin.write("\n")
    process.stdin.flush()
    return Answer(**json.loads(process.stdout.readline() or "{}"))


def _rounds(task: Task) -> Generator[list[list[float]], None, None]:
    """Yield the seconds of each round, and what disk it left in use."""
    match task.what:
        case "fill":
            fill(task.shape)
            yield [[], []]
        case "worktree":
            with copied(task.shape) as remote:
                clone = remote.with_name("clone")
                yield [
                    worktree_seconds(remote, clone, task.shape.namespaces, _numbers(task, 0)),
                    [],
                ]
        case "grow":
            yield from _grow(task)
        case "look":
            yield [_look(task), []]
        case _:
            measured = {"flush": _flush, "callers": _callers, "arrivals": _arrivals}[task.what]
            with site(task.shape) as opened, closing(Flusher(opened.store)) as flusher:
                for turn in count():
                    yield [measured(task, opened, flusher, turn), opened.disk()]


def _grow(task: Task) -> Generator[list[list[float]], None, None]:
    """Yield the seconds in which the next requests get into the repository itself."""
    cache = task.shape.filled.with_name("cache")
    store = GitStore(str(task.shape.filled), settings=GitSettings(cache=cache))
    with closing(store), closing(Flusher(store, max_batch=task.number)) as flusher:
        for begin in range(0, task.shape.live, task.number):
            numbers = range(begin, min(begin + task.number, task.shape.live))
            changes = [change_set(one, task.shape.namespaces, 0, None) for one in numbers]
            start = time.perf_counter()
            for future in flusher.submit_all(changes):
                _check(future.result())
            yield [[time.perf_counter() - start], [megabytes(cache)]]


def _look(task: Task) -> list[float]:
    """Return the seconds to see what is there, and to read every record."""
    with closing(GitStore(str(task.shape.filled))) as store:
        start = time.perf_counter()
        snapshot = store.snapshot()
        seen = time.perf_counter()
        if len(snapshot.records()) != task.shape.live:
            raise AssertionError("not every request has its record")
        return [seen - start, time.perf_counter() - seen]


def _numbers(task: Task, turn: int) -> range:
    """Return requests of a round, spread over the store."""
    step = max(task.shape.live // task.number, 1)
    return range(turn % step, task.shape.live, step)[: task.number]


def _flush(task: Task, opened: Site, flusher: Flusher, turn: int) -> list[float]:
    """Hand in new versions of requests, all at once."""
    changes = [opened.change(number) for number in _numbers(task, turn)]
    begin = time.perf_counter()
    receipts = [future.result() for future in flusher.submit_all(changes)]
    seconds = time.perf_counter() - begin
    for receipt in receipts:
        _check(receipt)
    return [seconds]


def _callers(task: Task, opened: Site, flusher: Flusher, turn: int) -> list[float]:
    """Let callers write one request after the other; return all their waits."""

    def call(caller: int) -> list[float]:
        waits: list[float] = []
        for place in range(task.number):
            change = opened.change((turn + place * 7 * task.callers + caller) % task.shape.live)
            begin = time.perf_counter()
            _check(flusher.submit(change).result())
            waits.append(time.perf_counter() - begin)
        return waits

    with ThreadPoolExecutor(task.callers) as pool:
        return [wait for waits in pool.map(call, range(task.callers)) for wait in waits]


def _arrivals(task: Task, opened: Site, flusher: Flusher, turn: int) -> list[float]:
    """Hand in requests at a steady rate, whatever became of those before; return their waits."""
    waits: list[float] = []
    futures: list[Future[Receipt]] = []
    start = time.perf_counter()
    for place in range(task.number):
        due = start + place / task.rate
        change = opened.change((turn + place * 7) % task.shape.live)
        time.sleep(max(0.0, due - time.perf_counter()))
        future = flusher.submit(change)
        future.add_done_callback(partial(_waited, waits, due))
        futures.append(future)
    for future in futures:
        _check(future.result())
    return waits


def _waited(waits: list[float], due: float, _: Future[Receipt]) -> None:
    waits.append(time.perf_counter() - due)


def _check(receipt: Receipt) -> None:
    if receipt.outcome is not Outcome.WRITTEN:
        raise AssertionError(f"{receipt.key} is {receipt.outcome}")


def _memory() -> list[float]:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return [resource.getrusage(kind).ru_maxrss / 1024 for kind in kinds]


def _serve(task: Task) -> None:
    """Do a round for each line of standard input, and answer it with a line of JSON."""
    with closing(_rounds(task)) as rounds:
        for _ in sys.stdin:
            seconds, disk = next(rounds)
            sys.stdout.write(f"{json.dumps(asdict(Answer(seconds, _memory(), disk)))}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    _serve(Task(**given | {"shape": Shape(**given["shape"])}))

"""Progress of long work, on standard error: a bar on a terminal, plain lines in a pipe."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Lock

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from troth.cli.reports import console

__all__ = ["progress"]

_QUIET_SECONDS = 1.0  # work shorter than this needs no bar
_LINE_SECONDS = 10.0  # between two lines in a pipe


@contextmanager
def progress(what: str, total: int) -> Generator[Callable[[], None]]:
    """Give a function to be called once for each piece of work that is done.

    Args:
        what: the work, for the bar's label.
        total: pieces of work.
    """
    err = console(stderr=True)
    lock, started, done, last = Lock(), time.monotonic(), 0, time.monotonic()
    bar = Progress(
        TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=err,
        transient=True,
    )  # fmt: skip
    task = bar.add_task(what, total=total)

    def advance() -> None:
        nonlocal done, last
        with lock:
            done += 1
            now = time.monotonic()
            if err.is_terminal:
                if not bar.live.is_started and now - started > _QUIET_SECONDS:
                    bar.start()
                bar.update(task, completed=done)
            elif now - last > _LINE_SECONDS:
                last = now
                err.print(f"{what}: {done} of {total}")

    try:
        yield advance
    finally:
        bar.stop()

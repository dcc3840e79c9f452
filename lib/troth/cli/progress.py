"""Progress of long work, on standard error: a bar on a terminal, plain lines in a pipe."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Lock, Timer

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from troth.cli.reports import console

__all__ = ["busy", "progress"]

_QUIET_SECONDS = 1.0  # work shorter than this needs no bar
_THEN = "Writing to the state store"  # what mostly follows when the last piece is done
_LINE_SECONDS = 10.0  # between two lines in a pipe


@contextmanager
def progress(
    what: str, total: int, then: str = _THEN, err: Console | None = None
) -> Generator[Callable[[], None]]:
    """Give a function to be called once for each piece of work that is done.

    Args:
        what: the work, for the bar's label.
        total: pieces of work.
        then: the work that follows when the last piece is done.
        err: the console of standard error, where others write to it meanwhile; the bar and their
            lines would overwrite each other on two.
    """
    err = err or console(stderr=True)
    lock, started, done, last = Lock(), time.monotonic(), 0, time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, TimeElapsedColumn(), console=err, transient=True)
    task = bar.add_task(what, total=total)

    def advance() -> None:
        nonlocal done, last
        with lock:
            done += 1
            now = time.monotonic()
            if err.is_terminal:
                if not bar.live.is_started and now - started > _QUIET_SECONDS:
                    bar.start()
                bar.update(task, completed=done, description=then if done >= total else what)
            elif now - last > _LINE_SECONDS:
                last = now
                err.print(f"{what}: {done} of {total}")

    try:
        yield advance
    finally:
        if bar.live.is_started:
            bar.stop()


@contextmanager
def busy(what: str) -> Generator[None]:
    """Show on a terminal that something is under way, once it has taken longer than a second."""
    shown = console(stderr=True).status(what)
    timer = Timer(_QUIET_SECONDS, shown.start)
    timer.daemon = True
    if console(stderr=True).is_terminal:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
        shown.stop()

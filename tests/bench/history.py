"""What a long history costs: a store on a repository with many commits, beside one with few.

Both hold the same files; they are fetched, not read in place, as from a host elsewhere.
"""

import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from operator import truediv
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench._site import Shape, Site, megabytes
from bench._table import Row, Scale
from bench._workload import change_set, files, owner

from troth_statestore import Outcome, record_key
from troth_statestore.git import GitSettings, GitStore, create_bare

__all__ = ["run"]

_NAMESPACES = 50
_SLOWER = 1.5  # budget: a flush on the long history over one on the short

_BRANCHES = (b"refs/heads/main", b"refs/heads/troth/records/main")

# Seconds since 1970 of the first commit; each is a second after the one before.
_BEGIN = 1_600_000_000

# A step that meets other requests each time, and all of them in the end.
_STEP = 7919


def run(scale: Scale) -> list[Row]:
    """Measure opening and writing."""
    with ExitStack() as stack:
        sites = [
            stack.enter_context(closing(_Opened(stack, scale.large, commits)))
            for commits in (1, scale.commits)
        ]
        rows = [row for one in sites for row in one.rows()]
        for number in (1, scale.flush):
            rows += _flushes(sites, number, scale.rounds)
        return rows


class _Opened:
    """A store on a repository with a history, and what it took to open it."""

    def __init__(self, stack: ExitStack, live: int, commits: int) -> None:
        folder = stack.enter_context(TemporaryDirectory(prefix="troth-bench-"))
        self.name = f"{live:,} live after {commits:,} {'commit' if commits == 1 else 'commits'}"
        remote = Path(folder) / "remote.git"
        self._cache = Path(folder) / "cache"
        _make(remote, live, commits)
        settings = GitSettings(cache=self._cache, borrow=False)
        self._store = GitStore(str(remote), settings=settings)
        begin = time.perf_counter()
        self._store.snapshot()
        self._seconds = time.perf_counter() - begin
        self._size = megabytes(self._cache)
        self._site = Site(Shape(folder, live, _NAMESPACES), self._store, remote, self._cache)

    def rows(self) -> list[Row]:
        """Return what opening took."""
        note = f"cache {self._size:.0f} MB"
        return [Row(f"{self.name}: first snapshot", self._seconds, "s", note)]

    def flush(self, numbers: Iterable[int]) -> float:
        """Write new versions of requests; return the seconds it took."""
        changes = [self._site.change(number) for number in numbers]
        begin = time.perf_counter()
        receipts = self._store.commit(changes)
        seconds = time.perf_counter() - begin
        if any(receipt.outcome is not Outcome.WRITTEN for receipt in receipts):
            raise AssertionError("not everything was written")
        return seconds

    def close(self) -> None:
        """Close the store."""
        self._store.close()


def _flushes(sites: Sequence[_Opened], number: int, rounds: int) -> list[Row]:
    taken = [[one.flush(range(turn, turn + number)) for one in sites] for turn in range(rounds)]
    short, long = zip(*taken, strict=True)
    ratio = median(map(truediv, long, short))
    what = f"a flush of {number}"
    verdict = f"at most {_SLOWER}: {'kept' if ratio <= _SLOWER else 'MISSED'}"
    return [
        Row(f"{sites[0].name}: {what}", median(short) * 1e3, "ms"),
        Row(f"{sites[1].name}: {what}", median(long) * 1e3, "ms"),
        Row(f"Budget: {what} after a long history", ratio, "times slower", verdict),
    ]


def _make(remote: Path, live: int, commits: int) -> None:
    """Make a repository with so many commits on each branch, and packed as hosts do it."""
    create_bare(remote)
    git = ["git", "--git-dir", str(remote)]
    command = [*git, "fast-import", "--quiet", "--date-format=raw"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        if process.stdin is None:
            raise AssertionError("a process without a pipe")
        process.stdin.writelines(_stream(live, commits))
        process.stdin.close()
    if process.returncode != 0:
        raise AssertionError("no history could be made")
    subprocess.run([*git, "gc", "--quiet"], check=True)


def _stream(live: int, commits: int) -> Iterator[bytes]:
    """Yield both branches, one after the other; the newest commit leaves version 0 everywhere."""
    for branch, rows in zip(_BRANCHES, (_files_of, _record_of), strict=True):
        for place in range(commits):
            yield b"commit %s\ncommitter Troth <noreply@troth.dev> %d +0000\ndata 6\nUpdate\n" % (
                branch,
                _BEGIN + place,
            )
            if place == 0:
                changed = [pair for number in range(live) for pair in rows(number, 0).items()]
            else:
                # A request goes to another version and back.
                number = (place - 1) // 2 * _STEP % live
                version = place % 2 if place < commits - 1 else 0
                changed = [next(iter(rows(number, version * place).items()))]
            for path, content in changed:
                yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content)


def _files_of(number: int, version: int) -> dict[str, bytes]:
    return files(number, _NAMESPACES, version)


def _record_of(number: int, version: int) -> dict[str, bytes]:
    record = change_set(number, _NAMESPACES, version, None).record or b""
    return {record_key(owner(number, _NAMESPACES)): record}

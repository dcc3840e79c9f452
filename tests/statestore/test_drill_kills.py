"""A writer that is killed, at every step and at random moments; the next one finishes its work.

Whenever it was: the store comes to hold what was asked for, no request is committed twice, and a
receipt was given only for what had landed.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.drill_writer import LAST, content_of
from support.drills import rounds
from support.git_http import serve_git
from support.git_ssh import serve_ssh
from support.repositories import RECORDS, OpenStore, Remote

from troth.errors import Reason, TransientError
from troth_statestore import ChangeSet

TESTS = Path(__file__).parent.parent
OLD = 2  # requests that are there at first, and are to be removed
GIVEN_UP = 120  # seconds until a writer that hangs fails its test
KILLS = 5  # times that the writer of one repository is killed in the middle of its work


@dataclass
class Drill:
    """One repository, reached in one way, and all receipts that writers were seen to get."""

    remote: Remote
    url: str
    cache: Path
    options: tuple[str, ...]
    requests: int
    goal: int = LAST
    environ: dict[str, str] = field(default_factory=dict)
    receipts: list[dict[str, str | None]] = field(default_factory=list)

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start a writer; it has opened nothing yet."""
        writer = subprocess.Popen(
            [
                *(sys.executable, "-m", "support.drill_writer"),
                *(self.url, str(self.cache), str(self.requests), str(self.goal)),
                *(*self.options, *options),
            ],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.environ, "PYTHONPATH": str(TESTS)},
            start_new_session=True,
        )
        (self.remote.folder / "writer").write_text(str(writer.pid))
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        return writer

    def end(self, writer: subprocess.Popen[str]) -> int:
        """Wait for a writer's end, and keep what it said."""
        said, _ = writer.communicate(timeout=GIVEN_UP)
        # The last line may have been cut off.
        self.receipts += [json.loads(line) for line in said.splitlines() if line.endswith("}")]
        return writer.returncode

    def check_receipts(self) -> None:
        """Check that each receipt is of a commit that is there and is what it says."""
        history = self.remote.git("rev-list", "main").split() if self.remote.has("main") else []
        for receipt in self.receipts:
            assert receipt["outcome"] == "written"
            assert receipt["revision"] in history
            told = (
                "%(trailers:key=Troth-Request,valueonly)%(trailers:key=Troth-Generation,valueonly)"
            )
            log = self.remote.git("log", "-1", f"--format={told}", str(receipt["revision"]))
            assert log.split() == [receipt["key"], receipt["generation"]]

    def check_done(self) -> None:
        """Check that the store holds what was asked for, each step of it committed once."""
        wanted = {
            path: content.decode().removesuffix("\n")
            for number in range(self.requests)
            for path, content in content_of(f"r{number}", self.goal).items()
        }
        assert self.remote.files() == wanted
        assert self.remote.files(RECORDS) == {f"r{n}": str(self.goal) for n in range(self.requests)}
        told = "%(trailers:key=Troth-Request,valueonly)%(trailers:key=Troth-Generation,valueonly)"
        steps = self.remote.git("log", f"--format={told}%x00", "main").split("\0")
        counted = Counter(tuple(step.split()) for step in steps if step.strip())
        expected = {
            (f"r{n}", str(g)): 1 for n in range(self.requests) for g in range(1, self.goal + 1)
        }
        expected |= {(f"old{n}", str(g)): 1 for n in range(OLD) for g in (1, 2)}
        assert counted == expected
        assert not self.remote.git("rev-list", "--min-parents=2", "main")

    def finish(self) -> None:
        """Let a writer that nobody disturbs do what is left, and check everything."""
        assert self.end(self.start()) == 0
        self.check_receipts()
        self.check_done()
        assert self.end(self.start()) == 0  # and nothing is left for another
        self.check_done()


Way = Callable[[Remote, Path, ExitStack], tuple[str, dict[str, str]]]


def by_path(remote: Remote, _: Path, __: ExitStack) -> tuple[str, dict[str, str]]:
    return str(remote.folder), {}


def by_file_url(remote: Remote, _: Path, __: ExitStack) -> tuple[str, dict[str, str]]:
    return remote.folder.as_uri(), {}


def by_http(remote: Remote, _: Path, exits: ExitStack) -> tuple[str, dict[str, str]]:
    host = exits.enter_context(serve_git(remote.folder.parent))
    return host.url(remote.folder.name), {}


def by_ssh(remote: Remote, folder: Path, exits: ExitStack) -> tuple[str, dict[str, str]]:
    host = exits.enter_context(serve_ssh(folder / "ssh"))
    ssh = f"ssh -i {host.key} -o UserKnownHostsFile={host.known_hosts} -o BatchMode=yes"
    return host.url(remote.folder), {"GIT_SSH_COMMAND": ssh}


# How it is reached, the writer's options, and how many requests there are: ssh takes its time.
WAYS: dict[str, tuple[Way, tuple[str, ...], int]] = {
    "path": (by_path, ("borrow",), 6),
    "file": (by_file_url, (), 6),
    "http": (by_http, (), 6),
    "ssh": (by_ssh, (), 3),
}


@pytest.fixture
def drill(
    request: pytest.FixtureRequest, remote: Remote, tmp_path: Path, open_store: OpenStore
) -> Iterator[Drill]:
    way, options, requests = WAYS[request.param]
    open_store().commit([
        ChangeSet(key, None, content_of(key, 1), record=b"1",
                  trailers=(("Troth-Request", key), ("Troth-Generation", "1")))
        for key in (f"old{number}" for number in range(OLD))
    ])  # fmt: skip
    with ExitStack() as exits:
        url, environ = way(remote, tmp_path, exits)
        yield Drill(remote, url, tmp_path / "cache", options, requests, environ=environ)


@pytest.mark.drill
@pytest.mark.parametrize(
    ("drill", "atomic"),
    [("path", True), ("path", False), ("file", True), ("http", True), ("http", False),
     ("ssh", True)],
    indirect=["drill"],
)  # fmt: skip
@pytest.mark.parametrize("seed", rounds(usual=1, long=7))
def test_a_writer_that_is_killed_at_random_moments_loses_nothing_and_does_nothing_twice(
    drill: Drill, seed: int, atomic: bool
) -> None:
    chance = random.Random(f"{drill.url.partition(':')[0]} {seed}")  # noqa: S311  (no secret)
    drill.remote.git("config", "receive.advertiseAtomic", str(atomic).lower())
    started = time.monotonic()
    assert drill.end(drill.start()) == 0
    undisturbed, killed = time.monotonic() - started, 0
    for _ in range(10 * KILLS):
        drill.goal += LAST  # so that there is work to be killed at
        writer = drill.start()
        try:
            writer.wait(chance.uniform(0, undisturbed))
        except subprocess.TimeoutExpired:
            os.killpg(writer.pid, signal.SIGKILL)
        killed += drill.end(writer) == -signal.SIGKILL
        drill.check_receipts()
        if killed == KILLS:
            break

    assert killed == KILLS
    drill.finish()


# `$1` of reference-transaction is what is about to happen, or has; `update` runs once for each ref.
STEPS = {
    "before the import": ("", ""),
    "when all has arrived": ("pre-receive", "cat > /dev/null"),
    "at a branch": ("update", "true"),
    "when the branches are locked": ("reference-transaction", '[ "$1" = prepared ]'),
    "when the branches have moved": ("reference-transaction", '[ "$1" = committed ]'),
    "when it is over": ("post-receive", "cat > /dev/null"),
}


@pytest.mark.parametrize("drill", ["path", "http"], indirect=True)
@pytest.mark.parametrize(("hook", "when"), STEPS.values(), ids=STEPS)
def test_a_writer_that_is_killed_at_a_step_loses_nothing_and_does_nothing_twice(
    drill: Drill, hook: str, when: str
) -> None:
    if hook:
        kill = "mkdir $GIT_DIR/once 2> /dev/null && kill -9 -$(cat $GIT_DIR/writer)"
        drill.remote.hook(hook, f"{when} && {kill}\nexit 0")
    writer = drill.start(*(() if hook else ("die-before-import",)))

    assert drill.end(writer) == -signal.SIGKILL

    drill.check_receipts()
    drill.finish()


@pytest.mark.parametrize("drill", ["path"], indirect=True)
def test_a_machine_that_dies_with_the_branches_locked_stops_nobody_for_long(
    drill: Drill, open_store: OpenStore
) -> None:
    die = "mkdir $GIT_DIR/once 2> /dev/null && kill -9 -$(cat $GIT_DIR/writer) $PPID"
    drill.remote.hook("reference-transaction", f'[ "$1" = prepared ] && {die}\nexit 0')
    assert drill.end(drill.start()) == -signal.SIGKILL
    locks = sorted(drill.remote.folder.rglob("*.lock"))
    assert locks

    with pytest.raises(TransientError, match=r"the lock /.*\.lock is in the way") as caught:
        open_store().commit([ChangeSet("r9", None, {"r9/f": b"1"}, record=b"1")])
    for lock in locks:
        os.utime(lock, (0, 0))

    assert caught.value.reason is Reason.STATE_STORE_BUSY
    drill.finish()
    assert not list(drill.remote.folder.rglob("*.lock"))

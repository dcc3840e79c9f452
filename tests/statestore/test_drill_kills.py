"""A writer that is killed, at every step and at random moments; the next one finishes its work.

Whenever it was: the store comes to hold what was asked for, no request is committed twice, and a
receipt was given only for what had landed.
"""

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from support.drill_ways import Way, by_file_url, by_https, by_path, by_ssh
from support.drill_writer import LAST
from support.drills import LONG, rounds
from support.killed_writers import Drill
from support.repositories import OpenStore, Remote
from support.signing_keys import make_key

from troth.errors import Reason, TransientError
from troth_statestore import ChangeSet

KILLS = 5  # times that the writer of one repository is killed in the middle of its work
COMMANDS = 10  # of git, at least, for a writer to do one step: to look, to make commits, to push
STRIDE = 1 if LONG else 3  # before each of them it is killed, or before some


class Kind(NamedTuple):
    """A repository of a drill: how it is reached, and what is asked of its writers."""

    way: Way
    requests: int = 6
    signed: bool = False
    shared: bool = False


KINDS = {
    "path": Kind(by_path),
    "file": Kind(by_file_url),
    "https": Kind(by_https),
    "ssh": Kind(by_ssh, requests=3),  # it takes its time
    "signed": Kind(by_https, signed=True),
    "shared": Kind(by_file_url, shared=True),
}


@pytest.fixture
def drill(
    request: pytest.FixtureRequest, remote: Remote, tmp_path: Path, open_store: OpenStore
) -> Iterator[Drill]:
    kind = KINDS[request.param]
    key = make_key(tmp_path / "signing-key") if kind.signed else None
    with ExitStack() as exits:
        reached = kind.way(remote, tmp_path, exits)
        made = Drill(remote, tmp_path / "writers", reached, kind.requests, key, kind.shared)
        exits.callback(made.mark.end)
        made.begin(open_store)
        yield made


@pytest.mark.drill
@pytest.mark.parametrize(
    ("drill", "atomic"),
    [("path", True), ("path", False), ("file", True), ("https", True), ("https", False),
     ("ssh", True), ("signed", True), ("shared", True)],
    indirect=["drill"],
)  # fmt: skip
@pytest.mark.parametrize("seed", rounds(usual=1, long=5))
def test_a_writer_that_is_killed_at_random_moments_loses_nothing_and_does_nothing_twice(
    request: pytest.FixtureRequest, drill: Drill, seed: int, atomic: bool
) -> None:
    chance = random.Random(request.node.name)  # noqa: S311  (no secret)
    drill.remote.git("config", "receive.advertiseAtomic", str(atomic).lower())
    started = time.monotonic()
    assert not drill.end(drill.start())
    undisturbed, killed = time.monotonic() - started, 0
    for _ in range(10 * KILLS):
        drill.goal += LAST  # so that there is work to be killed at
        seconds, alone = chance.uniform(0, undisturbed), chance.random() < 1 / 2
        killed += drill.is_killed_after(seconds, alone=alone)
        drill.check_receipts()
        if killed == KILLS:
            break

    assert killed == KILLS
    drill.finish()


@pytest.mark.drill
@pytest.mark.parametrize("drill", ["path", "https", "ssh", "signed", "shared"], indirect=True)
@pytest.mark.parametrize("seed", rounds(usual=1, long=2))
def test_a_writer_that_is_killed_before_a_command_of_git_loses_nothing_and_does_nothing_twice(
    drill: Drill, seed: int
) -> None:
    killed = 0
    while drill.is_killed_before(1 + killed * STRIDE, alone=(killed + seed) % 2 == 0):
        killed += 1
        drill.check_receipts()

    assert killed * STRIDE >= COMMANDS
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
# Where the branches have moved, and the writer has not heard of it, most can go wrong.
FEW = {"when the branches have moved"}


@pytest.mark.drill
@pytest.mark.parametrize(
    ("drill", "step"),
    [(kind, step) for kind in ("path", "https") for step in STEPS]
    + [(kind, step) for kind in ("ssh", "signed", "shared") for step in STEPS
       if LONG or step in FEW],
    indirect=["drill"],
)  # fmt: skip
def test_a_writer_that_is_killed_at_a_step_loses_nothing_and_does_nothing_twice(
    drill: Drill, step: str
) -> None:
    hook, when = STEPS[step]
    if hook:
        kill = "mkdir $GIT_DIR/once 2> /dev/null && kill -9 -$(cat $GIT_DIR/writer)"
        drill.remote.hook(hook, f"{when} && {kill}\nexit 0")
    writer = drill.start(*(() if hook else ("die-before-import",)))

    assert drill.end(writer)

    drill.check_receipts()
    drill.finish()


@pytest.mark.parametrize("drill", ["path"], indirect=True)
def test_a_machine_that_dies_with_the_branches_locked_stops_nobody_for_long(
    drill: Drill, open_store: OpenStore
) -> None:
    die = "mkdir $GIT_DIR/once 2> /dev/null && kill -9 -$(cat $GIT_DIR/writer) $PPID"
    drill.remote.hook("reference-transaction", f'[ "$1" = prepared ] && {die}\nexit 0')
    assert drill.end(drill.start())
    locks = sorted(drill.remote.folder.rglob("*.lock"))
    assert locks

    with pytest.raises(TransientError, match=r"the lock /.*\.lock is in the way") as caught:
        open_store().commit([ChangeSet("r9", None, {"r9/f": b"1"}, record=b"1")])
    for lock in locks:
        os.utime(lock, (0, 0))

    assert caught.value.reason is Reason.STATE_STORE_BUSY
    drill.finish()
    assert not list(drill.remote.folder.rglob("*.lock"))

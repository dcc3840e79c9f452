"""The course of a month: what happens in which hour, what is due, and what came of it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from support.month.outside import Outside
from support.month.workload import TAKES_UP, Workload
from support.repositories import Remote
from support.synadia.faults import lost

__all__ = ["MONTH", "Course", "Platform", "Tally", "live_through"]

MONTH = 30 * 24
_ENDS = 25  # hours from a generation to the end of the one before: allowance and overlap
_PERIOD = 5 * 24  # hours from one generation to the next: 7 d less 2 d


class Platform(Protocol):
    """A platform that has one NATS user."""

    told: list[str]
    failures: list[str]
    remote: Remote

    @property
    def sealed(self) -> dict[str, str]: ...
    def reconcile(self) -> None: ...
    def reconcile_and_die(self) -> None: ...
    def upgrade(self) -> None: ...
    def restart(self) -> None: ...
    def rebuild(self) -> None: ...
    def reclone(self) -> None: ...
    def wipe_status(self) -> None: ...
    def renew_certificate(self) -> None: ...


@dataclass(frozen=True)
class Course:
    """The hours in which something happens, and what a wiped status means.

    Rotations are due every five days from hour 0 on; the hours here are chosen so that much of it
    happens while two generations are good. `killed`: the agent is, once Synadia has answered and
    before anything is written. `answers_lost`: credentials are issued, and their answer is lost.
    `users_lost`: a user is made, and the answer is lost.

    A status that is wiped is nothing to Troth, which keeps what a stage left in its records. On
    Kratix the ciphertext is gone with it, and nobody can seal it again: then a rotation is due at
    once (`wiping_rotates`).

    Where a run takes long, only each so-manieth hour is reconciled in which nothing has happened
    lately and nothing is due (`quiet`); in the full drill it is every hour.
    """

    wiping_rotates: bool
    hours: int = MONTH
    quiet: int = 1
    killed: int = 120
    answers_lost: int = 241
    users_lost: Collection[int] = (361, 362, 350)
    wiped: int = 350
    events: tuple[tuple[int, str], ...] = (
        (30, "upgrade"),
        (130, "restart"),
        (135, "renew_certificate"),
        (137, "restart"),
        (250, "upgrade"),
        (255, "rebuild"),
        (300, "rebuild"),
        (330, "reclone"),
        (350, "wipe_status"),
        (400, "upgrade"),
        (480, "restart"),
        (500, "renew_certificate"),
        (600, "restart"),
        (610, "reclone"),
    )

    def happening(self, hour: int) -> list[str]:
        """Return what happens in an hour."""
        return [event for at, event in self.events if at == hour]

    @property
    def due(self) -> list[int]:
        """The hours in which the Secret has to change, from what was asked for alone."""
        found: list[int] = []
        following = 0
        for hour in range(self.hours):
            if self.wiping_rotates and hour == self.wiped:
                following = hour
            interrupted = hour in {self.killed, self.answers_lost}
            if hour >= following and not interrupted:
                found.append(hour)
                following = hour + _PERIOD
        return found

    @property
    def reconciled(self) -> list[int]:
        """The hours in which there is a reconcile."""
        marks = {hour for hour, _ in self.events} | {self.killed, self.answers_lost}
        for due in self.due:
            marks |= {due, due + _ENDS}
        lively = {mark + hour for mark in marks for hour in range(-1, 3)}
        return [hour for hour in range(self.hours) if hour in lively or hour % self.quiet == 0]

    @property
    def taken_up(self) -> int:
        """How many generations a workload takes up before the month is over."""
        return sum(hour + TAKES_UP < self.hours or hour == 0 for hour in self.due)

    @property
    def interrupted(self) -> int:
        """How often credentials were issued that nobody got."""
        return 2


@dataclass
class Tally:
    """What came of a month: the hours of changes, and how often what was done."""

    course: Course
    commits: int = 0
    issuances: int = 0
    users: int = 0
    doubles: int = 0
    taken_up: int = 0
    revoked: int = 0
    changes: list[int] = field(default_factory=list[int])

    @property
    def undue(self) -> list[int]:
        """The changes that nobody needed, and each made a workload restart."""
        return [hour for hour in self.changes if hour not in self.course.due]


def live_through(platform: Platform, outside: Outside, course: Course) -> Tally:
    """Let a user live through a month, a reconcile every hour, with a workload that uses it."""
    tally, before = Tally(course), dict[str, str]()
    with Workload(outside) as workload:
        for hour in course.reconciled:
            outside.clock.turn_to(hour)
            _happen(platform, outside, course, hour)
            sealed = platform.sealed
            assert sealed, platform.failures
            if sealed != before:
                before = sealed
                tally.changes.append(hour)
                workload.see(outside.opened(sealed), hour)
            workload.live(hour)
            names = [user.name for user in outside.plane.users.values()]
            tally.doubles += len(names) - len(set(names))
        tally.taken_up, tally.revoked = workload.taken_up, workload.revoked
    tally.commits = _commits(platform.remote)
    tally.issuances = len(outside.plane.issuances)
    tally.users = len(outside.plane.ever)
    return tally


def _happen(platform: Platform, outside: Outside, course: Course, hour: int) -> None:
    for event in course.happening(hour):
        getattr(platform, event)()
    if hour == course.answers_lost:
        outside.fake.faults.next("issue creds", lost())
    if hour in course.users_lost:
        outside.fake.faults.next("create user", lost())
    if hour == course.killed:
        platform.reconcile_and_die()
    else:
        platform.reconcile()


def _commits(remote: Remote) -> int:
    """Count the commits after which the SealedSecret is another file than before."""
    log = remote.git("log", "--format=%H", "--reverse", "main").split()
    held = [_blob(remote, commit) for commit in log]
    return sum(old != new for old, new in pairwise(["", *held]))


def _blob(remote: Remote, commit: str) -> str:
    listed = remote.git("ls-tree", "-r", commit).splitlines()
    return next((line.split()[2] for line in listed if line.endswith("sealed-secret.yaml")), "")

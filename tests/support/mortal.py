"""A process that is killed between two writes: what a run leaves that was cut off."""

from collections.abc import Sequence
from dataclasses import dataclass

from support.platform import Platform

from troth.engine import Submission
from troth_statestore import ChangeSet, Probe, Receipt, Snapshot, StateStore


class _Killed(BaseException):
    """The process is gone."""


@dataclass
class _Countdown:
    left: int


@dataclass
class _Mortal:
    """A store whose process is killed before one of its commits, told by a shared countdown."""

    store: StateStore
    countdown: _Countdown

    def probe(self) -> Probe:
        return self.store.probe()

    def snapshot(self) -> Snapshot:
        return self.store.snapshot()

    def commit(self, changes: Sequence[ChangeSet]) -> Sequence[Receipt]:
        if self.countdown.left == 0:
            raise _Killed
        self.countdown.left -= 1
        return self.store.commit(changes)

    def close(self) -> None:
        self.store.close()


def cut_off(platform: Platform, commits: int, *requests: Submission) -> bool:
    """Sync, and be killed after so many commits; tell whether it came to that."""
    stores = platform.store, dict(platform.others)
    countdown = _Countdown(commits)
    platform.store = _Mortal(platform.store, countdown)
    platform.others = {name: _Mortal(one, countdown) for name, one in platform.others.items()}
    try:
        platform.sync(*requests)
    except _Killed:
        return True
    finally:
        platform.store, platform.others = stores
    return False

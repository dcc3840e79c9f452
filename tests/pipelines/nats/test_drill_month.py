"""The drill: a NATS user lives through thirty days, a reconcile every hour.

What is real in it and what is simulated stands in support.month.outside. What happens in which
hour, and which rotations are due, stands in support.month.course.
"""

import logging
import tempfile
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.drills import LONG
from support.month.bundle import Bundle
from support.month.course import Course, Platform, Tally, live_through
from support.month.leaks import Left, command_lines, hunt
from support.month.naive import NAIVE, install
from support.month.on_kratix import OnKratix, keep_time
from support.month.on_troth import OnTroth
from support.month.outside import Outside, serve_outside
from support.synadia.faults import status

from troth.sdk import find_stage

pytestmark = pytest.mark.drill

_KRATIX = Course(wiping_rotates=True)


def on_troth(*, forced: bool) -> Course:
    """Return the course on Troth, where a run takes longer."""
    return Course(wiping_rotates=False, quiet=1 if LONG else 12 if forced else 4)


@dataclass
class Watch:
    """What is looked at besides: a folder for temporary files, command lines, the log."""

    temporary: Path
    lines: set[bytes]
    log: pytest.LogCaptureFixture
    output: pytest.CaptureFixture[str]

    def left(self, platform: Platform, bundle: Bundle) -> Left:
        """Gather what a platform left."""
        texts = {
            "reports and statuses": platform.told,
            "errors": platform.failures,
            "the log": [self.log.text],
            "what was printed": [*self.output.readouterr()],
        }
        return Left(platform.remote.folder, bundle.folder, self.temporary, self.lines, texts)


@pytest.fixture
def outside(tmp_path: Path) -> Generator[Outside]:
    with serve_outside(tmp_path / "outside") as found:
        yield found


@pytest.fixture
def watch(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> Generator[Watch]:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)  # forget the folder that was found before
    caplog.set_level(logging.DEBUG)
    with command_lines() as lines:
        yield Watch(temporary, lines, caplog, capfd)


@pytest.fixture
def bundle(tmp_path: Path, outside: Outside) -> Bundle:
    folder = tmp_path / "site"
    folder.mkdir()
    return Bundle(folder, outside)


def expect_no_churn(tally: Tally) -> None:
    course = tally.course
    assert tally.changes == course.due
    assert tally.undue == []
    assert tally.commits == len(course.due)
    assert tally.doubles == 0
    assert tally.issuances == len(course.due) + course.interrupted
    assert tally.taken_up == course.taken_up


@pytest.mark.parametrize("forced", [False, True], ids=["by digests", "every reconcile forced"])
def test_a_month_on_troth_changes_the_secret_when_that_is_due_and_never_else(
    outside: Outside, bundle: Bundle, watch: Watch, *, forced: bool
) -> None:
    course, platform = on_troth(forced=forced), OnTroth(bundle, forced=forced)
    with closing(platform):
        tally = live_through(platform, outside, course)
        remembered = platform.status

    expect_no_churn(tally)
    assert tally.users == len(course.due)
    assert tally.revoked == tally.taken_up - 1
    # What is undone while the provider fails is told in every run, and nothing else goes wrong.
    assert {told.partition(" ")[0] for told in platform.failures} == {"EffectsUndone"}
    assert (platform.runs >= len(course.reconciled)) is forced
    assert remembered["user"] == f"default.orders-g{len(course.due)}"
    assert hunt(outside.secrets(), watch.left(platform, bundle)) == []


def test_a_month_on_kratix_changes_the_secret_when_that_is_due_and_never_else(
    outside: Outside, bundle: Bundle, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_time(monkeypatch, outside.clock)
    platform = OnKratix(bundle, find_stage("nats-user"))
    tally = live_through(platform, outside, _KRATIX)

    expect_no_churn(tally)
    assert platform.runs == len(_KRATIX.reconciled)
    # With the status it is lost who is there: the newest user is found, and its credentials are
    # issued once more, not another user made. No number comes twice.
    assert tally.users == len(_KRATIX.due) - 1
    assert tally.revoked == tally.taken_up - 2
    assert platform.failures == []
    assert hunt(outside.secrets(), watch.left(platform, bundle)) == []


def test_a_stage_that_mints_in_every_run_restarts_workloads_every_hour(
    outside: Outside, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_time(monkeypatch, outside.clock)
    platform = OnKratix(bundle, NAIVE)
    course = Course(wiping_rotates=True, hours=24, killed=-1)

    tally = live_through(platform, outside, course)

    assert course.due == [0]
    assert tally.undue == list(range(1, course.hours))
    assert tally.commits == tally.issuances == course.hours
    with pytest.raises(AssertionError):
        expect_no_churn(tally)


def test_a_provider_that_is_away_at_first_is_said_and_asked_again_when_somebody_wants_that(
    outside: Outside, bundle: Bundle
) -> None:
    platform = OnTroth(bundle, forced=True)
    with closing(platform):
        outside.fake.faults.always("list accounts", status(503, retry_after="3600"))
        platform.reconcile()
        outside.fake.faults.always("list accounts", None)
        platform.reconcile()
        back = platform.status

    [failure] = platform.failures
    assert "answered 503" in str(failure)
    assert (back["user"], len(outside.plane.issuances)) == ("default.orders-g1", 1)


@pytest.fixture
def naive_site(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = bundle.folder / "site-packages"
    install(folder)
    monkeypatch.syspath_prepend(folder)


@pytest.mark.usefixtures("naive_site")
@pytest.mark.parametrize("forced", [False, True], ids=["by digests", "every reconcile forced"])
def test_on_troth_a_stage_that_mints_in_every_run_does_so_once(
    outside: Outside, bundle: Bundle, *, forced: bool
) -> None:
    platform = OnTroth(bundle, forced=forced, stages="naive")
    with closing(platform):
        for hour in range(3):
            outside.clock.turn_to(hour)
            platform.reconcile()
        history = platform.remote.subjects()

    assert len(outside.plane.issuances) == 1
    assert history == ["Create default/orders (nats-user)"]
    assert [failure.split()[0] for failure in platform.failures] == ["Unstable"] * 2 * forced

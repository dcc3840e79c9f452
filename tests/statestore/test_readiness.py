"""A store is ready because it was tried, and says why not; time is a number that tests move."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from troth.errors import Reason, StoreError, TransientError, TrothError
from troth_statestore import Probe
from troth_statestore.directory import DirectoryStore
from troth_statestore.memory import MemoryStore
from troth_statestore.readiness import Condition, Pace, Readiness, Status

DOWN = TransientError(Reason.STATE_STORE_UNREACHABLE, "The host cannot be reached now.")
PACE = Pace(ready=100, first=10, longest=60)


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Scripted:
    """A store that answers probes with what a test says."""

    answer: Probe | TrothError = field(default_factory=lambda: Probe("here", "abc"))

    def probe(self) -> Probe:
        if isinstance(self.answer, TrothError):
            raise self.answer
        return self.answer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> Scripted:
    return Scripted()


@pytest.fixture
def readiness(store: Scripted, clock: Clock) -> Readiness:
    return Readiness(store, clock, PACE)


def test_before_the_first_trial_nothing_is_known_and_a_trial_is_due(readiness: Readiness) -> None:
    assert readiness.condition.status is Status.UNKNOWN
    assert readiness.condition.reason == "NotTriedYet"
    assert readiness.is_due()


def test_a_store_that_can_be_read_and_written_is_ready_in_kratixs_words(
    readiness: Readiness,
) -> None:
    assert readiness.try_now() == Condition(
        Status.TRUE, "StateStoreReady", "State store is ready", since=1000.0, revision="abc"
    )


@pytest.mark.parametrize(
    ("answer", "reason", "message"),
    [
        (DOWN, "ErrorInitialisingWriter", "The host cannot be reached now."),
        (
            StoreError(Reason.SECRET_NOT_FOUND, "Secret a not found in namespace b"),
            "SecretNotFound",
            "Secret a not found in namespace b",
        ),
        (
            StoreError(Reason.HISTORY_REWRITTEN, "The branch was set back."),
            "HistoryRewritten",
            "The branch was set back.",
        ),
        (
            Probe("here", "abc", StoreError(Reason.STATE_STORE_REFUSED, "You may not write.")),
            "ErrorValidatingPermissions",
            "Error validating state store permissions: You may not write.",
        ),
    ],
)
def test_a_store_that_cannot_be_used_says_why_not_in_kratixs_words(
    readiness: Readiness, store: Scripted, answer: Probe | TrothError, reason: str, message: str
) -> None:
    store.answer = answer

    condition = readiness.try_now()

    assert (condition.status, condition.reason, condition.message) == (
        Status.FALSE,
        reason,
        message,
    )


def test_a_store_that_cannot_be_written_still_tells_its_revision(
    readiness: Readiness, store: Scripted
) -> None:
    store.answer = Probe("here", "abc", DOWN)

    assert readiness.try_now().revision == "abc"


def test_since_is_when_the_status_changed_not_when_it_was_seen_again(
    readiness: Readiness, store: Scripted, clock: Clock
) -> None:
    readiness.try_now()
    clock.now = 1100
    readiness.try_now()
    assert readiness.condition.since == 1000

    clock.now, store.answer = 1200, DOWN
    readiness.try_now()
    clock.now, store.answer = 1300, StoreError(Reason.HOST_NOT_TRUSTED, "Another reason.")
    readiness.try_now()

    assert readiness.condition.since == 1200
    assert readiness.condition.message == "Another reason."


def test_a_ready_store_is_tried_again_after_the_interval(
    readiness: Readiness, clock: Clock
) -> None:
    readiness.try_now()

    clock.now = 1099
    assert not readiness.is_due()
    clock.now = 1100
    assert readiness.is_due()


def test_a_store_that_is_not_ready_is_tried_sooner_then_ever_later_up_to_a_bound(
    readiness: Readiness, store: Scripted, clock: Clock
) -> None:
    store.answer = DOWN
    waits: list[float] = []

    for _ in range(5):
        readiness.try_now()
        waits.append(readiness.due - clock.now)
        clock.now = readiness.due

    assert waits == [10, 20, 40, 60, 60]


def test_a_store_that_is_down_for_years_is_still_tried(
    readiness: Readiness, store: Scripted, clock: Clock
) -> None:
    store.answer = DOWN
    for _ in range(3000):
        readiness.try_now()

    assert readiness.due == clock.now + 60


def test_one_success_begins_the_waits_anew(
    readiness: Readiness, store: Scripted, clock: Clock
) -> None:
    store.answer = DOWN
    readiness.try_now()
    readiness.try_now()
    store.answer = Probe("here", None)
    readiness.try_now()
    store.answer = DOWN
    readiness.try_now()

    assert readiness.due == clock.now + 10


def test_a_clock_that_is_set_back_makes_a_trial_due(readiness: Readiness, clock: Clock) -> None:
    readiness.try_now()

    clock.now = 1

    assert readiness.is_due()


def test_a_flush_that_failed_makes_the_store_not_ready_at_once(readiness: Readiness) -> None:
    readiness.try_now()

    condition = readiness.learn(StoreError(Reason.INVALID_CREDENTIALS, "The token expired."))

    assert condition.status is Status.FALSE
    assert (condition.reason, condition.message) == ("StateStoreError", "The token expired.")
    assert readiness.due == 1010


def test_a_flush_that_landed_makes_the_store_ready_at_once(
    readiness: Readiness, store: Scripted
) -> None:
    store.answer = DOWN
    readiness.try_now()

    assert readiness.learn("def").status is Status.TRUE
    assert readiness.condition.revision == "def"


@pytest.mark.parametrize("pace", [(0, 1, 2), (1, 0, 2), (1, 3, 2)])
def test_a_pace_that_would_not_wait_is_misuse(pace: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="is no pace"):
        Pace(*pace)


def test_every_store_can_be_tried(clock: Clock, tmp_path: Path) -> None:
    for store in (MemoryStore(), DirectoryStore(tmp_path / "new")):
        assert Readiness(store, clock).try_now().status is Status.TRUE

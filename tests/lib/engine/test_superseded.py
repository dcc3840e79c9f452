"""Objects of an API server: of two states the newer one wins, whoever hands in which and when."""

from dataclasses import replace

import pytest
from support.platform import Platform, request

from troth.engine import ObjectVersion, State, Submission
from troth.errors import Reason

MADE = "2026-01-01T00:00:00Z"
LATER = "2026-01-01T00:00:01Z"


def handed_in(generation: int, uid: str = "u-1", created: str = MADE, *, value: str) -> Submission:
    return replace(request(value=value), version=ObjectVersion(uid, generation, created))


FIVE = handed_in(5, value="new")


def test_a_record_tells_the_generation_that_the_server_counts() -> None:
    platform = Platform()

    platform.sync(FIVE)

    [record] = platform.records.values()
    assert b'"generation": 5' in record
    assert b'"uid": "u-1"' in record


@pytest.mark.parametrize(
    "old",
    [handed_in(4, value="old"), handed_in(9, "u-0", "2025-12-31T23:59:59Z", value="old")],
    ids=["an older generation", "the object before it"],
)
def test_what_is_older_than_the_store_is_refused_and_changes_nothing(old: Submission) -> None:
    platform = Platform()
    platform.sync(FIVE)
    before = platform.files

    items = platform.sync(old)

    assert (items["one"].state, items["one"].reason) == (State.REFUSED, Reason.SUPERSEDED)
    assert "generation 5" in items["one"].message
    assert platform.files == before
    assert platform.sync(FIVE)["one"].state is State.UNCHANGED


@pytest.mark.parametrize(
    "new",
    [handed_in(6, value="newer"), handed_in(1, "u-2", LATER, value="newer")],
    ids=["a newer generation", "an object made after it"],
)
def test_what_is_newer_wins(new: Submission) -> None:
    platform = Platform()
    platform.sync(FIVE)

    assert platform.sync(new)["one"].state is State.WRITTEN
    assert platform.sync(FIVE)["one"].reason == Reason.SUPERSEDED


def test_a_leader_that_wakes_up_with_an_old_plan_writes_nothing() -> None:
    platform = Platform()
    platform.sync(handed_in(3, value="first"))
    plan = platform.plan(handed_in(4, value="old"))
    platform.sync(FIVE)
    before = platform.files

    items = platform.write(plan)

    assert items["one"].reason == Reason.STATE_STORE_BUSY
    assert platform.files == before


def test_what_comes_from_files_is_never_superseded() -> None:
    platform = Platform()
    platform.sync(FIVE)

    assert platform.sync(request(value="by hand"))["one"].state is State.WRITTEN

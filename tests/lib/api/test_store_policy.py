"""Policies of a state store: what its annotations say, and what they must not."""

import math

import pytest

from troth.api import DeletionLimit, GitStateStore, StorePolicy
from troth.errors import InvalidInputError, Reason


def policy(**annotations: str) -> StorePolicy:
    named = {f"troth.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return GitStateStore.parse(
        {
            "apiVersion": "platform.kratix.io/v1alpha1",
            "kind": "GitStateStore",
            "metadata": {"name": "fleet", "annotations": named},
            "spec": {"url": "https://git.example.com/fleet.git"},
        }
    ).policy


def test_a_store_without_annotations_sets_nothing() -> None:
    assert policy() == StorePolicy(None, None, None, None)


@pytest.mark.parametrize(
    ("text", "rate"), [("6", 6), ("0.5", 0.5), ("6000", 6000), ("unlimited", math.inf)]
)
def test_pushes_a_minute_are_a_number_or_unlimited(text: str, rate: float) -> None:
    assert policy(pushes_per_minute=text).pushes_per_minute == rate


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("10,20%", DeletionLimit(10, 20)),
        ("0, 12.5 %", DeletionLimit(0, 12.5)),
        ("0,100%", DeletionLimit(0, 100)),
    ],
)
def test_a_deletion_budget_is_a_count_and_a_part_of_the_inventory(
    text: str, limit: DeletionLimit
) -> None:
    assert policy(deletion_budget=text).deletions == limit


def test_an_approval_is_a_number_of_removals() -> None:
    assert policy(allow_deletions="12").allow_deletions == 12


def test_a_burst_is_a_number_of_pushes() -> None:
    assert policy(push_burst="5").push_burst == 5


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(
            ("pushes_per_minute", text)
            for text in ("", "0", "-6", "nan", "inf", "1e3", "6001", "٣")
        ),
        *(("pushes_per_minute", text) for text in ("0.0001", "6 ", "six", "6/m")),
        *(("push_burst", text) for text in ("", "0", "-1", "1.5", "many")),
        *(("deletion_budget", text) for text in ("", "10", "10,20", "20%", "10,101%", "-1,20%")),
        *(("deletion_budget", text) for text in ("10;20%", "10,20%,5", "a,b%", "10,1e1%")),
        *(("allow_deletions", text) for text in ("", "-1", "all", "1.0", "true", "1_000")),
    ],
)
def test_anything_else_is_refused_by_the_annotations_name(name: str, text: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        policy(**{name: text})

    assert raised.value.reason is Reason.INVALID_OBJECT
    assert raised.value.field == ("metadata", "annotations", f"troth.dev/{name.replace('_', '-')}")


@pytest.mark.parametrize(
    ("limit", "removals", "inventory", "exceeded"),
    [
        (DeletionLimit(), 10, 10, False),
        (DeletionLimit(), 11, 11, True),
        (DeletionLimit(), 11, 55, False),
        (DeletionLimit(), 11, 54, True),
        (DeletionLimit(0, 0), 1, 1000, True),
        (DeletionLimit(0, 100), 1000, 1000, False),
        (DeletionLimit(0, 29), 29, 100, False),
    ],
)
def test_a_limit_is_exceeded_when_both_of_its_bounds_are_passed(
    limit: DeletionLimit, removals: int, inventory: int, exceeded: bool
) -> None:
    assert limit.exceeded(removals, inventory) is exceeded


@pytest.mark.parametrize(
    ("name", "advice"),
    [("signing_keys", "did you mean troth.dev/signing-key?"), ("colour", "known are troth.dev/")],
)
def test_an_annotation_of_ours_that_nobody_reads_is_refused(name: str, advice: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        policy(**{name: "x"})

    assert advice in caught.value.message

"""Durations as people write them: what they mean, and what is none."""

import re
from datetime import timedelta

import pytest

from troth.errors import InvalidInputError
from troth_pipelines.credentials import DURATION_PATTERN, read_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30d", timedelta(days=30)),
        ("1h30m", timedelta(minutes=90)),
        ("90s", timedelta(seconds=90)),
        ("1d1h1m1s", timedelta(days=1, hours=1, minutes=1, seconds=1)),
        ("1h1h", timedelta(hours=2)),
        ("0d1s", timedelta(seconds=1)),
        ("3650d", timedelta(days=3650)),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, expected: timedelta) -> None:
    assert re.fullmatch(DURATION_PATTERN, text)
    assert read_duration(text, "spec", "every") == expected


@pytest.mark.parametrize(
    "text",
    ["0s", "0d0h", "3650d1s", "999999d" * 4, "", "30", "d", "-1d", "1.5h", "1w", "1d x", " 1d"],
)
def test_what_is_none_is_refused_by_the_name_of_its_field(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_duration(text, "spec", "rotation", "every")

    assert caught.value.field == ("spec", "rotation", "every")
    assert repr(text) in caught.value.message

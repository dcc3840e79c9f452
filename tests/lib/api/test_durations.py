"""Durations as Go spells them."""

import pytest

from troth.api import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("1h30m", 5400), ("1.5h", 5400), (".5m", 30), ("250ms", 0.25), ("1d", None),
     ("", None), ("5", None), ("-5s", None), ("5s ", None), ("soon", None)],
)  # fmt: skip
def test_a_duration_is_read_as_go_reads_it(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds

"""Numbers of policies: read, or refused with a sentence; nothing else."""

import math
from collections.abc import Callable

from hypothesis import strategies as st
from support.fuzzing import fuzz, texts

from troth.api.store_policy import count_of, limit_of, rate_of

NUMBERS = st.text("0123456789.,%-+eE_ unlimtd٣", max_size=12) | texts


def read(reader: Callable[[str], object], text: str) -> object:
    try:
        return reader(text)
    except ValueError as error:
        assert len(str(error)) < 300  # noqa: PT017  (it may be right to raise)
        return None


@fuzz(NUMBERS)
def test_any_text_is_a_policy_or_is_refused(text: str) -> None:
    rate, count, limit = read(rate_of, text), read(count_of, text), read(limit_of, text)

    assert rate is None or (isinstance(rate, float) and (rate == math.inf or 0 < rate <= 6000))
    assert count is None or str(count) == text.lstrip("0") or count == 0
    assert limit is None or limit_of(text).percent <= 100

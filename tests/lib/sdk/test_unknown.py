"""Unknown: one value, with a text for people, which is no text itself."""

import pickle

from troth.sdk.unknown import UNKNOWN, Unknown


def test_what_is_unknown_has_a_text_for_people() -> None:
    assert str(UNKNOWN) == "(known after apply)"
    assert f"{UNKNOWN}" == "(known after apply)"


def test_what_is_unknown_is_no_text_and_cannot_be_kept_as_one() -> None:
    assert not isinstance(UNKNOWN, str)


def test_there_is_one_unknown_even_from_another_process() -> None:
    assert pickle.loads(pickle.dumps(UNKNOWN)) is UNKNOWN  # noqa: S301  (our own bytes)
    assert list(Unknown) == [UNKNOWN]

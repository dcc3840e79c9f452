"""Spellings: what is taken off a text, and how a value stands in it encoded."""

import base64

import pytest

from troth.runners.spellings import literals, readings, squeezed

VALUE = "correct horse battery"
SAID = b"correcthorsebattery"


@pytest.mark.parametrize(
    "text",
    [
        "correct horse battery",
        "correct\n    horse\n    battery",
        "correct\u2028horse\x85battery",
        '"\\x63orrect\\u0020horse \\U00000062attery"',
        '"correct \\\n   horse battery"',
        '"correct\\thorse\\_battery"'.replace("\\_", "\\ "),
        '"{\\"a\\": \\"correct\\\\u0020horse battery\\"}"',
        "correct%20horse%20battery",
        "%63orrect+horse%2bbattery".replace("%2b", "+"),
        "# correct\n# horse\n# battery",
        "\ufeffcorrect 'horse' \"battery\"",
    ],
)
def test_a_reading_says_it_without_what_hid_it(text: str) -> None:
    assert any(SAID in reading for reading in readings(text.encode()))


def test_a_character_beyond_the_first_plane_is_read_in_both_escapes() -> None:
    for text in (rb'"\ud83d\ude00"', rb'"\U0001F600"'):
        assert "\U0001f600".encode() in list(readings(text))[1]


@pytest.mark.parametrize("text", [rb'"\q"', rb'"\x4"', rb'"\U00ffffff"', b"\\", b"100%", b"%zz"])
def test_what_is_no_escape_is_left_as_it_is(text: bytes) -> None:
    assert all(squeezed(text) == reading for reading in readings(text))


def test_a_text_without_escapes_is_read_once() -> None:
    assert list(readings(b"a: b")) == [b"a:b"]


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("after", ["", "x", "xy"])
@pytest.mark.parametrize("twice", [False, True])
def test_a_literal_stands_in_base64_wherever_it_begins(
    before: str, after: str, twice: bool
) -> None:
    text = base64.urlsafe_b64encode((before + VALUE + "ÿ?>" + after).encode())
    text = base64.b64encode(b"x" + text) if twice else text

    assert any(one in text for one in literals(VALUE) if len(one) >= 20)


def test_what_depends_on_its_neighbours_is_in_no_literal() -> None:
    for after in ("", "a", "~", "\xff"):
        text = base64.b64encode(("x" + VALUE + after).encode()).decode()
        [one] = {one for one in literals(VALUE) if one.decode() in text}
        assert len(one) >= len(VALUE) * 8 // 6 - 2

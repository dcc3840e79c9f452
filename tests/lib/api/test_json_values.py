"""Plain data: paths, the spelling that digests are taken of, and errors that name the field."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.api import Fields, Json, canonical, digest_of, field_path
from troth.errors import InvalidInputError, Reason

FIELDS = Fields(
    {
        "text": "a",
        "empty": "",
        "null": None,
        "number": 5,
        "flag": True,
        "list": ["a", {"b": 1}],
        "map": {"a": "b", "c": 1},
        "long": "x" * 1000,
    },
    ("spec",),
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), ""),
        (("spec", "routes", 0, "path"), "spec.routes[0].path"),
        (("metadata", "annotations", "a.b/c"), "metadata.annotations['a.b/c']"),
        (("",), "['']"),
    ],
)
def test_a_path_is_spelled_as_people_write_it(path: tuple[str | int, ...], expected: str) -> None:
    assert field_path(path) == expected


def test_the_digest_is_the_sha256_of_sorted_compact_json() -> None:
    value: Json = {"b": [1, 1.5, None, True], "a": "é"}

    assert canonical(value) == '{"a":"é","b":[1,1.5,null,true]}'.encode()
    assert digest_of({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@given(st.dictionaries(st.text(), st.integers()))
def test_the_order_of_keys_is_no_part_of_the_digest(value: dict[str, int]) -> None:
    reverse = dict(reversed(value.items()))

    assert digest_of(reverse) == digest_of(value)


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), (None, "null"), ([], {}), (0, "")])
def test_values_of_different_types_have_different_digests(one: Json, other: Json) -> None:
    assert digest_of(one) != digest_of(other)


ERRORS: list[tuple[Callable[[], object], str, tuple[str | int, ...]]] = [
    (lambda: FIELDS.text("number"), "spec.number: a text is needed here, found the number 5.",
     ("spec", "number")),
    (lambda: FIELDS.text("missing"), "spec.missing: a text is needed here, found nothing.",
     ("spec", "missing")),
    (lambda: FIELDS.text("empty"), "spec.empty: a text is needed here, found the text ''.",
     ("spec", "empty")),
    (lambda: FIELDS.text("flag", ""), "found the boolean true.", ("spec", "flag")),
    (lambda: FIELDS.flag("text", default=False), "true or false is needed here, found the text 'a'",
     ("spec", "text")),
    (lambda: FIELDS.mapping("list"), "a mapping is needed here, found a list.", ("spec", "list")),
    (lambda: FIELDS.section("text"), "a mapping is needed here, found the text 'a'.",
     ("spec", "text")),
    (lambda: FIELDS.items("map"), "a list is needed here, found a mapping.", ("spec", "map")),
    (lambda: FIELDS.items("text"), "a list is needed here, found the text 'a'.", ("spec", "text")),
    (lambda: FIELDS.items("list"), "spec.list[0]: a mapping is needed here, found the text 'a'.",
     ("spec", "list", 0)),
    (lambda: FIELDS.texts("text"), "a list of texts is needed here", ("spec", "text")),
    (lambda: FIELDS.texts("list"), "every item of this list has to be a text", ("spec", "list")),
    (lambda: FIELDS.string_map("map"), "found the number 1 (put it in quotes).",
     ("spec", "map", "c")),
    (lambda: FIELDS.refuse_unknown({"texts"}, "a test"),
     "spec.text: a test has no such field. Did you mean 'texts'?", ("spec", "text")),
]  # fmt: skip


@pytest.mark.parametrize(("read", "words", "field"), ERRORS, ids=[e[1][-25:] for e in ERRORS])
def test_a_wrong_field_is_named_with_what_was_found_and_what_is_needed(
    read: Callable[[], object], words: str, field: tuple[str | int, ...]
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read()

    assert words in caught.value.message
    assert caught.value.field == field
    assert caught.value.reason == Reason.INVALID_OBJECT


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(InvalidInputError) as caught:
        FIELDS.mapping("long")

    assert len(caught.value.message) < 150


@pytest.mark.parametrize("name", ["missing", "null"])
def test_an_absent_field_and_null_are_the_same(name: str) -> None:
    assert not FIELDS.has(name)
    assert FIELDS.text(name, "default") == "default"
    assert FIELDS.flag(name, default=True) is True
    assert FIELDS.mapping(name) == {}
    assert FIELDS.items(name) == []
    assert FIELDS.texts(name) == ()
    assert FIELDS.string_map(name) == {}


def test_a_section_passes_its_place_and_reason_on() -> None:
    fields = Fields({"a": {"b": [{}]}}, reason=Reason.PROMISE_INVALID)

    error = fields.section("a").items("b")[0].error("c", "no.")

    assert (error.message, error.reason) == ("a.b[0].c: no.", Reason.PROMISE_INVALID)

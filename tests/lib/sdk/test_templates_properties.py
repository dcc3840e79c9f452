"""Whatever a request holds, templates carry it through; whatever a template holds, they say so."""

import random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from troth.api import Json, dump_documents, load_values
from troth.errors import InvalidInputError
from troth.sdk.templates import read_files, read_value
from troth.sdk.templates._filters import FILTERS, TESTS

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | TEXTS
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
NAMES = frozenset({"spec"})


def through(template: str, value: Json) -> Json:
    """Render `value` into the template, spell it, and read the spelling again."""
    made = read_value(template, "T", NAMES).render({"spec": {"value": value}})
    return load_values(dump_documents([made]).decode(), "T")[0]


@settings(deadline=None)
@given(TEXTS)
@example('a: "b"\n- {{ c }} # d')
@example("yes")
@example("0123")
@example("1e3")
@example("{% if x %}")
@example("it's\r\n\ttabs\x85\u2028\x00\x1b")
def test_any_text_goes_through_a_value_a_text_and_a_key(text: str) -> None:
    assert through("a: '{{ spec.value }}'", text) == {"a": text}
    assert through("a: '<{{ spec.value }}>'", text) == {"a": f"<{text}>"}
    assert through("'{{ spec.value }}': 1", text) == {text: 1}
    assert through("a: [{'(for x in [spec.value])': '{{ x }}'}]", text) == {"a": [text]}


@settings(deadline=None)
@given(VALUES)
def test_any_value_goes_through_an_expression_with_its_type(value: Json) -> None:
    made = through("a: '{{ spec.value }}'\n(let x): '{{ spec.value }}'\nb: '{{ x }}'", value)

    assert repr(made) == repr({"a": in_order(value), "b": in_order(value)})


def in_order(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: in_order(item) for key, item in sorted(value.items())}
    return [in_order(item) for item in value] if isinstance(value, list) else value


@settings(deadline=None)
@given(VALUES)
def test_any_value_stays_as_it_is_under_raw(value: Json) -> None:
    template = dump_documents([{"a": {"(raw)": value}}]).decode()

    assert repr(through(template, None)) == repr({"a": value})


@settings(deadline=None)
@given(TEXTS.filter(lambda text: "{{" not in text and "{%" not in text))
@example("{# a #}")
@example("a\rb\n\n")
def test_a_text_without_expressions_stays_as_it_is(text: str) -> None:
    assert through(dump_documents([{"a": text}]).decode(), None) == {"a": text}


@settings(deadline=None)
@given(st.dictionaries(TEXTS, VALUES, max_size=5), st.randoms())
def test_the_same_request_gives_the_same_bytes_in_any_order(
    spec: dict[str, Json], shuffle: random.Random
) -> None:
    template = "(for k, v in spec): {'k{{ k }}': '{{ v }}'}\nall: '{{ spec | tojson }}'"
    keys = list(spec)
    shuffle.shuffle(keys)

    one, other = (
        dump_documents([read_value(template, "T", NAMES).render({"spec": variant})])
        for variant in (spec, {key: spec[key] for key in keys})
    )

    assert one == other


WORDS = [
    *"().[]{},:|~+-*/%<", "}}", "//", "==", "!=", "<=", *["spec", ".", "value"] * 3, "zz", "in",
    "not", "and", "or", "if", "else", "is", "0", "1", "-1", "2.5", "1e999", "'x'", "none", "true",
    "loop", "range", "attribute=", *sorted(FILTERS), *sorted(TESTS),
]  # fmt: skip


@settings(deadline=None, max_examples=500)
@given(st.lists(st.sampled_from(WORDS), max_size=10).map(" ".join), VALUES)
def test_any_expression_gives_a_value_or_says_what_is_wrong(words: str, value: Json) -> None:
    template = dump_documents([{"a": f"{{{{ {words} }}}}"}]).decode()

    try:
        through(template, value)
    except InvalidInputError as error:
        assert error.message.startswith("T:1: a: ")  # noqa: PT017  (most give a value)


KEYS = st.sampled_from(
    ["(if spec.value)", "(elif spec.value)", "(else)", "(for x in spec.value)", "(let y)", "(raw)",
     "(for k, v in spec.value)", "(if)", "(for)", "()", "k", "{{ spec.value }}", "{{ x }}"]
)  # fmt: skip
TREES = st.recursive(
    st.sampled_from(["{{ spec.value }}", "{{ x }}", "z {{ spec.value }}", "{{ y }}", 1, None]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None, max_examples=500)
@given(st.dictionaries(KEYS, TREES, max_size=4), VALUES)
def test_any_structure_gives_a_value_or_says_what_is_wrong(
    tree: dict[str, Json], value: Json
) -> None:
    template = dump_documents([tree]).decode()

    for read in (read_value, read_files):
        try:
            read(template, "T", NAMES).render({"spec": {"value": value}})
        except InvalidInputError as error:
            assert error.message.startswith("T:")  # noqa: PT017  (many give a value)

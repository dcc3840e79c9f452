"""YAML in and out: strict reading with lines, and a spelling that every reader reads alike."""

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from troth.api import Json, canonical, dump_documents, load_documents, load_object, load_values
from troth.errors import InvalidInputError, Reason

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS,
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)
# Texts made of what numbers, dates, booleans and nulls are made of.
TRICKY = st.text("0123456789abcdefABCDEFxXoO_+-.:eEtTzZ ~nNyYuUlL=<", max_size=12)

AMBIGUOUS = [
    "", " ", "~", "null", "Null", "y", "Y", "n", "N", "yes", "No", "on", "OFF", "true", "False",
    "0", "012", "08", "08_", "0o17", "0x1f", "0X1F", "-0x1f", "0b11", "1_000", "1_", "-_1", "+12",
    "1e3", "1E-3", "1.5e3", "1e3_0", ".5", "-.5", "+.5", "1.", ".inf", "-.INF", ".nan",
    "12:30:45", "1:30", "2020-01-01", "2020-1-2", "2020-01-01T00:00:00Z", "=", "<<", "- a", "a: b",
    "# a", "a #b", "?", "!a", "&a", "*a", "%a", "@a", "`a", "{", "[", "|", ">", "---", "...",
]  # fmt: skip
PLAIN = ["team", "1.2.3", "10.0.0.1", "v1", "a-b", "100m", "1Gi", "/path", "a:b", "0abc", "é", "."]


def go_reads_text(scalar: str) -> bool:
    """Whether go-yaml (v2 and v3, ``resolve.go``) takes an unquoted scalar for a text."""
    words = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "", "<<"}
    spellings = {kind for word in words for kind in (word, word.capitalize(), word.upper())}
    if scalar in spellings or re.fullmatch(r"[-+]?\.inf|\.nan", scalar.lower()):
        return False
    if re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?", scalar, re.ASCII):
        return False
    if not scalar.startswith(tuple("+-.0123456789")):
        return True
    plain = scalar.replace("_", "")
    number = r"(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
    based = r"0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+"
    return re.fullmatch(rf"[-+]?({number}|{based})", plain) is None


def plain_scalars(content: bytes) -> list[str]:
    tokens = yaml.scan(content.decode(), Loader=yaml.SafeLoader)
    return [token.value for token in tokens if isinstance(token, yaml.ScalarToken) and token.plain]


def load_one(text: str) -> Json:
    [value] = load_values(text, "f.yaml")
    return value


@given(VALUES.filter(lambda value: value is not None))
def test_what_is_written_is_read_as_it_was(value: Json) -> None:
    text = dump_documents([value]).decode()

    assert canonical(load_one(text)) == canonical(value)


@given(VALUES.filter(lambda value: value is not None))
def test_a_plain_reader_of_yaml_1_1_reads_what_is_written(value: Json) -> None:
    read = yaml.safe_load(dump_documents([value]))

    assert canonical(read) == canonical(value)


@given(st.dictionaries(TRICKY, TRICKY))
def test_go_reads_every_text_that_is_written_without_quotes_as_text(value: Json) -> None:
    content = dump_documents([value])

    assert [scalar for scalar in plain_scalars(content) if not go_reads_text(scalar)] == []


@given(VALUES.filter(lambda value: value is not None))
def test_the_same_data_is_written_as_the_same_bytes(value: Json) -> None:
    text = dump_documents([value])

    assert dump_documents([load_one(text.decode())]) == text


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_a_text_that_could_be_something_else_is_quoted(text: str) -> None:
    content = dump_documents([{"value": text, text: "value"}])

    assert plain_scalars(content) == ["value", "value"]


@pytest.mark.parametrize("text", PLAIN)
def test_a_text_that_is_clear_stays_without_quotes(text: str) -> None:
    assert dump_documents([{"value": text}]).decode() == f"value: {text}\n"


def test_a_text_of_several_lines_is_written_line_by_line() -> None:
    content = dump_documents([{"script": "set -e\nmake\n", "last": "a\nb"}])

    assert content == b"script: |\n  set -e\n  make\nlast: |-\n  a\n  b\n"


@pytest.mark.parametrize("text", ["a \nb", " a\nb", "\na", "a\n\n", "a\tb\n", "a\r\nb", "\u2028"])
def test_a_text_whose_spaces_a_reader_could_lose_is_written_with_escapes(text: str) -> None:
    content = dump_documents([{"value": text}])

    assert content.startswith(b'value: "')
    assert load_one(content.decode()) == {"value": text}


def test_equal_parts_are_written_out_without_anchors() -> None:
    labels: Json = {"team": "a"}

    content = dump_documents([{"one": labels, "two": labels}])

    assert content == b"one:\n  team: a\ntwo:\n  team: a\n"


def test_an_object_begins_with_what_it_is() -> None:
    content = dump_documents([{"spec": {}, "metadata": {}, "kind": "A", "apiVersion": "v1"}])

    assert re.findall(r"^\w+", content.decode(), re.MULTILINE) == [
        "apiVersion", "kind", "metadata", "spec",
    ]  # fmt: skip


def test_documents_are_written_with_a_line_between_them() -> None:
    assert dump_documents([{"a": 1}, {"b": 2}]) == b"a: 1\n---\nb: 2\n"


def test_a_long_text_is_not_folded() -> None:
    text = "word " * 500 + "end"

    assert dump_documents([{"value": text}]).count(b"\n") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-01-01", "2020-01-01"),
        ("2020-01-01T10:00:00Z", "2020-01-01T10:00:00Z"),
        ("12:30:45", "12:30:45"),
        ("22:22", "22:22"),
        ("=", "="),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("0o17", 15),
        ("012", 10),
        ("0x1f", 31),
        ("1_000", 1000),
        ("08", "08"),
        ("yes", True),
        ("~", None),
    ],
)
def test_a_scalar_is_read_as_kubernetes_reads_it(text: str, expected: Json) -> None:
    assert canonical(load_one(f"a: {text}")) == canonical({"a": expected})


TEXT = """\
# a comment

---
---
apiVersion: v1
spec:
  routes:
    - path: /a
    - path: /b
      port: 1
--- {kind: B, spec: {x: 1}}
---
# nothing
---

kind: C
"""


@pytest.mark.parametrize(
    ("index", "path", "line"),
    [
        (0, (), 5),
        (0, ("spec", "routes", 1, "port"), 10),
        (0, ("spec", "routes", 1), 9),
        (0, ("spec", "routes", 5, "port"), 7),
        (0, ("spec", "missing", "deeper"), 6),
        (1, ("spec", "x"), 11),
        (2, ("kind",), 16),
    ],
)
def test_a_document_knows_the_line_of_each_value(
    index: int, path: tuple[str | int, ...], line: int
) -> None:
    document = load_documents(TEXT, "dir/f.yaml")[index]

    assert document.where(path) == f"dir/f.yaml:{line}"


def test_a_document_that_is_indented_as_a_whole_knows_its_lines() -> None:
    [_, document] = load_documents("a: 1\n---\n  kind: A\n  spec:\n    a: 1\n", "f.yaml")

    assert document.where(("spec", "a")) == "f.yaml:5"


@pytest.mark.parametrize("text", [TEXT.replace("\n", "\r\n"), "\ufeff" + TEXT])
def test_windows_line_ends_and_a_byte_order_mark_leave_lines_as_they_are(text: str) -> None:
    documents = load_documents(text, "f.yaml")

    assert [document.line(("kind",)) for document in documents] == [5, 11, 16]


REFUSED = [
    ("a: 1\nb: 2\na: 3", "f.yaml:3", "'a' stands twice"),
    ("a:\n  b: 1\n  b: 2", "f.yaml:3", "'b' stands twice"),
    ("a: 1\n---\na: [1", "f.yaml:", "no YAML we can read"),
    ("a: 1\n\tb: 2", "f.yaml:2", "no YAML we can read"),
    ("1: a", "f.yaml:1", "'1' is no text; put it in quotes"),
    ("a: 1\non: push", "f.yaml:2", "'on' is no text"),
    ("? [a]\n: b", "f.yaml:1", "is no text"),
    ("a: !Ref b", "f.yaml:1", "!Ref"),
    ("a: !!python/name:os.system", "f.yaml:1", "python/name"),
    ("a: !!binary aGk=", "f.yaml", "bytes has no place"),
    ("a: !!set {b}", "f.yaml", "set has no place"),
    ("a: !!timestamp 2020-01-01", "f.yaml", "date has no place"),
    ("a: !!int x", "f.yaml", "no YAML we can read"),
    ("a: !!int ''", "f.yaml", "does not fit its tag"),
    ("a: !!bool x", "f.yaml", "does not fit its tag"),
    ("a: !!timestamp x", "f.yaml", "does not fit its tag"),
    ("a: 1\nb: \ud800", "f.yaml:2", "half a character"),
    ("a: .inf", "f.yaml", "put it in quotes"),
    ("a: .nan", "f.yaml", "put it in quotes"),
    ("a: 18446744073709551616", "f.yaml", "64 bits"),
    ("a: 0x" + "f" * 6000, "f.yaml", "64 bits"),
    ("a: " + "9" * 6000, "f.yaml", "no YAML we can read"),
    ("a: \x07", "f.yaml", "no YAML we can read"),
    ("a: *b", "f.yaml:1", "no YAML we can read"),
    ("a: &a {<<: 1}", "f.yaml:1", "'<<' takes a mapping"),
    ("a: &a [*a]", "f.yaml", "deeper than 150"),
    ("a: &a {b: *a}", "f.yaml", "deeper than 150"),
    ("[" * 151 + "]" * 151, "f.yaml", "deeper than 150"),
    ("[" * 20000 + "]" * 20000, "f.yaml", "no YAML we can read|deeper than 150"),
]


@pytest.mark.parametrize(("text", "where", "words"), REFUSED, ids=[r[0][:20] for r in REFUSED])
def test_what_no_manifest_may_hold_is_refused_with_its_place(
    text: str, where: str, words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        load_values(text, "f.yaml")

    assert caught.value.message.startswith(where)
    assert caught.value.reason == Reason.INVALID_YAML
    assert len(caught.value.message) < 300


def laughs(levels: int, bottom: str, level: str) -> str:
    lines = [f"a0: &a0 {bottom}"]
    for index in range(1, levels):
        aliases = ", ".join([f"*a{index - 1}"] * 10)
        lines.append(f"a{index}: &a{index} " + level.format(aliases))
    return "\n".join(lines)


def test_aliases_that_expand_without_bound_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="more than 500000 values"):
        load_values(laughs(12, "[x]", "[{}]"), "f.yaml")


def test_merges_of_merges_take_no_more_room_than_what_they_say() -> None:
    loaded = load_one(laughs(12, "{x: 1}", "{{<<: [{}]}}"))

    assert loaded == {f"a{index}": {"x": 1} for index in range(12)}


def test_merges_that_would_fill_the_memory_are_refused() -> None:
    wide = ", ".join(f"k{index}: 1" for index in range(1000))
    many = "\n".join(["- <<: *a"] * 501)

    with pytest.raises(InvalidInputError, match="'<<' brings more than 500000 values"):
        load_values(f"- &a {{{wide}}}\n{many}", "f.yaml")


def test_what_an_anchor_holds_can_be_merged_and_overridden() -> None:
    text = "- &a {x: 1, y: 1}\n- &b {<<: *a, y: 2}\n- {z: 3, <<: [*b, *a]}\n"

    assert load_one(text) == [{"x": 1, "y": 1}, {"x": 1, "y": 2}, {"x": 1, "y": 2, "z": 3}]


def test_an_alias_stands_for_what_its_anchor_holds() -> None:
    assert load_one("a: &a [1]\nb: *a\n") == {"a": [1], "b": [1]}


@pytest.mark.parametrize("text", ["just text", "[1, 2]", "3"])
def test_a_document_that_is_no_mapping_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^f\.yaml:3: a mapping is needed here, found"):
        load_documents(f"a: 1\n---\n{text}\n", "f.yaml")


@pytest.mark.parametrize(("text", "count"), [("", 0), ("---\n---\n", 0), ("a: 1\n---\nb: 2", 2)])
def test_a_file_of_one_object_holds_exactly_one(text: str, count: int) -> None:
    with pytest.raises(InvalidInputError, match=f"one YAML document is needed here, found {count}"):
        load_object(text, "f.yaml")


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "a: " + "{a: " * 50_000])
def test_nesting_that_would_exhaust_the_stack_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        load_values(text, "deep.yaml")

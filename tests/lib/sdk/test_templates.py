"""Templates: what values and forms give, in mappings, in lists, in files."""

from collections.abc import Mapping

import pytest

from troth.api import Json, JsonObject, dump_documents, load_values
from troth.errors import InvalidInputError
from troth.sdk.templates import read_files, read_value, render

VARIABLES: dict[str, Json] = {
    "name": "web",
    "spec": {
        "replicas": 3,
        "public": True,
        "hidden": False,
        "ratio": 1.5,
        "nothing": None,
        "ports": [80, 443],
        "pairs": [["a", 1], ["b", 2]],
        "env": {"B": "2", "A": "1"},
        "items": "a field",
        "rows": [{"name": "x", "tls": True}, {"name": "y", "tls": False}],
    },
}


def value(template: str, variables: Mapping[str, Json] = VARIABLES) -> JsonObject:
    return read_value(template, "T", frozenset(variables)).render(variables)


def files(template: str, variables: Mapping[str, Json] = VARIABLES) -> dict[str, list[JsonObject]]:
    return read_files(template, "T", frozenset(variables)).render(variables)


def config_map(name: str) -> JsonObject:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("'{{ spec.replicas }}'", 3),
        ("'{{spec.replicas}}'", 3),
        ("'{{ spec.public }}'", True),
        ("'{{ spec.ratio }}'", 1.5),
        ("'{{ spec.nothing }}'", None),
        ("'{{ spec.ports }}'", [80, 443]),
        ("'{{ spec.env }}'", {"A": "1", "B": "2"}),
        ('\'{{ {"a": {"b": [1]}} }}\'', {"a": {"b": [1]}}),
        ('\'{{ {"a": {"b": [1]}}}}\'', {"a": {"b": [1]}}),
        ("'{{ (1, 2) }}'", [1, 2]),
        ("'{{ \"}}\" }}'", "}}"),
        ("' {{ spec.replicas }}'", " 3"),
        ("'{{ spec.replicas }}{{ spec.public }}{{ spec.hidden }}'", "3truefalse"),
        ("'{{ spec.ratio }} of {{ name }}'", "1.5 of web"),
        ("'{{ \"{{\" }} $x }}'", "{{ $x }}"),
        ("'{{ \"{%\" }}'", "{%"),
        ("'{# no comment #}'", "{# no comment #}"),
        ("'}} { }'", "}} { }"),
        ("''", ""),
        ("{}", {}),
        ("[]", []),
        ("|\n  one\n  {{ name }}\n", "one\nweb\n"),
        ("{(raw): '{{ spec }} {% x %}'}", "{{ spec }} {% x %}"),
        ("{(raw): {'(if x)': ['{{']}}", {"(if x)": ["{{"]}),
        ("[{(raw): '{{'}, 1]", ["{{", 1]),
    ],
)
def test_a_value_is(template: str, expected: Json) -> None:
    assert value(f"a: {template}") == {"a": expected}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("(if spec.public): {a: 1}", {"a": 1}),
        ("(if spec.hidden): {a: 1}", {}),
        ("( if  spec.public ): {a: 1}", {"a": 1}),
        ("(if spec.hidden): {a: 1}\n(else): {b: 1}", {"b": 1}),
        ("(if spec.hidden): {a: 1}\n(elif spec.public): {b: 1}\n(else): {c: 1}", {"b": 1}),
        ("(if spec.public): {a: 1}\n(elif spec.public): {b: 1}", {"a": 1}),
        ("(if spec.hidden): {a: 1}\n(elif spec.hidden): {b: 1}\n(else): {c: 1}", {"c": 1}),
        ("(if spec.hidden): {}\n(else): {a: 1}\n(if spec.public): {b: 1}", {"a": 1, "b": 1}),
        ("(for p in spec.ports): {'p{{ p }}': '{{ p }}'}", {"p80": 80, "p443": 443}),
        ("(for p in []): {a: 1}", {}),
        ("(for k, v in spec.env): {'{{ k }}': '{{ v }}'}", {"A": "1", "B": "2"}),
        ("(for k in spec.env): {'{{ k }}': 1}", {"A": 1, "B": 1}),
        ("(for k, v in spec.pairs): {'{{ k }}': '{{ v }}'}", {"a": 1, "b": 2}),
        ("(for p in spec.ports): {(if p > 80): {p: '{{ p }}'}}", {"p": 443}),
        ("(let x): {y: '{{ name }}'}\na: '{{ x.y }}'", {"a": "web"}),
        ("(let x): 1\n(let y): '{{ x + 1 }}'\na: {b: '{{ y }}'}", {"a": {"b": 2}}),
        ("(let x):\na: '{{ x is none }}'", {"a": True}),
        ("(if true): {(let x): 1, a: '{{ x }}'}\n(let x): 2\nb: '{{ x }}'", {"a": 1, "b": 2}),
        ("a: {(if spec.public): {b: 1}}\nc: {(if spec.hidden): {b: 1}}", {"a": {"b": 1}, "c": {}}),
    ],
)
def test_a_mapping_becomes(template: str, expected: JsonObject) -> None:
    assert value(template) == expected


def test_fields_keep_the_order_of_the_template() -> None:
    template = (
        "z: 1\n(if spec.public): {m: 2}\na: 3\n(for k, v in spec.env): {'{{ k }}': '{{ v }}'}"
    )

    assert list(value(template)) == ["z", "m", "a", "A", "B"]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("[1, {(if spec.public): 2}, 3]", [1, 2, 3]),
        ("[1, {(if spec.hidden): 2}, 3]", [1, 3]),
        ("[{(if spec.public): [1, 2]}]", [1, 2]),
        ("[{(if spec.public): [[1, 2]]}]", [[1, 2]]),
        ("[{(if spec.public): '{{ spec.ports }}'}]", [[80, 443]]),
        ("[{(if spec.hidden): 1}, {(else): 2}]", [2]),
        ("[{(if spec.hidden): 1, (else): 2}]", [2]),
        ("[{(if spec.public): {a: 1}}]", [{"a": 1}]),
        ("[{(if spec.public): {a: 1}, b: 2}]", [{"a": 1, "b": 2}]),
        ("[{(for p in spec.ports): '--{{ p }}'}]", ["--80", "--443"]),
        ("[{(for p in spec.ports): ['-p', '{{ p }}']}]", ["-p", 80, "-p", 443]),
        ("[{(for p in spec.ports): {(if p > 80): '{{ p }}'}}]", [443]),
        ("[{'(for k, v in spec.env)': {name: '{{ k }}', value: '{{ v }}'}}]",
         [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]),
        ("[{(let x): 5}, '{{ x }}']", [5]),
        ("[{(for x in range(2)): {(for y in range(2)): '{{ x }}{{ y }}'}}]",
         ["00", "01", "10", "11"]),
        ("[{(for x in 'ab' | list): '{{ x }}{{ loop.index }}{{ loop.index0 }}{{ loop.length }}'}]",
         ["a102", "b212"]),
        ("[{(for x in range(3)): ['{{ loop.first }}', '{{ loop.last }}']}]",
         [True, False, False, False, False, True]),
    ],
)  # fmt: skip
def test_a_list_becomes(template: str, expected: Json) -> None:
    assert value(f"a: {template}") == {"a": expected}


def test_a_file_takes_an_object_a_list_or_a_form() -> None:
    template = """
    one.yaml: &web {apiVersion: v1, kind: ConfigMap, metadata: {name: "{{ name }}"}}
    two.yaml:
      - *web
      - (for p in spec.ports): {<<: *web, metadata: {name: "p{{ p }}"}}
    three.yaml: {(if spec.public): [*web], (else): *web}
    four.yaml: {(if spec.hidden): *web}
    (for row in spec.rows):
      (let file): "{{ row.name }}.yaml"
      (if row.tls):
        "tls/{{ file }}": *web
    """

    assert files(template) == {
        "one.yaml": [config_map("web")],
        "two.yaml": [config_map("web"), config_map("p80"), config_map("p443")],
        "three.yaml": [config_map("web")],
        "tls/x.yaml": [config_map("web")],
    }


def test_every_document_is_a_template_of_objects() -> None:
    text = """
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ name }}"}
---
(for p in spec.ports): {apiVersion: v1, kind: ConfigMap, metadata: {name: "p{{ p }}"}}
"""

    assert render(text, VARIABLES, "T") == [
        config_map("web"),
        config_map("p80"),
        config_map("p443"),
    ]


def test_what_a_loop_binds_ends_with_it() -> None:
    with pytest.raises(InvalidInputError, match="there is no variable 'p'"):
        value("(for p in spec.ports): {}\na: '{{ p }}'")


def test_what_a_body_sets_ends_with_it() -> None:
    with pytest.raises(InvalidInputError, match="there is no variable 'x'"):
        value("(if spec.public): {(let x): 1}\na: '{{ x }}'")


def test_what_a_template_gives_is_its_own() -> None:
    ports = [80]

    made = value("a: '{{ spec.ports }}'\nb: '{{ spec.ports }}'", {"spec": {"ports": ports}})

    assert made["a"] == made["b"] == ports
    assert made["a"] is not ports
    assert made["a"] is not made["b"]


def test_the_order_of_keys_in_a_request_changes_nothing() -> None:
    template = "a: '{{ spec }}'\nb: '{{ spec | tojson }}'\n(for k, v in spec): {'x{{ k }}': 1}"

    one = value(template, {"spec": {"a": {"y": 1, "x": 2}, "b": 3}})
    other = value(template, {"spec": {"b": 3, "a": {"x": 2, "y": 1}}})

    assert dump_documents([one]) == dump_documents([other])


def test_templates_are_read_once_and_rendered_for_many() -> None:
    template = read_value("a: '{{ x }}'", "T", frozenset({"x"}))

    assert [template.render({"x": n}) for n in range(3)] == [{"a": 0}, {"a": 1}, {"a": 2}]
    assert read_value("a: '{{ x }}'", "T", frozenset({"x"})) is template


@pytest.mark.parametrize("variables", [{}, {"x": 1, "y": 2}])
def test_other_variables_than_those_it_was_read_for_are_a_misuse(
    variables: dict[str, Json],
) -> None:
    template = read_value("a: 1", "T", frozenset({"x"}))

    with pytest.raises(ValueError, match=r"read for \['x'\]"):
        template.render(variables)


def test_sixty_levels_are_rendered() -> None:
    text = "".join(" " * level + "(if true):\n" if level % 2 else " " * level + "a:\n"
                   for level in range(58)) + " " * 58 + "a: '{{ name }}'\n"  # fmt: skip
    expected: Json = "web"
    for _ in range(30):
        expected = {"a": expected}

    assert value(text) == expected
    assert load_values(dump_documents([value(text)]).decode(), "T") == [expected]

"""Every mistake in a template is told of with its line, its place and what to do."""

import pytest

from troth.api import Json
from troth.errors import InvalidInputError, Reason
from troth.sdk.templates import read_files, read_value, render

VARIABLES: dict[str, Json] = {
    "spec": {"replicas": 3, "ports": [80, 443], "pairs": [["a", 1], ["b"]], "hidden": False}
}
OBJECT = "apiVersion: v1, kind: ConfigMap, metadata: {name: x}"


def error_of_value(template: str) -> str:
    with pytest.raises(InvalidInputError) as caught:
        read_value(template, "T", frozenset(VARIABLES)).render(VARIABLES)
    assert caught.value.reason == Reason.INVALID_TEMPLATE
    assert caught.value.field == ()
    return caught.value.message


def error_of_files(template: str) -> str:
    with pytest.raises(InvalidInputError) as caught:
        read_files(template, "T", frozenset(VARIABLES)).render(VARIABLES)
    assert caught.value.reason == Reason.INVALID_TEMPLATE
    return caught.value.message


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a:\n  - b: '{{ spec.x }}'", "T:2: a[0].b: {{ spec.x }}: there is no 'x'"),
        ("a: |\n  one\n  {{ spec.x }}", "T:1: a: {{ spec.x }}, line 2 of the text: there is no"),
        ("a: 1\nb: 'x{{ spec.ports }}'", "T:2: b: {{ spec.ports }}: a list cannot stand inside"),
        ("a: 1\n'{{ spec.x }}': 1", "T:2: ['{{ spec.x }}']: {{ spec.x }}: there is no 'x'"),
        ("'{{ spec.replicas }}': 1", "T:1: ['{{ spec.replicas }}']: a key has to be a text, found"),
        ("a: '{{ spec'", "T:1: a: '{{' has no '}}'; for the text itself write `{{ '{{' }}`, or"),
        ("a: '{{ {1: 2} }'", "T:1: a: '{{' has no '}}'"),
        ("a: '{{- spec }}'", "T:1: a: '{{-' and '-}}' mean nothing here"),
        ("a: '{{ spec -}}'", "T:1: a: '{{-' and '-}}' mean nothing here"),
        ("a: 'x {% if y %}'", "T:1: a: there are no statements; write `(if …):`"),
        ("'{% x %}': 1", "T:1: ['{% x %}']: there are no statements"),
        ("a: {{ spec.x }}", "needs_quotes"),
        ("a:\n  - {{ spec.x }}", "needs_quotes"),
        ("a: b: c", "T:1: this is no YAML we can read: mapping values are not allowed"),
    ],
)
def test_a_mistake_in_a_value_names_its_line(template: str, message: str) -> None:
    found = error_of_value(template)

    if message == "needs_quotes":
        assert found.endswith(" A value that begins with '{{' has to stand in quotes.")
    else:
        assert found.startswith(message)
        assert found.endswith((".", "?"))
        assert "quotes" not in found


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("(if spec.x): {a: 1}", "T:1: ['(if spec.x)']: spec.x: there is no 'x'"),
        ("a: {(else): {b: 1}}", "T:1: a['(else)']: `(else)` has no `(if …)` right before it."),
        ("(if true): {}\na: 1\n(else): {}", "T:3: ['(else)']: `(else)` has no `(if …)` right"),
        ("(if true): {}\n(else): {}\n(elif 1): {}", "T:3: ['(elif 1)']: `(elif)` has no"),
        ("(for x in []): {}\n(else): {}", "T:2: ['(else)']: `(else)` has no"),
        ("(if): {}", "T:1: ['(if)']: `(if …)` needs a condition."),
        ("(if 1 +): {}", "T:1: ['(if 1 +)']: 1 +: this is no expression: unexpected 'end"),
        ("(if a }} {{ b): {}", "T:1: ['(if a }} {{ b)']: a }} {{ b: one expression is needed"),
        ("(if 1) x: {}", "T:1: ['(if 1) x']: a key that begins with '(' has to end with ')'"),
        ("(else if x): {}", "T:1: ['(else if x)']: write `(elif …)`."),
        ("(else x): {}", "T:1: ['(else x)']: `(else)` takes nothing."),
        ("(end): {}", "T:1: ['(end)']: there is no form 'end'; there are: elif, else, for, if,"),
        ("(fro x in y): {}", "T:1: ['(fro x in y)']: there is no form 'fro'; did you mean 'for'?"),
        ("(): {}", "T:1: ['()']: a key that begins with '('"),
        ("(if true): {b: 1}\nb: 2", "T:2: b: the key 'b' stands twice; the first is in line 1."),
        ("(if true): 1", "T:1: ['(if true)']: its fields become part of the mapping around it"),
        ("(if true): [1]", "T:1: ['(if true)']: its fields become part of the mapping around it"),
        ("(if true):", "T:1: ['(if true)']: there is nothing under it."),
        ("(if false): {}\n(else):", "T:2: ['(else)']: there is nothing under it."),
        ("(if 1): {}\n(else): {}\n(if 2): {}\n(else): {}",
         "T:4: this is no YAML we can read: the key '(else)' stands twice. YAML has a key once"),
        ("(for x): {}", "T:1: ['(for x)']: write `(for NAME in LIST)` or `(for KEY, VALUE in"),
        ("(for x, x in []): {}", "T:1: ['(for x, x in [])']: the two names of a loop have to"),
        ("(for 1x in []): {}", "T:1: ['(for 1x in [])']: write `(for NAME"),
        ("(for in in []): {}", "T:1: ['(for in in [])']: 'in' cannot be a name here; choose"),
        ("(for spec in []): {}", "T:1: ['(for spec in [])']: there is a variable 'spec' already"),
        ("(for x in spec.replicas): {}",
         "T:1: ['(for x in spec.replicas)']: spec.replicas: a loop needs a list or a mapping, fou"),
        ("(for a, b in spec.pairs): {}",
         "T:1: ['(for a, b in spec.pairs)']: spec.pairs: a loop with 2 names needs a mapping, or"),
        ("(let loop): 1", "T:1: ['(let loop)']: 'loop' cannot be a name here; choose another."),
        ("(let a-b): 1", "T:1: ['(let a-b)']: 'a-b' is no name; use letters, digits and '_'."),
        ("(let x): 1\na: {(let x): 2}", "T:2: a['(let x)']: there is a variable 'x' already"),
        ("a: {(raw): 1, b: 2}", "T:1: a['(raw)']: `(raw)` has to be the only key of a mapping."),
        ("a: {(raw x): 1}", "T:1: a['(raw x)']: `(raw)` takes nothing."),
    ],
)  # fmt: skip
def test_a_mistake_in_a_form_names_its_line(template: str, message: str) -> None:
    assert error_of_value(template).startswith(message)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a.yaml:\n  - {kind: X, metadata: {name: x}}",
         "T:2: ['a.yaml'][0]: a Kubernetes object needs apiVersion, a text; found null."),
        ("a.yaml: {apiVersion: v1, metadata: {name: x}}",
         "T:1: ['a.yaml']: a Kubernetes object needs kind, a text; found null."),
        ("a.yaml: {apiVersion: v1, kind: X}",
         "T:1: ['a.yaml']: a Kubernetes object needs metadata.name, a text; found null."),
        ("a.yaml: {apiVersion: v1, kind: X, metadata: {name: '{{ spec.replicas }}'}}",
         "T:1: ['a.yaml']: a Kubernetes object needs metadata.name, a text; found a number."),
        ("a.yaml: {apiVersion: v1, kind: '', metadata: {name: x}}",
         "T:1: ['a.yaml']: a Kubernetes object needs kind, a text; found a text, which is empty."),
        ("a.yaml: text", "T:1: ['a.yaml']: a Kubernetes object is needed here, found a text."),
        ("a.yaml: {(if true): text}", "T:1: ['a.yaml']['(if true)']: a Kubernetes object is"),
        (f"a: {{{OBJECT}}}\n(if true): {{a: {{{OBJECT}}}}}",
         "T:2: ['(if true)'].a: there is a file 'a' already."),
        (f"'{{{{ spec.replicas }}}}': {{{OBJECT}}}",
         "T:1: ['{{ spec.replicas }}']: a path has to be a text, found a number."),
        ("(if spec.hidden): {a.yaml: {kind: '{{ spec. }}'}}",
         "T:1: ['(if spec.hidden)']['a.yaml'].kind: {{ spec. }}: this is no expression"),
        ("(if spec.hidden): {a.yaml: {kind: '{{ spce.x }}'}}",
         "T:1: ['(if spec.hidden)']['a.yaml'].kind: {{ spce.x }}: there is no variable 'spce'"),
        ("(for x in spec.ports): [1]", "T:1: ['(for x in spec.ports)']: its fields become part"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_file_names_its_line(template: str, message: str) -> None:
    assert error_of_files(template).startswith(message)


def test_a_mistake_in_a_later_document_has_its_line_in_the_whole() -> None:
    with pytest.raises(InvalidInputError) as caught:
        render(f"{{{OBJECT}}}\n---\na: 1\nb: '{{{{ x }}}}'\n", VARIABLES, "objects.yaml")

    assert caught.value.message.startswith("objects.yaml:4: b: {{ x }}: there is no variable 'x'")


@pytest.mark.parametrize(
    "expression", ["spec.a + 1", "spec.a | int", "spec.b ~ 'x'", "spec.a < 1", "spec.a.x"]
)
def test_a_value_of_a_request_stands_in_no_message(expression: str) -> None:
    variables: dict[str, Json] = {"spec": {"a": "hunter2", "b": ["hunter2"]}}
    template = read_value(f'a: "{{{{ {expression} }}}}"', "T", frozenset(variables))

    with pytest.raises(InvalidInputError) as caught:
        template.render(variables)

    assert "hunter2" not in caught.value.message


def test_loops_in_loops_come_to_an_end() -> None:
    template = "(for a in range(1000)): {(for b in range(1000)): {'{{ a }}-{{ b }}': 1}}"

    assert error_of_value(template).endswith(
        "the templates make more than 100000 values; loop less."
    )


def test_texts_that_double_come_to_an_end() -> None:
    lines = [f"(let x{n + 1}): '{{{{ x{n} }}}}{{{{ x{n} }}}}'" for n in range(40)]

    assert "the templates make more than 20971520 characters of text" in error_of_value(
        "\n".join(["(let x0): 'abc'", *lines])
    )


def test_lists_that_double_come_to_an_end() -> None:
    lines = [f"(let x{n + 1}): '{{{{ x{n} + x{n} }}}}'" for n in range(40)]

    assert "more than 100000 values" in error_of_value("\n".join(["(let x0): [1]", *lines]))


def test_values_that_wrap_themselves_come_to_an_end() -> None:
    lines = [f"(let x{n + 1}): '{{{{ [x{n}] }}}}'" for n in range(200)]

    assert "the result is nested deeper than 100 levels" in error_of_value(
        "\n".join(["(let x0): 1", *lines])
    )


@pytest.mark.parametrize("key", ["a", "(if true)"])
def test_templates_nested_too_deeply_are_refused(key: str) -> None:
    text = "".join(f"{' ' * level}{key}:\n" for level in range(61)) + " " * 61 + "b: 1"

    assert "templates are nested at most 60 levels deep." in error_of_value(text)


def test_the_deepest_yaml_that_is_read_exhausts_no_stack() -> None:
    text = "".join(f"{' ' * level}(if true):\n" for level in range(148)) + " " * 148 + "{}"

    assert read_value(text, "T", frozenset(VARIABLES)).render(VARIABLES) == {}

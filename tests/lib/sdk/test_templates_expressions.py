"""What expressions can do, and what they cannot reach."""

import pytest

from troth.api import Json
from troth.errors import InvalidInputError
from troth.sdk.templates import read_value

VARIABLES: dict[str, Json] = {
    "spec": {
        "image": "web:1.4",
        "replicas": 3,
        "ratio": 1.5,
        "nothing": None,
        "empty": "",
        "items": "a field",
        "ports": [443, 80, 443],
        "env": {"B": "ä<b>", "A": "1"},
        "rows": [{"name": "x", "tls": True}, {"name": "y", "tls": False}],
    },
    "result": 5,
}


def evaluate(expression: str) -> Json:
    quoted = expression.replace("'", "''")
    template = read_value(f"a: '{{{{ {quoted} }}}}'", "T", frozenset(VARIABLES))
    return template.render(VARIABLES)["a"]


def problem(expression: str) -> str:
    with pytest.raises(InvalidInputError) as caught:
        evaluate(expression)
    prefix = f"T:1: a: {{{{ {expression} }}}}: "
    assert caught.value.message.startswith(prefix)
    return caught.value.message.removeprefix(prefix)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("spec.replicas + 1", 4),
        ("spec.replicas // 2 * 4 - 1", 3),
        ("spec.replicas % 2 / 2", 0.5),
        ("-spec.replicas", -3),
        ("'a' + 'b'", "ab"),
        ("spec.ports + [1]", [443, 80, 443, 1]),
        ("spec.image ~ '-' ~ 3 ~ true ~ 1.5", "web:1.4-3true1.5"),
        ("('a' ~ ('b' ~ 'c')) | upper", "ABC"),
        ("'yes' if spec.replicas > 2 else 'no'", "yes"),
        ("1 < spec.replicas <= 3 and not spec.empty", True),
        ("'web' in spec.image and 80 in spec.ports and 'A' in spec.env", True),
        ("spec['env']['A']", "1"),
        ("spec.items", "a field"),
        ("spec.ports[0] + spec.ports[-1]", 886),
        ("spec.ports[:2]", [443, 80]),
        ("spec.image[:3]", "web"),
        ("range(3)", [0, 1, 2]),
        ("range(1, 7, 2)", [1, 3, 5]),
        ("result", 5),
        ("{'a': spec.replicas}", {"a": 3}),
        ("18446744073709551615", 2**64 - 1),
    ],
)
def test_an_expression_gives(expression: str, expected: Json) -> None:
    assert evaluate(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("spec.nope | default('x')", "x"),
        ("spec.nope.deeper[3].still | default('x')", "x"),
        ("spec.nothing | default('x')", None),
        ("spec.empty | default('x', true)", "x"),
        ("spec.nope is defined or spec.nope is undefined", True),
        ("[] | first | default('x')", "x"),
        ("'aB' | lower ~ 'aB' | upper", "abAB"),
        ("' a ' | trim", "a"),
        ("'a.b.c' | replace('.', '-')", "a-b-c"),
        ("'a,b' | split(',')", ["a", "b"]),
        ("'a\\n\\nb\\n' | indent(2)", "a\n\n  b\n"),
        ("true | string ~ 3 | string", "true3"),
        ("3.9 | int + '4' | int + ' 5 ' | int", 12),
        ("spec.ports | length + 'ab' | length", 5),
        ("[spec.ports | first, spec.ports | last, spec.ports | min, spec.ports | max]",
         [443, 443, 80, 443]),
        ("spec.ports | unique | sort", [80, 443]),
        ("spec.ports | sort(reverse=true) | unique", [443, 80]),
        ("spec.ports | join(', ')", "443, 80, 443"),
        ("[1, true, 'a'] | join", "1truea"),
        ("'ab' | list", ["a", "b"]),
        ("spec.rows | map(attribute='name') | join", "xy"),
        ("spec.ports | map('string')", ["443", "80", "443"]),
        ("spec.ports | select('gt', 100) | length", 2),
        ("spec.ports | reject('eq', 443)", [80]),
        ("spec.rows | selectattr('tls') | map(attribute='name')", ["x"]),
        ("spec.rows | rejectattr('tls') | map(attribute='name')", ["y"]),
        ("spec.env | items", [["A", "1"], ["B", "ä<b>"]]),
        ("spec.env | tojson", '{"A": "1", "B": "ä<b>"}'),
        ("{'b': 1, 'a': [2]} | tojson(1)", '{\n "a": [\n  2\n ],\n "b": 1\n}'),
        ("'a\"b' | tojson", '"a\\"b"'),
        ("{'a': 'no', 'b': [1]} | toyaml", "a: 'no'\nb:\n- 1\n"),
        ("'ä' | b64encode", "w6Q="),
        ("'' | sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("'Team A_b.c!' | dns_label", "team-a-b-c"),
        ("spec.image is startswith('web') and spec.image is endswith('4')", True),
        ("spec.replicas is number and spec.replicas is odd and spec.env is mapping", True),
    ],
)  # fmt: skip
def test_a_filter_or_test_gives(expression: str, expected: Json) -> None:
    assert evaluate(expression) == expected


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("spec.__class__", "there is no '__class__'; there are:"),
        ("spec['__class__']", "there is no '__class__'"),
        ("''.__class__", "'__class__' cannot be looked up in a text."),
        ("spec.ports.append", "'append' cannot be looked up in a list."),
        ("spec.image.format", "'format' cannot be looked up in a text."),
        ("range.__self__", "'__self__' cannot be looked up in a function."),
        ("spec.image.upper()", "only `range` can be called; instead of a method use a filter"),
        ("spec.image()", "only `range` can be called"),
        ("cycler(1)", "only `range` can be called"),
        ("lipsum", "there is no variable 'lipsum'"),
        ("self", "there is no variable 'self'"),
        ("loop", "there is no variable 'loop'"),
        ("range", "the result is a function, which no manifest can hold."),
        ("spec | attr('keys')", "there is no filter 'attr'"),
        ("spec.ports | map('attr', 'x')", "No filter named 'attr'."),
        ("spec.ports | random", "there is no filter 'random'"),
        ("2 ** 64", "'**' is no part of templates."),
        ("'a' * 1000000000", "'*' needs two numbers; found a text and a number."),
        ("[0] * 1000000000", "'*' needs two numbers; found a list and a number."),
        ("'%1000000000d' % 1", "'%' needs two numbers; found a text and a number."),
        ("range(1000000)", "a range has at most 10000 numbers."),
        ("range(999999999999999999999999)", "a range has at most 10000 numbers."),
        ("'a' | indent(1000000000)", "indent takes 0 to 100 spaces."),
        ("[1] | tojson(1000000000)", "tojson indents by 0 to 100 spaces."),
        ("range(9999) | join('a' | b64encode | sha256 | sha256 ~ 'a' | sha256)", "this makes a"),
        ("range(9999) | join | replace('', range(9999) | join)", "this makes a text of more than"),
    ],
)
def test_an_expression_cannot_reach_python_nor_fill_the_memory(expression: str, words: str) -> None:
    assert problem(expression).startswith(words)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("spec.replica", "there is no 'replica'; did you mean 'replicas'? (where it may be"),
        ("spec.zzz.deeper", "there is no 'zzz'; there are: empty, env, image, items, nothing,"),
        ("{}.a", "there is no 'a'; there are: none (where"),
        ("spec.ports[3]", "there is no item 3, there are 3."),
        ("spec.ports[-4]", "there is no item -4, there are 3."),
        ("spec.ports['a']", "'a' cannot be looked up in a list."),
        ("spec.replicas.a", "'a' cannot be looked up in a number."),
        ("spec.nothing.a", "'a' cannot be looked up in null."),
        ("spec[1]", "there is no 1; there are: empty,"),
        ("not spec.nope", "there is no 'nope'"),
        ("spec.nope == 1", "there is no 'nope'"),
        ("spec.nope ~ 'a'", "there is no 'nope'"),
        ("spec.nope + 1", "there is no 'nope'"),
        ("[spec.nope]", "there is no 'nope'"),
        ("{'a': [spec.nope]}", "there is no 'nope'"),
        ("spec.nope | items", "there is no 'nope'"),
        ("spec.nope | tojson", "there is no 'nope'"),
        ("spec.nope | toyaml", "there is no 'nope'"),
        ("spec.nope | join", "there is no 'nope'"),
        ("spec.nope | length", "there is no 'nope'"),
        ("spec.nope | int", "there is no 'nope'"),
        ("spec.nope | map('lower')", "there is no 'nope'"),
        ("spec.rows | map(attribute='nam')", "there is no 'nam'; did you mean 'name'?"),
        ("spce.image", "there is no variable 'spce'; did you mean 'spec'?"),
        ("spec.image | uper", "there is no filter 'uper'; did you mean 'upper'?"),
        ("spec.image is strin", "there is no test 'strin'; did you mean 'string'?"),
        ("'a' if spec.empty", "an `if` in an expression needs its `else`."),
        ("spec.image ~ none", "null cannot stand inside a text; use `| tojson`"),
        ("[[1]] | join", "a list cannot stand inside a text"),
        ("spec.env | lower", "a mapping cannot stand inside a text"),
        ("spec.image + 1", "'+' needs two numbers, or two texts or lists ('~' joins anything"),
        ("true + 1", "'+' needs two numbers, or two texts or lists"),
        ("spec.image - 'a'", "'-' needs two numbers; found a text and a text."),
        ("1 / 0", "division by zero."),
        ("spec.image < 3", "'<' not supported between"),
        ("'web' | int", "int finds no whole number in a text."),
        ("none | int", "int finds no whole number in null."),
        ("'a' | items", "items needs a mapping, found a text."),
        ("'a' | join", "join needs a list, found a text."),
        ("'a' | toyaml", "toyaml needs a mapping or a list, found a text."),
        ("'!' | dns_label", "dns_label needs a text that makes 1 to 63 characters, found 0."),
        ("range(64) | map('sha256') | join | dns_label", "dns_label needs a text that makes 1"),
        ("{1: 2}", "a key has to be a text, found a number; use `| string`."),
        ("18446744073709551616", "the result is a whole number of more than 64 bits."),
        ("1e400", "a number in it is too large."),
        ("1e300 * 1e300", "the result is inf, which no manifest can hold."),
        ("'\\ud800'", "the result holds half a character (a surrogate)."),
        ("spec.", "this is no expression: expected name or number."),
        ("a b", "this is no expression: expected token"),
        ("1, *", "this is no expression:"),
        ("", "the expression is empty."),
    ],
)
def test_a_mistake_in_an_expression_is_told_of(expression: str, words: str) -> None:
    assert words in problem(expression)


@pytest.mark.parametrize(
    "expression",
    ["[" * 300 + "]" * 300, "(" * 900 + "1" + ")" * 900, "-" * 3000 + "1", "1" + "+1" * 4000,
     "spec" + ".a" * 4000, "9" * 5000],
    ids=["brackets", "parentheses", "signs", "sums", "dots", "digits"],
)  # fmt: skip
def test_an_expression_that_exhausts_python_is_refused(expression: str) -> None:
    with pytest.raises(InvalidInputError, match="this expression is too long or nested too deeply"):
        evaluate(expression)


def test_an_expression_has_a_limit_and_is_quoted_in_part() -> None:
    with pytest.raises(InvalidInputError) as caught:
        evaluate("spec." + "a" * 10_000)

    assert caught.value.message == (
        f"T:1: a: {{{{ spec.{'a' * 112}…: an expression has at most 10000 characters."
    )

"""Requests against a Promise's schema: defaults and nulls as an API server has them, every error.

The schemas here are the dialect of CustomResourceDefinitions, not JSON Schema.
"""

import pytest

from troth.api import Json, JsonObject, RequestSchema
from troth.errors import InvalidInputError, Reason


def schema(required: Json = None, **properties: Json) -> RequestSchema:
    spec: dict[str, Json] = {"type": "object", "properties": properties}
    if required is not None:
        spec["required"] = required
    return of_spec(spec)


def of_spec(spec: JsonObject) -> RequestSchema:
    return RequestSchema({"type": "object", "properties": {"spec": spec}})


def obj(**properties: Json) -> JsonObject:
    return {"type": "object", "properties": properties}


def messages(ready: RequestSchema, **spec: Json) -> list[str]:
    return [violation.message for violation in ready.violations(ready.fill(spec))]


TEXT: JsonObject = {"type": "string"}
NUMBER: JsonObject = {"type": "integer"}


WRONG: list[tuple[JsonObject, Json, str]] = [
    (TEXT, 5, "spec.a: a text is needed here, found the number 5"),
    (TEXT, True, "spec.a: a text is needed here, found the boolean true"),
    (TEXT, ["x"], "spec.a: a text is needed here, found a list"),
    (NUMBER, "5", "spec.a: a whole number is needed here, found the text '5'"),
    (NUMBER, True, "spec.a: a whole number is needed here, found the boolean true"),
    (NUMBER, 1.5, "spec.a: a whole number is needed here, found the number 1.5"),
    ({"type": "number"}, False, "spec.a: a number is needed here, found the boolean false"),
    ({"type": "boolean"}, 1, "spec.a: true or false is needed here, found the number 1"),
    ({"type": "boolean"}, "true", "spec.a: true or false is needed here, found the text 'true'"),
    ({"type": "array", "items": TEXT}, "x", "spec.a: a list is needed here, found the text 'x'"),
    ({"type": "array", "items": TEXT}, ["x", 1],
     "spec.a[1]: a text is needed here, found the number 1"),
    (obj(b=TEXT), "x", "spec.a: a mapping is needed here, found the text 'x'"),
    ({"type": "object", "additionalProperties": NUMBER}, {"k.x": "y"},
     "spec.a['k.x']: a whole number is needed here, found the text 'y'"),
    ({"type": "string", "enum": ["small", "large"]}, "huge",
     "spec.a: the text 'huge' is none of 'small', 'large'"),
    ({"type": "integer", "enum": [1, 2]}, 3,
     "spec.a: the number 3 is none of the number 1, the number 2"),
    ({"type": "string", "minLength": 3}, "ab",
     "spec.a: it has 2 characters, at least 3 are needed"),
    ({"type": "string", "maxLength": 1}, "ab",
     "spec.a: it has 2 characters, at most 1 are allowed"),
    ({"type": "array", "items": TEXT, "minItems": 1}, [],
     "spec.a: it has 0 items, at least 1 are needed"),
    ({"type": "array", "items": TEXT, "maxItems": 1}, ["a", "b"],
     "spec.a: it has 2 items, at most 1 are allowed"),
    ({"type": "object", "additionalProperties": TEXT, "maxProperties": 0}, {"a": "b"},
     "spec.a: it has 1 fields, at most 0 are allowed"),
    ({"type": "integer", "minimum": 1}, 0, "spec.a: the number 0 is below the minimum of 1"),
    ({"type": "integer", "maximum": 9}, 10, "spec.a: the number 10 is above the maximum of 9"),
    ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, 1,
     "spec.a: the number 1 has to be more than 1"),
    ({"type": "integer", "maximum": 9, "exclusiveMaximum": True}, 9,
     "spec.a: the number 9 has to be less than 9"),
    ({"type": "integer", "multipleOf": 5}, 7, "spec.a: the number 7 is no multiple of 5"),
    ({"type": "string", "pattern": "^[a-z]+$"}, "A1",
     "spec.a: the text 'A1' does not match the pattern ^[a-z]+$"),
    ({"type": "string", "nullable": True}, 5,
     "spec.a: a text or null is needed here, found the number 5"),
    ({"x-kubernetes-int-or-string": True}, [],
     "spec.a: a whole number or a text is needed here, found a list"),
    ({"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}, 1.5,
     "spec.a: a whole number or a text is needed here, found the number 1.5"),
    ({**obj(b=TEXT, c=TEXT), "oneOf": [{"required": ["b"]}, {"required": ["c"]}]}, {},
     "spec.a: none of the allowed forms fits: spec.a.b is missing; or spec.a.c is missing"),
    ({**obj(b=TEXT, c=TEXT), "oneOf": [{"required": ["b"]}, {"required": ["c"]}]},
     {"b": "", "c": ""}, "spec.a: more than one of the forms fits, of which only one may"),
    ({**obj(b=TEXT, c=TEXT), "anyOf": [{"required": ["b", "c"]}]}, {},
     "spec.a: none of the allowed forms fits: spec.a.b is missing and spec.a.c is missing"),
    ({**obj(b=TEXT), "not": {"required": ["b"]}}, {"b": ""},
     "spec.a: this is a form that the schema rules out"),
    ({**obj(b=TEXT), "allOf": [{"properties": {"b": {"maxLength": 1}}}]}, {"b": "xx"},
     "spec.a.b: it has 2 characters, at most 1 are allowed"),
    ({**obj(b=NUMBER), "nullable": True}, {"b": "x"},
     "spec.a.b: a whole number is needed here, found the text 'x'"),
    ({"type": "object", "required": ["b"], "additionalProperties": TEXT}, {},
     "spec.a.b is missing"),
    ({"type": "object"}, {"b": 1}, "spec.a.b: unknown field; no field is known here"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "expected"), WRONG, ids=[w[2][7:50] for w in WRONG])
def test_a_wrong_value_is_told_of_once_in_the_words_of_its_author(
    field: JsonObject, value: Json, expected: str
) -> None:
    assert messages(schema(a=field), a=value) == [expected]


RIGHT: list[tuple[JsonObject, Json]] = [
    (NUMBER, 5),
    (NUMBER, 5.0),
    ({"type": "number"}, 5),
    ({"type": "integer", "minimum": 1}, 1),
    ({"type": "string", "maxLength": 2}, "é😀"),
    ({"type": "string", "nullable": True}, None),
    ({**obj(b=TEXT), "nullable": True, "oneOf": [{"required": ["b"]}, {"required": ["c"]}]}, None),
    ({"x-kubernetes-int-or-string": True}, "50%"),
    ({"x-kubernetes-int-or-string": True}, 50),
    ({"x-kubernetes-int-or-string": True, "nullable": True}, None),
    ({"x-kubernetes-preserve-unknown-fields": True}, {"any": ["thing", 1]}),
    ({**obj(b=TEXT), "x-kubernetes-preserve-unknown-fields": True}, {"b": "x", "c": 1}),
    ({"type": "object", "additionalProperties": True}, {"b": 1}),
    ({"type": "object", "additionalProperties": NUMBER}, {"b": 1, "c": 2}),
    ({**obj(b=obj(c=TEXT, d=TEXT)), "allOf": [{"properties": {"b": {"required": ["c"],
      "properties": {"c": {"minLength": 1}}}}}]}, {"b": {"c": "x", "d": "y"}}),
    ({**obj(spec=obj(a=TEXT)), "x-kubernetes-embedded-resource": True},
     {"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "spec": {"a": "x"}}),
    ({**obj(metadata=obj(name=TEXT)), "x-kubernetes-embedded-resource": True},
     {"apiVersion": "v1", "kind": "A", "metadata": {"name": "a", "labels": {"b": "c"}}}),
    ({"type": "string", "format": "date"}, "2020-01-01"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), RIGHT)
def test_a_right_value_passes(field: JsonObject, value: Json) -> None:
    assert messages(schema(a=field), a=value) == []


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^a$", "a", "a\n"),
        ("b", "abc", "ac"),
        (r"^(a|b)$", "b", "b\n"),
        (r"^[a$]+$", "a$", "a$\n"),
        (r"^\$$", "$", "$\n"),
        (r"^a\z", "a", "a\n"),
        (r"^[[:alpha:]_-]+$", "a_B", "a1"),
        (r"^\d+$", "12", "١٢"),
        (r"(?i)^a$", "A", "b"),
        (r"^[]a]$", "]", "b"),
    ],
)
def test_a_pattern_means_what_it_means_on_the_api_server(pattern: str, good: str, bad: str) -> None:
    ready = schema(a={"type": "string", "pattern": pattern})

    assert messages(ready, a=good) == []
    [message] = messages(ready, a=bad)
    assert message.endswith(f"does not match the pattern {pattern}")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("sizee", "did you mean 'size'?"), ("colour", "known are network, size")],
)
def test_an_unknown_field_is_refused_with_the_nearest_name(name: str, hint: str) -> None:
    assert messages(schema(size=TEXT, network=TEXT), **{name: 1}) == [
        f"spec.{name}: unknown field; {hint}"
    ]


def test_every_violation_is_listed_in_the_order_of_its_field() -> None:
    ready = schema(
        ["size", "team"],
        size=TEXT,
        team=TEXT,
        routes={"type": "array", "items": {**obj(port=NUMBER), "required": ["port"]}},
    )
    routes: list[Json] = [{"port": 1}, {"port": "x"}, *([{"port": 2}] * 8), {}]

    found = ready.violations({"routes": routes, "teem": "a"})

    assert [(violation.field, violation.message) for violation in found] == [
        (("spec",), "spec.size is missing"),
        (("spec",), "spec.team is missing"),
        (("spec", "routes", 1, "port"),
         "spec.routes[1].port: a whole number is needed here, found the text 'x'"),
        (("spec", "routes", 10), "spec.routes[10].port is missing"),
        (("spec", "teem"), "spec.teem: unknown field; did you mean 'team'?"),
    ]  # fmt: skip


def test_a_spec_that_is_missing_is_told_of_as_one() -> None:
    ready = RequestSchema(
        {
            "required": ["spec"],
            "properties": {"spec": {**obj(size=TEXT, team=TEXT), "required": ["size", "team"]}},
        }
    )

    assert messages(ready) == ["spec is missing; it needs size, team"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (NUMBER, "x" * 100_000),
        ({"type": "string", "pattern": "^a$"}, "x" * 100_000),
        ({"type": "string", "enum": ["a"]}, "x" * 100_000),
        ({"type": "string", "maxLength": 5}, "x" * 100_000),
        ({"type": "string", "enum": [f"choice-{index}" for index in range(10_000)]}, "x"),
        ({"type": "array", "items": TEXT, "maxItems": 1}, ["x"] * 10_000),
        ({"type": "array", "items": NUMBER, "uniqueItems": True}, [1] * 1000),
        (obj(b=TEXT), {"x" * 100_000: 1}),
        (obj(**{f"field-{index:05}": TEXT for index in range(10_000)}), {"other": 1}),
        ({**obj(b=TEXT), "anyOf": [{"required": [f"f{n}"]} for n in range(1000)]}, {}),
    ],
)
def test_a_message_stays_short_whatever_was_given(field: JsonObject, value: Json) -> None:
    [message] = messages(schema(a=field), a=value)

    assert len(message) < 600


FILLED: list[tuple[JsonObject, Json, Json]] = [
    # A default fills what is absent, in an object that is there.
    ({"b": {"type": "string", "default": "x"}}, {}, {"b": "x"}),
    ({"b": {"type": "string", "default": "x"}}, {"b": "y"}, {"b": "y"}),
    ({"b": {"type": "string", "default": "x"}}, {"b": ""}, {"b": ""}),
    ({"b": {"type": "boolean", "default": True}}, {"b": False}, {"b": False}),
    ({"b": {"type": "integer", "default": 0}}, {}, {"b": 0}),
    # Not below an object that is absent, but below one that a default brought.
    ({"b": obj(c={"default": 1})}, {}, {}),
    ({"b": obj(c={"default": 1})}, {"b": {}}, {"b": {"c": 1}}),
    ({"b": {**obj(c={"default": 1}), "default": {}}}, {}, {"b": {"c": 1}}),
    # In every item of a list, and every value of a map.
    ({"b": {"type": "array", "items": obj(c={"default": 1})}}, {"b": [{}, {"c": 2}]},
     {"b": [{"c": 1}, {"c": 2}]}),
    ({"b": {"type": "array", "items": {"type": "array", "items": obj(c={"default": 1})}}},
     {"b": [[{}]]}, {"b": [[{"c": 1}]]}),
    ({"b": {"type": "object", "additionalProperties": obj(c={"default": 1})}},
     {"b": {"x": {}}}, {"b": {"x": {"c": 1}}}),
    # Null is no value where the schema does not allow it.
    ({"b": {"type": "string", "default": "x"}}, {"b": None}, {"b": "x"}),
    ({"b": TEXT}, {"b": None}, {}),
    ({"b": {"type": "string", "nullable": True}}, {"b": None}, {"b": None}),
    ({"b": {"type": "string", "nullable": True, "default": "x"}}, {"b": None}, {"b": None}),
    ({"b": {"type": "string", "nullable": True, "default": "x"}}, {}, {"b": "x"}),
    ({"b": {"type": "object", "additionalProperties": TEXT}}, {"b": {"x": None}}, {"b": {}}),
    ({"b": {"type": "object", "additionalProperties": {"type": "string", "default": "x"}}},
     {"b": {"y": None}}, {"b": {"y": "x"}}),
    ({"b": {"type": "array", "items": {"type": "string", "default": "x"}}}, {"b": [None]},
     {"b": ["x"]}),
    # What the schema does not know is left for the validation.
    ({"b": TEXT}, {"c": None}, {"c": None}),
    ({"b": obj(c={"default": 1})}, {"b": "no mapping"}, {"b": "no mapping"}),
    ({"b": {"type": "array", "items": obj(c={"default": 1})}}, {"b": "text"}, {"b": "text"}),
]  # fmt: skip


@pytest.mark.parametrize(("properties", "spec", "expected"), FILLED)
def test_defaults_are_filled_as_an_api_server_fills_them(
    properties: JsonObject, spec: JsonObject, expected: JsonObject
) -> None:
    assert schema(**properties).fill(spec) == expected


def test_filling_leaves_what_was_given_as_it_is() -> None:
    default: JsonObject = {"c": []}
    given: JsonObject = {"a": {}}
    ready = schema(a=obj(b={"default": default}))

    filled = ready.fill(given)

    assert filled == {"a": {"b": {"c": []}}}
    assert given == {"a": {}}


def test_filling_twice_is_filling_once() -> None:
    ready = schema(a={**obj(b={"default": 1}), "default": {}}, c=TEXT)
    once = ready.fill({"c": None})

    assert ready.fill(once) == once


@pytest.mark.parametrize(
    ("root", "open_to_all"),
    [
        ({}, True),
        ({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, True),
        ({"type": "object", "properties": {"status": {}}}, False),
    ],
)
def test_a_schema_without_a_spec_takes_one_only_if_it_says_so(
    root: JsonObject, open_to_all: bool
) -> None:
    assert (messages(RequestSchema(root), any="thing") == []) is open_to_all


@pytest.mark.parametrize(
    "field",
    [
        {"type": "text"},
        {"type": 5},
        {"type": "string", "pattern": "["},
        {"type": "string", "pattern": r"^\p{L}$"},
        {"type": "integer", "minimum": "1"},
        {"type": "object", "required": "b"},
        {"type": "string", "maxLength": -1},
    ],
)
def test_a_schema_that_is_none_is_the_promises_fault(field: JsonObject) -> None:
    with pytest.raises(InvalidInputError, match=r"the Promise's schema cannot be used: spec") as e:
        messages(schema(a=field), a="x")

    assert e.value.reason == Reason.PROMISE_INVALID
    assert "properties.a" in e.value.message


def test_a_flag_of_a_bound_without_the_bound_says_nothing() -> None:
    assert messages(schema(a={"type": "integer", "exclusiveMinimum": True}), a=0) == []


@pytest.mark.parametrize(
    ("field", "ignored"),
    [
        ({"type": "string", "x-kubernetes-validations": [{"rule": "self != ''"}]}, True),
        ({"type": "string", "description": "x-kubernetes-validations"}, False),
    ],
)
def test_rules_that_are_not_evaluated_are_known(field: JsonObject, ignored: bool) -> None:
    assert schema(a=field).ignored_rules is ignored

"""Random requests: valid ones fit their schema, the others break exactly one rule of it."""

from collections import Counter

import pytest
from hypothesis import given, settings
from support.workspace import ROOT

from troth.api import Json, JsonObject, Promise, RequestSchema, is_object, load_object
from troth.kit.breaks import breaks, replaced
from troth.kit.strategies import for_each, invalid_requests, requests

NAMESPACE = Promise.parse(
    load_object((ROOT / "promises/namespace/promise.yaml").read_text(), "promise.yaml")
)

# One field for each thing a structural schema can say.
FIELDS: JsonObject = {
    "plain": {"type": "string", "maxLength": 5},
    "code": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]+$", "maxLength": 12},
    "loose": {"type": "string", "pattern": "[0-9]"},
    "classes": {"type": "string", "pattern": "^[[:alpha:]]+$"},
    "day": {"type": "string", "format": "date-time"},
    "colour": {"type": "string", "enum": ["red", "blue"]},
    "short": {"type": "string", "enum": ["a", "bb"], "maxLength": 1},
    "count": {"type": "integer", "minimum": 1, "maximum": 9},
    "even": {"type": "integer", "multipleOf": 2, "minimum": 1, "maximum": 99},
    "above": {"type": "integer", "minimum": 3, "exclusiveMinimum": True, "maximum": 5},
    "small": {"type": "integer", "format": "int32"},
    "share": {"type": "number", "minimum": 0, "maximum": 1},
    "flag": {"type": "boolean", "default": True},
    "amount": {"x-kubernetes-int-or-string": True, "pattern": "^[0-9]+$", "minimum": 0},
    "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
    "pair": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
    "labels": {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 2},
    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    "anything": {"x-kubernetes-preserve-unknown-fields": True},
    "maybe": {"type": "integer", "nullable": True},
    "either": {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
        "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
    },
    "nested": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string", "minLength": 1}},
    },
}

WHOLE: JsonObject = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "spec": {"type": "object", "required": ["plain", "count"], "properties": FIELDS}
    },
}


def schema_of(field: Json) -> JsonObject:
    """Return the schema of an object whose spec has one field, which is needed."""
    spec: JsonObject = {"type": "object", "required": ["it"], "properties": {"it": field}}
    return {"type": "object", "properties": {"spec": spec}}


def violations(schema: JsonObject, spec: JsonObject) -> list[str]:
    ready = RequestSchema(schema)
    return [one.message for one in ready.violations(ready.fill(spec))]


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_every_kind_of_field_is_made_right(name: str) -> None:
    made: list[JsonObject] = []

    for_each(requests(schema_of(FIELDS[name])), made.append, 30)

    assert made
    assert [spec for spec in made if violations(schema_of(FIELDS[name]), spec)] == []


@settings(deadline=None, derandomize=True, max_examples=60)
@given(requests(WHOLE))
def test_valid_requests_fit_their_schema(spec: JsonObject) -> None:
    assert violations(WHOLE, spec) == []


@settings(deadline=None, derandomize=True, max_examples=60)
@given(requests(NAMESPACE))
def test_valid_requests_of_a_promise_have_what_is_required(spec: JsonObject) -> None:
    assert {"team", "environment", "owners"} <= spec.keys()


@settings(deadline=None, derandomize=True, max_examples=100)
@given(invalid_requests(WHOLE))
def test_invalid_requests_break_exactly_one_rule(spec: JsonObject) -> None:
    assert len(violations(WHOLE, spec)) == 1


@pytest.mark.parametrize(
    ("field", "rules"),
    [
        ("plain", {"type", "maxLength"}),
        ("code", {"type", "pattern", "maxLength"}),
        ("colour", {"enum"}),
        ("count", {"type", "minimum", "maximum"}),
        ("even", {"type", "minimum", "maximum", "multipleOf"}),
        ("flag", {"type"}),
        ("pair", {"type", "minItems", "maxItems"}),
        ("nested", {"type", "required", "minLength", "additionalProperties"}),
        ("free", {"type"}),
    ],
)
def test_every_rule_about_a_field_can_be_broken(field: str, rules: set[str]) -> None:
    found: Counter[str] = Counter()
    schema = FIELDS[field]
    assert is_object(schema)

    def look(spec: JsonObject) -> None:
        found.update(one.rule for one in breaks(schema, spec["it"], ("it",)))

    for_each(requests(schema_of(schema)), look, 10)

    assert set(found) == rules


@pytest.mark.parametrize("name", sorted(FIELDS.keys() - {"anything"}))
def test_every_break_breaks_its_rule(name: str) -> None:
    schema = schema_of(FIELDS[name])
    field = FIELDS[name]
    assert is_object(field)
    spared: list[Json] = []

    def look(spec: JsonObject) -> None:
        for one in breaks(field, spec["it"], ("it",)):
            for bad in one.bad:
                broken = replaced(spec, one.path, bad)
                assert is_object(broken)
                if not violations(schema, broken):
                    spared.append([one.rule, bad])

    for_each(requests(schema), look, 15)

    assert spared == []


def test_requests_like_others_differ_from_them_in_one_thing_or_in_all() -> None:
    like: JsonObject = {"plain": "x", "count": 9, "pair": [7, 8], "nested": {"name": "y"}}
    made: list[JsonObject] = []

    for_each(requests(WHOLE, [like]), made.append, 60)

    differing = [
        [name for name in {*like, *spec} if like.get(name) != spec.get(name)] for spec in made
    ]
    assert sum(len(names) == 1 for names in differing) > 15
    assert any(len(names) > 3 for names in differing)
    assert [spec for spec in made if violations(WHOLE, spec)] == []


def test_the_examples_are_the_same_each_time() -> None:
    first: list[JsonObject] = []
    second: list[JsonObject] = []

    for_each(requests(WHOLE), first.append, 10)
    for_each(requests(WHOLE), second.append, 10)

    assert first == second


def test_what_is_raised_is_of_the_simplest_example() -> None:
    def look(spec: JsonObject) -> None:
        if spec["count"] in {7, 8, 9}:
            raise LookupError(str(spec))

    with pytest.raises(LookupError) as raised:
        for_each(requests(WHOLE), look, 200)

    assert "'count': 7" in str(raised.value)


def test_a_schema_that_nothing_fits_is_told() -> None:
    impossible: JsonObject = {"type": "string", "pattern": "^a$", "minLength": 2}

    with pytest.raises(ValueError, match="no example"):
        for_each(requests(schema_of(impossible)), print, 5)


def test_replacing_changes_nothing_else() -> None:
    value: JsonObject = {"a": [{"b": 1}, {"c": 2}], "d": "e"}

    assert replaced(value, ("a", 0, "b"), 3) == {"a": [{"b": 3}, {"c": 2}], "d": "e"}


def test_a_promise_without_an_api_has_no_requests() -> None:
    raw: JsonObject = {"metadata": {"name": "mute"}, "spec": {}}

    with pytest.raises(ValueError, match="no API"):
        requests(Promise.parse(raw))


def test_of_several_versions_the_stored_one_is_asked_for() -> None:
    versions: list[Json] = [
        {"name": name, "storage": name == "v1", "schema": {"openAPIV3Schema": schema_of(field)}}
        for name, field in (("v1", {"type": "boolean"}), ("v2", {"type": "string"}))
    ]
    names: JsonObject = {"kind": "Thing", "plural": "things"}
    api: JsonObject = {"spec": {"group": "example.com", "names": names, "versions": versions}}
    made: list[Json] = []

    source = Promise.parse({"metadata": {"name": "thing"}, "spec": {"api": api}})
    for_each(requests(source), lambda spec: made.append(spec["it"]), 5)

    assert {type(value) for value in made} == {bool}

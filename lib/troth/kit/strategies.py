"""Random requests for tests with hypothesis: valid ones, and such that break one rule.

``requests`` covers what structural schemas can say field by field; what they say by ``allOf`` and
its like is met by trying. CEL rules are not evaluated, so a request may break them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor
from typing import cast

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, Unsatisfiable
from hypothesis.strategies import SearchStrategy

from troth.api import Fields, Json, JsonObject, Promise, RequestSchema, canonical, is_object
from troth.api.schema import python_pattern
from troth.kit.breaks import breaks, replaced

__all__ = ["for_each", "invalid_requests", "requests"]

_MORE = 5  # items or fields above the least that are asked for: enough to differ
_LONG = 40  # characters of a text above the least
_SIXTY_FOUR_BITS = 2**63
_COMBINED = ("allOf", "anyOf", "oneOf", "not")
# Running a stage is slow, and of some schemas few examples fit: neither is a fault of the test.
_UNHURRIED = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
_CHARACTERS = st.characters(codec="utf-8")
_KEYS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=16)
_SCALARS: SearchStrategy[Json] = (
    st.booleans() | st.integers(-(2**31), 2**31) | st.text(_CHARACTERS, max_size=_LONG)
)
_ANYTHING: SearchStrategy[Json] = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=5,
)
# What the API server checks of some formats, and we do not: made right, so that stages may trust
# in it.
_FORMATS: Mapping[str, SearchStrategy[str]] = {
    "byte": st.just("dHJvdGg="),
    "date": st.dates().map(lambda day: day.isoformat()),
    "date-time": st.datetimes().map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")),
    "ipv4": st.ip_addresses(v=4).map(str),
    "ipv6": st.ip_addresses(v=6).map(str),
    "uuid": st.uuids().map(str),
}


def requests(
    source: Promise | JsonObject, like: Sequence[JsonObject] = ()
) -> SearchStrategy[JsonObject]:
    """Make specs that are valid.

    Args:
        source: a Promise, of whose versions the stored one counts; or the OpenAPI schema of a
            whole object, as it stands in a Promise or a CRD.
        like: specs that are good; about half of what is made is one of them but for one field, and
            so meets also what no schema can say.

    Raises:
        ValueError: the Promise has no API.
    """
    schema = _schema_of(source)
    ready = RequestSchema(schema)
    spec_schema = _spec_of(schema)
    values = _values(spec_schema)
    if like:
        values |= st.sampled_from(like).flatmap(lambda spec: _varied(spec_schema, spec))
    made = cast("SearchStrategy[JsonObject]", values)
    return made.filter(lambda spec: not ready.violations(ready.fill(spec)))


def invalid_requests(source: Promise | JsonObject) -> SearchStrategy[JsonObject]:
    """Make specs that break exactly one rule, whatever it is.

    Rules that may be broken: a type, a required field, fields that nobody knows, bounds of
    numbers, of lengths and of counts, an enum, a pattern. Takes and raises the same as `requests`.
    """
    schema = _schema_of(source)
    ready, spec_schema = RequestSchema(schema), _spec_of(schema)
    valid = requests(schema)

    @st.composite
    def broken(draw: st.DrawFn) -> JsonObject:
        spec = draw(valid)
        found = list(breaks(spec_schema, spec))
        assume(found)
        rule = draw(st.sampled_from(sorted({one.rule for one in found})))
        chosen = draw(st.sampled_from([one for one in found if one.rule == rule]))
        return cast("JsonObject", replaced(spec, chosen.path, draw(st.sampled_from(chosen.bad))))

    return broken().filter(lambda spec: len(ready.violations(ready.fill(spec))) <= 1)


def for_each(
    strategy: SearchStrategy[JsonObject], look: Callable[[JsonObject], None], examples: int
) -> None:
    """Look at so many examples, always the same ones.

    Args:
        strategy: makes them.
        look: raises when something is wrong with one.
        examples: how many.

    Raises:
        ValueError: no example could be made.
        Exception: what `look` raised, of the simplest example that makes it raise.
    """
    raised: list[Exception] = []

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=_UNHURRIED,
    )
    @given(strategy)
    def run(spec: JsonObject) -> None:
        try:
            look(spec)
        except Exception as error:
            raised.append(error)
            raise

    try:
        run()
    except Unsatisfiable as error:
        raise ValueError("no example could be made that fits the schema") from error
    except Flaky:
        raise raised[-1] from None  # it does not go wrong every time, which is no better


def _schema_of(source: Promise | JsonObject) -> JsonObject:
    if not isinstance(source, Promise):
        return source
    if source.api is None:
        raise ValueError(f"the Promise {source.name!r} has no API, so nobody can ask for anything")
    return source.api.schema


def _spec_of(schema: JsonObject) -> JsonObject:
    spec = Fields(schema).mapping("properties").get("spec")
    return spec if is_object(spec) else {"type": "object"}


def _varied(schema: JsonObject, value: Json) -> SearchStrategy[Json]:
    """Make values that are like another but for one thing in it, or on the way to it."""
    known, items = Fields(schema).mapping("properties"), schema.get("items")
    if is_object(value) and known:
        return st.sampled_from(sorted(known)).flatmap(lambda name: _with_other(known, value, name))
    if isinstance(value, list) and value and is_object(items):
        return st.sampled_from(range(len(value))).flatmap(
            lambda index: _varied(items, value[index]).map(
                lambda new: [*value[:index], new, *value[index + 1 :]]
            )
        )
    return _values(schema)


def _with_other(known: JsonObject, value: JsonObject, name: str) -> SearchStrategy[Json]:
    """Make mappings that differ in one field."""
    child = known[name]
    if not is_object(child):
        return st.just(value)
    made = _varied(child, value[name]) | _values(child) if name in value else _values(child)
    return made.map(lambda new: {**value, name: new})


def _values(schema: JsonObject) -> SearchStrategy[Json]:
    """Make values that fit a schema."""
    made = _plain(schema)
    if any(keyword in schema for keyword in _COMBINED):
        ready = RequestSchema({"properties": {"spec": schema}})
        made = made.filter(lambda value: not ready.violations(cast("JsonObject", value)))
    return st.none() | made if schema.get("nullable") else made


def _plain(schema: JsonObject) -> SearchStrategy[Json]:
    enum = schema.get("enum")
    if isinstance(enum, list):
        return st.sampled_from(enum)
    if schema.get("x-kubernetes-int-or-string"):
        return _integers(schema) | _texts(schema)
    kind = schema.get("type")
    if kind is None and "properties" in schema:
        kind = "object"
    makers: Mapping[str, Callable[[JsonObject], SearchStrategy[Json]]] = {
        "string": _texts,
        "integer": _integers,
        "number": lambda one: _integers(one) | _floats(one),
        "boolean": lambda _: st.booleans(),
        "array": _lists,
        "object": _objects,
    }
    return makers[str(kind)](schema) if kind in makers else _ANYTHING


def _number(schema: JsonObject, keyword: str, default: float) -> float:
    value = schema.get(keyword)
    return value if isinstance(value, int | float) else default


def _size(schema: JsonObject, keyword: str, default: int) -> int:
    return int(_number(schema, keyword, default))


def _texts(schema: JsonObject) -> SearchStrategy[str]:
    least = _size(schema, "minLength", 0)
    most = _size(schema, "maxLength", least + _LONG)
    pattern, form = schema.get("pattern"), str(schema.get("format"))
    if isinstance(pattern, str):
        # Not a full match: a pattern without anchors may stand anywhere in the text.
        found = st.from_regex(re.compile(python_pattern(pattern)), alphabet=_CHARACTERS)
        return found.filter(lambda text: least <= len(text) <= most)
    if form in _FORMATS:
        return _FORMATS[form]
    return st.text(_CHARACTERS, min_size=least, max_size=min(most, least + _LONG))


def _integers(schema: JsonObject) -> SearchStrategy[int]:
    bits = 2**31 if schema.get("format") == "int32" else _SIXTY_FOUR_BITS
    low, high = _number(schema, "minimum", -bits), _number(schema, "maximum", bits - 1)
    least = floor(low) + 1 if schema.get("exclusiveMinimum") is True else ceil(low)
    most = ceil(high) - 1 if schema.get("exclusiveMaximum") is True else floor(high)
    step = _number(schema, "multipleOf", 1)
    if step == 1 or step != int(step):
        return st.integers(least, most)
    return st.integers(ceil(least / step), floor(most / step)).map(lambda n: n * int(step))


def _floats(schema: JsonObject) -> SearchStrategy[float]:
    bounds = {"minimum", "maximum", "multipleOf"} & schema.keys()
    if "multipleOf" in bounds:
        step = _number(schema, "multipleOf", 1)
        return st.integers(-1000, 1000).map(lambda n: n * step).filter(_within(schema))
    low = _number(schema, "minimum", 0) if "minimum" in bounds else None
    high = _number(schema, "maximum", 0) if "maximum" in bounds else None
    made = st.floats(low, high, allow_nan=False, allow_infinity=False)
    return made.filter(_within(schema))


def _within(schema: JsonObject) -> Callable[[float], bool]:
    ready = RequestSchema({"properties": {"spec": {**schema, "nullable": False}}})
    return lambda value: not ready.violations(cast("JsonObject", value))


def _lists(schema: JsonObject) -> SearchStrategy[Json]:
    items = schema.get("items")
    least = _size(schema, "minItems", 0)
    most = min(_size(schema, "maxItems", least + _MORE), least + _MORE)
    made = _values(items) if is_object(items) else _ANYTHING
    kind = schema.get("x-kubernetes-list-type")
    keys = schema.get("x-kubernetes-list-map-keys")
    if kind == "map" and isinstance(keys, list):
        names = [str(key) for key in keys]

        def identity(item: Json) -> bytes:
            return canonical([item.get(name) for name in names] if is_object(item) else item)

        return st.lists(made, min_size=least, max_size=most, unique_by=identity)
    if kind == "set" or schema.get("uniqueItems"):
        return st.lists(made, min_size=least, max_size=most, unique_by=canonical)
    return st.lists(made, min_size=least, max_size=most)


def _objects(schema: JsonObject) -> SearchStrategy[Json]:
    known, others = Fields(schema).mapping("properties"), schema.get("additionalProperties")
    needed = Fields(schema).texts("required")
    least = _size(schema, "minProperties", 0)
    most = _size(schema, "maxProperties", 2**31)
    if is_object(others) and not known:
        return st.dictionaries(
            _KEYS, _values(others), min_size=least, max_size=min(most, least + _MORE)
        )
    fields = {name: _values(child) for name, child in known.items() if is_object(child)}
    made: SearchStrategy[JsonObject] = st.fixed_dictionaries(
        {name: fields.get(name, _ANYTHING) for name in needed},
        optional={name: field for name, field in fields.items() if name not in needed},
    )
    if others is True or schema.get("x-kubernetes-preserve-unknown-fields"):
        made = st.builds(_merged, st.dictionaries(_KEYS, _ANYTHING, max_size=2), made)
    return made.filter(lambda value: least <= len(value) <= most)


def _merged(extra: JsonObject, own: JsonObject) -> JsonObject:
    return {**extra, **own}

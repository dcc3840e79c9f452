"""Records: any bytes are a record or are refused, and a record says what it was made of."""

import json
from collections.abc import Callable
from typing import cast

from hypothesis import strategies as st
from support.fuzzing import fuzz, json_values, owners, safe_paths

from troth.api import Json, JsonObject, RequestKey, dump_documents
from troth.engine.record import Record
from troth.engine.values import Group, ObjectId, Placement
from troth.errors import InvalidInputError, Reason
from troth_statestore import Owner, record_key

KEY = "requests/51/default/namespace/minimal.yaml"

TEXT = st.text(min_size=1, max_size=8)
OBJECTS = st.dictionaries(st.text(max_size=6), json_values, max_size=3)
STRINGS = st.dictionaries(st.text(max_size=6), st.text(max_size=6), max_size=3)


@st.composite
def placements(draw: st.DrawFn) -> Placement:
    path = draw(safe_paths)
    group = Group(draw(st.text(max_size=5)), draw(TEXT), draw(STRINGS), None)
    return Placement(
        group=group,
        destination=draw(TEXT),
        path=path,
        owned=draw(st.none() | TEXT),
        store=draw(st.sampled_from(["home", "away"])),
        files=tuple(f"{path}/{file}" for file in draw(st.lists(safe_paths, max_size=3))),
        objects=tuple(
            ObjectId(*one)
            for one in draw(
                st.lists(
                    st.tuples(st.text(max_size=4), TEXT, st.text(max_size=4), TEXT), max_size=3
                )
            )
        ),
        behind=draw(st.booleans()),
    )


@st.composite
def records(draw: st.DrawFn) -> Record:
    key = RequestKey(*draw(owners))
    asked: dict[str, Json] = {
        "apiVersion": draw(TEXT),
        "kind": draw(TEXT),
        "labels": draw(STRINGS),
        "annotations": draw(STRINGS),
        "spec": draw(OBJECTS),
    }
    return Record(
        key=key,
        asked=asked,
        generation=draw(st.integers(0)),
        inventory=draw(TEXT),
        roots=tuple(draw(st.lists(TEXT, max_size=3))),
        promise_digest=draw(TEXT),
        input_digest=draw(st.none() | TEXT),
        outputs=tuple(draw(st.lists(TEXT, max_size=3))),
        placements=tuple(draw(st.lists(placements(), max_size=2))),
        status=draw(OBJECTS),
        protected=draw(st.booleans()),
        paused=draw(st.booleans()),
    )


def decoded(content: bytes, key: str) -> Record | None:
    """Decode; None when it was refused, as it should be."""
    try:
        return Record.decode(content, key, "home")
    except InvalidInputError as error:
        refusal = error
    assert refusal.reason is Reason.RECORD_UNREADABLE
    assert key in refusal.message
    return None


def use(record: Record) -> None:
    """Do with a record what the engine does; it was believed, so nothing of it may fail."""
    again = Record.decode(record.encode("home"), record_key(Owner(*record.key)), "home")
    # As bytes: what means nothing, such as attempts without a time, is not written again.
    assert again.encode("home") == record.encode("home")
    assert record.was_asked(record.asked)
    assert len(record.identity) == 4
    assert record.as_object["kind"] == record.asked["kind"]
    assert record.spec == again.spec
    record.encode("elsewhere")


@fuzz(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_are_refused(content: bytes) -> None:
    decoded(content, KEY)


@fuzz(json_values | OBJECTS)
def test_any_json_is_a_record_or_is_refused(value: Json) -> None:
    decoded(json.dumps(value).encode(), KEY)


@fuzz(st.text(alphabet="{}[]:,-&*!|>'\"%@` \n\tabc01.~#?", max_size=60))
def test_any_yaml_is_a_record_or_is_refused(text: str) -> None:
    decoded(text.encode(), KEY)


@fuzz(records())
def test_a_record_is_read_as_it_was_written(record: Record) -> None:
    key = record_key(Owner(*record.key))

    assert Record.decode(record.encode("home"), key, "home") == record
    use(record)


@fuzz(records())
def test_a_record_that_was_mended_as_yaml_is_read_as_it_was_written(record: Record) -> None:
    spelled = cast("JsonObject", json.loads(record.encode("home")))
    key = record_key(Owner(*record.key))

    found = decoded(dump_documents([spelled]), key)

    assert found is None or found == record


def places(value: Json, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """All places in a value, its own first."""
    match value:
        case dict():
            return [at, *(place for k, v in value.items() for place in places(v, (*at, k)))]
        case list():
            return [at, *(place for i, v in enumerate(value) for place in places(v, (*at, i)))]
        case _:
            return [at]


Change = Callable[[Json], Json]


def changed(value: Json, at: tuple[str | int, ...], change: Change) -> Json:
    """A copy of a value with what stands at a place changed."""
    if not at:
        return change(value)
    copy = cast("dict[str | int, Json]", value.copy() if isinstance(value, dict | list) else value)
    copy[at[0]] = changed(copy[at[0]], at[1:], change)
    return cast("Json", copy)


# What JSON may spell, and what Python makes of it is no plain value.
_ODD = ["\ud800", float("nan"), float("inf"), 10**400, -0.0, "", "\0", "..", 1e308, True, "null"]

SURPRISES = json_values | st.sampled_from(_ODD)


def _mutate(draw: st.DrawFn, value: Json) -> Json:
    at = draw(st.sampled_from(places(value)))
    surprise = cast("Json", draw(SURPRISES))
    name = draw(st.sampled_from(["", "store", "notBefore", "routes", "x", "\ud800"]))
    how = draw(st.sampled_from(["add", "remove", "replace"]))
    which = draw(st.integers(0, 20))

    def change(found: Json) -> Json:
        match found, how:
            case dict(), "add":
                return {**found, name: surprise}
            case dict(), "remove" if found:
                gone = sorted(found)[which % len(found)]
                return {k: v for k, v in found.items() if k != gone}
            case list(), "add":
                return [*found, *found, surprise]
            case _:
                return surprise

    return changed(value, at, change)


_SUSPENSION: JsonObject = {"pipeline": "configure", "message": "wait", "inputDigest": "0",
                           "notBefore": "2026-01-01T00:00:00Z", "attempts": 1}  # fmt: skip
_ROUTES: JsonObject = {
    "default": {
        "parents": [{"kind": "Gateway", "name": "g", "listeners": [{"name": "l", "port": 80}]}],
        "routes": [{"kind": "HTTPRoute", "name": "r", "hostnames": ["a.b"], "matches": [{}]}],
    }
}
_WITH: st.SearchStrategy[dict[str, Json]] = st.sampled_from(
    [{}, {"suspension": _SUSPENSION}, {"routes": _ROUTES}]
)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[bytes, str]:
    record = draw(records())
    raw = cast("dict[str, Json]", json.loads(record.encode("home")))
    raw |= draw(_WITH)
    value: Json = raw
    for _ in range(draw(st.integers(1, 3))):
        value = _mutate(draw, value)
    return json.dumps(value).encode(), record_key(Owner(*record.key))


@fuzz(mutated())
def test_a_changed_record_is_a_record_or_is_refused(given: tuple[bytes, str]) -> None:
    record = decoded(*given)

    if record is not None:
        use(record)


@fuzz(records(), st.data())
def test_a_record_with_damaged_bytes_is_a_record_or_is_refused(
    record: Record, data: st.DataObject
) -> None:
    content, key = bytearray(record.encode("home")), record_key(Owner(*record.key))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, max(0, len(content) - 1)))
        match data.draw(st.sampled_from(["flip", "cut", "insert", "truncate"])):
            case "flip":
                content[at : at + 1] = data.draw(st.binary(min_size=1, max_size=1))
            case "cut":
                del content[at : at + data.draw(st.integers(1, 20))]
            case "insert":
                content[at:at] = data.draw(st.binary(max_size=4))
            case _:
                del content[at:]

    decoded(bytes(content), key)

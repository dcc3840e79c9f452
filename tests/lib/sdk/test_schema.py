"""A stage's model as a structural schema: the subset, and what is refused by name."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, cast

import pytest
from pydantic import BaseModel, ConfigDict, Field, create_model

from troth.api import Json, JsonObject, RequestSchema, is_object
from troth.errors import InvalidInputError
from troth.sdk import structural_schema


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Route(BaseModel):
    path: str
    port: int = Field(default=80, gt=0, le=65535)


class Tree(BaseModel):
    children: list["Tree"] = []


class Empty(BaseModel):
    pass


class Extra(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int]
    own: int


ROUTE: JsonObject = {
    "type": "object",
    "required": ["path"],
    "properties": {
        "path": {"type": "string"},
        "port": {
            "type": "integer",
            "default": 80,
            "minimum": 0,
            "exclusiveMinimum": True,
            "maximum": 65535,
        },
    },
}


def model(kind: object, default: object = ...) -> type[BaseModel]:
    config = ConfigDict(regex_engine="python-re")  # the other engine refuses what RE2 refuses
    field = cast("tuple[type[object], object]", (kind, default))  # as create_model wants it
    return create_model("Spec", __config__=config, field=field)


def field_of(kind: object, default: object = ...) -> Json:
    properties = structural_schema(model(kind, default))["properties"]
    assert isinstance(properties, dict)
    found: Json = properties["field"]
    return found


CONVERTED: list[tuple[object, JsonObject]] = [
    (str, {"type": "string"}),
    (int, {"type": "integer"}),
    (float, {"type": "number"}),
    (bool, {"type": "boolean"}),
    (list[str], {"type": "array", "items": {"type": "string"}}),
    (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
    (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
    (Size, {"type": "string", "enum": ["small", "large"]}),
    (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
    (Literal["a"], {"type": "string", "enum": ["a"]}),
    (str | None, {"type": "string"}),
    (Size | None, {"type": "string", "enum": ["small", "large"]}),
    (int | str, {"x-kubernetes-int-or-string": True}),
    (str | int | None, {"x-kubernetes-int-or-string": True}),
    (Route, ROUTE),
    (list[Route], {"type": "array", "items": ROUTE}),
    (dict[str, Route], {"type": "object", "additionalProperties": ROUTE}),
    (Route | None, ROUTE),
    (datetime, {"type": "string", "format": "date-time"}),
    (Annotated[str, Field(pattern="^[a-z]+$", min_length=1, max_length=9, description="A name.")],
     {"type": "string", "pattern": "^[a-z]+$", "minLength": 1, "maxLength": 9,
      "description": "A name."}),
    (Annotated[list[int], Field(min_length=1, max_length=3)],
     {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 3}),
    (Annotated[dict[str, str], Field(max_length=3)],
     {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 3}),
    (Annotated[float, Field(lt=1, multiple_of=0.5)],
     {"type": "number", "maximum": 1, "exclusiveMaximum": True, "multipleOf": 0.5}),
    (Annotated[str, Field(pattern=r"^\\1(?:a|(?P<name>b))(?i:c)\d$")],
     {"type": "string", "pattern": r"^\\1(?:a|(?P<name>b))(?i:c)\d$"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "expected"), CONVERTED, ids=[str(c[0]) for c in CONVERTED])
def test_what_the_subset_knows_is_converted(kind: object, expected: JsonObject) -> None:
    assert field_of(kind) == expected


REFUSED: list[tuple[object, str]] = [
    (object, "spec.field: a field of any type or of several"),
    (Literal["a", 1], "spec.field: a field of any type or of several"),
    (None, "spec.field: the type 'null'"),
    (list, "spec.field: a list without the type of its items"),
    (list[object], "spec.field: a list without the type of its items"),
    (dict[str, object], "spec.field: an object without fields"),
    (Empty, "spec.field: an object without fields"),
    (int | bool, "spec.field: a union"),
    (Route | str, "spec.field: a union"),
    (Decimal, "spec.field: a union"),
    (Annotated[int, Field(ge=1)] | str, "spec.field: a union"),
    (tuple[int, str], "spec.field: prefixItems"),
    (dict[Annotated[str, Field(pattern="^a")], int], "spec.field: patternProperties"),
    (dict[Size, int], "spec.field: propertyNames"),
    (Extra, "spec.field: a mapping with fields of its own beside others"),
    (Tree, "a model that holds itself"),
    (list[dict[str, int | bool]], "spec.field[0]['*']: a union"),
    (Annotated[str, Field(pattern="^(?=a)b")], "spec.field: the pattern '^(?=a)b', which RE2"),
    (Annotated[str, Field(pattern="(?!a)")], "which RE2 does not know"),
    (Annotated[str, Field(pattern="(?<=a)b")], "which RE2 does not know"),
    (Annotated[str, Field(pattern="(?<!a)b")], "which RE2 does not know"),
    (Annotated[str, Field(pattern="(?>a)b")], "which RE2 does not know"),
    (Annotated[str, Field(pattern=r"(a)\1")], "which RE2 does not know"),
    (Annotated[str, Field(pattern=r"(?P<a>b)(?P=a)")], "which RE2 does not know"),
    (Annotated[str, Field(pattern=r"a\Z")], "which RE2 does not know"),
]


@pytest.mark.parametrize(("kind", "words"), REFUSED, ids=[f"{k}-{w}"[:60] for k, w in REFUSED])
def test_what_an_api_server_could_not_take_is_refused_by_name(kind: object, words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        structural_schema(model(kind))

    assert words in caught.value.message
    assert caught.value.message.endswith("has no place in a structural schema; model it otherwise.")
    assert caught.value.field[:2] == ("spec", "field")


def test_a_field_with_a_default_is_not_required() -> None:
    schema = structural_schema(model(str, "x"))

    assert schema == {
        "type": "object",
        "properties": {"field": {"type": "string", "default": "x"}},
    }


@pytest.mark.parametrize(
    ("kind", "default", "expected"),
    [
        (str | None, None, {"type": "string"}),
        (Size, Size.LARGE, {"type": "string", "enum": ["small", "large"], "default": "large"}),
        (Route, Route(path="/"), {**ROUTE, "default": {"path": "/", "port": 80}}),
        (list[str], [], {"type": "array", "items": {"type": "string"}, "default": []}),
        (bool, False, {"type": "boolean", "default": False}),
    ],
)
def test_defaults_are_those_of_the_model(
    kind: object, default: object, expected: JsonObject
) -> None:
    assert field_of(kind, default) == expected


def test_a_default_leaves_out_what_is_absent_in_it() -> None:
    """The API server refuses a null that the field's own type does not allow."""

    class Rotation(BaseModel):
        every: str | None = None
        request: str = ""

    class Spec(BaseModel):
        rotation: Rotation = Rotation()

    properties = structural_schema(Spec)["properties"]

    assert is_object(properties)
    rotation = properties["rotation"]
    assert is_object(rotation)
    assert rotation["default"] == {"request": ""}


def test_a_field_is_named_as_requests_name_it() -> None:
    made = model(Annotated[int, Field(alias="fieldName")])

    assert structural_schema(made)["properties"] == {"fieldName": {"type": "integer"}}


def test_the_schema_of_a_model_takes_what_the_model_takes() -> None:
    ready = RequestSchema({"properties": {"spec": structural_schema(model(list[Route]))}})

    assert ready.violations(ready.fill({"field": [{"path": "/"}]})) == []
    assert ready.fill({"field": [{"path": "/"}]}) == {"field": [{"path": "/", "port": 80}]}
    [violation] = ready.violations({"field": [{"path": "/", "port": 0}]})
    assert violation.message == "spec.field[0].port: the number 0 has to be more than 0"

"""The reference page of a Promise, read back as a Markdown reader shows it."""

import html
import re
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from troth.api import Json, JsonObject, Promise, RequestSchema, load_object
from troth.kit.reference import reference_page
from troth.kit.reference._example import example_request
from troth.kit.reference._fields import constraints, field_rows
from troth.kit.reference._markdown import code, fenced, one_line, paragraphs, table

ROOT = Path(__file__).parent.parent.parent.parent
BUNDLES = sorted(path.parent for path in ROOT.glob("promises/*/promise.yaml"))


def shown(markdown: str) -> str:
    """Return what a reader shows, as HTML."""
    return str(MarkdownIt("commonmark").enable("table").render(markdown))


def text_of(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


def cells(page: str) -> list[list[str]]:
    """Return the text of every row of the page's tables."""
    rows = re.findall(r"<tr>(.*?)</tr>", shown(page), flags=re.DOTALL)
    return [[text_of(cell) for cell in re.findall(r"<t[dh]>(.*?)</t[dh]>", row)] for row in rows]


def promise(spec: JsonObject | None = None, **more: Json) -> Promise:
    """A Promise whose spec has this schema; `more` goes into the Promise, dots as in a path."""
    versions = more.pop("versions", None) or [_version("v1", spec or {"type": "object"})]
    definition: JsonObject = {
        "group": "example.com",
        "names": {"kind": "Thing", "plural": "things"},
        "versions": versions,
    }
    marks = {"labels": more.pop("labels", {}), "annotations": more.pop("annotations", {})}
    api = {} if more.pop("no_api", False) else {"api": {"spec": definition}}
    return Promise.parse(
        {
            "apiVersion": "platform.kratix.io/v1alpha1",
            "kind": "Promise",
            "metadata": {"name": "thing", **marks},
            "spec": {**api, **more},
        }
    )


def _version(name: str, spec: JsonObject, **more: Json) -> JsonObject:
    properties: dict[str, Json] = {"spec": spec}
    if "status" in more:
        properties["status"] = more.pop("status")
    schema: dict[str, Json] = {"type": "object", "properties": properties}
    if "description" in more:
        schema["description"] = more.pop("description")
    return {"name": name, "schema": {"openAPIV3Schema": schema}, **more}


def of(**properties: Json) -> JsonObject:
    return {"type": "object", "properties": properties}


# What Markdown takes for something else than text, and letters between.
TEXTS = st.text(st.sampled_from(list("ab1 \n\t|\\`*_[]()<>&~#+-=!:.$\"'{}é")), max_size=20)


@given(TEXTS)
def test_text_in_a_cell_is_shown_as_it_is(text: str) -> None:
    [_, row] = cells(table(["x", "y"], [[one_line(text), "end"]]))

    assert row == [" ".join(text.split()), "end"]


@given(TEXTS)
def test_code_in_a_cell_is_shown_as_it_is(text: str) -> None:
    [_, row] = cells(table(["x", "y"], [[code(text), "end"]]))

    assert row == [text.replace("\n", " "), "end"]


@given(TEXTS)
def test_text_by_itself_is_paragraphs_and_nothing_else(text: str) -> None:
    markup = shown(paragraphs(text))

    parts = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip())]
    assert set(re.findall(r"<(\w+)", markup)) <= {"p"}
    assert text_of(markup).split("\n")[:-1] == [part for part in parts if part]


@given(TEXTS)
def test_a_block_of_code_holds_its_lines_whatever_they_are(text: str) -> None:
    markup = shown(fenced(text, "yaml") + "\n\nafter\n")

    assert markup.endswith("</code></pre>\n<p>after</p>\n")
    assert text_of(markup).removesuffix("\nafter\n") == text.strip("\n") + "\n"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"enum": ["a", 1]}, ['one of `"a"`, `1`']),
        ({"minLength": 1, "maxLength": 9}, ["1 to 9 characters"]),
        ({"minLength": 1}, ["at least 1 character"]),
        ({"minLength": 0, "maxLength": 9}, ["at most 9 characters"]),
        ({"minItems": 2, "maxItems": 2}, ["exactly 2 items"]),
        ({"maxItems": 0}, ["at most 0 items"]),
        ({"minProperties": 1}, ["at least 1 field"]),
        ({"minimum": 0, "maximum": 5}, ["0 to 5"]),
        ({"minimum": 0, "exclusiveMinimum": True}, ["more than 0"]),
        ({"maximum": 5, "exclusiveMaximum": True}, ["less than 5"]),
        ({"minimum": 0, "maximum": 5, "exclusiveMaximum": True}, ["at least 0", "less than 5"]),
        ({"multipleOf": 0.5}, ["a multiple of 0.5"]),
        ({"pattern": "^a$"}, ["matches `^a$`"]),
        ({"format": "date-time"}, ["format `date-time`"]),
        ({"uniqueItems": True}, ["each once"]),
        ({"x-kubernetes-list-type": "set"}, ["each once"]),
        (
            {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "port"]},
            ["each `name` and `port` once"],
        ),
        ({"x-kubernetes-preserve-unknown-fields": True}, ["further fields of any name"]),
        ({"additionalProperties": True}, ["further fields of any name"]),
        ({"x-kubernetes-embedded-resource": True}, ["a Kubernetes object"]),
        (
            {"x-kubernetes-validations": [{"rule": "self.a < 2", "message": "a < 2"}]},
            ["rule: a &lt; 2"],
        ),
        ({"x-kubernetes-validations": [{"rule": "self.a < 2"}]}, ["rule: `self.a < 2`"]),
        (
            {"oneOf": [{"required": ["a"]}, {"required": ["b", "c"]}]},
            ["exactly one of: `a` given / `b` given and `c` given"],
        ),
        ({"anyOf": [{"minimum": 1}, {"type": "string"}]}, ["at least one of: at least 1 / text"]),
        ({"allOf": [of(a={"maxLength": 2})]}, ["all of: `a`: at most 2 characters"]),
        ({"not": {"required": ["a"]}}, ["not: `a` given"]),
        ({"not": {"x-unknown": 1}}, ['not: `{"x-unknown": 1}`']),
        ({"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}]}, []),
        ({"type": "string"}, []),
    ],
)
def test_a_constraint_is_put_in_words(schema: JsonObject, words: list[str]) -> None:
    assert constraints(schema) == words


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ({"type": "string"}, "text"),
        ({"type": "integer", "nullable": True}, "whole number, or null"),
        ({"type": "number"}, "number"),
        ({"type": "boolean"}, "true or false"),
        ({"type": "array", "items": {"type": "string"}}, "list of texts"),
        ({"type": "array", "items": {"x-kubernetes-int-or-string": True}},
         "list of whole numbers or texts"),
        ({"type": "object", "additionalProperties": {"type": "integer"}},
         "mapping of whole numbers"),
        ({"properties": {"a": {"type": "string"}}}, "mapping"),
        ({}, "anything"),
    ],
)  # fmt: skip
def test_a_type_is_put_in_words(schema: JsonObject, named: str) -> None:
    assert field_rows(of(a=schema), "spec")[0].type == named


def test_rows_go_as_deep_as_fields_do_in_the_schemas_own_order() -> None:
    schema = of(
        z={"type": "string"},
        lists={"type": "array", "items": of(inner={"type": "string"})},
        maps={"type": "object", "additionalProperties": of(inner={"type": "string"})},
        deep={"type": "array", "items": {"type": "array", "items": of(x={"type": "string"})}},
        **{"a.b": {"type": "string"}},
    )

    assert [row.path.strip("`") for row in field_rows(schema, "spec")] == [
        "spec.z", "spec.lists", "spec.lists[].inner", "spec.maps", "spec.maps.*.inner",
        "spec.deep", "spec.deep[]", "spec.deep[][].x", "spec['a.b']",
    ]  # fmt: skip


def test_what_is_asked_of_plain_items_stands_with_their_list() -> None:
    items: Json = {"type": "string", "maxLength": 3, "pattern": "^a"}

    [row] = field_rows(of(a={"type": "array", "maxItems": 2, "items": items}), "spec")

    assert row.constraints == "at most 2 items; each item: at most 3 characters, matches `^a`"


def test_items_that_are_described_have_a_row_of_their_own() -> None:
    items: Json = {"type": "string", "description": "A group.", "maxLength": 3}

    rows = field_rows(of(a={"type": "array", "items": items}), "spec")

    assert [(row.path, row.constraints, row.description) for row in rows] == [
        ("`spec.a`", "", ""),
        ("`spec.a[]`", "at most 3 characters", "A group."),
    ]


def test_a_field_is_needed_unless_a_default_takes_its_place() -> None:
    schema = {
        **of(a={"type": "string"}, b={"type": "string", "default": "x|y"}, c={"type": "string"}),
        "required": ["a", "b"],
    }

    found = [(row.needed, row.default) for row in field_rows(schema, "spec")]

    assert found == [(True, ""), (False, '<code>"x&#124;y"</code>'), (False, "")]


def test_the_page_shows_every_field_as_it_is_meant() -> None:
    field: Json = {
        "type": "string",
        "description": "Either <a>|<b>,\nor *none*.",
        "pattern": r"^(a\|b|`)$",
        "default": "a",
    }

    page = reference_page(promise(of(which=field)))

    assert [
        "spec.which",
        "text",
        "no",
        '"a"',
        r"matches ^(a\|b|`)$",
        "Either <a>|<b>, or *none*.",
    ] in cells(page)


def test_the_page_says_what_a_request_is_made_of() -> None:
    page = reference_page(promise(labels={"kratix.io/promise-version": "v2"}))

    assert page.startswith("# Thing\n")
    assert [row for row in cells(page) if row[0] in {"Promise", "kind", "apiVersion"}] == [
        ["Promise", "thing, version v2"],
        ["kind", "Thing"],
        ["apiVersion", "example.com/v1"],
    ]


def test_what_the_schema_says_of_kind_and_spec_introduces_the_page() -> None:
    version = _version("v1", {**of(), "description": "Its spec."}, description="A thing.\n\nMore.")

    page = reference_page(promise(versions=[version]))

    assert "# Thing\n\nA thing.\n\nMore.\n\nIts spec.\n\n|" in page


def test_a_given_example_is_shown_as_it_is() -> None:
    text = "kind: Thing  # ``` <here>\n"

    assert f"````yaml\n{text}````\n" in reference_page(promise(), text)


def test_without_an_example_one_is_made_of_what_is_required_or_has_a_default() -> None:
    spec = {
        **of(
            name={"type": "string"},
            size={"type": "string", "default": "small"},
            other={"type": "string"},
            ports={"type": "array", "items": {"type": "integer", "minimum": 80}},
        ),
        "required": ["name", "ports"],
    }

    page = reference_page(promise(spec))

    assert "Made from the schema; replace what stands in angle brackets:" in page
    assert page.split("```yaml\n")[1].split("```")[0] == (
        "apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: example\n"
        "  namespace: default\nspec:\n  name: <name>\n  size: small\n  ports:\n  - 80\n"
    )


@pytest.mark.parametrize(
    "field",
    [
        {"type": "string", "enum": ["b", "a"]},
        {"type": "integer", "minimum": 3, "exclusiveMinimum": True},
        {"type": "integer", "minimum": 3, "multipleOf": 5},
        {"type": "number", "maximum": 0.5},
        {"type": "integer", "maximum": 1, "exclusiveMaximum": True},
        {"type": "number", "minimum": 0.3, "multipleOf": 0.25},
        {"type": "boolean"},
        {"type": "array", "minItems": 2, "uniqueItems": True, "items": {"type": "string"}},
        {"type": "array", "maxItems": 0, "items": {"type": "string"}},
        {"type": "object", "minProperties": 2, "additionalProperties": {"type": "integer"}},
        {**of(a={"type": "string"}, b={"type": "string"}), "minProperties": 1, "maxProperties": 1},
        {**of(a={"type": "string"}, b={"type": "string"}),
         "oneOf": [{"required": ["b"]}, {"required": ["a"]}]},
        {"x-kubernetes-int-or-string": True, "minimum": 2},
        {"type": "string", "pattern": "^x+$", "example": "xx"},
        {"x-kubernetes-preserve-unknown-fields": True},
    ],
)  # fmt: skip
def test_a_made_example_fits_its_schema(field: JsonObject) -> None:
    spec = {**of(field=field), "required": ["field"]}
    made = promise(spec)
    assert made.api is not None

    request = example_request(made.api)

    violations = RequestSchema(made.api.schemas["v1"]).violations(
        cast("JsonObject", request["spec"])
    )
    assert [one.message for one in violations] == []


@pytest.mark.parametrize(
    ("fence", "words"),
    [
        (None, ["It declares no fence: it may touch any namespace but the system's."]),
        (
            "{namespaces: [own]}",
            [
                "It touches the request's own namespace, and never a namespace of the system.",
                "Objects without a namespace: none.",
            ],
        ),
        (
            '{namespaces: [own, "{spec.team}-dev", shared], clusterKinds: [Namespace, Alpha]}',
            [
                (
                    "It touches the request's own namespace and the namespaces {spec.team}-dev, "
                    "shared (braces stand for fields of the request), and never a namespace of "
                    "the system."
                ),
                "Objects without a namespace: only of kind Alpha, Namespace.",
            ],
        ),
        (
            "{namespaces: []}",
            [
                "It touches no namespace at all, and never a namespace of the system.",
                "Objects without a namespace: none.",
            ],
        ),
    ],
)
def test_the_fence_is_put_in_words(fence: str | None, words: list[str]) -> None:
    annotations: Json = {} if fence is None else {"troth.dev/fence": fence}

    markup = shown(reference_page(promise(annotations=annotations)))

    said = [text_of(item) for item in re.findall(r"<li>(.*?)</li>", markup)]
    assert said[: len(words)] == words


def _pipelines(*names: str) -> Json:
    return [
        {
            "apiVersion": "platform.kratix.io/v1alpha1",
            "kind": "Pipeline",
            "metadata": {"name": name},
            "spec": {"containers": [{"name": name, "image": "stage:1"}]},
        }
        for name in names
    ]


def test_what_runs_and_where_it_goes_is_said() -> None:
    page = reference_page(
        promise(
            annotations={"troth.dev/allow-plain-secrets": "true"},
            workflows={
                "resource": {"configure": _pipelines("a", "b"), "delete": _pipelines("tidy")},
                "promise": {"configure": _pipelines("install")},
            },
            dependencies=[{"kind": "Role"}, {"kind": "Namespace"}, {"kind": "Role"}],
            destinationSelectors=[{"matchLabels": {"env": "dev"}}],
        )
    )

    assert [line for line in page.splitlines() if line.startswith("- ")][1:] == [
        "- Pipelines: `a`, then `b`.",
        "- Before a request is removed: `tidy`.",
        "- It may write Secrets with values in plain text.",
        "- The Promise itself brings: 1 `Namespace`, 2 `Role`.",
        "- The Promise itself runs, once it is installed: `install`.",
        "- Output goes to Destinations labelled `env=dev`, unless a stage chooses otherwise.",
    ]


def test_required_promises_are_listed() -> None:
    page = reference_page(
        promise(requiredPromises=[{"name": "base", "version": "v1"}, {"name": "extra"}])
    )

    assert "- `base` at version `v1`\n- `extra`\n" in page


def test_status_fields_are_listed_where_the_schema_has_some() -> None:
    status = of(phase={"type": "string", "enum": ["Up"], "description": "How it is."})

    page = reference_page(promise(versions=[_version("v1", of(), status=status)]))

    assert ["status.phase", "text", 'one of "Up"', "How it is."] in cells(page)
    assert "## Status" not in reference_page(promise())


def test_every_version_that_is_served_has_its_fields_and_the_stored_one_leads() -> None:
    versions: Json = [
        _version("v2", {**of(new={"type": "string"}), "required": ["new"]}, storage=True),
        _version("v1", of(old={"type": "string"}), deprecated=True, deprecationWarning="use | v2"),
        _version("v3", of(), served=False),
    ]

    page = reference_page(promise(versions=versions))

    assert page.index("## Fields of v2") < page.index("## Fields of v1")
    assert "Fields of v3" not in page
    assert "apiVersion: example.com/v2\n" in page
    assert cells(page)[-3:] == [
        ["v2", "yes", "yes", ""],
        ["v1", "yes", "no", "use | v2"],
        ["v3", "no", "no", ""],
    ]


def test_what_is_asked_of_all_of_a_spec_is_said_below_its_fields() -> None:
    page = reference_page(promise({**of(a={"type": "string"}), "minProperties": 1}))

    assert "Of all of `spec`: at least 1 field." in page


def test_a_promise_without_an_api_says_that_nothing_can_be_asked_of_it() -> None:
    page = reference_page(promise(no_api=True, dependencies=[{"kind": "Namespace"}]))

    assert page.startswith("# thing\n\nThis Promise offers no API")
    assert "## How to ask" not in page
    assert "## Versions" not in page
    assert "1 `Namespace`" in page


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_the_page_of_a_bundle_of_ours_tells_of_every_field(bundle: Path) -> None:
    ours = Promise.parse(load_object((bundle / "promise.yaml").read_text(), "promise.yaml"))

    page = reference_page(ours)

    assert ours.api is not None
    described = re.findall(r"'description': '([^'\\]+)'", str(ours.api.schemas))
    assert [text for text in described if one_line(text) not in page] == []
    assert reference_page(ours) == page

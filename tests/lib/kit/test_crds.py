"""Rendered objects against the schemas of CustomResourceDefinitions."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from support.workshop import Workshop, findings, write

from troth.api import Json, JsonObject
from troth.errors import InvalidInputError
from troth.kit.bench import Bench
from troth.kit.crds import Crds, load_crds
from troth.kit.examination import Options
from troth.kit.findings import Finding, Outcome

WIDGET: JsonObject = {
    "size": {"type": "integer", "minimum": 1, "maximum": 9},
    "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 8},
    "mode": {"type": "string", "enum": ["fast", "safe"]},
    "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
    "ports": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "port": {"type": "integer"},
                "protocol": {"type": "string", "default": "TCP"},
            },
        },
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["port", "protocol"],
    },
}


ANY: JsonObject = {"type": "object"}


def crd(
    properties: JsonObject = WIDGET,
    *,
    kind: str = "Widget",
    metadata: JsonObject = ANY,
    rules: Sequence[Json] = (),
) -> JsonObject:
    spec: dict[str, Json] = {"type": "object", "properties": properties}
    if rules:
        spec["x-kubernetes-validations"] = rules
    schema: JsonObject = {
        "type": "object",
        "required": ["spec"],
        "properties": {
            "metadata": metadata,
            "spec": spec,
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": kind, "plural": "widgets"},
            "versions": [
                {"name": "v1", "served": True, "schema": {"openAPIV3Schema": schema}},
            ],
        },
    }


def widget(**spec: Json) -> JsonObject:
    return {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "one", "labels": {"a": "b"}},
        "spec": spec,
    }


def load(tmp_path: Path, *documents: JsonObject) -> Crds:
    write(tmp_path / "crds.yaml", *documents)
    return load_crds([tmp_path / "crds.yaml"])


@pytest.fixture
def crds(tmp_path: Path) -> Crds:
    """The CRD of the kind Widget."""
    return load(tmp_path, crd())


def test_an_object_that_fits_has_no_violations(crds: Crds) -> None:
    fitting = widget(size=3, name="one", mode="safe", tags=["a", "b"], ports=[{"port": 1}])

    assert crds.violations(fitting) == []


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (widget(sise=3), "spec.sise: unknown field; did you mean 'size'?"),
        (widget(size="3"), "spec.size: a whole number is needed here, found the text '3'"),
        (widget(size=10), "spec.size: the number 10 is above the maximum of 9"),
        (widget(name="A"), "spec.name: the text 'A' does not match the pattern ^[a-z]+$"),
        (widget(name="abcdefghi"), "spec.name: it has 9 characters, at most 8 are allowed"),
        (widget(mode="slow"), "spec.mode: the text 'slow' is none of 'fast', 'safe'"),
        (widget(tags=["a", "b", "a"]), "spec.tags[2]: it repeats item 0 of the list"),
        (
            widget(ports=[{"port": 1}, {"port": 1, "protocol": "TCP"}]),
            "spec.ports[1]: it repeats item 0 of the list",
        ),
        ({**widget(), "spec": None}, "spec is missing"),
        ({**widget(), "stray": 1}, "stray: unknown field"),
    ],
)
def test_an_object_that_does_not_fit_is_told_why(
    crds: Crds, manifest: JsonObject, words: str
) -> None:
    [found] = crds.violations(manifest)

    assert found.message.startswith(words)


def test_items_of_a_map_that_differ_in_one_key_may_stand_together(crds: Crds) -> None:
    both = widget(ports=[{"port": 1}, {"port": 1, "protocol": "UDP"}])

    assert crds.violations(both) == []


def test_another_version_of_a_kind_is_not_known(crds: Crds) -> None:
    assert not crds.knows({**widget(), "apiVersion": "example.com/v2"})


def test_a_name_that_a_crd_restricts_is_checked(tmp_path: Path) -> None:
    restricted: JsonObject = {"type": "object", "properties": {"name": {"maxLength": 2}}}

    [found] = load(tmp_path, crd(metadata=restricted)).violations(widget())

    assert found.message.startswith("metadata.name: it has 3 characters")


def test_crds_are_found_in_a_folder_among_other_objects(tmp_path: Path) -> None:
    other: JsonObject = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep/all.yaml", other, crd())

    assert load_crds([tmp_path]).knows(widget())


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ([{"kind": "ConfigMap"}], "holds no CustomResourceDefinition"),
        ([crd(), crd({})], "different schemas for Widget of example.com/v1"),
        ([{**crd(), "spec": {}}], "crds.yaml:5: spec.group"),
    ],
)
def test_what_cannot_be_used_is_refused(
    tmp_path: Path, documents: list[JsonObject], words: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        load(tmp_path, *documents)

    assert words in refused.value.message


def test_the_same_crd_twice_is_no_problem(tmp_path: Path) -> None:
    assert load(tmp_path, crd(), crd()).knows(widget())


def rendered(workshop: Workshop, bench: Bench, text: str, *documents: JsonObject) -> Finding:
    """Return the finding on a request for a Widget and a ConfigMap."""
    crds = load(workshop.path, *documents)
    folder = workshop.bundle("widget", requests={"one": {"text": text}})
    return findings(folder, bench, Options(crds=crds))["one: schemas"]


def test_what_has_no_schema_is_counted_and_named(workshop: Workshop, bench: Bench) -> None:
    found = rendered(workshop, bench, "size=3", crd())

    assert found.outcome is Outcome.PASSED
    assert found.message == "1 of 2 objects have a schema. Not checked: ConfigMap (v1)."


def test_a_violation_is_named_with_file_and_line(workshop: Workshop, bench: Bench) -> None:
    found = rendered(workshop, bench, "size=10", crd())

    assert found.outcome is Outcome.FAILED
    assert found.summary.startswith("objects.yaml:7: spec.size: the number 10 is above")


def test_without_any_schema_that_applies_nothing_is_checked(
    workshop: Workshop, bench: Bench
) -> None:
    found = rendered(workshop, bench, "size=3", crd(kind="Gadget"))

    assert found.outcome is Outcome.NOT_CHECKED
    assert found.message.startswith("0 of 2 objects")


def test_cel_rules_are_said_not_to_be_evaluated(workshop: Workshop, bench: Bench) -> None:
    found = rendered(workshop, bench, "size=3", crd(rules=[{"rule": "self.size > 3"}]))

    assert found.outcome is Outcome.PASSED
    assert "CEL rules are not evaluated" in found.message


def test_without_schemas_the_check_is_not_made(workshop: Workshop, bench: Bench) -> None:
    assert "one: schemas" not in findings(workshop.bundle("plain"), bench)

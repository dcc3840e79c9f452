"""The platform's own CRDs: the same text every time, one a kind, and no request's category."""

import pytest
from support.documented import platform_objects
from support.workspace import ROOT

from troth.api import Fields, Json, dump_documents, is_object
from troth.api.crds import platform_crds
from troth.api.crds.installed import CATEGORY
from troth.kit.crds import load_crds

OBJECTS = platform_objects()
KINDS = {
    "BucketStateStore": ("Cluster", ["kratix"], []),
    "Destination": ("Cluster", ["kratix"], ["dest", "dests"]),
    "GitStateStore": ("Cluster", ["kratix"], []),
    "HealthRecord": ("Namespaced", [], []),
    "Promise": ("Cluster", ["kratix"], []),
    "PromiseRelease": ("Cluster", ["kratix"], []),
    "PromiseRevision": ("Cluster", ["kratix"], []),
    "ResourceBinding": ("Namespaced", ["kratix"], []),
}


def spec_of(kind: str) -> Fields:
    [crd] = [
        one
        for one in platform_crds().values()
        if Fields(one).section("spec").section("names").text("kind") == kind
    ]
    return Fields(crd).section("spec")


def test_the_kinds_are_those_of_kratix_that_people_write_or_read() -> None:
    found = {
        spec.section("names").text("kind"): (
            spec.text("scope"),
            list(spec.section("names").texts("categories")),
            list(spec.section("names").texts("shortNames")),
        )
        for spec in (Fields(crd).section("spec") for crd in platform_crds().values())
    }

    assert found == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_no_platform_kind_has_the_category_by_which_requests_are_watched(kind: str) -> None:
    assert CATEGORY not in spec_of(kind).section("names").texts("categories")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_but_the_health_record_has_a_status_of_its_own(kind: str) -> None:
    [version] = spec_of(kind).items("versions")

    assert version.has("subresources") == (kind != "HealthRecord")


def test_the_same_text_comes_out_every_time() -> None:
    first, second = (dump_documents(list(platform_crds().values())) for _ in range(2))

    assert first == second


@pytest.mark.parametrize("where", OBJECTS)
def test_an_object_of_this_project_fits_its_schema(where: str) -> None:
    crds = load_crds([ROOT / "deploy" / "crds"])

    assert crds.knows(OBJECTS[where])
    assert crds.violations(OBJECTS[where]) == []


def test_a_promise_and_its_revision_have_the_same_fields_in_their_spec() -> None:
    def fields(schema: Json, at: str = "") -> set[str]:
        if not is_object(schema):
            return set()
        own = Fields(schema).mapping("properties")
        below = [fields(inner, f"{at}.{name}") for name, inner in own.items()]
        return {f"{at}.{name}" for name in own}.union(
            *below, fields(schema.get("items"), f"{at}[]")
        )

    def spec(kind: str) -> Fields:
        [version] = spec_of(kind).items("versions")
        schema = version.section("schema").section("openAPIV3Schema").section("properties")
        return schema.section("spec").section("properties")

    promise = {"properties": spec("Promise").raw}

    assert fields(promise) == fields(spec("PromiseRevision").mapping("promiseSpec"))

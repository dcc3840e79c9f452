"""Any valid request: its routes are those asked for, and an API server takes them."""

from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st
from support import crd_schemas
from support.api_targets import asked, http_routes, render, rendered, route_of, specs
from support.bundles import manifests, schema_of
from support.workspace import ROOT

from troth.api import Fields, Json, Promise, dump_documents, load_object

PROMISE = Promise.parse(
    load_object((ROOT / "promises/api-aggregator-target/promise.yaml").read_text(), "promise.yaml")
)
SCHEMA = schema_of(PROMISE)


@given(spec=specs())
@settings(deadline=None)
def test_every_valid_request_passes_the_schema(spec: dict[str, Json]) -> None:
    assert SCHEMA.violations(SCHEMA.fill(spec)) == []


@given(spec=specs())
@settings(deadline=None)
def test_an_api_server_takes_every_object_and_adds_nothing(spec: dict[str, Json]) -> None:
    for manifest in manifests(render(spec)):
        assert crd_schemas.problems(manifest) == []
        assert crd_schemas.defaulted(manifest) == manifest


@given(spec=specs())
@settings(deadline=None)
def test_the_matches_are_those_asked_for_in_their_order(spec: dict[str, Json]) -> None:
    assert rendered(render(spec)) == asked(spec)


@given(spec=specs())
@settings(deadline=None)
def test_defaults_that_the_schema_fills_change_nothing(spec: dict[str, Json]) -> None:
    assert render(SCHEMA.fill(spec)) == render(spec)


@given(spec=specs())
@settings(deadline=None)
def test_the_same_request_gives_the_same_bytes(spec: dict[str, Json]) -> None:
    first, second = render(spec), render(spec)
    assert first == second
    assert list(first.files) == list(second.files)


@given(spec=specs())
@settings(deadline=None)
def test_every_object_is_made_once_and_lies_in_a_namespace_of_its_own_or_a_service(
    spec: dict[str, Json],
) -> None:
    made = [
        (manifest["kind"], metadata.text("namespace"), metadata.text("name"))
        for manifest in manifests(render(spec))
        for metadata in [Fields(manifest).section("metadata")]
    ]
    assert len(made) == len(set(made))
    assert {namespace for kind, namespace, _ in made if kind == "HTTPRoute"} == {"claims-prod"}
    assert {namespace for _, namespace, _ in made} <= {"claims-prod", "shared-services"}


@given(spec=specs())
@settings(deadline=None)
def test_every_backend_elsewhere_has_its_grant(spec: dict[str, Json]) -> None:
    output = render(spec)
    used = {
        (backend.text("namespace"), backend.text("name"))
        for manifest in manifests(output, "HTTPRoute")
        for rule in Fields(manifest).section("spec").items("rules")
        for backend in rule.items("backendRefs")
        if backend.has("namespace")
    }
    granted = {
        (Fields(grant).section("metadata").text("namespace"), target.text("name"))
        for grant in manifests(output, "ReferenceGrant")
        for target in Fields(grant).section("spec").items("to")
    }
    assert used == granted


@given(spec=specs(), more=st.integers(1, 20))
@settings(deadline=None)
def test_routes_added_at_the_end_leave_all_but_the_last_http_route_alone(
    spec: dict[str, Json], more: int
) -> None:
    routes = cast("list[Json]", spec["routes"])
    added = [*routes, *(route_of(f"/added/{number}") for number in range(more))]
    before, after = http_routes({**spec, "hostnames": None}), http_routes(
        {**spec, "hostnames": None, "routes": added}
    )  # fmt: skip
    kept = list(before.items())[:-1]
    assert list(after.items())[: len(kept)] == kept


@given(spec=specs())
@settings(deadline=None)
def test_the_output_can_be_read_again_as_it_was(spec: dict[str, Json]) -> None:
    for manifest in manifests(render(spec)):
        assert load_object(dump_documents([manifest]).decode(), "again") == manifest

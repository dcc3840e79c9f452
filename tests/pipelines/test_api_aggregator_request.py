"""What may be asked for, what is refused and how, and that API servers take what is rendered."""

import json
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support.api_aggregators import EXISTING, TLS, render, spec_of, specs
from support.bundles import manifests, schema_of
from support.crd_schemas import defaulted, problems
from support.workspace import ROOT

from troth.api import Fields, Json, JsonObject, Promise, load_documents, load_object
from troth.errors import InvalidInputError, Reason

BUNDLE = ROOT / "promises/api-aggregator"
PROMISE = Promise.parse(load_object((BUNDLE / "promise.yaml").read_text(), "promise.yaml"))
SCHEMA = schema_of(PROMISE)
GOLDEN = [
    path for path in sorted((BUNDLE / "expected").rglob("*.yaml")) if path.name != "status.yaml"
]


def delegations(spec: JsonObject) -> Json:
    (holder,) = [m for m in manifests(render(spec)) if m["kind"] in {"Gateway", "ListenerSet"}]
    text = Fields(holder).section("metadata").string_map("annotations")["troth.dev/delegations"]
    return cast("Json", json.loads(text))


def delegating(*pairs: tuple[str, str]) -> dict[str, Json]:
    return spec_of(delegations=[{"path": path, "namespace": name} for path, name in pairs])


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_real_schemas_accept_the_golden_output(path: Path) -> None:
    for document in load_documents(path.read_text(), path.name):
        assert problems(document.data) == []


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_defaults_are_written_out_in_the_golden_output(path: Path) -> None:
    for document in load_documents(path.read_text(), path.name):
        assert defaulted(document.data) == document.data


@given(spec=specs())
@settings(deadline=None, max_examples=50)
def test_the_real_schemas_accept_every_valid_request(spec: dict[str, Json]) -> None:
    for manifest in manifests(render(spec)):
        assert problems(manifest) == []
        assert defaulted(manifest) == manifest


@given(spec=specs())
@settings(deadline=None)
def test_every_valid_request_passes_the_schema(spec: dict[str, Json]) -> None:
    assert SCHEMA.violations(SCHEMA.fill(spec)) == []


@given(spec=specs())
@settings(deadline=None)
def test_everything_lies_inside_the_fence(spec: dict[str, Json]) -> None:
    request: JsonObject = {"metadata": {"namespace": "platform"}, "spec": spec}
    allowed = PROMISE.fence.allowed_namespaces(request)
    for manifest in manifests(render(spec)):
        assert Fields(manifest).section("metadata").text("namespace") in allowed


@given(spec=specs(), data=st.data())
@settings(deadline=None)
def test_the_order_of_lists_changes_nothing(spec: dict[str, Json], data: st.DataObject) -> None:
    lists = {key: value for key, value in spec.items() if isinstance(value, list)}
    mixed = {key: data.draw(st.permutations(value)) for key, value in lists.items()}
    assert render({**spec, **mixed}) == render(spec)


@given(spec=specs())
@settings(deadline=None)
def test_no_object_is_made_twice(spec: dict[str, Json]) -> None:
    made = [
        (m["kind"], Fields(m).section("metadata").text("name")) for m in manifests(render(spec))
    ]
    assert len(made) == len(set(made))


@pytest.mark.parametrize(
    "changes",
    [
        {"gateway": None},
        {"gateway": {"className": "Nginx"}},
        {"gateway": {"existing": {"name": "edge"}}},
        {"gateway": {"existing": {**EXISTING, "attach": "Both"}}},
        {"hosts": None},
        {"hosts": []},
        {"hosts": [{"tls": TLS}]},
        {"hosts": [{"name": "API.example.com"}]},
        {"hosts": [{"name": "*"}]},
        {"hosts": [{"name": "a.*.example.com"}]},
        {"hosts": [{"name": "api.example.com:443"}]},
        {"hosts": [{"name": "https://api.example.com"}]},
        {"hosts": [{"name": "api.example.com."}]},
        {"hosts": [{"name": "a" * 254}]},
        {"hosts": [{"name": f"h{n}.example.com"} for n in range(65)]},
        {"hosts": [{"name": "a.example.com", "tls": {"issuer": "x", "issuerKind": "Other"}}]},
        {"hosts": [{"name": "a.example.com", "tls": {"secretName": "A"}}]},
        {"timeout": "30"},
        {"timeout": "1.5s"},
        {"timeout": "30 s"},
        {"timeout": "1d"},
        {"timeout": "100000s"},
        {"redirectToHttps": 301},
        {"allowedNamespaces": ["Claims"]},
        {"allowedNamespaces": ["*"]},
        {"delegations": [{"path": "v1", "namespace": "a"}]},
        {"delegations": [{"path": "/v1/{id}", "namespace": "a"}]},
        {"delegations": [{"path": "/v1", "namespace": "a.b"}]},
        {"delegations": [{"path": "/v1"}]},
        {"maxBodysize": "1Mi"},
    ],
    ids=lambda changes: str(changes)[:80],
)
def test_the_schema_and_the_model_refuse_the_same(changes: dict[str, Json]) -> None:
    spec = spec_of(**changes)
    assert SCHEMA.violations(SCHEMA.fill(spec)) != []
    with pytest.raises(ValidationError):
        render(spec)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"gateway": {}}, ("gateway", "className"), "one of the two"),
        (
            {"gateway": {"className": "nginx", "existing": EXISTING}},
            ("gateway", "className"),
            "one of the two",
        ),
        (
            {"hosts": [{"name": "a.example.com"}, {"name": "a.example.com", "tls": TLS}]},
            ("hosts", 1, "name"),
            "host 0 of this list too",
        ),
        ({"hosts": [{"name": "10.0.0.1"}]}, ("hosts", 0, "name"), "reads as an address"),
        ({"hosts": [{"name": "*.10.0.0.1"}]}, ("hosts", 0, "name"), "reads as an address"),
        (
            {"hosts": [{"name": f"{'a' * 64}.example.com"}]},
            ("hosts", 0, "name"),
            "64 characters, at most 63",
        ),
        (
            {"hosts": [{"name": "a.example.com", "tls": {}}]},
            ("hosts", 0, "tls", "issuer"),
            "one of the two",
        ),
        (
            {"hosts": [{"name": "a.example.com", "tls": {"issuer": "x", "secretName": "y"}}]},
            ("hosts", 0, "tls", "issuer"),
            "one of the two",
        ),
        (
            {
                "hosts": [
                    {
                        "name": "a.example.com",
                        "tls": {"secretName": "y", "issuerKind": "Issuer"},
                    }
                ]
            },
            ("hosts", 0, "tls", "issuerKind"),
            "needs no issuer",
        ),
        (
            {"hosts": [{"name": "a.example.com"}], "redirectToHttps": True},
            ("redirectToHttps",),
            "no host has tls",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_contradicts_itself_is_refused(
    changes: dict[str, Json], field: tuple[str | int, ...], words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        render(spec_of(**changes))
    assert caught.value.field == ("spec", *field)


@pytest.mark.parametrize("gateway", [{}, {"className": "nginx", "existing": EXISTING}], ids=str)
def test_the_schema_too_wants_one_gateway(gateway: Json) -> None:
    assert SCHEMA.violations(SCHEMA.fill(spec_of(gateway=gateway))) != []


@pytest.mark.parametrize("size", ["0", "10MB", "1.5Mi", 0, 1.5])
def test_the_schema_refuses_sizes_that_mean_nothing(size: Json) -> None:
    assert SCHEMA.violations(SCHEMA.fill(spec_of(maxBodySize=size))) != []


@pytest.mark.parametrize("name", ["a.b", "a" * 64, "A", "public_api"])
def test_a_name_that_no_service_can_have_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        render(spec_of(), name=name)
    assert caught.value.reason is Reason.INVALID_NAME
    assert caught.value.field == ("metadata", "name")


def test_delegations_are_sorted_and_each_stands_once() -> None:
    spec = delegating(("/v1/b", "x"), ("/v1/a/", "z"), ("/v1/a", "z"), ("/v1/a", "y"))
    assert delegations(spec) == [
        {"namespace": "y", "path": "/v1/a"},
        {"namespace": "z", "path": "/v1/a"},
        {"namespace": "x", "path": "/v1/b"},
    ]


def test_delegations_stand_on_a_listener_set_too() -> None:
    spec = {**delegating(("/v1", "x")), "gateway": {"existing": EXISTING}}
    assert delegations(spec) == [{"namespace": "x", "path": "/v1"}]


def test_without_delegations_there_is_no_annotation() -> None:
    (gateway,) = manifests(render(spec_of()), "Gateway")
    assert "annotations" not in Fields(gateway).mapping("metadata")


@pytest.mark.parametrize("path", ["/a/../b", "/..", "/a//b", "/a%2fb", "/a%2Fb", "/./a", "//"])
def test_a_path_with_two_readings_is_not_delegated(path: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        render(delegating(("/fine", "x"), (path, "x")))
    assert caught.value.field == ("spec", "delegations", 1, "path")


def test_every_object_says_whose_it_is() -> None:
    expected = {
        "app.kubernetes.io/managed-by": "troth",
        "marketplace.troth.dev/aggregator": "public-api",
    }
    for manifest in manifests(render(spec_of(maxBodySize="1Mi", timeout="5s"))):
        labels = Fields(manifest).section("metadata").string_map("labels")
        assert labels == expected

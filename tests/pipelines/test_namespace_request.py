"""What may be asked for, what is refused and how, and that every object's name is valid."""

from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from support.bundles import manifests, schema_of
from support.team_namespaces import render, spec_of, specs
from support.workspace import ROOT

from troth.api import Fields, Json, JsonObject, Promise, load_object
from troth.api.names import (
    dns_label_problem,
    dns_subdomain_problem,
    label_key_problem,
    label_value_problem,
)
from troth.errors import InvalidInputError, Reason

PROMISE = Promise.parse(
    load_object((ROOT / "promises/namespace/promise.yaml").read_text(), "promise.yaml")
)
SCHEMA = schema_of(PROMISE)


def subjects(spec: JsonObject) -> dict[str, list[Json]]:
    return {
        Fields(binding).section("roleRef").text("name"): [
            subject.text("name") for subject in Fields(binding).items("subjects")
        ]
        for binding in manifests(render(spec), "RoleBinding")
    }


@given(spec=specs())
@settings(deadline=None)
def test_every_valid_request_passes_the_schema(spec: dict[str, Json]) -> None:
    assert SCHEMA.violations(SCHEMA.fill(spec)) == []


@given(spec=specs())
@settings(deadline=None)
def test_every_object_of_a_valid_request_has_a_valid_name(spec: dict[str, Json]) -> None:
    for manifest in manifests(render(spec)):
        metadata = Fields(manifest).section("metadata")
        labels = metadata.string_map("labels")
        assert dns_subdomain_problem(metadata.text("name")) is None
        assert [p for p in map(label_key_problem, labels) if p] == []
        assert [p for p in map(label_value_problem, labels.values()) if p] == []


@given(spec=specs())
@settings(deadline=None)
def test_everything_lies_inside_the_fence(spec: dict[str, Json]) -> None:
    allowed = PROMISE.fence.allowed_namespaces({"spec": spec})
    for manifest in manifests(render(spec)):
        metadata = Fields(manifest).section("metadata")
        if manifest["kind"] in PROMISE.fence.cluster_kinds:
            assert metadata.text("name") in allowed
        else:
            assert metadata.text("namespace") in allowed
            assert dns_label_problem(metadata.text("namespace")) is None


@given(spec=specs())
@settings(deadline=None)
def test_no_object_is_made_twice(spec: dict[str, Json]) -> None:
    made = [
        (m["kind"], Fields(m).section("metadata").text("name")) for m in manifests(render(spec))
    ]
    assert len(made) == len(set(made))


@given(spec=specs(), data=st.data())
@settings(deadline=None)
def test_the_order_of_groups_and_targets_changes_nothing(
    spec: dict[str, Json], data: st.DataObject
) -> None:
    owners = data.draw(st.permutations(cast("list[str]", spec["owners"])))
    assert render(spec) == render({**spec, "owners": [*owners, *owners]})


@given(spec=specs())
@settings(deadline=None)
def test_a_second_run_from_the_state_of_the_first_changes_nothing(spec: dict[str, Json]) -> None:
    first = render(spec)
    assert render(spec, first.status) == first


@pytest.mark.parametrize(
    "changes",
    [
        {"team": None},
        {"team": ""},
        {"team": "Payments"},
        {"team": "pay.ments"},
        {"team": "-payments"},
        {"team": "a" * 62},
        {"environment": None},
        {"environment": "prod-eu"},
        {"environment": "a" * 21},
        {"size": "huge"},
        {"quota": {"cpu": "1"}},
        {"quota": {"cpu": "1", "memory": "1Gi", "pods": 0, "storage": "0"}},
        {"owners": None},
        {"owners": []},
        {"owners": [""]},
        {"owners": [" admins"]},
        {"owners": ["ad\nmins"]},
        {"owners": ["a" * 257]},
        {"owners": [f"group-{n}" for n in range(21)]},
        {"viewers": [f"group-{n}" for n in range(21)]},
        {"podSecurity": "privileged"},
        {"network": {"egress": [{"cidr": "10.0.0.0"}]}},
        {"network": {"egress": [{"cidr": "10.0.0.0/33"}]}},
        {"network": {"egress": [{"cidr": "10.0.0.256/32"}]}},
        {"network": {"egress": [{"namespace": "Shared"}]}},
        {"network": {"egress": [{"namespace": f"n{n}"} for n in range(51)]}},
        {"network": {"ingress": True}},
        {"labels": {}},
    ],
    ids=str,
)
def test_the_schema_and_the_model_refuse_the_same(changes: dict[str, Json]) -> None:
    spec = spec_of(**changes)
    assert SCHEMA.violations(SCHEMA.fill(spec)) != []
    with pytest.raises(ValidationError):
        render(spec)


@pytest.mark.parametrize(
    "quota",
    [
        {"cpu": "four", "memory": "8Gi", "pods": 1, "storage": 0},
        {"cpu": 1.5, "memory": "8Gi", "pods": 1, "storage": 0},
        {"cpu": -1, "memory": "8Gi", "pods": 1, "storage": 0},
        {"cpu": "4", "memory": "8GB", "pods": 1, "storage": 0},
        {"cpu": "4", "memory": "8Gi", "pods": 1, "storage": "-1Gi"},
    ],
    ids=str,
)
def test_the_schema_refuses_amounts_that_mean_nothing(quota: JsonObject) -> None:
    assert SCHEMA.violations(SCHEMA.fill(spec_of(quota=quota))) != []


@pytest.mark.parametrize("item", [{}, {"namespace": "a", "cidr": "10.0.0.0/8"}], ids=str)
def test_the_schema_wants_namespace_or_cidr(item: JsonObject) -> None:
    assert SCHEMA.violations(SCHEMA.fill(spec_of(network={"egress": [item]}))) != []


def test_a_namespace_may_have_63_characters() -> None:
    output = render(spec_of(team="a" * 42, environment="b" * 20))
    assert output.status["namespace"] == f"{'a' * 42}-{'b' * 20}"


@pytest.mark.parametrize(
    ("team", "environment", "words"),
    [
        ("a" * 43, "b" * 20, "64 characters, at most 63"),
        ("kube", "system", "belongs to the cluster"),
        ("kratix-platform", "system", "belongs to the cluster"),
    ],
)
def test_a_name_no_team_can_have_is_refused(team: str, environment: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        render(spec_of(team=team, environment=environment))
    assert caught.value.reason is Reason.INVALID_NAME
    assert caught.value.field == ("spec", "team")


def test_a_request_does_not_leave_its_namespace() -> None:
    with pytest.raises(InvalidInputError, match=r"'payments-dev'.*'payments-prod'"):
        render(spec_of(environment="prod"), {"namespace": "payments-dev"})


def test_owners_may_edit_and_viewers_may_view() -> None:
    spec = spec_of(owners=["b", "a", "b"], viewers=["oidc:team/x"])
    assert subjects(spec) == {"edit": ["a", "b"], "view": ["oidc:team/x"]}


def test_without_viewers_there_is_no_binding_for_them() -> None:
    assert subjects(spec_of()) == {"edit": ["admins"]}


@pytest.mark.parametrize("role", ["owners", "viewers"])
@pytest.mark.parametrize("group", ["system:masters", "system:authenticated", "system:"])
def test_a_group_of_kubernetes_itself_is_refused(role: str, group: str) -> None:
    with pytest.raises(InvalidInputError, match="Kubernetes' own") as caught:
        render(spec_of(**{role: ["fine", group]}))
    assert caught.value.field == ("spec", role, 1)


def test_the_service_accounts_of_a_namespace_are_a_group() -> None:
    spec = spec_of(viewers=["system:serviceaccounts:delivery"])
    assert subjects(spec)["view"] == ["system:serviceaccounts:delivery"]


@pytest.mark.parametrize(
    ("changes", "level"),
    [({}, "baseline"), ({"podSecurity": "restricted"}, "restricted")],
)
def test_pods_have_to_keep_the_level_asked_for(changes: dict[str, Json], level: str) -> None:
    (namespace,) = manifests(render(spec_of(**changes)), "Namespace")
    labels = Fields(namespace).section("metadata").string_map("labels")
    assert labels["pod-security.kubernetes.io/enforce"] == level
    assert labels["pod-security.kubernetes.io/warn"] == level


def test_every_object_says_whose_it_is() -> None:
    expected = {
        "app.kubernetes.io/managed-by": "troth",
        "marketplace.troth.dev/team": "payments",
        "marketplace.troth.dev/environment": "dev",
    }
    for manifest in manifests(render(spec_of(viewers=["v"]))):
        labels = Fields(manifest).section("metadata").string_map("labels")
        assert expected.items() <= labels.items()

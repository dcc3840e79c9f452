"""Sizes, quotas of one's own, and the defaults of containers that have to fit in both."""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundles import manifests
from support.team_namespaces import render, spec_of

from troth.api import Fields, Json, JsonObject
from troth.errors import InvalidInputError
from troth_pipelines.stages.namespace._model import Quota, TeamNamespaceSpec
from troth_pipelines.stages.namespace._quantity import (
    parse_bytes,
    parse_cpu,
    spell_bytes,
    spell_cpu,
)
from troth_pipelines.stages.namespace._quota import SIZES, Budget, budget_of

NOWHERE = Fields({}, ("spec", "quota"))


def quota_of(**changes: Json) -> JsonObject:
    return {"cpu": "4", "memory": "8Gi", "pods": 20, "storage": "50Gi", **changes}


def hard(spec: JsonObject) -> dict[str, str]:
    (manifest,) = manifests(render(spec), "ResourceQuota")
    return Fields(manifest).section("spec").string_map("hard")


@pytest.mark.parametrize("size", SIZES)
def test_the_defaults_of_a_size_fit_as_often_as_it_has_pods(size: str) -> None:
    budget = SIZES[size]
    assert budget.container_cpu * budget.pods <= budget.cpu
    assert budget.container_cpu_limit * budget.pods <= budget.cpu_limit
    assert budget.container_memory * budget.pods <= budget.memory


@given(
    cpu=st.integers(10, 10**9),
    memory=st.integers(2**25, 10**18),
    pods=st.integers(1, 1000),
)
@settings(deadline=None)
def test_the_defaults_of_a_container_fit_in_any_quota(cpu: int, memory: int, pods: int) -> None:
    budget = Budget(cpu, memory, pods, storage=0)
    assert 0 < budget.container_cpu <= budget.container_cpu_limit <= budget.cpu_limit
    assert budget.container_cpu <= budget.cpu
    assert 0 < budget.container_memory <= budget.memory


@pytest.mark.parametrize(("smaller", "larger"), list(itertools.pairwise(SIZES.values())))
def test_sizes_grow_in_everything(smaller: Budget, larger: Budget) -> None:
    assert smaller.cpu < larger.cpu
    assert smaller.memory < larger.memory
    assert smaller.pods < larger.pods
    assert smaller.storage < larger.storage


@pytest.mark.parametrize("size", SIZES)
def test_the_description_of_size_tells_its_numbers(size: str) -> None:
    numbers = SIZES[size].summary()
    words = "{cpu} CPU, {memory}, {pods} Pods, {storage} storage".format(**numbers)
    description = TeamNamespaceSpec.model_fields["size"].description or ""
    assert f"{size} ({words})" in description


def test_without_size_and_quota_it_is_small() -> None:
    assert render(spec_of()) == render(spec_of(size="small"))


def test_a_quota_stands_in_the_manifest() -> None:
    assert hard(spec_of(quota=quota_of())) == {
        "requests.cpu": "4",
        "limits.cpu": "8",
        "requests.memory": "8Gi",
        "limits.memory": "8Gi",
        "requests.storage": "50Gi",
        "pods": "20",
    }


def test_the_status_tells_the_quota() -> None:
    status = render(spec_of(size="medium")).status
    assert status["quota"] == {"cpu": "8", "memory": "16Gi", "pods": 32, "storage": "100Gi"}


def test_size_and_quota_together_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=re.escape("spec.quota: size 'small'")) as caught:
        render(spec_of(size="small", quota=quota_of()))
    assert caught.value.field == ("spec", "quota")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("cpu", "four", "no amount of CPU"),
        ("cpu", "4\n", "no amount of CPU"),
        ("cpu", -1, "no amount of CPU"),
        ("cpu", 0, "at least 10m"),
        ("cpu", "9m", "at least 10m"),
        ("memory", "8GB", "no amount of bytes"),
        ("memory", "1.5Gi", "no amount of bytes"),
        ("memory", "31Mi", "at least 32Mi"),
        ("storage", "-1", "no amount of bytes"),
        ("storage", "٣Gi", "no amount of bytes"),
    ],
)
def test_an_amount_that_means_nothing_is_refused(field: str, value: Json, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        render(spec_of(quota=quota_of(**{field: value})))
    assert caught.value.field == ("spec", "quota", field)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [(4, "4"), ("0.5", "500m"), ("1.25", "1250m"), ("1000m", "1"), ("2000", "2k"), ("007", "7")],
)
def test_cpu_is_spelled_as_the_api_server_does(text: int | str, spelled: str) -> None:
    assert spell_cpu(parse_cpu(text, NOWHERE, "cpu")) == spelled


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("8Gi", "8Gi"),
        ("1024Mi", "1Gi"),
        ("1536Mi", "1536Mi"),
        ("8G", "8G"),
        ("6000M", "6G"),
        ("1024Ti", "1Pi"),
        (8589934592, "8Gi"),
        (1000001, "1000001"),
        ("0Gi", "0"),
    ],
)
def test_bytes_are_spelled_as_the_api_server_does(text: int | str, spelled: str) -> None:
    assert spell_bytes(parse_bytes(text, NOWHERE, "memory")) == spelled


@given(count=st.integers(0, 2**59))
def test_spelling_bytes_loses_nothing(count: int) -> None:
    spelled = spell_bytes(count)
    units = {"": 1} | {u: 1000 ** (i + 1) for i, u in enumerate(("k", "M", "G", "T", "P", "E"))}
    units |= {f"{u.upper()}i": 1024 ** (i + 1) for i, u in enumerate("kmgtpe")}
    digits = re.match("[0-9]+", spelled)
    assert digits is not None
    assert int(digits[0]) * units[spelled[digits.end() :]] == count


def test_a_budget_needs_no_size() -> None:
    quota = Quota(cpu="2500m", memory="1Gi", pods=4, storage=0)
    spec = TeamNamespaceSpec(team="a", environment="b", owners=("c",), quota=quota)
    assert budget_of(spec) == Budget(2500, 1024**3, 4, 0)

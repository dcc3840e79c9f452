"""Fence and claims: what a request may write, and who holds what."""

import itertools

import pytest
from support.platform import Platform, config_map, follows_spec, promise, request, writes

from troth.api import JsonObject, dump_documents
from troth.engine import State
from troth.errors import Reason
from troth.runners import StageJob, StageResult
from troth_statestore import ChangeSet


def namespace(name: str) -> JsonObject:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def cluster_role(name: str, **metadata: str) -> JsonObject:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, **metadata},
    }


FENCE = '{namespaces: ["{spec.value}-dev"], clusterKinds: [Namespace]}'


@pytest.mark.parametrize(
    ("fence", "manifest", "allowed"),
    [
        ("{namespaces: [own]}", config_map("a", "team"), True),
        ("{namespaces: [own]}", config_map("a", "other"), False),
        ("{namespaces: [own]}", namespace("team"), False),
        (FENCE, namespace("shop-dev"), True),
        (FENCE, namespace("shop-prod"), False),
        (FENCE, config_map("a", "shop-dev"), True),
        (FENCE, config_map("a", "team"), False),
        (FENCE, cluster_role("a"), False),
        (FENCE, cluster_role("a", namespace="shop-dev"), False),
        ("{clusterKinds: [ClusterRole]}", cluster_role("a"), True),
        ('{namespaces: ["{spec.missing}"]}', config_map("a", "team"), False),
        ("{namespaces: [kube-system]}", config_map("a", "kube-system"), False),
        (None, config_map("a", "other"), True),
        (None, config_map("a", "kube-system"), False),
    ],
)
def test_only_what_stands_inside_the_fence_is_written(
    fence: str | None, manifest: JsonObject, *, allowed: bool
) -> None:
    platform = Platform(stages={"configure": writes(manifest)}, promises=[promise(fence=fence)])

    items = platform.sync(request(value="shop"))

    assert (items["one"].state is State.WRITTEN) == allowed
    assert bool(platform.files) == allowed
    if not allowed:
        assert items["one"].reason == Reason.OUTSIDE_FENCE


def test_a_foreign_kind_called_namespace_is_judged_by_where_it_is() -> None:
    manifest: JsonObject = {
        "apiVersion": "servicebus.example.com/v1",
        "kind": "Namespace",
        "metadata": {"name": "team", "namespace": "kube-system"},
    }
    platform = Platform(stages={"configure": writes(manifest)})

    assert platform.sync(request())["one"].reason == Reason.OUTSIDE_FENCE


def test_a_fence_drawn_tighter_refuses_what_is_already_there_and_keeps_it() -> None:
    platform = Platform(
        stages={"configure": writes(config_map("a", "other"))},
        promises=[promise(fence="{namespaces: [other]}")],
    )
    platform.sync(request())
    platform.promises = [promise(fence="{namespaces: [own]}")]

    items = platform.sync(request())

    assert items["one"].reason == Reason.OUTSIDE_FENCE
    assert len(platform.files) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(["a", "b", "c"])))
def test_of_several_claimants_of_one_run_the_first_by_key_gets_it(order: tuple[str, ...]) -> None:
    platform = Platform(stages={"configure": writes(config_map("same"))})

    items = platform.sync(*(request(name) for name in order))

    assert items["a"].state is State.WRITTEN
    assert items["b"].state is items["c"].state is State.REFUSED
    assert "held by team/a (thing)" in items["c"].message


def test_who_holds_an_object_in_the_store_keeps_it_against_an_earlier_key() -> None:
    platform = Platform(stages={"configure": writes(config_map("same"))})
    platform.sync(request("b"))

    items = platform.sync(request("a"), request("b"))

    assert items["a"].reason == Reason.OBJECT_HELD
    assert items["b"].state is State.UNCHANGED


def test_what_stands_in_files_is_held_although_the_record_cannot_be_read() -> None:
    platform = Platform(stages={"configure": writes(config_map("same"))})
    platform.sync(request("a"))
    [(key, version)] = [
        (key, version)
        for key, (_, version) in platform.store.snapshot().records().items()
        if key.endswith("/a.yaml")
    ]
    platform.store.commit([ChangeSet(key, version, record=b"{")])

    items = platform.sync(request("b"))

    assert items["b"].reason == Reason.OBJECT_HELD
    assert len(platform.files) == 1


def test_what_is_let_go_of_is_taken_in_the_next_round() -> None:
    platform = Platform(stages={"configure": writes(config_map("same"))})
    platform.sync(request("a"))
    platform.sync(request("b"))

    items = platform.sync(request("b"))

    assert items["b"].state is State.WRITTEN


def test_a_namespaced_kind_called_cluster_keeps_its_namespace() -> None:
    def database(job: StageJob) -> StageResult:
        metadata = {"name": "db", "namespace": str(job.environ["KRATIX_OBJECT_NAMESPACE"])}
        kind = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster"}
        return StageResult({"db.yaml": dump_documents([{**kind, "metadata": metadata}])})

    platform = Platform(stages={"configure": database})

    platform.sync(request("one", "team-a"), request("one", "team-b"))

    assert len(platform.files) == 2


def test_the_same_object_from_two_pipelines_is_a_duplicate() -> None:
    platform = Platform(
        stages={"first": writes(config_map("a")), "second": writes(config_map("a"))},
        promises=[promise(configure=["first", "second"])],
    )

    items = platform.sync(request())

    assert items["one"].reason == Reason.DUPLICATE_OBJECT


def test_two_promises_do_not_share_what_they_hold_between_namespaces() -> None:
    platform = Platform()

    items = platform.sync(request("same", "team-a"), request("other", "team-b"))

    assert {item.state for item in items.values()} == {State.WRITTEN}


def test_a_name_without_a_namespace_collides_with_no_other_namespace() -> None:
    def in_own_namespace(job: StageJob) -> StageResult:
        return follows_spec(job)

    platform = Platform(stages={"configure": in_own_namespace})

    platform.sync(request("one", "team-a", value="a"), request("one", "team-b", value="b"))

    assert len(platform.files) == 2

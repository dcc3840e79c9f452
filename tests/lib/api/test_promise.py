"""Promises: the API they offer, their workflows, their selectors, and what names a revision."""

import pytest

from troth.api import Fence, Json, JsonObject, Promise
from troth.errors import InvalidInputError, Reason

SCHEMA: JsonObject = {"type": "object", "properties": {"spec": {"type": "object"}}}


def version(name: str = "v1", **fields: Json) -> JsonObject:
    return {"name": name, "schema": {"openAPIV3Schema": SCHEMA}, **fields}


def api(**spec: Json) -> JsonObject:
    names: JsonObject = {"kind": "Thing", "plural": "things"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": {"group": "example.com", "names": names, "versions": [version()], **spec},
    }


def pipeline(name: str) -> JsonObject:
    return {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "Pipeline",
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "a", "image": "b"}]},
    }


def workflow(kind: str, action: str, *names: str) -> JsonObject:
    return {kind: {action: [pipeline(name) for name in names]}}


def promise(metadata: JsonObject | None = None, **spec: Json) -> JsonObject:
    return {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "Promise",
        "metadata": {"name": "thing", **(metadata or {})},
        "spec": {"api": api(), **spec},
    }


def test_every_served_version_brings_its_schema() -> None:
    versions: list[Json] = [version("v1"), version("v2"), version("v0", served=False)]

    parsed = Promise.parse(promise(api=api(versions=versions)))

    assert parsed.api is not None
    assert (parsed.api.group, parsed.api.kind, parsed.api.plural) == (
        "example.com", "Thing", "things",
    )  # fmt: skip
    assert parsed.api.schemas == {"v1": SCHEMA, "v2": SCHEMA}


@pytest.mark.parametrize(
    ("versions", "stored"),
    [
        ([version("v1", storage=True), version("v2")], "v1"),
        ([version("v1"), version("v2", storage=True), version("v3")], "v2"),
        ([version("v1"), version("v2")], "v2"),
        ([version("v1"), version("v2", storage=True, served=False)], "v1"),
    ],
)
def test_the_stored_version_speaks_for_the_kind_or_the_last_that_is_served(
    versions: list[Json], stored: str
) -> None:
    parsed = Promise.parse(promise(api=api(versions=versions))).api

    assert parsed is not None
    assert parsed.stored == stored


def test_the_schema_of_the_kind_is_that_of_its_stored_version() -> None:
    other: JsonObject = {"openAPIV3Schema": {"type": "object", "description": "Newer."}}
    versions: list[Json] = [version("v1", storage=True), {**version("v2"), "schema": other}]

    parsed = Promise.parse(promise(api=api(versions=versions))).api

    assert parsed is not None
    assert parsed.schema == SCHEMA


@pytest.mark.parametrize("none", [None, {}])
def test_a_promise_may_offer_no_api(none: Json) -> None:
    assert Promise.parse(promise(api=none)).api is None


def test_workflows_keep_the_order_of_their_pipelines() -> None:
    workflows: JsonObject = {
        "resource": {
            "configure": [pipeline("b"), pipeline("a")],
            "delete": [pipeline("c")],
        },
        "promise": {"configure": [pipeline("d")], "delete": [pipeline("e")]},
        "config": {"pipelineNamespace": "x"},
    }

    parsed = Promise.parse(promise(workflows=workflows))
    found = parsed.workflows

    assert parsed.pipeline_namespace == "x"
    assert [one.name for one in found.resource_configure] == ["b", "a"]
    assert [one.name for one in found.resource_delete] == ["c"]
    assert [one.name for one in found.promise_configure] == ["d"]
    assert [one.name for one in found.promise_delete] == ["e"]


def test_the_first_destination_selector_wins_a_label() -> None:
    selectors: list[Json] = [
        {"matchLabels": {"env": "dev"}},
        {"matchLabels": {"env": "prod", "zone": "a"}},
        {},
    ]

    parsed = Promise.parse(promise(destinationSelectors=selectors))

    assert parsed.selectors == {"env": "dev", "zone": "a"}


def test_labels_and_annotations_steer_version_fence_and_secrets() -> None:
    metadata: JsonObject = {
        "labels": {"kratix.io/promise-version": "v1.2.0"},
        "annotations": {
            "troth.dev/fence": "namespaces: [own]",
            "troth.dev/allow-plain-secrets": "true",
        },
    }

    parsed = Promise.parse(promise(metadata))

    assert parsed.version == "v1.2.0"
    assert parsed.fence == Fence(declared=True)
    assert parsed.allows_plain_secrets


def test_without_them_the_version_is_not_set_and_nothing_is_allowed() -> None:
    parsed = Promise.parse(promise())

    assert parsed.version == "not-set"
    assert not parsed.fence.declared
    assert not parsed.allows_plain_secrets


@pytest.mark.parametrize(
    "change",
    [
        promise({"labels": {"a": "b"}}),
        promise({"annotations": {"a": "b"}}),
        promise({"name": "other"}),
        promise(workflows=workflow("resource", "configure", "a")),
        promise(destinationSelectors=[{"matchLabels": {"a": "b"}}]),
    ],
)
def test_another_revision_has_another_digest(change: JsonObject) -> None:
    assert Promise.parse(change).digest != Promise.parse(promise()).digest


def test_what_a_cluster_adds_is_no_part_of_the_digest() -> None:
    raw = promise({"uid": "1", "resourceVersion": "2", "generation": 3})

    assert Promise.parse({**raw, "status": {"a": 1}}).digest == Promise.parse(promise()).digest


REFUSED: list[tuple[JsonObject, str, tuple[str | int, ...]]] = [
    (promise(api=api(scope="Cluster")),
     "promise api needs to be namespace scoped; spec.api.spec.scope cannot be: Cluster",
     ("spec", "api", "spec", "scope")),
    (promise(api=api(versions=[])), "at least one served version",
     ("spec", "api", "spec", "versions")),
    (promise(api=api(versions=[version(served=False)])), "at least one served version",
     ("spec", "api", "spec", "versions")),
    (promise(api=api(group=None)), "a text is needed", ("spec", "api", "spec", "group")),
    (promise(api="x"), "a mapping is needed here, found the text 'x'", ("spec", "api")),
    (promise({"name": "Not_Valid"}), "'Not_Valid' is not made of", ("metadata", "name")),
    (promise({"name": None}), "a text is needed here, found nothing", ("metadata", "name")),
    (promise({"labels": {"a": 1}}), "found the number 1 (put it in quotes)",
     ("metadata", "labels", "a")),
    (promise(workflows=workflow("resource", "configure", "foo", "foo")),
     'duplicate pipeline name "foo" in workflow "resource" action "configure"',
     ("spec", "workflows", "resource", "configure")),
    (promise(workflows=workflow("promise", "delete", "a" * 40)),
     'promise.delete pipeline with name "' + "a" * 40 + '" is too long',
     ("spec", "workflows", "promise", "delete")),
    (promise(workflows={"resource": {"configure": [{"kind": "Job", "metadata": {"name": "a"}}]}}),
     'unsupported pipeline "a" with APIVersion "Job/"',
     ("spec", "workflows", "resource", "configure", 0, "apiVersion")),
    (promise(destinationSelectors=[{"matchLabels": {"a": 1}}]), "found the number 1",
     ("spec", "destinationSelectors", 0, "matchLabels", "a")),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "words", "field"), REFUSED, ids=[r[1][:40] for r in REFUSED])
def test_a_promise_that_kratix_would_refuse_is_refused_at_its_field(
    raw: JsonObject, words: str, field: tuple[str | int, ...]
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Promise.parse(raw)

    assert words in caught.value.message
    assert caught.value.field == field
    assert caught.value.reason == Reason.PROMISE_INVALID


def test_a_pipelines_identity_may_have_sixty_characters() -> None:
    name = "a" * (60 - len("thing-promise-delete-"))

    parsed = Promise.parse(promise(workflows=workflow("promise", "delete", name)))

    assert parsed.workflows.promise_delete[0].name == name


def test_a_bad_fence_is_named_at_its_annotation() -> None:
    raw = promise({"annotations": {"troth.dev/fence": "namespaces: ['{x}']"}})

    with pytest.raises(InvalidInputError) as caught:
        Promise.parse(raw)

    assert caught.value.field[:3] == ("metadata", "annotations", "troth.dev/fence")


@pytest.mark.parametrize(
    ("annotation", "pipelines", "expected"),
    [("", "", "team"), ("", "jobs", "jobs"), ("platform", "", "platform"),
     ("platform", "jobs", "platform")],
)  # fmt: skip
def test_secrets_are_where_the_annotation_says_or_the_pipelines_or_the_request(
    annotation: str, pipelines: str, expected: str
) -> None:
    metadata: JsonObject = {"annotations": {"troth.dev/secrets-namespace": annotation}}
    parsed = Promise.parse(
        promise(metadata, workflows={"config": {"pipelineNamespace": pipelines}})
    )

    assert parsed.secrets_namespace("team") == expected


def test_a_namespace_of_secrets_that_is_none_is_named_at_its_annotation() -> None:
    raw = promise({"annotations": {"troth.dev/secrets-namespace": "../elsewhere"}})

    with pytest.raises(InvalidInputError) as caught:
        Promise.parse(raw)

    assert caught.value.field[:3] == ("metadata", "annotations", "troth.dev/secrets-namespace")

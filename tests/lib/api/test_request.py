"""Requests: what a stage may see of them, what steers, and the names that Kubernetes takes."""

import pytest

from troth.api import Json, JsonObject, RequestKey, ResourceRequest
from troth.errors import InvalidInputError


def request(**metadata: Json) -> JsonObject:
    return {
        "apiVersion": "example.com/v1",
        "kind": "Thing",
        "metadata": {"name": "one", "namespace": "team", **metadata},
        "spec": {"size": "small"},
    }


def test_a_request_says_who_it_is() -> None:
    parsed = ResourceRequest.parse(request())

    assert (parsed.group, parsed.version, parsed.kind) == ("example.com", "v1", "Thing")
    assert (parsed.namespace, parsed.name, parsed.spec) == ("team", "one", {"size": "small"})


def test_a_request_without_a_namespace_is_in_default() -> None:
    assert ResourceRequest.parse(request(namespace=None)).namespace == "default"


def test_an_object_of_the_core_group_has_no_group() -> None:
    parsed = ResourceRequest.parse({**request(), "apiVersion": "v1"})

    assert (parsed.group, parsed.version) == ("", "v1")


def test_what_steers_and_what_tools_leave_is_not_for_stages() -> None:
    labels: JsonObject = {
        "team": "blue",
        "kratix.io/paused": "true",
        "kratix.io/manual-reconciliation": "true",
        "kratix.io/workflow-suspended": "true",
    }
    annotations: JsonObject = {
        "note": "a",
        "troth.dev/deletion-protection": "true",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
    }

    parsed = ResourceRequest.parse(request(labels=labels, annotations=annotations))

    assert parsed.labels == {"team": "blue"}
    assert parsed.annotations == {"note": "a"}
    assert parsed.all_annotations == annotations
    assert parsed.paused
    assert parsed.forced


@pytest.mark.parametrize("value", ["false", "yes", ""])
def test_only_true_pauses_or_forces(value: str) -> None:
    labels: JsonObject = {"kratix.io/paused": value, "kratix.io/manual-reconciliation": value}

    parsed = ResourceRequest.parse(request(labels=labels))

    assert not parsed.paused
    assert not parsed.forced


def test_keys_sort_and_read_as_messages_need_them() -> None:
    keys = [RequestKey("b", "a", "a"), RequestKey("a", "b", "a"), RequestKey("a", "a", "b")]

    assert [str(key) for key in sorted(keys)] == ["a/b (a)", "a/a (b)", "b/a (a)"]


REFUSED: list[tuple[JsonObject, str, tuple[str | int, ...]]] = [
    ({**request(), "metdata": {}}, "Did you mean 'metadata'?", ("metdata",)),
    ({**request(), "data": {}}, "a request has no such field", ("data",)),
    ({**request(), "metadata": None}, "a text is needed here, found nothing", ("metadata", "name")),
    ({**request(), "metadata": ["a"]}, "a mapping is needed here, found a list", ("metadata",)),
    ({**request(), "apiVersion": 1}, "a text is needed here, found the number 1", ("apiVersion",)),
    ({**request(), "kind": None}, "a text is needed here, found nothing", ("kind",)),
    ({**request(), "spec": [1]}, "a mapping is needed here, found a list", ("spec",)),
    (request(name=5), "a text is needed here, found the number 5", ("metadata", "name")),
    (request(name="One"), "'One' is not made of", ("metadata", "name")),
    (request(name="a/b"), "'a/b' is not made of", ("metadata", "name")),
    (request(name="a" * 64), "64 characters, at most 63", ("metadata", "name")),
    (request(namespace="a.b"), "'a.b' is not made of", ("metadata", "namespace")),
    (request(namespace=""), "'' is not made of", ("metadata", "namespace")),
    (request(labels={"a b": "c"}), "'a b' is no key", ("metadata", "labels", "a b")),
    (request(labels={"a": "b c"}), "'b c' is not made of", ("metadata", "labels", "a")),
    (request(labels={"a": True}), "found the boolean true", ("metadata", "labels", "a")),
    (request(annotations={"a b": "c"}), "'a b' is no key", ("metadata", "annotations", "a b")),
    (request(annotations={"a": 1}), "found the number 1", ("metadata", "annotations", "a")),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "words", "field"), REFUSED, ids=[r[1][-40:] for r in REFUSED])
def test_a_request_that_kubernetes_would_refuse_is_refused_at_its_field(
    raw: JsonObject, words: str, field: tuple[str | int, ...]
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        ResourceRequest.parse(raw)

    assert words in caught.value.message
    assert caught.value.field == field


def test_a_name_may_have_dots_and_sixty_three_characters() -> None:
    name = "a." * 31 + "a"

    assert ResourceRequest.parse(request(name=name)).name == name


def test_an_annotations_key_may_have_capitals_in_its_prefix() -> None:
    parsed = ResourceRequest.parse(request(annotations={"Example.com/Note": "a"}))

    assert parsed.annotations == {"Example.com/Note": "a"}

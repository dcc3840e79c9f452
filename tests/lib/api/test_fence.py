"""The fence: what its annotation may say, and what its braces read."""

import pytest

from troth.api import Fence, JsonObject, is_system_namespace
from troth.errors import InvalidInputError

REQUEST: JsonObject = {
    "metadata": {"name": "shop", "namespace": "team"},
    "spec": {
        "team": "blue",
        "size": 3,
        "empty": "",
        "deep": {"zone-1": "eu"},
        "bad": "kube-system",
    },
}


def allowed(*patterns: str) -> set[str]:
    return set(Fence(namespaces=patterns).allowed_namespaces(REQUEST))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("own", {"team"}),
        ("shared", {"shared"}),
        ("{metadata.name}", {"shop"}),
        ("{metadata.namespace}-x", {"team-x"}),
        ("{spec.team}", {"blue"}),
        ("{spec.team}-{spec.deep.zone-1}", {"blue-eu"}),
        ("{spec.missing}", set()),
        ("{spec.team}-{spec.missing}", set()),
        ("{spec.team.deeper}", set()),
        ("{spec.size}", set()),
        ("{spec.deep}", set()),
        ("{spec.empty}", set()),
        ("{spec.bad}", set()),
        ("kube-{spec.team}", set()),
        ("argocd", set()),
    ],
)
def test_braces_read_texts_of_the_request_and_system_namespaces_are_left_out(
    pattern: str, expected: set[str]
) -> None:
    assert allowed(pattern) == expected


def test_what_a_field_holds_is_not_read_as_a_pattern() -> None:
    request: JsonObject = {"spec": {"a": "{spec.b}", "b": "x"}}

    assert Fence(namespaces=("{spec.a}",)).allowed_namespaces(request) == {"{spec.b}"}


def test_the_annotation_says_namespaces_and_kinds() -> None:
    fence = Fence.parse("{namespaces: [own, '{spec.team}'], clusterKinds: [Namespace]}")

    assert fence == Fence(("own", "{spec.team}"), frozenset({"Namespace"}), declared=True)


def test_a_fence_that_names_no_namespaces_means_the_requests_own() -> None:
    assert Fence.parse("clusterKinds: [Namespace]").namespaces == ("own",)


def test_a_fence_may_allow_no_namespace_at_all() -> None:
    assert Fence.parse("namespaces: []").namespaces == ()


REFUSED = [
    ("namespaces: ['{status.x}']", "{status.x} is no path of a request"),
    ("namespaces: ['{spec}']", "{spec} is no path"),
    ("namespaces: ['{spec.a.}']", "{spec.a.} is no path"),
    ("namespaces: ['{metadata.labels.a}']", "{metadata.labels.a} is no path"),
    ("namespaces: ['{}']", "{} is no path"),
    ("namespaces: ['{spec.team']", "can never be a namespace"),
    ("namespaces: ['team-*']", "can never be a namespace"),
    ("namespaces: ['']", "can never be a namespace"),
    ("namespaces: own", "a list of texts is needed"),
    ("namespaces: [1]", "has to be a text"),
    ("namespace: [own]", "Did you mean 'namespaces'?"),
    ("clusterKinds: Namespace", "a list of texts is needed"),
    ("[own]", "a mapping is needed"),
    ("", "one YAML document is needed"),
    ("a: [", "no YAML we can read"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_a_fence_that_cannot_mean_anything_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Fence.parse(text)

    assert words in caught.value.message
    assert "troth.dev/fence" in caught.value.message


@pytest.mark.parametrize(
    ("namespace", "expected"),
    [
        ("kube-system", True),
        ("kube-anything", True),
        ("argocd", True),
        ("flux-system", True),
        ("kratix-platform-system", True),
        ("kratix-worker-system", True),
        ("kubernetes", False),
        ("default", False),
        ("argocd-apps", False),
    ],
)
def test_namespaces_of_the_system_are_known_by_name(namespace: str, expected: bool) -> None:
    assert is_system_namespace(namespace) is expected

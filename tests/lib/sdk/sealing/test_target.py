"""What a sealed value is bound to, and what the controller has to be told of it."""

import pytest

from troth.errors import InvalidInputError, Reason
from troth.sdk.sealing import Scope, Target

CLUSTER = {"sealedsecrets.bitnami.com/cluster-wide": "true"}
NAMESPACE = {"sealedsecrets.bitnami.com/namespace-wide": "true"}


@pytest.mark.parametrize(
    ("scope", "label"),
    [(Scope.STRICT, "team/creds"), (Scope.NAMESPACE_WIDE, "team"), (Scope.CLUSTER_WIDE, "")],
)
def test_the_label_of_a_scope_is_the_controllers(scope: Scope, label: str) -> None:
    assert Target("team", "creds", scope).label == label


@pytest.mark.parametrize(
    ("scope", "annotations"),
    [(Scope.STRICT, {}), (Scope.NAMESPACE_WIDE, NAMESPACE), (Scope.CLUSTER_WIDE, CLUSTER)],
)
def test_a_scope_is_told_by_an_annotation_and_read_from_it(
    scope: Scope, annotations: dict[str, str]
) -> None:
    assert scope.annotations == annotations
    assert Scope.of({**annotations, "other": "true"}) is scope


def test_of_both_annotations_cluster_wide_counts() -> None:
    assert Scope.of({**NAMESPACE, **CLUSTER}) is Scope.CLUSTER_WIDE


@pytest.mark.parametrize("value", ["True", "yes", "", "1"])
def test_only_the_text_true_counts(value: str) -> None:
    assert Scope.of(dict.fromkeys(CLUSTER, value)) is Scope.STRICT


@pytest.mark.parametrize(
    ("namespace", "name"),
    [("", "creds"), ("team", ""), ("team/a", "creds"), ("team", "a/b"), ("team\n", "creds")],
)
def test_what_could_be_no_secret_is_refused(namespace: str, name: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Target(namespace, name)

    assert caught.value.reason is Reason.INVALID_NAME
    assert "of the Secret to seal for" in caught.value.message


def test_a_target_is_named_with_its_scope() -> None:
    assert str(Target("team", "creds", Scope.NAMESPACE_WIDE)) == "team/creds (namespace-wide)"

"""The SealedSecret object: byte for byte what the controller needs, and where it needs it."""

import pytest

from troth.api import JsonObject
from troth.errors import InvalidInputError
from troth.sdk.sealing import PatchMode, Scope, SecretShape, Target, sealed_secret

TARGET = Target("team", "creds")
PATCH = "sealedsecrets.bitnami.com/patch"
MANAGED = "sealedsecrets.bitnami.com/managed"
UNOWNED = "sealedsecrets.bitnami.com/skip-set-owner-references"
WIDE = "sealedsecrets.bitnami.com/cluster-wide"


def test_the_least_is_a_secret_of_type_opaque_and_whom_it_is_sealed_for() -> None:
    assert sealed_secret(TARGET, "prod", {"b": "QQ==", "a": "Qg=="}) == {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {
            "name": "creds",
            "namespace": "team",
            "annotations": {"troth.dev/sealed-for": "prod"},
        },
        "spec": {"encryptedData": {"a": "Qg==", "b": "QQ=="}, "template": {"type": "Opaque"}},
    }


def test_the_scope_stands_where_the_controller_reads_it_and_on_the_secret() -> None:
    target = Target("team", "creds", Scope.CLUSTER_WIDE)

    manifest = sealed_secret(target, "prod", {"a": "QQ=="})

    assert manifest["metadata"] == {
        "name": "creds",
        "namespace": "team",
        "annotations": {WIDE: "true", "troth.dev/sealed-for": "prod"},
    }
    assert template(manifest) == {"metadata": {"annotations": {WIDE: "true"}}, "type": "Opaque"}


def test_the_secret_gets_type_labels_and_annotations_and_the_labels_are_on_both() -> None:
    shape = SecretShape("kubernetes.io/basic-auth", {"b": "2", "a": "1"}, {"note": "text"})

    manifest = sealed_secret(TARGET, "prod", {"password": "QQ=="}, shape)

    assert template(manifest) == {
        "metadata": {"annotations": {"note": "text"}, "labels": {"a": "1", "b": "2"}},
        "type": "kubernetes.io/basic-auth",
    }
    assert manifest["metadata"] == {
        "name": "creds",
        "namespace": "team",
        "annotations": {"troth.dev/sealed-for": "prod"},
        "labels": {"a": "1", "b": "2"},
    }


@pytest.mark.parametrize(
    ("mode", "annotations"),
    [
        (PatchMode.PATCH, {PATCH: "true"}),
        (PatchMode.PATCH_UNOWNED, {PATCH: "true", UNOWNED: "true"}),
        (PatchMode.TAKE_OVER, {MANAGED: "true"}),
    ],
)
def test_a_mode_stands_in_the_template_alone(mode: PatchMode, annotations: dict[str, str]) -> None:
    manifest = sealed_secret(TARGET, "prod", {"a": "QQ=="}, mode=mode)

    assert template(manifest) == {"metadata": {"annotations": annotations}, "type": "Opaque"}
    assert manifest["metadata"] == sealed_secret(TARGET, "prod", {"a": "QQ=="})["metadata"]


def test_nothing_is_sealed_in_the_form_that_leaves_the_data_as_they_are() -> None:
    shape = SecretShape("kubernetes.io/tls")

    manifest = sealed_secret(TARGET, "prod", {}, shape, PatchMode.PATCH_NOTHING)

    assert manifest["spec"] == {
        "encryptedData": {},
        "template": {"metadata": {"annotations": {PATCH: "true"}}, "type": "kubernetes.io/tls"},
    }


@pytest.mark.parametrize(
    "mode", [mode for mode in PatchMode if mode is not PatchMode.PATCH_NOTHING]
)
def test_nothing_to_seal_is_refused_where_it_would_empty_the_secret_or_do_nothing(
    mode: PatchMode,
) -> None:
    with pytest.raises(InvalidInputError, match="only the mode patch-nothing leaves"):
        sealed_secret(TARGET, "prod", {}, mode=mode)


def test_the_form_that_seals_nothing_refuses_values() -> None:
    with pytest.raises(InvalidInputError, match="seals nothing, but 1 values were given"):
        sealed_secret(TARGET, "prod", {"a": "QQ=="}, mode=PatchMode.PATCH_NOTHING)


@pytest.mark.parametrize("key", ["", "a b", "a/b", ".", "..", "ä", "a\n", "x" * 254])
def test_a_key_that_no_secret_can_have_is_refused(key: str) -> None:
    with pytest.raises(InvalidInputError, match="is no key of a Secret"):
        sealed_secret(TARGET, "prod", {key: "QQ=="})


@pytest.mark.parametrize("key", ["nats.creds", "a-b_c.D9", "...", "x" * 253])
def test_a_key_that_a_secret_can_have_is_kept(key: str) -> None:
    spec = sealed_secret(TARGET, "prod", {key: "QQ=="})["spec"]

    assert isinstance(spec, dict)
    assert spec["encryptedData"] == {key: "QQ=="}


@pytest.mark.parametrize("annotation", [PATCH, WIDE, "troth.dev/sealed-for"])
def test_an_annotation_that_follows_from_scope_or_mode_cannot_be_set_by_hand(
    annotation: str,
) -> None:
    shape = SecretShape(annotations={annotation: "true"})

    with pytest.raises(InvalidInputError, match=f"the annotation {annotation} follows"):
        sealed_secret(TARGET, "prod", {"a": "QQ=="}, shape)


def test_a_secret_without_a_type_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="needs a type"):
        sealed_secret(TARGET, "prod", {"a": "QQ=="}, SecretShape(type=""))


def template(manifest: JsonObject) -> object:
    spec = manifest["spec"]
    assert isinstance(spec, dict)
    return spec["template"]

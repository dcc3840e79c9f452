"""What becomes of a Secret that is there already: replaced, patched, owned, collected, kept."""

import base64

import pytest
from support.cluster import Kubectl, SealedSecrets, eventually
from support.kubeseal import annotated, changed, kubeseal, secret

from troth.api import Fields, Json, JsonObject

BEFORE = {"theirs": b"kept?", "shared": b"before"}
SEALED = {"shared": b"after", "ours": b"added"}
EXISTS = 'Resource "login" already exists and is not managed by SealedSecret'


@pytest.fixture
def kubectl(sealed_secrets: SealedSecrets) -> Kubectl:
    return sealed_secrets.cluster.kubectl


def sealed(controller: SealedSecrets, namespace: str, name: str = "login") -> JsonObject:
    return kubeseal(secret(name, namespace, SEALED), controller.certificate())


def existing(namespace: str, name: str = "login", **annotations: str) -> JsonObject:
    """Return a Secret as a person made it, with annotations of Sealed Secrets."""
    flags = {f"sealedsecrets.bitnami.com/{key}": value for key, value in annotations.items()}
    metadata: JsonObject = {
        "name": name,
        "namespace": namespace,
        "labels": {"by": "a-person"},
        "annotations": {"note": "mine", **flags},
    }
    return changed(secret(name, namespace, BEFORE), "metadata", to=metadata)


def metadata_of(kubectl: Kubectl, namespace: str, name: str = "login") -> Fields:
    return Fields(kubectl.get("secret", name, namespace) or {}).section("metadata")


def owners(kubectl: Kubectl, namespace: str, name: str = "login") -> list[Json]:
    return [dict(one.raw) for one in metadata_of(kubectl, namespace, name).items("ownerReferences")]


def reference(kubectl: Kubectl, namespace: str, name: str = "login") -> JsonObject:
    """Return how a Secret names the SealedSecret that owns it."""
    owner = Fields(kubectl.get("sealedsecret", name, namespace) or {})
    return {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "name": name,
        "uid": owner.section("metadata").text("uid"),
        "controller": True,
    }


def test_a_new_secret_is_owned(
    sealed_secrets: SealedSecrets, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.apply(sealed(sealed_secrets, namespace))

    assert sealed_secrets.outcome("login", namespace) == ""
    assert owners(kubectl, namespace) == [reference(kubectl, namespace)]


def test_a_secret_of_a_person_is_left_alone(
    sealed_secrets: SealedSecrets, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.create(existing(namespace))

    kubectl.apply(sealed(sealed_secrets, namespace))

    assert EXISTS in sealed_secrets.outcome("login", namespace)
    assert kubectl.secret("login", namespace) == BEFORE


@pytest.mark.parametrize("name", ["patch", "managed"])
def test_annotations_on_the_sealed_secret_do_not_take_over(
    sealed_secrets: SealedSecrets, kubectl: Kubectl, namespace: str, name: str
) -> None:
    kubectl.create(existing(namespace))
    made = sealed(sealed_secrets, namespace)
    key = f"sealedsecrets.bitnami.com/{name}"

    # Neither in its own metadata nor in its template: they count on the live Secret.
    kubectl.apply(
        changed(annotated(made, **{name: "true"}), "metadata", "annotations", key, to="true")
    )

    assert EXISTS in sealed_secrets.outcome("login", namespace)
    assert kubectl.secret("login", namespace) == BEFORE


def test_a_managed_secret_is_replaced_with_all_its_metadata(
    sealed_secrets: SealedSecrets, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.create(existing(namespace, managed="true"))

    kubectl.apply(sealed(sealed_secrets, namespace))

    assert sealed_secrets.outcome("login", namespace) == ""
    assert kubectl.secret("login", namespace) == SEALED
    assert owners(kubectl, namespace) == [reference(kubectl, namespace)]
    metadata = metadata_of(kubectl, namespace)
    assert (metadata.string_map("labels"), metadata.string_map("annotations")) == ({}, {})


def test_a_patched_secret_keeps_what_it_had_and_has_no_owner(
    sealed_secrets: SealedSecrets, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.create(existing(namespace, patch="true"))

    kubectl.apply(sealed(sealed_secrets, namespace))

    assert sealed_secrets.outcome("login", namespace) == ""
    assert kubectl.secret("login", namespace) == {**BEFORE, **SEALED}
    assert owners(kubectl, namespace) == []
    metadata = metadata_of(kubectl, namespace)
    assert metadata.string_map("labels") == {"by": "a-person"}
    assert metadata.string_map("annotations")["note"] == "mine"


@pytest.mark.parametrize("where", ["live", "template"])
def test_a_patched_secret_that_is_managed_as_well_gets_an_owner(
    sealed_secrets: SealedSecrets, kubectl: Kubectl, namespace: str, where: str
) -> None:
    live = {"managed": "true"} if where == "live" else {}
    template = {"managed": "true"} if where == "template" else {}
    kubectl.create(existing(namespace, patch="true", **live))

    kubectl.apply(annotated(sealed(sealed_secrets, namespace), **template))

    assert sealed_secrets.outcome("login", namespace) == ""
    assert kubectl.secret("login", namespace) == {**BEFORE, **SEALED}
    assert owners(kubectl, namespace) == [reference(kubectl, namespace)]


@pytest.mark.parametrize("skip", [{}, {"skip_set_owner_references": "true"}])
def test_a_patch_of_no_secret_makes_one_owned_unless_the_template_says_not(
    sealed_secrets: SealedSecrets, kubectl: Kubectl, namespace: str, skip: dict[str, str]
) -> None:
    kubectl.apply(annotated(sealed(sealed_secrets, namespace), patch="true", **skip))

    assert sealed_secrets.outcome("login", namespace) == ""
    assert kubectl.secret("login", namespace) == SEALED
    assert len(owners(kubectl, namespace)) == (0 if skip else 1)


def test_skipping_the_owner_counts_in_the_template_alone(
    sealed_secrets: SealedSecrets, kubectl: Kubectl, namespace: str
) -> None:
    key = "sealedsecrets.bitnami.com/skip-set-owner-references"

    kubectl.apply(
        changed(sealed(sealed_secrets, namespace), "metadata", "annotations", key, to="true")
    )

    assert sealed_secrets.outcome("login", namespace) == ""
    assert len(owners(kubectl, namespace)) == 1


def test_an_empty_patch_touches_no_value(
    sealed_secrets: SealedSecrets, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.create(existing(namespace, patch="true"))
    made = annotated(sealed(sealed_secrets, namespace), patch="true")

    kubectl.apply(changed(made, "spec", "encryptedData", to={}))

    assert sealed_secrets.outcome("login", namespace) == ""
    assert kubectl.secret("login", namespace) == BEFORE


def test_an_empty_patch_of_no_secret_makes_an_empty_one(
    sealed_secrets: SealedSecrets, kubectl: Kubectl, namespace: str
) -> None:
    made = annotated(sealed(sealed_secrets, namespace), patch="true")

    kubectl.apply(changed(made, "spec", "encryptedData", to={}))

    assert sealed_secrets.outcome("login", namespace) == ""
    assert kubectl.secret("login", namespace) == {}


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [({}, {"ours": b"added"}), ({"patch": "true"}, SEALED)],
    ids=["replaced", "patched"],
)
def test_a_value_taken_out_leaves_a_secret_unless_it_is_patched(
    sealed_secrets: SealedSecrets,
    kubectl: Kubectl,
    namespace: str,
    annotations: dict[str, str],
    expected: dict[str, bytes],
) -> None:
    made = annotated(sealed(sealed_secrets, namespace), **annotations)
    values = Fields(made).section("spec").string_map("encryptedData")
    kubectl.apply(made)
    assert sealed_secrets.outcome("login", namespace) == ""

    kubectl.apply(changed(made, "spec", "encryptedData", to={"ours": values["ours"]}))

    assert sealed_secrets.outcome("login", namespace) == ""
    assert kubectl.secret("login", namespace) == expected


@pytest.mark.parametrize("repeated", [False, True])
def test_a_patch_must_repeat_the_type_of_the_secret(
    sealed_secrets: SealedSecrets, kubectl: Kubectl, namespace: str, repeated: bool
) -> None:
    basic = {"username": b"anna", "password": b"x"}
    live = changed(existing(namespace, patch="true"), "type", to="kubernetes.io/basic-auth")
    encoded = {key: base64.b64encode(value).decode() for key, value in basic.items()}
    kubectl.create(changed(live, "data", to=encoded))
    made = sealed(sealed_secrets, namespace)

    if repeated:
        made = changed(made, "spec", "template", "type", to="kubernetes.io/basic-auth")
    kubectl.apply(made)

    message = sealed_secrets.outcome("login", namespace)
    assert ("field is immutable" in message) != repeated
    assert kubectl.secret("login", namespace) == ({**basic, **SEALED} if repeated else basic)


def test_with_its_sealed_secret_goes_an_owned_secret_but_no_patched_one(
    garbage_collection: None, sealed_secrets: SealedSecrets, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.create(existing(namespace, "patched", patch="true"))
    unowned = annotated(
        sealed(sealed_secrets, namespace, "unowned"), patch="true", skip_set_owner_references="true"
    )
    names = ("patched", "unowned", "owned")
    kubectl.apply(
        sealed(sealed_secrets, namespace, "patched"),
        unowned,
        sealed(sealed_secrets, namespace, "owned"),
    )
    assert [sealed_secrets.outcome(name, namespace) for name in names] == ["", "", ""]

    for name in names:
        kubectl.delete("sealedsecret", name, namespace)

    # The owned one was the last to lose its owner: what else was to go has gone before it.
    eventually(lambda: kubectl.secret("owned", namespace) is None or None)
    assert kubectl.secret("patched", namespace) == {**BEFORE, **SEALED}
    assert kubectl.secret("unowned", namespace) == SEALED


def test_a_deleted_secret_comes_back_if_it_was_owned(
    sealed_secrets: SealedSecrets, kubectl: Kubectl, namespace: str
) -> None:
    kubectl.create(existing(namespace, "patched", patch="true"))
    names = ("patched", "owned")
    kubectl.apply(*(sealed(sealed_secrets, namespace, name) for name in names))
    assert [sealed_secrets.outcome(name, namespace) for name in names] == ["", ""]

    for name in names:
        kubectl.delete("secret", name, namespace)

    assert eventually(lambda: kubectl.secret("owned", namespace)) == SEALED
    assert kubectl.secret("patched", namespace) is None

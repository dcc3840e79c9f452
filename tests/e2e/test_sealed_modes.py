"""What our modes of patching do to a live Secret, and which switches between them are safe."""

import itertools

import pytest
from support.cluster import Kubectl, KubectlError, SealedSecrets, eventually
from support.kubeseal import annotated, secret
from support.sealed_live import in_process

from troth.api import Fields, JsonObject
from troth.errors import OutputRefusedError
from troth.sdk.sealing import PatchMode, refuse_unsafe_switch

BEFORE = {"theirs": b"kept?", "shared": b"before"}
SEALED = {"shared": b"after"}
MERGED = {**BEFORE, **SEALED}
EXISTS = "already exists and is not managed by SealedSecret"
PREFIX = "sealedsecrets.bitnami.com"


@pytest.fixture
def kubectl(sealed_secrets: SealedSecrets) -> Kubectl:
    return sealed_secrets.cluster.kubectl


def write(
    controller: SealedSecrets, namespace: str, mode: PatchMode, data: dict[str, bytes]
) -> str:
    """Apply a SealedSecret in a mode; return why the controller did not follow, or ``""``."""
    plain = secret("login", namespace, {} if mode is PatchMode.PATCH_NOTHING else data)
    kubectl = controller.cluster.kubectl
    sealed = in_process(plain, controller.certificate(), mode=mode)
    kubectl.apply(sealed, server_side=False)
    return controller.outcome("login", namespace)


def live(kubectl: Kubectl, namespace: str) -> Fields:
    return Fields(kubectl.get("secret", "login", namespace) or {}).section("metadata")


def made_by_a_person(namespace: str, annotation: str) -> JsonObject:
    plain = secret("login", namespace, BEFORE)
    annotations = {f"{PREFIX}/{annotation}": "true"} if annotation else {}
    metadata: JsonObject = {**Fields(plain).mapping("metadata"), "annotations": annotations}
    return {**plain, "metadata": metadata}


@pytest.mark.parametrize(
    ("mode", "expected", "owned"),
    [
        (PatchMode.REPLACE, SEALED, True),
        (PatchMode.PATCH, SEALED, True),
        (PatchMode.PATCH_UNOWNED, SEALED, False),
        (PatchMode.PATCH_NOTHING, {}, True),
        (PatchMode.TAKE_OVER, SEALED, True),
    ],
)
def test_what_a_mode_makes_where_no_secret_is(
    sealed_secrets: SealedSecrets,
    kubectl: Kubectl,
    namespace: str,
    mode: PatchMode,
    expected: dict[str, bytes],
    owned: bool,
) -> None:
    assert write(sealed_secrets, namespace, mode, SEALED) == ""

    assert kubectl.secret("login", namespace) == expected
    assert bool(live(kubectl, namespace).items("ownerReferences")) == owned


@pytest.mark.parametrize("mode", PatchMode)
def test_no_mode_touches_what_a_person_did_not_hand_over(
    sealed_secrets: SealedSecrets, kubectl: Kubectl, namespace: str, mode: PatchMode
) -> None:
    kubectl.create(made_by_a_person(namespace, ""))

    assert EXISTS in write(sealed_secrets, namespace, mode, SEALED)

    assert kubectl.secret("login", namespace) == BEFORE


@pytest.mark.parametrize(
    ("annotation", "after", "expected"),
    [("managed", PatchMode.TAKE_OVER, SEALED), ("patch", PatchMode.PATCH, MERGED)],
)
def test_a_secret_of_a_person_is_handed_over_by_its_annotation_and_then_the_mode(
    sealed_secrets: SealedSecrets,
    kubectl: Kubectl,
    namespace: str,
    annotation: str,
    after: PatchMode,
    expected: dict[str, bytes],
) -> None:
    kubectl.create(made_by_a_person(namespace, ""))
    refused = in_process(secret("login", namespace, SEALED), sealed_secrets.certificate())
    kubectl.apply(refused, server_side=False)
    assert EXISTS in sealed_secrets.outcome("login", namespace)
    flag = f"{PREFIX}/{annotation}=true"
    kubectl.run("annotate", f"--namespace={namespace}", "secret/login", flag)
    refuse_unsafe_switch(PatchMode.REPLACE, after, annotations(kubectl, namespace))

    # The ciphertexts stay: it is the mode in the template that makes the controller look again.
    kubectl.apply(annotated(refused, **{annotation: "true"}), server_side=False)
    assert sealed_secrets.outcome("login", namespace) == ""

    assert kubectl.secret("login", namespace) == expected


@pytest.mark.parametrize(
    ("mode", "annotation", "expected", "owned"),
    [
        (PatchMode.REPLACE, "managed", SEALED, True),
        (PatchMode.PATCH, "patch", MERGED, False),
        (PatchMode.PATCH_UNOWNED, "patch", MERGED, False),
        (PatchMode.PATCH_NOTHING, "patch", BEFORE, False),
        (PatchMode.TAKE_OVER, "managed", SEALED, True),
        (PatchMode.TAKE_OVER, "patch", MERGED, True),
    ],
)
def test_what_a_mode_makes_of_a_secret_that_was_handed_over(
    sealed_secrets: SealedSecrets,
    kubectl: Kubectl,
    namespace: str,
    mode: PatchMode,
    annotation: str,
    expected: dict[str, bytes],
    owned: bool,
) -> None:
    kubectl.create(made_by_a_person(namespace, annotation))

    assert write(sealed_secrets, namespace, mode, SEALED) == ""

    assert kubectl.secret("login", namespace) == expected
    assert bool(live(kubectl, namespace).items("ownerReferences")) == owned


@pytest.mark.parametrize("mode", [PatchMode.PATCH, PatchMode.REPLACE])
def test_with_the_sealed_secret_goes_what_it_owns(
    garbage_collection: None,
    sealed_secrets: SealedSecrets,
    kubectl: Kubectl,
    namespace: str,
    mode: PatchMode,
) -> None:
    assert write(sealed_secrets, namespace, mode, SEALED) == ""

    kubectl.delete("sealedsecret", "login", namespace)

    eventually(lambda: kubectl.secret("login", namespace) is None or None)


def test_a_value_that_nobody_can_read_again_is_kept_by_patching_nothing(
    sealed_secrets: SealedSecrets, kubectl: Kubectl, namespace: str
) -> None:
    assert write(sealed_secrets, namespace, PatchMode.PATCH, BEFORE) == ""

    assert write(sealed_secrets, namespace, PatchMode.PATCH_NOTHING, {}) == ""

    assert kubectl.secret("login", namespace) == BEFORE


def test_patching_nothing_too_early_loses_the_value(
    sealed_secrets: SealedSecrets, kubectl: Kubectl, namespace: str
) -> None:
    assert write(sealed_secrets, namespace, PatchMode.REPLACE, BEFORE) == ""

    with pytest.raises(OutputRefusedError):
        refuse_unsafe_switch(
            PatchMode.REPLACE, PatchMode.PATCH_NOTHING, annotations(kubectl, namespace)
        )
    assert write(sealed_secrets, namespace, PatchMode.PATCH_NOTHING, {}) == ""

    assert kubectl.secret("login", namespace) == {}


def annotations(kubectl: Kubectl, namespace: str) -> dict[str, str]:
    return live(kubectl, namespace).string_map("annotations")


def carried(before: PatchMode, annotated: str) -> dict[str, str]:
    """Return what a Secret that a mode made carries, and perhaps an annotation of a person's."""
    return {**before.annotations, **({f"{PREFIX}/{annotated}": "true"} if annotated else {})}


def is_allowed(before: PatchMode, after: PatchMode, annotated: str) -> bool:
    try:
        refuse_unsafe_switch(before, after, carried(before, annotated))
    except OutputRefusedError:
        return False
    return True


ALLOWED = [
    (before, after, annotated)
    for before, after in itertools.permutations(PatchMode, 2)
    for annotated in ("", "patch", "managed")
    if is_allowed(before, after, annotated)
]


@pytest.mark.parametrize(("before", "after", "annotated"), ALLOWED)
def test_a_switch_that_is_allowed_keeps_what_it_should(
    sealed_secrets: SealedSecrets,
    kubectl: Kubectl,
    namespace: str,
    before: PatchMode,
    after: PatchMode,
    annotated: str,
) -> None:
    write(sealed_secrets, namespace, before, BEFORE)
    if annotated:
        flag = f"{PREFIX}/{annotated}=true"
        kubectl.run("annotate", f"--namespace={namespace}", "secret/login", "--overwrite", flag)
    assert annotations(kubectl, namespace) == carried(before, annotated)
    had = kubectl.secret("login", namespace) or {}

    assert write(sealed_secrets, namespace, after, SEALED) == ""

    sealed = {} if after is PatchMode.PATCH_NOTHING else SEALED
    patched = carried(before, annotated).get(f"{PREFIX}/patch") == "true"
    assert kubectl.secret("login", namespace) == ({**had, **sealed} if patched else SEALED)


def test_what_is_sealed_cannot_be_emptied_by_a_server_side_apply(
    sealed_secrets: SealedSecrets, kubectl: Kubectl, namespace: str
) -> None:
    certificate = sealed_secrets.certificate()
    full = in_process(secret("login", namespace, SEALED), certificate, mode=PatchMode.PATCH)
    empty = in_process(secret("login", namespace, {}), certificate, mode=PatchMode.PATCH_NOTHING)
    kubectl.apply(full)

    # The keys go, and what is left is null, not {}: so with Flux, and where Argo CD is told to.
    with pytest.raises(KubectlError, match="must be of type object"):
        kubectl.apply(empty)

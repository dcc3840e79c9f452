"""What the sealed-secrets controller opens, and what it does not: names, scopes, keys."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.cluster import (
    KubectlError,
    SealedSecrets,
    run_cluster,
    run_sealed_secrets,
)
from support.kubeseal import changed, kubeseal, secret
from support.sealed_live import in_process

from troth.api import Fields, JsonObject

Seal = Callable[[JsonObject, bytes, str], JsonObject]

DATA = {
    "password": b"correct horse\n",
    "empty": b"",
    "any.byte_at-all": bytes(range(256)),
    "umlaut": "pässword".encode(),
    "large": bytes(range(256)) * 1024,
}
SCOPES = ("strict", "namespace-wide", "cluster-wide")
NOT_OPENED = "no key could decrypt secret"


@pytest.fixture(params=[kubeseal, in_process], ids=lambda sealer: sealer.__name__)
def seal(request: pytest.FixtureRequest) -> Seal:
    sealer: Seal = request.param
    return sealer


def opened(controller: SealedSecrets, sealed: JsonObject) -> bool:
    """Apply a SealedSecret, in a namespace that may be new, and tell whether it was opened."""
    metadata = Fields(sealed).section("metadata")
    name, namespace = metadata.text("name"), metadata.text("namespace")
    kubectl = controller.cluster.kubectl
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    kubectl.apply(sealed)
    message = controller.outcome(name, namespace)
    found = kubectl.secret(name, namespace)
    assert not message or message.startswith(NOT_OPENED)
    assert (found is None) == bool(message)
    return found is not None


@pytest.mark.parametrize("scope", SCOPES)
def test_what_is_sealed_comes_out_to_the_byte(
    sealed_secrets: SealedSecrets, seal: Seal, namespace: str, scope: str
) -> None:
    plain = secret("login", namespace, DATA)

    assert opened(sealed_secrets, seal(plain, sealed_secrets.certificate(), scope))

    assert sealed_secrets.cluster.kubectl.secret("login", namespace) == DATA


@pytest.mark.parametrize(
    ("scope", "name", "elsewhere", "opens"),
    [
        ("strict", "other", False, False),
        ("strict", "login", True, False),
        ("namespace-wide", "other", False, True),
        ("namespace-wide", "login", True, False),
        ("cluster-wide", "other", True, True),
    ],
)
def test_a_scope_says_where_a_value_opens(
    sealed_secrets: SealedSecrets,
    seal: Seal,
    namespace: str,
    scope: str,
    name: str,
    elsewhere: bool,
    opens: bool,
) -> None:
    target = f"{namespace}-elsewhere" if elsewhere else namespace
    sealed = seal(secret("login", namespace, DATA), sealed_secrets.certificate(), scope)

    sealed = changed(sealed, "metadata", "name", to=name)
    sealed = changed(sealed, "metadata", "namespace", to=target)

    assert opened(sealed_secrets, sealed) == opens


@pytest.mark.parametrize("scope", ["namespace-wide", "cluster-wide"])
@pytest.mark.parametrize("found", ["", "True", "false"])
def test_a_scope_counts_on_the_sealed_secret_itself_and_only_as_true(
    sealed_secrets: SealedSecrets,
    seal: Seal,
    namespace: str,
    scope: str,
    found: str,
) -> None:
    annotation = f"sealedsecrets.bitnami.com/{scope}"
    sealed = seal(secret("login", namespace, DATA), sealed_secrets.certificate(), scope)
    template = Fields(sealed).section("spec").section("template").section("metadata")
    assert template.string_map("annotations")[annotation] == "true"

    others: JsonObject = {annotation: found} if found else {}

    assert not opened(sealed_secrets, changed(sealed, "metadata", "annotations", to=others))


def test_the_widest_of_two_scopes_counts(
    sealed_secrets: SealedSecrets, seal: Seal, namespace: str
) -> None:
    sealed = seal(secret("login", namespace, DATA), sealed_secrets.certificate(), "cluster-wide")
    annotation = "sealedsecrets.bitnami.com/namespace-wide"

    assert opened(sealed_secrets, changed(sealed, "metadata", "annotations", annotation, to="true"))


def test_values_may_be_renamed_and_left_out(
    sealed_secrets: SealedSecrets, seal: Seal, namespace: str
) -> None:
    sealed = seal(secret("login", namespace, DATA), sealed_secrets.certificate(), "strict")
    values = Fields(sealed).section("spec").string_map("encryptedData")

    sealed = changed(sealed, "spec", "encryptedData", to={"renamed": values["password"]})

    assert opened(sealed_secrets, sealed)
    found = sealed_secrets.cluster.kubectl.secret("login", namespace)
    assert found == {"renamed": DATA["password"]}


def test_one_value_that_does_not_open_keeps_all_back(
    sealed_secrets: SealedSecrets, seal: Seal, namespace: str
) -> None:
    certificate = sealed_secrets.certificate()
    other = seal(secret("other", namespace, DATA), certificate, "strict")
    foreign = Fields(other).section("spec").string_map("encryptedData")["password"]

    sealed = seal(secret("login", namespace, DATA), certificate, "strict")

    assert not opened(sealed_secrets, changed(sealed, "spec", "encryptedData", "x", to=foreign))


def test_a_value_that_is_no_text_is_refused_by_the_api_server(
    sealed_secrets: SealedSecrets, seal: Seal, namespace: str
) -> None:
    sealed = seal(secret("login", namespace, DATA), sealed_secrets.certificate(), "strict")

    # The controller itself would take it for no values at all.
    with pytest.raises(KubectlError, match=r"number: expected string"):
        sealed_secrets.cluster.kubectl.apply(
            changed(sealed, "spec", "encryptedData", "number", to=1)
        )


def test_sealed_values_may_be_none_but_not_missing(
    sealed_secrets: SealedSecrets, seal: Seal, namespace: str
) -> None:
    sealed = seal(secret("login", namespace, DATA), sealed_secrets.certificate(), "strict")

    with pytest.raises(KubectlError, match='missing required field "encryptedData"'):
        sealed_secrets.cluster.kubectl.apply(changed(sealed, "spec", to={}))

    assert opened(sealed_secrets, changed(sealed, "spec", "encryptedData", to={}))
    assert sealed_secrets.cluster.kubectl.secret("login", namespace) == {}


def test_plain_values_ride_along_in_the_template(
    sealed_secrets: SealedSecrets, seal: Seal, namespace: str
) -> None:
    plain = secret("login", namespace, {"user": b"anna"})
    sealed = seal(plain, sealed_secrets.certificate(), "strict")

    sealed = changed(sealed, "spec", "template", "data", to={"url": "nats://{{ .user }}@nats"})

    assert opened(sealed_secrets, sealed)
    found = sealed_secrets.cluster.kubectl.secret("login", namespace)
    assert found == {"user": b"anna", "url": b"nats://anna@nats"}


def test_the_template_says_type_labels_and_annotations(
    sealed_secrets: SealedSecrets, seal: Seal, namespace: str
) -> None:
    basic = {"username": b"anna", "password": b"x"}
    sealed = seal(secret("login", namespace, basic), sealed_secrets.certificate(), "strict")
    metadata: JsonObject = {"labels": {"team": "shop"}, "annotations": {"made-for": "shop"}}

    sealed = changed(sealed, "spec", "template", "metadata", to=metadata)
    sealed = changed(sealed, "spec", "template", "type", to="kubernetes.io/basic-auth")
    sealed = changed(sealed, "metadata", "annotations", "troth.dev/sealed-for", to="c1")

    assert opened(sealed_secrets, sealed)
    found = Fields(sealed_secrets.cluster.kubectl.get("secret", "login", namespace) or {})
    assert found.text("type") == "kubernetes.io/basic-auth"
    assert found.section("metadata").string_map("labels") == {"team": "shop"}
    assert found.section("metadata").string_map("annotations") == {"made-for": "shop"}


def test_a_renewed_key_seals_anew_and_opens_what_the_old_one_sealed(
    sealed_secrets: SealedSecrets, seal: Seal, namespace: str
) -> None:
    before = sealed_secrets.certificate()
    old = seal(secret("old", namespace, DATA), before, "strict")

    sealed_secrets.renew_key()

    after = sealed_secrets.certificate()
    assert after != before
    assert opened(sealed_secrets, old)
    assert opened(sealed_secrets, seal(secret("new", namespace, DATA), after, "strict"))


def test_another_cluster_opens_what_was_sealed_for_it_alone(
    sealed_secrets: SealedSecrets, other_sealed_secrets: SealedSecrets, seal: Seal, namespace: str
) -> None:
    plain = secret("login", namespace, DATA)

    ours = seal(plain, sealed_secrets.certificate(), "cluster-wide")
    theirs = seal(plain, other_sealed_secrets.certificate(), "cluster-wide")

    assert not opened(other_sealed_secrets, ours)
    assert opened(other_sealed_secrets, theirs)
    assert not opened(sealed_secrets, theirs)


def test_the_controller_seals_anew_for_its_newest_key(
    other_sealed_secrets: SealedSecrets, seal: Seal, namespace: str
) -> None:
    controller = other_sealed_secrets
    old_keys = controller.keys()
    old = seal(secret("login", namespace, DATA), controller.certificate(), "strict")

    controller.renew_key()
    answer = controller.rotate(old)
    assert "kind" not in answer
    new = {**answer, "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret"}
    controller.forget_keys(*old_keys)

    assert not opened(controller, old)
    assert opened(controller, new)
    assert controller.cluster.kubectl.secret("login", namespace) == DATA


def test_a_cluster_made_anew_opens_nothing_of_before(
    tmp_path: Path, seal: Seal, namespace: str
) -> None:
    plain = secret("login", namespace, DATA)
    with run_cluster(tmp_path / "one") as cluster, run_sealed_secrets(cluster) as before:
        sealed = seal(plain, before.certificate(), "strict")
        assert opened(before, sealed)

    with run_cluster(tmp_path / "two") as cluster, run_sealed_secrets(cluster) as after:
        assert not opened(after, sealed)
        assert opened(after, seal(plain, after.certificate(), "strict"))

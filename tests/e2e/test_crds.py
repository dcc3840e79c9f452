"""A real API server takes our CRDs and what was written for Kratix, and says what is wrong."""

import json
import re
import shutil
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.bundles import bundles, requests
from support.cluster import Cluster, Kubectl, KubectlError, eventually
from support.documented import platform_objects
from support.kubeseal import changed
from support.platform import Platform, config_map, promise, request, writes
from support.workspace import ROOT

from troth.api import Fields, Json, JsonObject, Promise, load_documents, load_object
from troth.api.crds import installed_crd, platform_crds
from troth.engine import Item, Record, State
from troth.engine.promise_status import (
    PromiseOutcome,
    Required,
    RequiredState,
    promise_status,
)
from troth.engine.request_status import RequestOutcome, request_status
from troth.errors import Reason

OBJECTS = platform_objects()
CRDS = platform_crds()

# Objects to be spoilt, each right as it stands.
RIGHT = {
    str(document.data["kind"]): document.data
    for document in reversed(
        load_documents((ROOT / "tests/data/kratix-objects.yaml").read_text(), "kratix-objects.yaml")
    )
}
PIPELINE = ("spec", "workflows", "resource", "configure", 0)

IMMUTABLE = "field is immutable"
STAMP = "2026-01-02T03:04:05Z"
STAMPED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def kubectl(cluster: Cluster) -> Kubectl:
    """Install what deploy/crds holds, as people do."""
    kubectl = cluster.kubectl
    kubectl.run("apply", "--server-side", "--force-conflicts", "-k", str(ROOT / "deploy/crds"))
    established(kubectl, *(name_of(crd) for crd in CRDS.values()))
    return kubectl


def name_of(one: JsonObject) -> str:
    return Fields(one).section("metadata").text("name")


def established(kubectl: Kubectl, *names: str) -> None:
    found = [f"crd/{name}" for name in names]
    kubectl.run("wait", "--for=condition=Established", *found, "--timeout=60s")


def conditions_of(found: JsonObject | None) -> dict[str, str]:
    assert found is not None
    items = Fields(found).section("status").items("conditions")
    return {item.text("type"): item.text("status") for item in items}


def spoilt(one: Json, path: tuple[str | int, ...], to: Json) -> Json:
    """Return a copy with one part replaced, or taken out where `to` is None."""
    if not path:
        return to
    first, *rest = path
    if isinstance(one, list):
        assert isinstance(first, int)
        inner = spoilt(one[first], tuple(rest), to)
        return [*one[:first], inner, *one[first + 1 :]]
    assert isinstance(one, Mapping)
    inner = spoilt(one.get(str(first)), tuple(rest), to)
    kept = {key: value for key, value in one.items() if key != first}
    return kept if inner is None else {**kept, str(first): inner}


def spoilt_object(kind: str, path: tuple[str | int, ...], to: Json) -> JsonObject:
    made = spoilt(RIGHT[kind], path, to)
    assert isinstance(made, Mapping)
    return made


@pytest.mark.parametrize("plural", CRDS)
def test_a_crd_is_established_and_its_schema_structural(kubectl: Kubectl, plural: str) -> None:
    found = conditions_of(kubectl.get("crd", name_of(CRDS[plural])))

    assert found["Established"] == "True"
    assert "NonStructuralSchema" not in found


@pytest.mark.parametrize("where", OBJECTS)
def test_what_is_written_for_kratix_is_taken(kubectl: Kubectl, where: str) -> None:
    kubectl.apply(OBJECTS[where], dry_run=True)


WRONG: list[tuple[str, tuple[str | int, ...], Json, str]] = [
    (
        "Promise",
        ("spec", "api", "spec", "scope"),
        "Cluster",
        "promise api needs to be namespace scoped; spec.api.spec.scope cannot be: Cluster",
    ),
    ("Promise", ("spec", "api", "kind"), "Deployment", "api is not a valid CRD"),
    (
        "Promise",
        ("spec", "api", "spec", "names", "plural"),
        None,
        "spec.api.spec.names.plural: Required value",
    ),
    (
        "Promise",
        ("spec", "workflows", "resource", "configure", 1, "metadata", "name"),
        "instance",
        'duplicate pipeline name "instance" in workflow "resource" action "configure"',
    ),
    (
        "Promise",
        (*PIPELINE, "metadata", "name"),
        "a" * 34,
        (
            f'resource.configure pipeline with name "{"a" * 34}" is too long. The name is used '
            "when generating resources for the pipeline,including the ServiceAccount which follows "
            f'the format of "database-resource-configure-{"a" * 34}", which cannot be longer than '
            "60 characters in total"
        ),
    ),
    (
        "Promise",
        (*PIPELINE, "apiVersion"),
        "v1",
        (
            'failed parsing resource.configure pipeline: unsupported pipeline "instance" with '
            'APIVersion "Pipeline/v1"'
        ),
    ),
    (
        "Promise",
        (*PIPELINE, "kind"),
        None,
        'unsupported pipeline "instance" with APIVersion "/platform.kratix.io/v1alpha1"',
    ),
    (
        "Promise",
        (*PIPELINE, "metadata", "labels"),
        {"team": "no spaces"},
        'invalid label value "no spaces" for key "team" in workflow "resource" action "configure"',
    ),
    (
        "Promise",
        (*PIPELINE, "metadata", "labels"),
        {"a/b/c": "d"},
        'invalid label key "a/b/c" in workflow "resource" action "configure"',
    ),
    (
        "Promise",
        ("spec", "workflows", "config", "reconciliationInterval"),
        "0s",
        "must be at least 1m0s",
    ),
    (
        "Promise",
        ("spec", "workflows", "config", "reconciliationInterval"),
        "1d",
        "must be a valid duration",
    ),
    ("Promise", ("metadata", "name"), "a.b", "the name of a Promise is made of"),
    ("Promise", ("spec", "workflow"), {}, 'unknown field "workflow"'),
    (
        "Destination",
        ("spec", "path"),
        "",
        'spec.path: Invalid value: "object": path field is required',
    ),
    ("Destination", ("spec", "path"), None, "path field is required"),
    ("Destination", ("spec",), None, "path field is required"),
    ("Destination", ("spec", "path"), "a/../b", "'..' and '.git' have no place in a path"),
    ("Destination", ("spec", "path"), "a/.Git", "'..' and '.git' have no place in a path"),
    ("Destination", ("spec", "stateStoreRef"), None, "stateStoreRef field is required"),
    ("Destination", ("spec", "stateStoreRef", "kind"), "Folder", "Unsupported value"),
    ("Destination", ("spec", "filepath", "mode"), "flat", "Unsupported value"),
    ("Destination", ("spec", "filepath", "filename"), "../x.yaml", "'..' and '.git' have no place"),
    ("GitStateStore", ("spec", "url"), None, "url field is required"),
    (
        "GitStateStore",
        ("spec", "url"),
        "https://me:secret@git.example.com/a.git",
        "a password has no place in a URL",
    ),
    ("GitStateStore", ("spec", "authMethod"), "none", "Unsupported value"),
    ("GitStateStore", ("spec", "gitAuthor", "name"), "A\nB", "have no place in an author"),
    ("GitStateStore", ("spec", "gitAuthor", "email"), "<a@b>", "have no place in an author"),
    (
        "BucketStateStore",
        ("spec", "secretRef"),
        None,
        "spec.secretRef must be set when using authentication method accessKey",
    ),
    (
        "BucketStateStore",
        ("spec", "secretRef", "name"),
        "",
        "spec.secretRef must contain secret name",
    ),
    (
        "BucketStateStore",
        ("spec", "secretRef", "namespace"),
        None,
        "spec.secretRef must contain secret namespace",
    ),
    ("BucketStateStore", ("spec", "bucketName"), None, 'required field "bucketName"'),
    ("PromiseRelease", ("spec", "sourceRef", "url"), None, "sourceRef.url must be set"),
    ("PromiseRelease", ("spec", "sourceRef"), None, "sourceRef.url must be set"),
    ("PromiseRelease", ("spec", "sourceRef", "type"), "git", "Unsupported value"),
    ("PromiseRevision", ("spec", "promiseRef"), None, 'required field "promiseRef"'),
    ("ResourceBinding", ("spec", "resourceRef", "namespace"), None, 'required field "namespace"'),
    ("HealthRecord", ("data", "state"), "fine", "Unsupported value"),
]


@pytest.mark.parametrize(("kind", "path", "to", "said"), WRONG)
def test_what_is_wrong_is_refused_in_words(
    kubectl: Kubectl, kind: str, path: tuple[str | int, ...], to: Json, said: str
) -> None:
    with pytest.raises(KubectlError, match=re.escape(said)):
        kubectl.apply(spoilt_object(kind, path, to), dry_run=True)


CHANGES: list[tuple[str, tuple[str | int, ...], Json, str]] = [
    ("Promise", ("spec", "api"), None, "cannot remove API from existing promise"),
    ("Promise", ("spec", "api", "metadata", "name"), "others.example.com", IMMUTABLE),
    ("Promise", ("spec", "api", "spec", "names", "kind"), "Other", IMMUTABLE),
    ("Promise", ("spec", "api", "spec", "names", "plural"), "others", IMMUTABLE),
    ("Promise", ("spec", "api", "spec", "names", "singular"), "other", IMMUTABLE),
    ("Destination", ("spec", "filepath", "mode"), "none", "filepath.mode is immutable"),
]


@pytest.mark.parametrize(("kind", "path", "to", "said"), CHANGES)
def test_what_may_not_change_is_kept(
    kubectl: Kubectl, kind: str, path: tuple[str | int, ...], to: Json, said: str
) -> None:
    live = spoilt_object(kind, ("metadata", "finalizers"), None)
    kubectl.apply(live)
    other = spoilt(live, path, to)
    assert isinstance(other, Mapping)

    with pytest.raises(KubectlError, match=re.escape(said)):
        kubectl.run("replace", "--dry-run=server", "-f", "-", standard_input=json.dumps(other))


def test_a_singular_that_is_only_spelled_out_is_no_change(kubectl: Kubectl) -> None:
    live = spoilt_object("Promise", ("metadata", "finalizers"), None)
    kubectl.apply(live)
    implied = spoilt(live, ("spec", "api", "spec", "names", "singular"), None)

    kubectl.run("replace", "--dry-run=server", "-f", "-", standard_input=json.dumps(implied))


@pytest.mark.parametrize("bundle", bundles(), ids=lambda path: path.name)
def test_the_crd_that_a_promise_installs_serves_its_requests(
    kubectl: Kubectl, bundle: Path
) -> None:
    crd = installed_crd(promise_of(bundle))
    kubectl.apply(crd)
    established(kubectl, name_of(crd))

    assert "NonStructuralSchema" not in conditions_of(kubectl.get("crd", name_of(crd)))
    for path in requests(bundle):
        for document in load_documents(path.read_text(encoding="utf-8"), path.name):
            kubectl.apply(namespace_of(document.data))
            kubectl.apply(document.data, dry_run=True)


def promise_of(bundle: Path) -> Promise:
    return Promise.parse(load_object((bundle / "promise.yaml").read_text("utf-8"), bundle.name))


def namespace_of(request: JsonObject) -> JsonObject:
    name = Fields(request).section("metadata").text("namespace", "default")
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


STATUS: JsonObject = {
    "message": "Resource requested",
    "observedGeneration": 1,
    "conditions": [
        {
            "type": "Reconciled",
            "status": "True",
            "reason": "Reconciled",
            "message": "Reconciled",
            "lastTransitionTime": STAMP,
        }
    ],
    "kratix": {
        "workflows": {"pipelines": [{"name": "a", "phase": "Succeeded"}], "suspendedGeneration": 1}
    },
    "troth": {"commit": "0a1b2c3", "progress": {"any": ["thing"]}},
    "said": {"by": "a stage"},
}


@pytest.fixture(scope="module")
def request_of_namespace(kubectl: Kubectl) -> Generator[JsonObject]:
    """Hand in a request of the Promise namespace, with its CRD as it is installed."""
    bundle = ROOT / "promises/namespace"
    crd = installed_crd(promise_of(bundle))
    kubectl.apply(crd)
    established(kubectl, name_of(crd))
    text = (bundle / "resource-request-minimal.yaml").read_text(encoding="utf-8")
    request = changed(load_object(text, "request"), "metadata", "namespace", to="default")
    kubectl.apply(request)
    yield request
    kubectl.delete("teamnamespaces", name_of(request), "default")


def patch_status(kubectl: Kubectl, kind: str, name: str, status: JsonObject) -> None:
    patch = json.dumps([{"op": "add", "path": "/status", "value": status}])  # in place of all
    flags = ("--subresource=status", "--type=json", f"--patch={patch}")
    kubectl.run("patch", kind, name, *flags)


def test_the_status_of_a_request_comes_back_as_it_was_written(
    kubectl: Kubectl, request_of_namespace: JsonObject
) -> None:
    name = name_of(request_of_namespace)
    patch_status(kubectl, "teamnamespaces", name, STATUS)

    found = kubectl.get("teamnamespaces", name, "default")

    assert found is not None
    assert found["status"] == STATUS
    assert Fields(found).section("metadata").value("generation") == 1


def test_the_status_that_the_engine_makes_is_taken_and_waited_for(
    kubectl: Kubectl, request_of_namespace: JsonObject
) -> None:
    said: JsonObject = {"conditions": [{"type": "Valid", "status": "True"}], "namespace": "a"}
    platform = Platform(stages={"configure": writes(config_map("a"), status=said)})
    item = platform.sync(request())["one"]
    [(key, content)] = platform.records.items()
    outcome = RequestOutcome(item, platform.promises[0], Record.decode(content, key), 1)
    status = request_status({}, outcome, platform.now)
    name = name_of(request_of_namespace)
    patch_status(kubectl, "teamnamespaces", name, status)

    found = kubectl.get("teamnamespaces", name, "default")

    assert found is not None
    assert found["status"] == status
    kubectl.run("wait", f"teamnamespaces/{name}", "--for=condition=Written", "--timeout=10s")


def test_the_status_of_a_promise_that_the_engine_makes_is_taken_and_shown(
    kubectl: Kubectl,
) -> None:
    given = spoilt_object("Promise", ("metadata", "finalizers"), None)
    kubectl.apply(given)
    item = Item("", "database", "", State.WRITTEN, Reason.CREATED, revision="0a1b2c3")
    required = [Required("storage", "v2", RequiredState.INSTALLED)]
    outcome = PromiseOutcome(
        Promise.parse(given), available=True, item=item, required=required, generation=1
    )
    status = promise_status({}, outcome, STAMPED)
    patch_status(kubectl, "promises", "database", status)

    found = kubectl.get("promises", "database")
    line = kubectl.run("get", "promises", "database", "--no-headers")

    assert found is not None
    assert found["status"] == status
    assert line.split() == [
        "database", "Available", "Database", "example.com/v1", "v1.2.0", "Promise", "configured",
    ]  # fmt: skip


def test_kubectl_is_not_content_with_what_was_said_of_an_older_spec(
    kubectl: Kubectl, request_of_namespace: JsonObject
) -> None:
    def status(generation: int) -> dict[str, Json]:
        item = Item("default", "thing", "one", State.WRITTEN, Reason.CREATED)
        return request_status({}, RequestOutcome(item, promise(), None, generation), STAMPED)

    name = name_of(request_of_namespace)
    newest = Fields(kubectl.get("teamnamespaces", name, "default") or {}).section("metadata")
    generation = newest.value("generation")
    assert isinstance(generation, int)
    wait = ("wait", f"teamnamespaces/{name}", "--for=condition=Reconciled", "--timeout=2s")

    patch_status(kubectl, "teamnamespaces", name, status(generation - 1))
    with pytest.raises(KubectlError, match="timed out"):
        kubectl.run(*wait)

    patch_status(kubectl, "teamnamespaces", name, status(generation))
    kubectl.run(*wait)


def test_requests_of_all_kinds_are_shown_by_their_category(
    kubectl: Kubectl, request_of_namespace: JsonObject
) -> None:
    def look() -> list[str] | None:
        try:
            return kubectl.run("get", "troth", "--output=name").split()
        except KubectlError:  # what kubectl keeps of the kinds is of before they came
            shutil.rmtree(kubectl.kubeconfig.parent / "kubectl-cache", ignore_errors=True)
            return None

    shown = eventually(look)

    assert f"teamnamespace.marketplace.troth.dev/{name_of(request_of_namespace)}" in shown
    assert not [one for one in shown if "platform.kratix.io" in one]


def test_the_columns_that_a_promise_has_of_its_own_are_shown(
    kubectl: Kubectl, request_of_namespace: JsonObject
) -> None:
    patch_status(kubectl, "teamnamespaces", name_of(request_of_namespace), {"namespace": "it-is"})

    header, line = kubectl.run("get", "teamnamespaces").splitlines()

    assert header.split() == ["NAME", "NAMESPACE", "CPU", "MEMORY", "MESSAGE"]
    assert "it-is" in line


def test_the_columns_of_a_kind_without_its_own_are_those_of_kratix(kubectl: Kubectl) -> None:
    crd = installed_crd(Promise.parse(RIGHT["Promise"]))  # the CRD in it has no columns
    kubectl.apply(crd)
    established(kubectl, name_of(crd))
    database: JsonObject = {
        "apiVersion": "example.com/v1",
        "kind": "Database",
        "metadata": {"name": "shop"},
        "spec": {},
    }
    kubectl.apply(database)
    patch_status(kubectl, "databases.example.com", "shop", STATUS)

    header, line = kubectl.run("get", "databases.example.com").splitlines()
    wide = kubectl.run("get", "databases.example.com", "--output=wide")

    assert header.split() == ["NAME", "MESSAGE", "STATUS", "AGE"]
    assert re.match(r"shop +Resource requested +Reconciled +\S+$", line)
    assert "0a1b2c3" in wide


COLUMNS = {
    "BucketStateStore": ["NAME", "NAME", "ENDPOINT", "READY"],
    "Destination": ["NAME", "STATESTOREKIND", "STATESTORENAME", "READY"],
    "GitStateStore": ["NAME", "URL", "BRANCH", "READY"],
    "HealthRecord": ["NAME", "STATUS", "AGE"],
    "Promise": ["NAME", "STATUS", "KIND", "API", "VERSION", "VERSION", "MESSAGE"],
    "PromiseRelease": ["NAME", "STATUS", "VERSION"],
    "PromiseRevision": ["NAME", "PROMISE", "VERSION", "LATEST"],
    "ResourceBinding": ["NAME", "RESOURCE", "PROMISE", "DESIRED", "APPLIED"],
}


@pytest.mark.parametrize("kind", RIGHT)
def test_a_status_as_kratix_leaves_it_is_kept_and_shown(kubectl: Kubectl, kind: str) -> None:
    one = spoilt_object(kind, ("metadata", "finalizers"), None)
    kubectl.apply(one)
    status = Fields(one).mapping("status")
    if status:
        patch_status(kubectl, kind, name_of(one), status)

    found = kubectl.get(kind, name_of(one))
    header = kubectl.run("get", kind, name_of(one)).splitlines()[0]

    assert found is not None
    assert Fields(found).mapping("status") == status
    assert header.split() == COLUMNS[kind]

"""Destinations and state stores, in Kratix's words where it has some."""

import pytest

from troth.api import (
    AuthMethod,
    CommitEach,
    Destination,
    GitStateStore,
    Json,
    JsonObject,
    Layout,
    Reader,
    SecretRef,
    StoreRef,
)
from troth.api.destination import same_place
from troth.errors import InvalidInputError

ACCESS = "troth.dev/sealing-access"


def destination(
    name: str = "worker", annotations: JsonObject | None = None, **spec: Json
) -> JsonObject:
    return {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "Destination",
        "metadata": {"name": name, "labels": {"env": "dev"}, "annotations": annotations},
        "spec": {
            "path": "clusters/worker",
            "stateStoreRef": {"kind": "GitStateStore", "name": "main"},
            **spec,
        },
    }


def store(**spec: Json) -> JsonObject:
    return {
        "apiVersion": "platform.kratix.io/v1alpha1",
        "kind": "GitStateStore",
        "metadata": {"name": "main"},
        "spec": {"url": "https://example.com/repo.git", **spec},
    }


def test_a_destination_has_kratix_defaults() -> None:
    assert Destination.parse(destination()) == Destination(
        name="worker",
        labels={"env": "dev"},
        path="clusters/worker",
        store=StoreRef("GitStateStore", "main"),
        layout=Layout.NESTED,
        strict=False,
        reader=Reader.ARGOCD,
    )


@pytest.mark.parametrize("mode", list(Layout))
def test_every_layout_of_kratix_is_read(mode: Layout) -> None:
    assert Destination.parse(destination(filepath={"mode": mode.value})).layout is mode


@pytest.mark.parametrize(
    ("filepath", "expected"),
    [
        ({}, "aggregated.yaml"),
        ({"filename": ""}, "aggregated.yaml"),
        ({"filename": "all.yml"}, "all.yml"),
        ({"filename": "/x//all.yaml"}, "x/all.yaml"),
    ],
)
def test_the_name_of_the_one_file_is_read(filepath: JsonObject, expected: str) -> None:
    raw = destination(filepath={"mode": "aggregatedYAML", **filepath})

    assert Destination.parse(raw).filename == expected


@pytest.mark.parametrize(
    ("workloads", "expected"),
    [(None, None), ({}, None), ({"enabled": True}, True), ({"enabled": False}, False)],
)
def test_what_is_said_of_canaries_is_read(workloads: Json, *, expected: bool | None) -> None:
    assert Destination.parse(destination(initWorkloads=workloads)).canaries is expected


@pytest.mark.parametrize("reader", list(Reader))
def test_the_annotation_says_what_reads_it(reader: Reader) -> None:
    annotations: JsonObject = {"troth.dev/reader": reader.value}

    assert Destination.parse(destination(annotations=annotations)).reader is reader


def test_strict_labels_are_read() -> None:
    assert Destination.parse(destination(strictMatchLabels=True)).strict


@pytest.mark.parametrize(
    ("path", "expected"), [("/a/b/", "a/b"), ("a//b", "a/b"), ("./a/./b", "a/b"), ("/", "")]
)
def test_a_path_is_cleaned(path: str, expected: str) -> None:
    assert Destination.parse(destination(path=path)).path == expected


REFUSED: list[tuple[JsonObject, str]] = [
    (destination(path=None), "spec.path: path field is required"),
    (destination(path=""), "spec.path: path field is required"),
    (destination(path=5), "spec.path: a text is needed here, found the number 5"),
    (destination(stateStoreRef=None), "spec.stateStoreRef: stateStoreRef field is required"),
    (destination(stateStoreRef={"kind": "GitStateStore"}), "spec.stateStoreRef.name: a text"),
    (destination(path="a/../b"), "'..' and '.git' have no place"),
    (destination(path="a/.GIT/b"), "'..' and '.git' have no place"),
    (destination(filepath={"mode": "flat"}),
     "spec.filepath.mode: 'flat' is none of nestedByMetadata, aggregatedYAML, none"),
    (destination(filepath={"filename": "../x.yaml"}), "spec.filepath.filename: '..' and '.git'"),
    (destination(filepath={"filename": "/"}), "spec.filepath.filename: the name of a file"),
    (destination(filepath={"filename": "all.txt"}), "only .yaml and .yml files are read"),
    (destination(filepath={"filename": 5}), "spec.filepath.filename: a text is needed"),
    (destination(initWorkloads={"enabled": "no"}), "spec.initWorkloads.enabled: true or false"),
    (destination(strictMatchLabels="yes"), "true or false is needed here, found the text 'yes'"),
    (destination(annotations={"troth.dev/reader": "helm"}),
     "'helm' is none of argocd, flux, files"),
    ({**destination(), "metadata": None}, "metadata.name: a text is needed"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "words"), REFUSED, ids=[words[-30:] for _, words in REFUSED])
def test_a_destination_that_cannot_be_used_is_refused(raw: JsonObject, words: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Destination.parse(raw)

    assert words in caught.value.message


@pytest.mark.parametrize(
    ("path", "other_store", "same"),
    [
        ("clusters/worker", "main", True),
        ("/clusters//worker/", "main", True),
        ("clusters/worker/nested", "main", False),
        ("clusters/worker", "other", False),
    ],
)
def test_two_destinations_at_one_place_of_one_store_are_refused(
    path: str, other_store: str, same: bool
) -> None:
    first = Destination.parse(destination())
    reference: JsonObject = {"kind": "GitStateStore", "name": other_store}
    second = Destination.parse(destination("second", path=path, stateStoreRef=reference))

    error = same_place(first, second)

    assert (error is not None) is same
    if error is not None:
        text = "destination path 'clusters/worker' already exists for state store 'main'"
        assert text in error.message


def test_a_state_store_has_kratix_defaults() -> None:
    assert GitStateStore.parse(store()) == GitStateStore(
        name="main",
        url="https://example.com/repo.git",
        branch="main",
        path="",
        author_name="kratix",
        author_email="",
        auth_method=AuthMethod.BASIC,
        secret=None,
    )


def test_a_state_store_is_read() -> None:
    raw = store(
        branch="trunk",
        path="/platform/",
        secretRef={"name": "token"},
        gitAuthor={"name": "A Bot", "email": "bot@example.com"},
        authMethod="ssh",
    )

    assert GitStateStore.parse(raw) == GitStateStore(
        name="main",
        url="https://example.com/repo.git",
        branch="trunk",
        path="platform",
        author_name="A Bot",
        author_email="bot@example.com",
        auth_method=AuthMethod.SSH,
        secret=SecretRef("default", "token"),
    )


@pytest.mark.parametrize("path", ["", "/", None])
def test_a_state_store_without_a_path_is_the_whole_repository(path: Json) -> None:
    assert GitStateStore.parse(store(path=path)).path == ""


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (store(url=None), "spec.url: a text is needed"),
        (store(authMethod="token"), "'token' is none of basicAuth, ssh, githubApp"),
        (store(path="../other"), "have no place in a path"),
        (store(secretRef={"namespace": "x"}), "spec.secretRef.name: a text is needed"),
        (store(secretRef={"name": "../x"}), "spec.secretRef.name: '../x' is not made of a-z"),
        (store(secretRef={"name": "x", "namespace": "."}), "secretRef.namespace: '.' is not made"),
    ],
)
def test_a_state_store_that_cannot_be_used_is_refused(raw: JsonObject, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        GitStateStore.parse(raw)


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        ("a", "a", True),
        ("a", "a/resources/team/thing/one", True),
        ("a/resources/x", "a", True),
        ("a", "a/b", False),
        ("a", "a/resourcesful", False),
        ("a", "b", False),
    ],
)
def test_no_destination_lies_in_what_belongs_to_another(
    first: str, second: str, *, clash: bool
) -> None:
    store = StoreRef("GitStateStore", "fleet")
    one, two = Destination("one", {}, first, store), Destination("two", {}, second, store)

    assert (same_place(one, two) is not None) is clash


def annotated(**annotations: Json) -> JsonObject:
    named: JsonObject = {
        f"troth.dev/{name.replace('_', '-')}": text for name, text in annotations.items()
    }
    return {**store(), "metadata": {"name": "main", "annotations": named}}


def test_a_store_that_says_nothing_of_its_commits_leaves_that_open() -> None:
    parsed = GitStateStore.parse(store())

    assert parsed.commit_each is None
    assert parsed.signing_key is None


@pytest.mark.parametrize("each", list(CommitEach))
def test_a_store_says_what_one_commit_carries(each: CommitEach) -> None:
    assert GitStateStore.parse(annotated(commit=each.value)).commit_each is each


def test_a_commit_carries_nothing_else() -> None:
    with pytest.raises(InvalidInputError, match="'day' is none of request, flush"):
        GitStateStore.parse(annotated(commit="day"))


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("platform/bot", SecretRef("platform", "bot")),
        ("bot", SecretRef("default", "bot")),
    ],
)
def test_a_store_names_the_secret_with_its_signing_key(text: str, reference: SecretRef) -> None:
    assert GitStateStore.parse(annotated(signing_key=text)).signing_key == reference


@pytest.mark.parametrize("text", ["", "../x", "a/b/c", "/bot", "a/", "A/b"])
def test_a_signing_key_is_no_path(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"names no Secret \(\[NAMESPACE/\]NAME\)"):
        GitStateStore.parse(annotated(signing_key=text))


def test_the_secret_that_lets_in_to_its_certificate_is_named() -> None:
    found = Destination.parse(destination(annotations={ACCESS: "platform/west-api"}))

    assert found.sealing_access == SecretRef("platform", "west-api")


@pytest.mark.parametrize("text", ["", "west-api", "platform/", "/west-api", "a/b/c", "../x", "A/b"])
def test_what_names_no_secret_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="names no Secret as NAMESPACE/NAME"):
        Destination.parse(destination(annotations={ACCESS: text}))

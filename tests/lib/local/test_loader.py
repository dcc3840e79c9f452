"""Reading what people wrote: one bad thing costs itself alone, and nothing is lost in silence."""

import os
from pathlib import Path

import pytest

from troth.api import Json, JsonObject, dump_documents
from troth.engine import Item, State
from troth.errors import InvalidInputError, Reason
from troth.local import Inputs, load

KRATIX = "platform.kratix.io/v1alpha1"
GROUP = "example.com/v1"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, so that messages name files as people do."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, *documents: JsonObject | str) -> None:
    text = "---\n".join(
        d if isinstance(d, str) else dump_documents([d]).decode() for d in documents
    )
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def obj(kind: str, name: str, version: str = KRATIX, **fields: Json) -> JsonObject:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields}


def promise(name: str = "thing", kind: str = "Thing", group: str = "example.com") -> JsonObject:
    api: JsonObject = {
        "spec": {
            "group": group,
            "names": {"kind": kind, "plural": f"{kind.lower()}s"},
            "versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"type": "object"}}}],
        }
    }
    return obj("Promise", name, spec={"api": api})


def request(name: str, kind: str = "Thing", **metadata: Json) -> JsonObject:
    return {"apiVersion": GROUP, "kind": kind, "metadata": {"name": name, **metadata}, "spec": {}}


def destination(name: str, path: str | None = None, store: str = "main") -> JsonObject:
    reference: JsonObject = {"kind": "GitStateStore", "name": store}
    return obj("Destination", name, spec={"path": path or name, "stateStoreRef": reference})


def read(*paths: str) -> Inputs:
    return load([Path(path) for path in paths or (".",)])


def names(inputs: Inputs) -> list[str]:
    return [submission.request.name for submission in inputs.submissions]


def only(problems: list[Item]) -> Item:
    [item] = problems
    assert item.state is State.REFUSED
    return item


def test_objects_of_every_kind_are_sorted_whatever_their_order() -> None:
    store = obj("GitStateStore", "main", spec={"url": "https://example.com/a.git"})
    write("all.yaml", request("one"), destination("worker"), promise(), store, request("two"))

    inputs = read()

    assert sorted(inputs.promises) == ["thing"]
    assert sorted(inputs.destinations) == ["worker"]
    assert sorted(inputs.stores) == ["main"]
    assert names(inputs) == ["one", "two"]
    assert inputs.problems == []
    assert inputs.complete


def test_a_request_knows_its_file_its_line_and_its_root() -> None:
    write("team/requests.yaml", "# two requests\n", request("one"), request("two"))
    write("promise.yaml", promise())

    [_, second] = read("team", "promise.yaml").submissions

    assert second.root == str(Path("team").resolve())
    assert second.origin.where(("metadata", "name")) == "team/requests.yaml:12"


def test_json_is_read_as_well() -> None:
    write("promise.yaml", promise())
    write("requests/a.json", '{"apiVersion": "example.com/v1", "kind": "Thing",'
          ' "metadata": {"name": "one"}}')  # fmt: skip

    assert names(read("promise.yaml", "requests")) == ["one"]


def test_broken_yaml_costs_its_file_alone_and_the_run_is_not_complete() -> None:
    write("promise.yml", promise())
    write("a.yaml", request("one"), "kind: [\n")
    write("b.yaml", request("two"))

    inputs = read()

    item = only(inputs.problems)
    assert names(inputs) == ["two"]
    assert item.reason == Reason.INVALID_YAML
    assert item.message.startswith("a.yaml:")
    assert item.source == "a.yaml"
    assert not inputs.complete


def test_a_bad_document_costs_itself_alone() -> None:
    write("promise.yml", promise())
    write("all.yaml", request("one"), request("Not_Good"), request("two"))

    inputs = read()

    item = only(inputs.problems)
    assert names(inputs) == ["one", "two"]
    assert (item.namespace, item.name, item.source) == ("default", "Not_Good", "all.yaml:10")
    assert item.message.startswith("all.yaml:10: metadata.name: 'Not_Good' is not made of")
    assert not inputs.complete


UNREADABLE: list[tuple[bytes, Reason, str]] = [
    (b"\xff\xfe", Reason.INVALID_YAML, "a.yaml: this file is not UTF-8"),
    (b"just text", Reason.INVALID_YAML, "a.yaml:1: a mapping is needed here, found the text"),
    (b"\n- a\n", Reason.INVALID_YAML, "a.yaml:2: a mapping is needed here, found a list"),
    (b"a: 1\na: 2\n", Reason.INVALID_YAML, "a.yaml:2: this is no YAML we can read"),
    (b"#" + "é".encode() * 8 * 1024 * 1024, Reason.TOO_LARGE, "a.yaml: this file is larger"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "reason", "words"), UNREADABLE, ids=[u[2] for u in UNREADABLE])
def test_a_file_that_cannot_be_understood_is_told_of(
    content: bytes, reason: Reason, words: str
) -> None:
    Path("a.yaml").write_bytes(content)

    inputs = read()

    item = only(inputs.problems)
    assert item.reason == reason
    assert item.message.startswith(words)
    assert not inputs.complete


def test_a_file_that_cannot_be_opened_is_told_of() -> None:
    Path("a.yaml").symlink_to("nowhere")

    inputs = read()

    assert only(inputs.problems).message == (
        "a.yaml: this file cannot be read: No such file or directory."
    )
    assert not inputs.complete


def test_a_folder_that_is_not_looked_into_is_told_of() -> None:
    write("elsewhere/a.yaml", promise())
    Path("root").mkdir()
    Path("root/linked").symlink_to("../elsewhere")

    inputs = read("root")

    assert "root/linked" in only(inputs.problems).message
    assert not inputs.complete


def test_two_documents_of_one_identity_are_both_refused() -> None:
    write("promise.yml", promise())
    write("a.yaml", request("one"), request("two"))
    write("b.yaml", request("one"), request("one", namespace="other"))

    inputs = read()

    assert sorted(names(inputs)) == ["one", "two"]
    assert [item.source for item in inputs.problems] == ["a.yaml:1", "b.yaml:1"]
    assert {item.reason for item in inputs.problems} == {Reason.AMBIGUOUS_IDENTITY}
    assert "Thing default/one stands 2 times: a.yaml:1, b.yaml:1." in inputs.problems[0].message
    assert not inputs.complete


def test_a_version_is_no_part_of_an_identity() -> None:
    write("promise.yml", promise())
    write("a.yaml", request("one"), {**request("one"), "apiVersion": "example.com/v2"})

    assert names(read()) == []


def test_paths_that_overlap_are_read_once() -> None:
    write("promise.yaml", promise())
    write("requests/team/a.yaml", request("one"))

    inputs = read("promise.yaml", "requests", "./requests/team/", "requests/team/a.yaml")

    assert names(inputs) == ["one"]
    assert inputs.problems == []
    assert inputs.submissions[0].root == str(Path("requests").resolve())


@pytest.mark.parametrize(
    "twice", [promise(), destination("a"), obj("GitStateStore", "a", spec={"url": "x"})]
)
def test_a_kratix_object_that_stands_twice_is_refused_the_second_time(twice: JsonObject) -> None:
    write("a.yaml", twice)
    write("b.yaml", twice)

    inputs = read()

    item = only(inputs.problems)
    assert item.reason == Reason.AMBIGUOUS_IDENTITY
    assert item.source == "b.yaml:4"
    assert not inputs.complete


def test_objects_of_foreign_groups_are_left_out_and_counted() -> None:
    write("promise.yml", promise())
    write(
        "a.yaml",
        obj("ConfigMap", "a", "v1"),
        obj("Deployment", "a", "apps/v1"),
        obj("Deployment", "b", "apps/v1"),
        request("one"),
    )

    inputs = read()

    assert names(inputs) == ["one"]
    assert dict(inputs.left_out) == {"core/ConfigMap": 1, "apps/Deployment": 2}
    assert inputs.problems == []
    assert inputs.complete


def test_a_foreign_object_of_the_group_of_a_promise_is_a_request() -> None:
    write("promise.yml", promise())
    write("a.yaml", request("one", kind="Thingy"))

    inputs = read()

    assert names(inputs) == ["one"]  # and the engine says that no Promise offers it


@pytest.mark.parametrize("path", ["a.yaml", "bundle"])
def test_a_foreign_object_in_a_file_that_was_named_is_not_left_out(path: str) -> None:
    write("a.yaml", obj("Thing", "one", "mistyped.example.com/v1"))
    write("bundle/promise.yaml", promise())
    write("bundle/resource-request.yaml", obj("Thing", "one", "mistyped.example.com/v1"))

    inputs = read(path)

    assert names(inputs) == ["one"]
    assert dict(inputs.left_out) == {}


FOREIGN: list[tuple[str, str]] = [
    ("apiVersion: 1\nkind: Thing\nmetadata: {name: a}\n", "core/Thing"),
    ("apiVersion: a/b\nkind: A\nmetadata: {name: [a], namespace: {}}\n", "a/A"),
]


@pytest.mark.parametrize(("text", "counted"), FOREIGN)
def test_an_object_of_a_foreign_group_is_left_out_of_a_folder(text: str, counted: str) -> None:
    write("a.yaml", text)

    inputs = read()

    assert dict(inputs.left_out) == {counted: 1}
    assert inputs.problems == []


@pytest.mark.parametrize(
    "text",
    ["a: 1\n", "apiVersion: marketpl", "kind: 7\nmetadata: null\n", "kind: A\nmetadata: [a]\n"],
)
def test_a_file_that_may_have_been_cut_off_removes_nothing(text: str) -> None:
    write("a.yaml", text)

    inputs = read()

    assert inputs.empty == ["a.yaml:1"]
    assert not inputs.complete


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\n", "a.yaml:1: a: a request has no such field"),
        ("apiVersion: 1\nkind: Thing\nmetadata: {name: a}\n", "a.yaml:1: apiVersion: a text is"),
        ("apiVersion: example.com/v1\nkind: Thing\nmetadata: null\n", "a.yaml:3: metadata.name: "),
        ("apiVersion: example.com/v1\nkind: Thing\n", "a.yaml:1: metadata.name: a text is needed"),
        ("kind: Thing\nmetadata: [a]\n", "a.yaml:2: metadata: a mapping is needed here"),
        ("metadata: {name: a}\napiVersion: a/b\nkind: 7\n", "a.yaml:3: kind: a text is needed"),
    ],
)
def test_a_document_that_is_no_object_is_an_error_in_a_file_that_was_named(
    text: str, words: str
) -> None:
    write("a.yaml", text)

    inputs = read("a.yaml")

    assert only(inputs.problems).message.startswith(words)
    assert not inputs.complete


@pytest.mark.parametrize(
    ("document", "reason", "words"),
    [
        (obj("Work", "a"), Reason.UNKNOWN_KIND, "kind 'Work' of platform.kratix.io is not known"),
        (obj("BucketStateStore", "a"), Reason.UNKNOWN_KIND, "kind 'BucketStateStore'"),
        (obj("Destination", "a", spec={}), Reason.INVALID_OBJECT, "path field is required"),
        (obj("GitStateStore", "a", spec={}), Reason.INVALID_OBJECT, "spec.url: a text is needed"),
        (obj("Promise", "A"), Reason.PROMISE_INVALID, "'A' is not made of"),
        ({"apiVersion": KRATIX, "kind": "Promise", "metadata": None}, Reason.PROMISE_INVALID,
         "metadata.name: a text is needed"),
    ],
)  # fmt: skip
def test_a_kratix_object_that_cannot_be_used_is_refused(
    document: JsonObject, reason: Reason, words: str
) -> None:
    write("a.yaml", document)

    inputs = read()

    item = only(inputs.problems)
    assert item.reason == reason
    assert words in item.message
    assert not inputs.complete


def test_two_destinations_at_one_place_leave_the_first_by_name() -> None:
    write("a.yaml", destination("b", "same"), destination("a", "/same/"), destination("c", "c"))

    inputs = read()

    assert sorted(inputs.destinations) == ["a", "c"]
    assert only(inputs.problems).message == (
        "Destination b is left out: spec.path: destination path 'same' already exists for state "
        "store 'main' (a)."
    )
    assert not inputs.complete


def test_one_path_in_two_stores_is_two_places() -> None:
    write("a.yaml", destination("a", "same", "one"), destination("b", "same", "two"))

    assert sorted(read().destinations) == ["a", "b"]


@pytest.mark.parametrize(
    ("documents", "without"),
    [
        ([promise()], True),
        ([obj("Destination", "a", "other.example.com/v1")], True),
        ([destination("a")], False),
        ([obj("Destination", "a", spec={})], False),
    ],
)
def test_a_destination_that_was_refused_was_still_given(
    documents: list[JsonObject], without: bool
) -> None:
    write("a.yaml", *documents)

    assert read().without_destinations is without


def test_a_folder_that_holds_no_file_is_no_root() -> None:
    Path("empty").mkdir()
    write("other/readme.md", "text")
    write("full/a.yaml", promise())

    inputs = read("empty", "other", "full/")

    assert inputs.was_read(str(Path("full").resolve()))
    assert not inputs.was_read(str(Path("empty").resolve()))
    assert not inputs.was_read(str(Path("other").resolve()))


def test_a_path_where_nothing_is_ends_the_command() -> None:
    write("a.yaml", promise())

    with pytest.raises(InvalidInputError, match="missing: there is no such file or folder"):
        read("a.yaml", "missing")


def test_with_a_source_a_root_does_not_depend_on_the_folder() -> None:
    write("team/a.yaml", promise())

    inputs = load([Path("team"), Path("./team/a.yaml")], source="requests-repo")

    assert [walk.root for walk in inputs.walks] == [
        "requests-repo/team",
        "requests-repo/team/a.yaml",
    ]


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("here/team", True),
        ("here/team/below", True),
        ("here/team/gone.yaml", True),
        ("here/team/below/gone.yml", True),
        ("here/team/gone.txt", False),
        ("here/team/.gone.yaml", False),
        ("here/team/.hidden/gone.yaml", False),
        ("here/team/bundle/gone.yaml", False),
        ("here/team/bundle/below", False),
        ("here", False),
        ("here/teams", False),
    ],
)
def test_a_folder_that_was_read_stands_for_what_it_takes_and_for_nothing_else(
    root: str, *, expected: bool
) -> None:
    write("team/a.yaml", promise())
    write("team/below/b.yaml", "")
    write("team/bundle/promise.yaml", "")
    write("team/.hidden/c.yaml", "")

    inputs = load([Path("team")], source="here")

    assert inputs.was_read(root) is expected


def test_a_folder_of_requests_that_becomes_a_bundle_is_another_root() -> None:
    write("requests/a.yaml", request("one"))
    before = load([Path("requests")]).walks[0].root

    write("requests/promise.yaml", promise())
    inputs = load([Path("requests")])

    assert not inputs.was_read(before)
    assert inputs.passed_over == ["requests/a.yaml"]
    assert not inputs.complete


@pytest.mark.parametrize("path", ["..", "../x", "/srv"])
def test_with_a_source_a_path_lies_in_the_folder(path: str) -> None:
    with pytest.raises(InvalidInputError, match="--source"):
        load([Path(path)], source="here")


def test_two_promises_that_offer_one_kind_are_both_left_out() -> None:
    write("a.yaml", {**promise(), "metadata": {"name": "a"}})
    write("b.yaml", {**promise(), "metadata": {"name": "b"}})

    inputs = read()

    assert inputs.promises == {}
    assert [item.reason for item in inputs.problems] == [Reason.AMBIGUOUS_IDENTITY]
    assert "a, b" in inputs.problems[0].message


def test_a_file_that_holds_nothing_is_said_and_nothing_is_concluded_from_it() -> None:
    write("a.yaml", "# what was here?\n")

    inputs = read()

    assert inputs.empty == ["a.yaml"]
    assert not inputs.complete


def test_what_is_no_regular_file_is_refused_and_not_waited_for() -> None:
    os.mkfifo("pipe.yaml")

    inputs = read()

    assert "no regular file" in inputs.problems[0].message
    assert not inputs.complete

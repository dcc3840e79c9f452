"""The file contract: what a stage is given, and what becomes of what it gives back."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, cast

import pytest
from pydantic import BaseModel
from pydantic import Field as Limits

from troth.api import Json, JsonObject, dump_documents, load_values
from troth.errors import (
    InvalidInputError,
    OutputRefusedError,
    PermanentError,
    Reason,
    StageError,
)
from troth.sdk import (
    Context,
    Control,
    Output,
    PerformedEffects,
    Request,
    Selector,
    Stage,
    run_stage,
)


class Spec(BaseModel):
    size: str = "small"
    replicas: Annotated[int, Limits(ge=1)] = 1


Function = Callable[[Request[Spec], Context], Output]

OBJECT: JsonObject = {
    "apiVersion": "example.com/v1",
    "kind": "Thing",
    "metadata": {
        "name": "one",
        "namespace": "team",
        "labels": {"a": "b"},
        "annotations": {"c": "d"},
        "generation": 3,
    },
    "spec": {"size": "large"},
    "status": {"id": "42"},
}
MOMENT = {"now": "2026-01-02T03:04:05Z", "seed": "00ff"}
CONFIG_MAP: JsonObject = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}}


@dataclass
class Workspace:
    """The folder of the contract, and what a stage saw when it ran there."""

    root: Path
    seen: list[tuple[Request[Spec], Context]] = field(default_factory=list)

    def lay(self, obj: JsonObject = OBJECT, moment: object = MOMENT) -> None:
        self.write("input/object.yaml", dump_documents([obj]))
        self.write("input/troth.json", json.dumps(moment).encode())

    def write(self, path: str, content: bytes) -> None:
        (self.root / path).write_bytes(content)

    def run(self, output: Output | Function, **environ: str) -> None:
        def configure(request: Request[Spec], context: Context) -> Output:
            self.seen.append((request, context))
            return output(request, context) if callable(output) else output

        run_stage(cast("Stage[BaseModel]", Stage(Spec, configure)), self.root, environ)

    @property
    def files(self) -> dict[str, bytes]:
        """What lies outside the input."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for folder in ("output", "metadata")
            for path in sorted((self.root / folder).rglob("*"))
            if path.is_file()
        }

    def read(self, path: str) -> list[Json]:
        return load_values((self.root / path).read_text(), path)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    for folder in ("input", "output", "metadata"):
        (tmp_path / folder).mkdir()
    made = Workspace(tmp_path)
    made.lay()
    return made


def test_a_stage_sees_the_request_in_its_model(workspace: Workspace) -> None:
    workspace.run(Output())

    [(request, _)] = workspace.seen
    assert request == Request(
        name="one",
        namespace="team",
        labels={"a": "b"},
        annotations={"c": "d"},
        spec=Spec(size="large", replicas=1),
        status={"id": "42"},
        generation=3,
        raw=OBJECT,
    )


def test_a_bare_object_is_enough(workspace: Workspace) -> None:
    workspace.lay({"apiVersion": "v1", "kind": "A", "metadata": {"name": "one"}})

    workspace.run(Output())

    [(request, _)] = workspace.seen
    assert (request.namespace, request.labels, request.status, request.generation) == (
        "", {}, {}, None,
    )  # fmt: skip


def test_a_stage_has_the_moment_and_the_names_it_is_given(workspace: Workspace) -> None:
    workspace.run(Output(), KRATIX_PROMISE_NAME="thing", KRATIX_PIPELINE_NAME="render")

    [(_, context)] = workspace.seen
    assert context == Context(
        now=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        seed=b"\x00\xff",
        effects=PerformedEffects(),
        action="configure",
        promise="thing",
        pipeline="render",
        environ={"KRATIX_PROMISE_NAME": "thing", "KRATIX_PIPELINE_NAME": "render"},
    )


def test_a_moment_of_another_zone_is_told_in_utc(workspace: Workspace) -> None:
    workspace.lay(moment={"now": "2026-01-02T03:04:05+02:00", "seed": "00"})

    workspace.run(Output())

    [(_, context)] = workspace.seen
    assert context.now.isoformat() == "2026-01-02T01:04:05+00:00"


def test_without_troth_json_the_machines_clock_and_randomness_serve(workspace: Workspace) -> None:
    (workspace.root / "input/troth.json").unlink()

    workspace.run(Output())
    workspace.run(Output())

    first, second = (context for _, context in workspace.seen)
    assert first.now.tzinfo is UTC
    assert first.now.microsecond == 0
    assert len(first.seed) == 32
    assert first.seed != second.seed


def test_manifests_are_spelled_by_us_and_bytes_are_written_as_they_are(
    workspace: Workspace,
) -> None:
    workspace.run(Output(files={"a.yaml": [CONFIG_MAP, {"b": "no"}], "deep/x/main.tf": b"\x00\n"}))

    assert workspace.files == {
        "output/a.yaml": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n---\nb: 'no'\n",
        "output/deep/x/main.tf": b"\x00\n",
    }


def test_the_same_request_gives_the_same_bytes(workspace: Workspace) -> None:
    def render(request: Request[Spec], context: Context) -> Output:
        names = {"b", "a", "c"}
        made = {f"{name}.yaml": [{"name": name, "seed": context.seed.hex()}] for name in names}
        return Output(made, {"at": context.now.isoformat(), "size": request.spec.size})

    workspace.run(render)
    first = workspace.files
    for path in first:
        (workspace.root / path).unlink()
    workspace.run(render)

    assert workspace.files == first
    assert len(first) == 4


def test_a_status_is_merged_key_by_key_into_what_is_there(workspace: Workspace) -> None:
    workspace.write("metadata/status.yaml", b"kept: 1\nreplaced: {a: 1}\n")

    workspace.run(Output(status={"replaced": {"b": 2}, "new": True}))

    assert workspace.read("metadata/status.yaml") == [
        {"kept": 1, "replaced": {"b": 2}, "new": True}
    ]


def test_no_status_leaves_what_is_there(workspace: Workspace) -> None:
    workspace.write("metadata/status.yaml", b"kept: 1\n")

    workspace.run(Output())

    assert workspace.files == {"metadata/status.yaml": b"kept: 1\n"}


@pytest.mark.parametrize(
    "earlier",
    [
        b"- matchLabels: {env: dev}",
        b"[{matchLabels: {env: dev}}]\n",
        b"---\n- matchLabels:\n    env: dev\n",
        b"  - matchLabels:\n      env: dev\n",
    ],
)
def test_selectors_follow_those_of_earlier_containers(workspace: Workspace, earlier: bytes) -> None:
    workspace.write("metadata/destination-selectors.yaml", earlier)

    workspace.run(Output(selectors=[Selector({"a": "b"}), Selector({"c": "d"}, "backup")]))

    assert workspace.read("metadata/destination-selectors.yaml") == [
        [
            {"matchLabels": {"env": "dev"}},
            {"matchLabels": {"a": "b"}},
            {"directory": "backup", "matchLabels": {"c": "d"}},
        ]
    ]


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        (Control(suspend=True, message="wait"), {"suspend": True, "message": "wait"}),
        (Control(retry_after="30s"), {"retryAfter": "30s"}),
    ],
)
def test_a_wish_to_be_suspended_is_spelled_as_kratix_reads_it(
    workspace: Workspace, control: Control, expected: JsonObject
) -> None:
    workspace.run(Output(control=control))

    assert workspace.read("metadata/workflow-control.yaml") == [expected]


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [("30m", "30m"), ("1.5h", "3600s"), ("", "3600s"), ("soon", "soon")],
)
def test_the_container_that_wants_to_run_again_first_counts(
    workspace: Workspace, earlier: str, expected: str
) -> None:
    wish = f"reconcileAfter: {earlier}\n" if earlier else "{}\n"
    workspace.write("metadata/workflow-control.yaml", wish.encode())

    workspace.run(Output(control=Control(reconcile_after=timedelta(hours=1))))

    assert workspace.read("metadata/workflow-control.yaml") == [{"reconcileAfter": expected}]


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/../../x", "a/../x", "/etc/x", "a\0b", "metadata/../../x"]
)
def test_a_path_that_leaves_the_output_is_refused_and_nothing_is_written(
    workspace: Workspace, name: str
) -> None:
    with pytest.raises(OutputRefusedError) as caught:
        workspace.run(Output(files={name: b"x"}))

    assert caught.value.reason == Reason.UNSAFE_PATH
    assert repr(name) in caught.value.message
    assert workspace.files == {}


def test_a_link_in_the_way_of_a_file_is_replaced_and_not_followed(workspace: Workspace) -> None:
    target = workspace.root / "elsewhere"
    target.write_bytes(b"mine")
    (workspace.root / "output/a").symlink_to(target)

    workspace.run(Output(files={"a": b"new"}))

    assert target.read_bytes() == b"mine"
    assert workspace.files == {"output/a": b"new"}


def test_deleting_needs_no_function_and_then_does_nothing(workspace: Workspace) -> None:
    workspace.run(Output(files={"a": b"x"}), KRATIX_WORKFLOW_ACTION="delete")

    assert workspace.seen == []
    assert workspace.files == {}


def test_deleting_calls_the_other_function(workspace: Workspace) -> None:
    def delete(_: Request[Spec], context: Context) -> Output:
        return Output(status={"action": context.action})

    stage = Stage(Spec, lambda *_: Output(), delete)

    run_stage(cast("Stage[BaseModel]", stage), workspace.root, {"KRATIX_WORKFLOW_ACTION": "delete"})

    assert workspace.read("metadata/status.yaml") == [{"action": "delete"}]


def test_a_request_that_does_not_fit_the_model_is_told_of_without_its_values(
    workspace: Workspace,
) -> None:
    workspace.lay({**OBJECT, "spec": {"size": ["hunter2"], "replicas": -12345}})

    with pytest.raises(StageError) as caught:
        workspace.run(Output())

    assert caught.value.reason == Reason.STAGE_FAILED
    assert "model Spec: spec.size: " in caught.value.message
    assert "; spec.replicas: Input should be greater than or equal to 1. " in caught.value.message
    assert "hunter2" not in caught.value.message
    assert "12345" not in caught.value.message


class Port(BaseModel):
    number: Annotated[int, Limits(le=65535)]


class Ports(BaseModel):
    ports: tuple[Port, ...] = Limits(min_length=1)


def misfit(workspace: Workspace, spec: Json) -> str:
    """Return what is said of a spec that the model Ports refuses."""
    workspace.lay({**OBJECT, "spec": spec})
    stage = cast("Stage[BaseModel]", Stage(Ports, lambda *_: Output()))
    with pytest.raises(StageError) as caught:
        run_stage(stage, workspace.root, {})
    return caught.value.message


def test_what_the_model_refuses_is_named_once_as_people_write_it(workspace: Workspace) -> None:
    message = misfit(workspace, {"ports": [{"number": 80}, {"number": 65536}]})
    assert message.startswith(
        "the request does not fit the stage's model Ports: spec.ports[1].number: Input should be "
        "less than or equal to 65535. "
    )


def test_an_error_of_a_list_itself_is_told(workspace: Workspace) -> None:
    assert "Ports: spec.ports: Tuple should have at least 1 item" in misfit(
        workspace, {"ports": []}
    )


def test_what_the_schema_admitted_and_the_model_does_not_is_the_promises_to_mend(
    workspace: Workspace,
) -> None:
    assert misfit(workspace, {"ports": []}).endswith(
        " The Promise has to be mended, not the request: its schema admits what its stage does "
        "not. Make the schema anew from the model; `troth test` shows the difference."
    )


@pytest.mark.parametrize("given", [None, {"a": 1}, "text"])
def test_a_stage_that_gives_no_output_has_failed(workspace: Workspace, given: object) -> None:
    with pytest.raises(StageError, match=f"returned {type(given).__name__}; it has to return an"):
        workspace.run(lambda *_: cast("Output", given))


BROKEN: list[tuple[str, bytes | None, str]] = [
    ("input/object.yaml", None, "object.yaml cannot be read: No such file"),
    ("input/object.yaml", b"\xff", "object.yaml cannot be read: it is not UTF-8"),
    ("input/object.yaml", b"a: [", "object.yaml:2: this is no YAML"),
    ("input/object.yaml", b"- a", "object.yaml:1: a mapping is needed here"),
    ("input/object.yaml", b"metadata: {name: 5}", "metadata.name: a text is needed here"),
    ("input/object.yaml", b"metadata: {name: a}\nspec: [1]", "spec: a mapping is needed here"),
    ("input/troth.json", b"{", "troth.json is not as the file contract wants it"),
    ("input/troth.json", b"[1]", "now: a text is needed here"),
    ("input/troth.json", b"\xff", "troth.json cannot be read: it is not UTF-8"),
    ("input/troth.json", b'{"now": "today", "seed": "00"}', "troth.json is not as"),
    ("input/troth.json", b'{"now": "2026-01-02T03:04:05Z", "seed": "x"}', "troth.json is not as"),
    ("metadata/status.yaml", b"- a", "status.yaml:1: a mapping is needed here"),
    ("metadata/destination-selectors.yaml", b"a: b", "destination-selectors.yaml is no list"),
]


@pytest.mark.parametrize(("path", "content", "words"), BROKEN)
def test_a_broken_file_of_the_contract_is_named(
    workspace: Workspace, path: str, content: bytes | None, words: str
) -> None:
    workspace.root.joinpath(path).unlink(missing_ok=True)
    if content is not None:
        workspace.write(path, content)

    with pytest.raises(PermanentError) as caught:
        workspace.run(Output(status={"a": 1}, selectors=[Selector({"a": "b"})]))

    assert isinstance(caught.value, InvalidInputError)
    assert words in caught.value.message
    assert str(workspace.root) not in caught.value.message

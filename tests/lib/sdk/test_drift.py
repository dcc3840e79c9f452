"""What a stage says of what its requests have outside, and how it is told of drift."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from troth.api import Fields, Json, JsonObject
from troth.errors import InvalidInputError, StageError
from troth.sdk import (
    Context,
    Drift,
    Finding,
    Inspection,
    Output,
    Outside,
    Request,
    Stage,
    run_stage,
)


class Spec(BaseModel):
    text: str = ""


SEEN: Json = {"now": "2026-01-02T03:04:05Z", "seed": "00"}


def stage(inspect: object = None) -> Stage[BaseModel]:
    def configure(_: Request[Spec], context: Context) -> Output:
        drift = context.drift
        return Output(status={"drift": None if drift is None else dict(drift.encode())})

    return Stage(Spec, configure, inspect=inspect)  # type: ignore[arg-type]


def lay(root: Path, given: Json, **context: Json) -> Path:
    for name in ("input", "output", "metadata"):
        (root / name).mkdir()
    (root / "input/requests.json").write_text(json.dumps(given))
    (root / "input/object.yaml").write_text("{metadata: {name: x}, spec: {}}")
    (root / "input/troth.json").write_text(json.dumps({**SEEN, **context}))  # type: ignore[dict-item]
    return root


def asked(*names: str) -> JsonObject:
    return {"requests": [{"metadata": {"name": n, "namespace": "team"}, "spec": {}} for n in names]}


def look(root: Path, inspect: object) -> JsonObject | None:
    run_stage(stage(inspect), root, {"KRATIX_WORKFLOW_ACTION": "inspect"})
    path = root / "metadata/inspection.json"
    found: JsonObject | None = json.loads(path.read_text()) if path.exists() else None
    return found


findings = st.builds(
    Finding,
    st.sampled_from([Outside.DRIFTED, Outside.UNKNOWN]),
    st.text(min_size=1).filter(str.strip),
    st.just(value=False),
    st.just(value=True),
) | st.just(Finding.intact()) | st.builds(
    Finding.drifted, st.text(min_size=1), ended=st.booleans(), mendable=st.booleans()
)  # fmt: skip


@given(st.dictionaries(st.text(), findings), st.dictionaries(st.text(), st.integers(0, 99)))
def test_what_was_found_comes_through_the_file_as_it_was(
    found: dict[str, Finding], calls: dict[str, int]
) -> None:
    said = Inspection(found, calls)

    assert Inspection.decode(json.loads(json.dumps(said.encode()))) == said


@given(st.builds(Drift, st.text(min_size=1), st.booleans()))
def test_drift_comes_through_the_file_as_it_was(drift: Drift) -> None:
    assert Drift.decode(Fields(json.loads(json.dumps(drift.encode())))) == drift


def test_a_stage_is_given_every_request_and_writes_what_it_found(tmp_path: Path) -> None:
    def inspect(requests: Sequence[Request[Spec]], context: Context) -> Inspection:
        return Inspection({one.id: Finding.unknown(context.action) for one in requests}, {"a": 1})

    found = look(lay(tmp_path, asked("x", "y")), inspect)

    unknown = {"state": "unknown", "message": "inspect"}
    assert found == {"findings": {"team/x": unknown, "team/y": unknown}, "calls": {"a": 1}}


def test_a_stage_that_cannot_look_writes_nothing(tmp_path: Path) -> None:
    assert look(lay(tmp_path, asked("x")), None) is None


@pytest.mark.parametrize("given", [[], {"requests": {}}, {"requests": [1]}])
def test_requests_that_are_none_are_refused_or_empty(tmp_path: Path, given: Json) -> None:
    root = lay(tmp_path, given)

    if given == []:
        assert look(root, lambda *_: Inspection()) == {"findings": {}, "calls": {}}
    else:
        with pytest.raises(InvalidInputError):
            look(root, lambda *_: Inspection())


def test_requests_that_are_no_json_are_refused(tmp_path: Path) -> None:
    root = lay(tmp_path, [])
    (root / "input/requests.json").write_text("{")

    with pytest.raises(InvalidInputError, match="no JSON"):
        look(root, lambda *_: Inspection())


@pytest.mark.parametrize(
    ("answer", "words"),
    [(None, "NoneType"), (Inspection({"team/z": Finding.intact()}), "'team/z'")],
)
def test_an_answer_that_is_none_or_of_a_stranger_is_refused(
    tmp_path: Path, answer: object, words: str
) -> None:
    with pytest.raises(StageError, match=words):
        look(lay(tmp_path, asked("x")), lambda *_: answer)


def test_a_stage_is_told_of_drift(tmp_path: Path) -> None:
    drift: Json = {"message": "it is gone.", "ended": True}
    run_stage(stage(), lay(tmp_path, [], drift=drift), {})

    status = (tmp_path / "metadata/status.yaml").read_text()
    assert "message: it is gone." in status
    assert "ended: true" in status


def test_without_drift_nothing_is_told(tmp_path: Path) -> None:
    run_stage(stage(), lay(tmp_path, []), {})

    assert (tmp_path / "metadata/status.yaml").read_text() == "drift: null\n"

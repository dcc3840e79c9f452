"""Effects and what a stage wants of the one who runs it, as the file contract spells them."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from pydantic import BaseModel

from troth.api import Fields, JsonObject, dump_documents, load_object
from troth.errors import InvalidInputError, Reason, TransientError, TrothError
from troth.sdk import UNKNOWN, Context, Control, Output, Request, SealingInput, Stage, run_stage

OBJECT: JsonObject = {
    "apiVersion": "test/v1",
    "kind": "Thing",
    "metadata": {"name": "one", "namespace": "team"},
    "spec": {},
}
MOMENT = '"now": "2026-01-02T03:04:05Z", "seed": "00"'


class Spec(BaseModel):
    """Nothing is asked for."""


def run(root: Path, output: Output | None = None, moment: str | None = None) -> Context:
    """Run a stage that makes a user outside; return what it saw."""
    for folder in ("input", "output", "metadata"):
        (root / folder).mkdir(exist_ok=True)
    (root / "input/object.yaml").write_bytes(dump_documents([OBJECT]))
    if moment is not None:
        (root / "input/troth.json").write_text(f"{{{MOMENT}{moment}}}", encoding="utf-8")
    seen: list[Context] = []

    def configure(_: Request[Spec], context: Context) -> Output:
        seen.append(context)
        user = context.effects.perform("create the user one-g1", lambda: "U1")
        return output or Output(status={"user": str(user)})

    run_stage(cast("Stage[BaseModel]", Stage(Spec, configure)), root, {})
    return seen[0]


def left(root: Path, name: str) -> JsonObject | None:
    path = root / "metadata" / name
    return load_object(path.read_text(), name) if path.exists() else None


@pytest.mark.parametrize("moment", [None, "", ', "effects": "perform"'])
def test_effects_are_performed_unless_it_is_said_that_they_are_not(
    tmp_path: Path, moment: str | None
) -> None:
    context = run(tmp_path, moment=moment)

    assert context.effects.performed
    assert left(tmp_path, "status.yaml") == {"user": "U1"}
    assert left(tmp_path, "workflow-control.yaml") is None


def test_effects_that_are_not_performed_are_named_and_give_what_is_unknown(tmp_path: Path) -> None:
    context = run(tmp_path, moment=', "effects": "recall"')

    assert not context.effects.performed
    assert left(tmp_path, "status.yaml") == {"user": str(UNKNOWN)}
    assert left(tmp_path, "workflow-control.yaml") == {"effects": ["create the user one-g1"]}


def test_effects_of_several_containers_are_told_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata/workflow-control.yaml").write_text("effects: [first]\n", encoding="utf-8")

    run(tmp_path, moment=', "effects": "recall"')

    assert left(tmp_path, "workflow-control.yaml") == {
        "effects": ["first", "create the user one-g1"]
    }


@pytest.mark.parametrize(
    ("after", "spelled"),
    [
        (timedelta(hours=1), "3600s"),
        (timedelta(seconds=1.2), "2s"),
        (timedelta(0), "1s"),
        (timedelta(days=-1), "1s"),
    ],
)
def test_a_wish_to_run_again_is_spelled_in_whole_seconds(
    tmp_path: Path, after: timedelta, spelled: str
) -> None:
    run(tmp_path, Output(control=Control(reconcile_after=after)))

    assert left(tmp_path, "workflow-control.yaml") == {"reconcileAfter": spelled}


def test_a_stage_sees_for_whom_it_seals(tmp_path: Path) -> None:
    sealing = '{"destination": "west", "certificate": "PEM", "epoch": "2"}'

    context = run(tmp_path, moment=f', "sealing": {sealing}')

    assert context.sealing == SealingInput("west", b"PEM", "2")


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("CertificateUnreachable", TransientError),
        ("CertificateUnusable", InvalidInputError),
        ("HostNotTrusted", InvalidInputError),
    ],
)
def test_a_stage_is_told_why_it_cannot_seal_now(
    tmp_path: Path, reason: str, kind: type[TrothError]
) -> None:
    problem = f'{{"reason": "{reason}", "message": "not now."}}'
    sealing = f'{{"destination": "west", "problem": {problem}, "same": ["east", "west"]}}'

    found = run(tmp_path, moment=f', "sealing": {sealing}').sealing

    assert found is not None
    assert (found.certificate, found.same) == (b"", ("east", "west"))
    assert type(found.problem) is kind
    assert found.problem.message == "not now."


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (', "effects": "maybe"', "'maybe' is neither perform nor recall"),
        (', "effects": true', "effects: a text is needed"),
        (', "sealing": {"destination": "west"}', "certificate: a text is needed"),
        (', "sealing": "west"', "sealing: a mapping is needed"),
        (', "sealing": {"destination": "w", "problem": {"reason": "Odd"}}', "'Odd' is not a valid"),
    ],
)
def test_what_the_contract_does_not_know_is_refused(
    tmp_path: Path, moment: str, words: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        run(tmp_path, moment=moment)

    assert words in caught.value.message


def test_what_is_unknown_is_no_text() -> None:
    """Where it ends up unnoticed it fails, instead of being written."""
    with pytest.raises(TypeError):
        "".join(cast("list[str]", [UNKNOWN]))
    assert Fields({"a": str(UNKNOWN)}).text("a") == "(known after apply)"


def test_what_could_not_be_done_is_said_by_a_stage_that_goes_on_without(tmp_path: Path) -> None:
    for folder in ("input", "output", "metadata"):
        (tmp_path / folder).mkdir()
    (tmp_path / "input/object.yaml").write_bytes(dump_documents([OBJECT]))

    def fail() -> str:
        raise TransientError(Reason.PROVIDER_UNREACHABLE, "it does not answer.")

    def configure(_: Request[Spec], context: Context) -> Output:
        with suppress(TransientError):
            context.effects.perform("create the user one-g1", fail)
        context.effects.perform("create the user one-g2", lambda: "U2")
        return Output(status={"user": ""})

    run_stage(cast("Stage[BaseModel]", Stage(Spec, configure)), tmp_path, {})

    assert left(tmp_path, "workflow-control.yaml") == {"effects": ["create the user one-g1"]}

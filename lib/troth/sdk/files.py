"""The one adapter between the file contract and a stage.

Called by the warm runner and by the stage image alike, so that a stage behaves the same in both.
The contract is Kratix's: ``input/object.yaml`` in, ``output/**`` and ``metadata/*.yaml`` out.
``input/troth.json`` is ours and may be absent; then the machine's own clock and randomness serve.
"""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import cast

from pydantic import BaseModel, ValidationError

from troth.api import Fields, Json, JsonObject, dump_documents, load_object
from troth.errors import OutputRefusedError, Reason, StageError
from troth.sdk.stage import Context, Control, Output, OutputFile, Request, Selector, Stage

__all__ = ["METADATA_FILES", "run_stage"]

METADATA_FILES = ("status.yaml", "destination-selectors.yaml", "workflow-control.yaml")


def run_stage(stage: Stage[BaseModel], root: Path, environ: Mapping[str, str]) -> None:
    """Run a stage on the folder ``root`` (``/kratix`` in a container).

    Args:
        stage: what to run.
        root: holds ``input``, ``output`` and ``metadata``.
        environ: the KRATIX_* variables of the file contract.

    Raises:
        InvalidInputError: object.yaml or troth.json is not what it should be.
        OutputRefusedError: the stage gave a path that leaves the output folder.
        StageError: the request does not fit the stage's model, or the stage gave no Output.
    """
    action = environ.get("KRATIX_WORKFLOW_ACTION", "configure")
    function = stage.configure if action == "configure" else stage.delete
    if function is None:
        return
    request = _read_request(stage.model, root / "input" / "object.yaml")
    context = _read_context(root / "input" / "troth.json", environ, action)
    output = cast("object", function(request, context))
    if not isinstance(output, Output):
        message = f"the stage returned {type(output).__name__}; it has to return an Output."
        raise StageError(Reason.STAGE_FAILED, message)
    _write_output(output, root)


def _read_request(model: type[BaseModel], path: Path) -> Request[BaseModel]:
    raw = load_object(path.read_text(encoding="utf-8"), path.name)
    fields = Fields(raw)
    metadata = fields.section("metadata")
    try:
        spec = model.model_validate(fields.mapping("spec"))
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in ('spec', *item['loc']))}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False, include_context=False)
        )
        message = f"the request does not fit the stage's model {model.__name__}: {problems}."
        raise StageError(Reason.STAGE_FAILED, message) from error
    generation = metadata.value("generation")
    return Request(
        name=metadata.text("name"),
        namespace=metadata.text("namespace", ""),
        labels=metadata.string_map("labels"),
        annotations=metadata.string_map("annotations"),
        spec=spec,
        status=fields.mapping("status"),
        generation=generation if isinstance(generation, int) else None,
        raw=raw,
    )


def _read_context(path: Path, environ: Mapping[str, str], action: str) -> Context:
    now, seed = datetime.now(UTC).replace(microsecond=0), secrets.token_bytes(32)
    if path.exists():
        given = Fields(cast("JsonObject", json.loads(path.read_text(encoding="utf-8"))))
        now = datetime.fromisoformat(given.text("now")).astimezone(UTC)
        seed = bytes.fromhex(given.text("seed"))
    return Context(
        now=now,
        seed=seed,
        action=action,
        promise=environ.get("KRATIX_PROMISE_NAME", ""),
        pipeline=environ.get("KRATIX_PIPELINE_NAME", ""),
    )


def _write_output(output: Output, root: Path) -> None:
    for name, content in sorted(output.files.items()):
        _write(_inside(root / "output", name), _encode(content))
    metadata = root / "metadata"
    if output.status:
        path = metadata / "status.yaml"
        earlier: JsonObject = {}
        if path.exists():
            earlier = load_object(path.read_text(encoding="utf-8"), path.name)
        _write(path, dump_documents([{**earlier, **output.status}]))
    if output.selectors:
        _write_selectors(metadata / "destination-selectors.yaml", output.selectors)
    if output.control is not None:
        _write(metadata / "workflow-control.yaml", dump_documents([_control(output.control)]))


def _write_selectors(path: Path, selectors: Sequence[Selector]) -> None:
    entries: list[Json] = []
    for selector in selectors:
        entry: dict[str, Json] = {"matchLabels": dict(selector.match_labels)}
        if selector.directory != ".":
            entry = {"directory": selector.directory, **entry}
        entries.append(entry)
    earlier = path.read_bytes() if path.exists() else b""
    _write(path, earlier + dump_documents([entries]))


def _control(control: Control) -> JsonObject:
    raw: dict[str, Json] = {}
    if control.suspend:
        raw["suspend"] = True
    if control.message:
        raw["message"] = control.message
    if control.retry_after is not None:
        raw["retryAfter"] = control.retry_after
    return raw


def _encode(content: OutputFile) -> bytes:
    return content if isinstance(content, bytes) else dump_documents(list(content))


def _inside(folder: Path, name: str) -> Path:
    """Return the path of an output file, refusing one that is not plainly below the folder."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name:
        message = f"the output file {name!r} is no path below the output folder."
        raise OutputRefusedError(Reason.UNSAFE_PATH, message)
    path = folder.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write(path: Path, content: bytes) -> None:
    """Write whole or not at all, never through a symlink that lies in the way."""
    temporary = path.with_name(f".{path.name}.part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with open(descriptor, "wb") as stream:  # noqa: PTH123  (an open descriptor)
        stream.write(content)
    temporary.replace(path)

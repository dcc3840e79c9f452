"""The one adapter between the file contract and a stage.

Called by the warm runner and by the stage image alike, so that a stage behaves the same in both.
The contract is Kratix's: ``input/object.yaml`` in, ``output/**`` and ``metadata/*.yaml`` out.
``input/troth.json`` is ours and may be absent; then the machine's own clock and randomness serve,
and effects are performed.
"""

import os
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path, PurePosixPath
from typing import cast

from pydantic import BaseModel
from yaml.representer import RepresenterError

from troth.api import (
    Fields,
    Json,
    JsonObject,
    dump_documents,
    load_object,
    load_values,
    seconds_of,
)
from troth.errors import InvalidInputError, OutputRefusedError, Reason, StageError
from troth.sdk.effects import PerformedEffects, RecalledEffects
from troth.sdk.given import read_context, read_request, read_text
from troth.sdk.inspecting import INSPECT, INSPECTION_FILE, inspect_requests
from troth.sdk.stage import Control, Output, OutputFile, Selector, Stage

__all__ = ["METADATA_FILES", "run_stage"]

_RECONCILE = "reconcileAfter"

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
        StageError: the request does not fit the stage's model, or the stage gave no Output (no
            Inspection, where it was to look).
    """
    action = environ.get("KRATIX_WORKFLOW_ACTION", "configure")
    if action == INSPECT:
        found = inspect_requests(stage, root, environ)
        if found is not None:
            _write(root / "metadata" / INSPECTION_FILE, found)
        return
    function = stage.configure if action == "configure" else stage.delete
    if function is None:
        return
    request = read_request(stage.model, root / "input" / "object.yaml")
    context = read_context(root / "input" / "troth.json", environ, action)
    output = cast("object", function(request, context))
    if not isinstance(output, Output):
        message = f"the stage returned {type(output).__name__}; it has to return an Output."
        raise StageError(Reason.STAGE_FAILED, message)
    effects = context.effects
    known = (RecalledEffects, PerformedEffects)
    wanted = effects.wanted if isinstance(effects, known) else ()
    _write_output(output, wanted, root)


def _write_output(output: Output, wanted: Sequence[str], root: Path) -> None:
    for name, content in sorted(output.files.items()):
        _write(_inside(root / "output", name), _encode(name, content))
    metadata = root / "metadata"
    if output.status:
        path = metadata / "status.yaml"
        earlier: JsonObject = {}
        if path.exists():
            earlier = load_object(read_text(path), path.name)
        _write(path, dump_documents([{**earlier, **output.status}]))
    if output.selectors:
        _write_selectors(metadata / "destination-selectors.yaml", output.selectors)
    if output.control is not None or wanted:
        path = metadata / "workflow-control.yaml"
        control = _control(output.control or Control())
        _write(path, dump_documents([_added(path, control, wanted)]))


def _write_selectors(path: Path, selectors: Sequence[Selector]) -> None:
    entries: list[Json] = []
    for document in load_values(read_text(path), path.name) if path.exists() else ():
        if not isinstance(document, list):
            message = f"{path.name} is no list; an earlier container left it so."
            raise InvalidInputError(Reason.INVALID_DESTINATION_SELECTORS, message)
        entries.extend(document)
    for selector in selectors:
        entry: dict[str, Json] = {"matchLabels": dict(selector.match_labels)}
        if selector.directory != ".":
            entry = {"directory": selector.directory, **entry}
        entries.append(entry)
    _write(path, dump_documents([entries]))


def _added(path: Path, control: JsonObject, wanted: Sequence[str]) -> JsonObject:
    """Return what a stage wants, beside what containers before it wanted."""
    earlier: Fields = Fields(load_object(read_text(path), path.name) if path.exists() else {})
    effects: list[Json] = [*earlier.texts("effects"), *wanted]
    return {
        **earlier.raw,
        **control,
        **_soonest(earlier.raw, control),
        **({"effects": effects} if effects else {}),
    }


def _soonest(*wishes: JsonObject) -> JsonObject:
    """Return when all containers together want to run again: as soon as one of them does."""
    asked = [str(one[_RECONCILE]) for one in wishes if _RECONCILE in one]
    # One that is no duration comes first, so that whoever reads it can refuse it.
    first = min(asked, key=lambda text: seconds_of(text) or 0.0, default=None)
    return {} if first is None else {_RECONCILE: first}


def _control(control: Control) -> JsonObject:
    raw: dict[str, Json] = {}
    if control.suspend:
        raw["suspend"] = True
    if control.message:
        raw["message"] = control.message
    if control.retry_after is not None:
        raw["retryAfter"] = control.retry_after
    if control.reconcile_after is not None:
        raw[_RECONCILE] = f"{max(1, ceil(control.reconcile_after.total_seconds()))}s"
    return raw


def _encode(name: str, content: OutputFile) -> bytes:
    if isinstance(content, bytes):
        return content
    try:
        return dump_documents(list(content))
    except RepresenterError as error:
        message = f"the manifests of {name} hold a value that YAML has no plain form for: {error}."
        raise StageError(Reason.STAGE_FAILED, message) from error


def _inside(folder: Path, name: str) -> Path:
    """Return the path of an output file, refusing one that is not plainly below the folder."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name:
        message = f"the output file {name!r} is no path below the output folder."
        raise OutputRefusedError(Reason.UNSAFE_PATH, message)
    for depth in range(1, len(parts)):
        parent = folder.joinpath(*parts[:depth])
        if parent.is_symlink():  # left by an earlier container; it could lead anywhere
            message = f"the output folder {parent.relative_to(folder)} is a symlink."
            raise OutputRefusedError(Reason.UNSAFE_PATH, message)
        parent.mkdir(exist_ok=True)
    return folder.joinpath(*parts)


def _write(path: Path, content: bytes) -> None:
    """Write whole or not at all, never through a symlink that lies in the way."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.unlink(missing_ok=True)  # of a run that was cut off
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with open(descriptor, "wb") as stream:  # noqa: PTH123  (an open descriptor)
        stream.write(content)
    temporary.replace(path)

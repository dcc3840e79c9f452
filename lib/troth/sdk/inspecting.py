"""Inspecting: a stage looks at what many requests have outside, by a file contract of its own.

In: ``input/requests.json`` (``{"requests": [...]}``, each as object.yaml has it, status included)
and ``input/troth.json``. Out: ``metadata/inspection.json``, which `Inspection` spells; none where
the stage has nothing to look at. Kratix knows no such run.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from pydantic import BaseModel

from troth.api import Fields, Json, is_object
from troth.errors import InvalidInputError, Reason, StageError
from troth.sdk.drift import Finding, Inspection
from troth.sdk.given import read_context, read_text, request_of
from troth.sdk.stage import Request, Stage

__all__ = ["INSPECT", "INSPECTION_FILE", "REQUESTS_FILE", "inspect_requests"]

INSPECT = "inspect"
"""The KRATIX_WORKFLOW_ACTION of such a run."""

REQUESTS_FILE = "requests.json"
INSPECTION_FILE = "inspection.json"


def inspect_requests(
    stage: Stage[BaseModel], root: Path, environ: Mapping[str, str]
) -> bytes | None:
    """Have a stage look; return what metadata/inspection.json is to hold, None for nothing.

    A request that does not fit the stage's model costs itself alone.

    Raises:
        InvalidInputError: a file of the input is not what it should be.
        StageError: the stage gave no Inspection, or names requests that it was not given.
    """
    if stage.inspect is None:
        return None
    requests: list[Request[BaseModel]] = []
    unread: dict[str, Finding] = {}
    for given in _read(root / "input" / REQUESTS_FILE):
        try:
            requests.append(request_of(stage.model, given.raw))
        except StageError as error:
            metadata = given.section("metadata")
            who = f"{metadata.text('namespace', '')}/{metadata.text('name')}"
            unread[who] = Finding.unknown(error.message)
    context = read_context(root / "input" / "troth.json", environ, INSPECT)
    found = cast("object", stage.inspect(requests, context)) if requests else Inspection()
    if not isinstance(found, Inspection):
        message = f"the stage returned {type(found).__name__}; it has to return an Inspection."
        raise StageError(Reason.STAGE_FAILED, message)
    foreign = sorted(found.findings.keys() - {one.id for one in requests})
    if foreign:
        message = f"the stage tells of {foreign[0]!r}, which it was not asked about."
        raise StageError(Reason.STAGE_FAILED, message)
    told = Inspection({**found.findings, **unread}, found.calls)
    return json.dumps(told.encode(), ensure_ascii=False).encode()


def _read(path: Path) -> list[Fields]:
    try:
        loaded = cast("Json", json.loads(read_text(path)))
    except ValueError as error:
        message = f"{path.name} is no JSON: {error}."
        raise InvalidInputError(Reason.INVALID_OBJECT, message) from error
    return Fields(loaded if is_object(loaded) else {}).items("requests")

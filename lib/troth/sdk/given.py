"""What a run is given: the request, and the moment, read from the folder ``input``."""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from pydantic import BaseModel, ValidationError

from troth.api import Fields, Json, JsonObject, field_path, is_object, load_object
from troth.errors import InvalidInputError, Reason, StageError, TransientError, TrothError
from troth.sdk.drift import Drift
from troth.sdk.effects import PERFORM, RECALL, Effects, PerformedEffects, RecalledEffects
from troth.sdk.stage import Context, Request, SealingInput

__all__ = ["read_context", "read_request", "read_text", "request_of"]


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises:
        InvalidInputError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        message = f"{path.name} cannot be read: {why}."
        raise InvalidInputError(Reason.INVALID_OBJECT, message) from error


def read_request(model: type[BaseModel], path: Path) -> Request[BaseModel]:
    """Read object.yaml. Raises InvalidInputError where it is none, else as `request_of`."""
    return request_of(model, load_object(read_text(path), path.name))


def request_of(model: type[BaseModel], raw: JsonObject) -> Request[BaseModel]:
    """Read a request as object.yaml has it.

    Raises:
        StageError: it does not fit the stage's model.
    """
    fields = Fields(raw)
    metadata = fields.section("metadata")
    try:
        spec = model.model_validate(fields.mapping("spec"))
    except ValidationError as error:
        message = (
            f"the request does not fit the stage's model {model.__name__}: {_problems(error)}. "
            "The Promise has to be mended, not the request: its schema admits what its stage does "
            "not. Make the schema anew from the model; `troth test` shows the difference."
        )
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


def _problems(error: ValidationError) -> str:
    """Spell what is wrong field by field, without values; they could be secret.

    Left out is what is wrong with a field that holds another which is wrong: pydantic counts no
    broken item, and so calls a list of one empty.
    """
    found = error.errors(include_input=False, include_url=False, include_context=False)
    parents = {item["loc"][:depth] for item in found for depth in range(len(item["loc"]))}
    return "; ".join(
        f"{field_path(('spec', *item['loc']))}: {item['msg']}"
        for item in found
        if item["loc"] not in parents
    )


def read_context(path: Path, environ: Mapping[str, str], action: str) -> Context:
    """Read troth.json, which may be absent.

    Raises:
        InvalidInputError: it is not as the file contract wants it.
    """
    now, seed = datetime.now(UTC).replace(microsecond=0), secrets.token_bytes(32)
    effects: Effects = PerformedEffects()
    sealing: SealingInput | None = None
    drift: Drift | None = None
    if path.exists():
        try:
            loaded = cast("Json", json.loads(read_text(path)))
            given = Fields(loaded if is_object(loaded) else {})
            now = datetime.fromisoformat(given.text("now"))
            if now.tzinfo is None:
                raise given.error("now", "a time with its zone is needed, such as a Z at its end.")
            now = now.astimezone(UTC)
            seed = bytes.fromhex(given.text("seed"))
            if _read_mode(given) == RECALL:
                effects = RecalledEffects()
            sealing = _read_sealing(given)
            drift = Drift.decode(given.section("drift")) if given.has("drift") else None
        except ValueError as error:
            message = f"{path.name} is not as the file contract wants it: {error}."
            raise InvalidInputError(Reason.INVALID_OBJECT, message) from error
    return Context(
        now=now,
        seed=seed,
        action=action,
        promise=environ.get("KRATIX_PROMISE_NAME", ""),
        pipeline=environ.get("KRATIX_PIPELINE_NAME", ""),
        environ=dict(environ),
        effects=effects,
        sealing=sealing,
        drift=drift,
    )


def _read_mode(given: Fields) -> str:
    mode = given.text("effects", PERFORM)
    if mode not in {PERFORM, RECALL}:
        raise given.error("effects", f"{mode!r} is neither {PERFORM} nor {RECALL}.")
    return mode


def _read_sealing(given: Fields) -> SealingInput | None:
    if not given.has("sealing"):
        return None
    found = given.section("sealing")
    problem = _read_problem(found.section("problem")) if found.has("problem") else None
    certificate = found.text("certificate") if problem is None else ""
    return SealingInput(
        destination=found.text("destination"),
        certificate=certificate.encode(),
        epoch=found.text("epoch", ""),
        same=tuple(found.texts("same")),
        problem=problem,
    )


def _read_problem(found: Fields) -> TrothError:
    reason = Reason(found.text("reason"))
    kind = TransientError if reason is Reason.CERTIFICATE_UNREACHABLE else InvalidInputError
    return kind(reason, found.text("message"))

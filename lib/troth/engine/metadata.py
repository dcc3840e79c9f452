"""The files in /kratix/metadata, read with Kratix's rules and Kratix's words.

Source: Kratix's work creator and status updater (``work-creator/lib``). Durations are Go's.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from posixpath import normpath

from troth.api import (
    Fields,
    Json,
    JsonObject,
    WorkflowType,
    is_object,
    load_values,
    seconds_of,
)
from troth.errors import InvalidInputError, Reason

__all__ = ["Control", "Selectors", "merge_status", "read_control", "read_selectors", "read_status"]

_log = logging.getLogger(__name__)

_STATUS = "status.yaml"
_SELECTORS = "destination-selectors.yaml"
_CONTROL = "workflow-control.yaml"

_LONGEST = 10 * 365 * 24 * 3600.0  # seconds; what is due in ten years is a mistake


@dataclass(frozen=True, slots=True)
class Selectors:
    """Where a stage wants its output: `root` for the default group, `folders` by directory."""

    root: Mapping[str, str] | None
    folders: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Control:
    """What a stage wants of the one who runs it.

    Attributes:
        suspends: whether the request is to wait.
        message: why.
        retry_after: seconds to wait, None for "until the request changes".
        reconcile_after: seconds after which it wants to run again, None for "when it changes".
        effects: what it would have done outside.
    """

    suspends: bool = False
    message: str = ""
    retry_after: float | None = None
    reconcile_after: float | None = None
    effects: tuple[str, ...] = ()


def _load(content: bytes, name: str, reason: Reason) -> Json:
    """Return the one document of a metadata file, None when it is empty."""
    try:
        documents = load_values(content.decode(), name)
    except UnicodeDecodeError as error:
        raise InvalidInputError(reason, f"invalid {name}: {error}.") from error
    except InvalidInputError as error:
        raise InvalidInputError(reason, f"invalid {name}: {error.message}") from error
    if len(documents) > 1:
        message = f"invalid {name}: one document is needed, found {len(documents)}."
        raise InvalidInputError(reason, message)
    return documents[0] if documents else None


def _load_mapping(content: bytes, name: str, reason: Reason) -> JsonObject:
    document = _load(content, name, reason)
    if document is None:
        return {}
    if not is_object(document):
        raise InvalidInputError(reason, f"invalid {name}: a mapping is needed.")
    return document


def read_status(metadata: Mapping[str, bytes], workflow: WorkflowType) -> JsonObject:
    """Return what a pipeline wrote into status.yaml, empty without one.

    Args:
        metadata: the files in /kratix/metadata.
        workflow: whose pipeline it is; of a promise workflow only ``message`` counts.

    Raises:
        InvalidInputError: it is no mapping, or has the key ``kratix`` or ``troth``.
    """
    if _STATUS not in metadata:
        return {}
    status = _load_mapping(metadata[_STATUS], _STATUS, Reason.INVALID_STATUS)
    if "kratix" in status:
        message = (
            "'kratix' is a kratix managed status field that cannot be updated via workflows; "
            "remove update to 'kratix' from the '/kratix/metadata/status.yaml' file"
        )
        raise InvalidInputError(Reason.INVALID_STATUS, message)
    if "troth" in status:
        message = "'troth' in status.yaml is Troth's own; the stage has to use another key."
        raise InvalidInputError(Reason.INVALID_STATUS, message)
    if workflow is WorkflowType.PROMISE and (foreign := sorted(status.keys() - {"message"})):
        _log.warning(
            "Warning: promise workflow status has unsupported keys: %s in %s; only 'message' can "
            "be updated in Promise status.",
            ", ".join(foreign),
            _STATUS,
        )
        return {key: value for key, value in status.items() if key == "message"}
    return status


def merge_status(status: Mapping[str, Json], update: JsonObject) -> dict[str, Json]:
    """Merge a pipeline's status into what is there: key by key, conditions by their type."""
    merged = {**status, **update}
    if "conditions" in status and "conditions" in update:
        merged["conditions"] = _merge_conditions(status["conditions"], update["conditions"])
    return merged


def _merge_conditions(old: Json, new: Json) -> Json:
    by_type: dict[str, Json] = {}
    for conditions in (old, new):
        if isinstance(conditions, Sequence) and not isinstance(conditions, str):
            for condition in conditions:
                if is_object(condition):
                    by_type[str(condition.get("type"))] = condition
    return [by_type[key] for key in sorted(by_type)]


def read_selectors(metadata: Mapping[str, bytes], files: Mapping[str, bytes]) -> Selectors:
    """Return where a pipeline wants its output.

    Raises:
        InvalidInputError: it is not as Kratix wants it, or names a folder that was not written.
    """
    root: Mapping[str, str] | None = None
    folders: dict[str, Mapping[str, str]] = {}
    for index, entry in enumerate(_selector_entries(metadata)):
        labels = entry.mapping("matchLabels")
        if not labels:
            text = f"invalid {_SELECTORS}: entry with index {index} has no selectors"
            raise InvalidInputError(Reason.INVALID_DESTINATION_SELECTORS, text)
        directory = normpath(entry.text("directory", "") or ".")
        if directory in folders or (directory == "." and root is not None):
            text = f"duplicate entries in {_SELECTORS}: {directory}"
            raise InvalidInputError(Reason.INVALID_DESTINATION_SELECTORS, text)
        selector = {key: _scalar(value) for key, value in labels.items()}
        if directory == ".":
            root = selector
            continue
        if "/" in directory or directory == "..":
            text = (
                f"invalid directory in {_SELECTORS}: {directory}, sub-directories are not allowed"
            )
            raise InvalidInputError(Reason.INVALID_DESTINATION_SELECTORS, text)
        if not any(path.startswith(f"{directory}/") for path in files):
            text = f"{_SELECTORS} names the directory {directory!r}, in which nothing was written."
            raise InvalidInputError(Reason.INVALID_DESTINATION_SELECTORS, text)
        folders[directory] = selector
    return Selectors(root, folders)


def _selector_entries(metadata: Mapping[str, bytes]) -> list[Fields]:
    if _SELECTORS not in metadata:
        return []
    reason = Reason.INVALID_DESTINATION_SELECTORS
    entries = _load(metadata[_SELECTORS], _SELECTORS, reason)
    return Fields({_SELECTORS: entries}, reason=reason).items(_SELECTORS)


def _scalar(value: Json) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else str(value)


def read_control(metadata: Mapping[str, bytes]) -> Control:
    """Return what a pipeline wants of the one who runs it.

    Unknown keys are ignored, as Kratix does; ``retryAfter`` wins over ``suspend``.

    Raises:
        InvalidInputError: the duration is none that Go reads (``1d`` is none).
    """
    if _CONTROL not in metadata:
        return Control()
    fields = Fields(
        _load_mapping(metadata[_CONTROL], _CONTROL, Reason.INVALID_WORKFLOW_CONTROL),
        reason=Reason.INVALID_WORKFLOW_CONTROL,
    )
    has_retry = fields.has("retryAfter")
    return Control(
        suspends=has_retry or fields.flag("suspend", default=False),
        message=fields.text("message", ""),
        retry_after=_duration(fields, "retryAfter"),
        reconcile_after=_duration(fields, "reconcileAfter"),
        effects=fields.texts("effects"),
    )


def _duration(fields: Fields, key: str) -> float | None:
    """Return a Go duration in seconds, None where there is none."""
    if not fields.has(key):
        return None
    text = fields.text(key)
    seconds = seconds_of(text)
    if seconds is None:
        message = (
            f"invalid {_CONTROL}: {key} {text!r} is no duration; write it like 30s, 5m or "
            "1h30m (there are no days)."
        )
        raise InvalidInputError(Reason.INVALID_WORKFLOW_CONTROL, message)
    if seconds > _LONGEST:
        message = f"invalid {_CONTROL}: {key} {text[:40]!r} is longer than ten years."
        raise InvalidInputError(Reason.INVALID_WORKFLOW_CONTROL, message)
    return seconds

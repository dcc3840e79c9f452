"""Check: what no output may be, wherever it goes. Each gate is a small pure function.

The limits on sizes and counts guard the repository; the runner has limits of its own against a
stage that fills the disk.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from troth.api import Json, JsonObject, Promise
from troth.engine.kratix_lists import LISTS
from troth.engine.secrets import plain_secret_in_text
from troth.engine.values import Group, Placement
from troth.errors import OutputRefusedError, Reason
from troth_statestore import why_unsafe, why_unsafe_place

__all__ = ["OutputLimits", "check_groups", "check_places", "check_request", "check_status"]


@dataclass(frozen=True, slots=True)
class OutputLimits:
    """How much one request may render; bytes and counts."""

    file_bytes: int = 1024 * 1024
    """One file: etcd takes no object over 1.5 MiB."""
    total_bytes: int = 20 * 1024 * 1024
    """All files of a request together."""
    files: int = 2000
    """Number of files of a request."""
    shared_bytes: int = 10_000_000
    """One file for a whole Destination: Argo CD reads no more for an application by default."""


def check_groups(groups: tuple[Group, ...], limits: OutputLimits, *, allow_secrets: bool) -> None:
    """Pass every file of a request through the gates.

    Raises:
        OutputRefusedError: names the file, what is wrong and what to do.
    """
    total = count = 0
    for group in groups:
        try:
            for path, content in (group.files or {}).items():
                _check_path(path, why_unsafe(path))
                _check_size(path, content, limits)
                if not allow_secrets:
                    _check_text(path, content)
                total, count = total + len(content), count + 1
        except OutputRefusedError as error:
            raise error.about(group.source) from error
    if count > limits.files:
        message = f"the output has {count} files, at most {limits.files} are allowed."
        raise OutputRefusedError(Reason.TOO_LARGE, message)
    if total > limits.total_bytes:
        message = f"the output has {total} bytes, at most {limits.total_bytes} are allowed."
        raise OutputRefusedError(Reason.TOO_LARGE, message)


def _check_path(path: str, problem: str | None) -> None:
    if path.partition("/")[0] == LISTS:
        problem = f"in {LISTS} Kratix keeps the lists of what it wrote"
    if problem is not None:
        message = f"the output file {path!r} is refused: {problem}; write it under another path."
        raise OutputRefusedError(Reason.UNSAFE_PATH, message)


def check_places(placements: Iterable[Placement]) -> None:
    """Refuse a path that a store would not take, once its whole length is known.

    Raises:
        OutputRefusedError: names the path and what is wrong with it.
    """
    for placement in placements:
        for path in placement.files:
            _check_path(path, why_unsafe_place(path))


def _check_size(path: str, content: bytes, limits: OutputLimits) -> None:
    if len(content) > limits.file_bytes:
        message = (
            f"the output file {path} has {len(content)} bytes, at most {limits.file_bytes} are "
            "allowed; split it."
        )
        raise OutputRefusedError(Reason.TOO_LARGE, message)


def _check_text(path: str, content: bytes) -> None:
    found = plain_secret_in_text(content.decode("utf-8", errors="replace"))
    if found is not None:
        line, what = found
        message = f"{path}:{line} holds {what} in plain text; seal it, or leave it out."
        raise OutputRefusedError(Reason.PLAIN_SECRET, message)


def check_request(asked: JsonObject) -> None:
    """Refuse a request with a secret in it: its record would copy it.

    Raises:
        OutputRefusedError: says what was found, not the value.
    """
    _check_texts("request", asked)


def check_promise(promise: Promise) -> None:
    """Refuse a Promise with a secret in it: its revision would copy it. Raises as `check_request`.

    One that is exempt by annotation is let through, as its output is.
    """
    if not promise.allows_plain_secrets:
        _check_texts(f"Promise {promise.name}", promise.raw)


def check_status(status: Mapping[str, Json]) -> None:
    """Refuse a status with a secret in it. Raises as `check_request`."""
    _check_texts("status", status)


def _check_texts(name: str, value: Json) -> None:
    for text in _texts(value):
        found = plain_secret_in_text(text)
        if found is not None:
            message = f"the {name} holds {found[1]} in plain text; it must not be written."
            raise OutputRefusedError(Reason.PLAIN_SECRET, message)


def _texts(value: Json) -> list[str]:
    """Return every text inside a value, keys included."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for key, item in value.items() for text in (key, *_texts(item))]
    if value is None or isinstance(value, bool | int | float):
        return []
    return [text for item in value for text in _texts(item)]

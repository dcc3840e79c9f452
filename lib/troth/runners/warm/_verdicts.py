"""From a worker's answer to the error that people read."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field

from troth import errors
from troth.errors import InvalidInputError, NotServedError, Reason, StageError, TrothError, shorten
from troth.runners.warm._leaks import without_secrets
from troth.runners.warm._limits import Limits
from troth.runners.warm._messages import Answer, Outcome
from troth.runners.warm._worker import LOG_NAME

__all__ = ["Culprit", "error_of"]

_TAIL_LINES = 10
_TAIL_BYTES = 4096

# The errors a stage may raise to some purpose, by the name that comes over the pipe.
_KINDS: dict[str, type[TrothError]] = {
    kind.__name__: kind
    for kind in (
        errors.HeldError,
        errors.OutputRefusedError,
        errors.PermanentError,
        errors.StoreError,
        errors.TransientError,
        errors.UnscheduledError,
        NotServedError,
        StageError,
    )
}


@dataclass(frozen=True, slots=True)
class Culprit:
    """The stage that was run, and where; `secrets` are values that no message may quote."""

    stage: str
    container: str
    root: str
    secrets: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    def __str__(self) -> str:
        """Name it in a message."""
        return f"stage {self.stage!r} (container {self.container!r})"

    def quote(self, text: str) -> str:
        """Return what the stage said, fit for a message."""
        return _printable(shorten(without_secrets(text, self.secrets)))


def error_of(answer: Answer, culprit: Culprit, limits: Limits) -> TrothError | None:
    """Return the error an answer stands for, None when the stage is done."""
    at = f" ({answer.where})" if answer.where else ""
    match answer.outcome:
        case Outcome.DONE:
            return None
        case Outcome.REFUSED:
            return _own_error(answer, culprit)
        case Outcome.RAISED:
            reason = Reason.STAGE_FAILED
            text = f"raised {answer.kind}{at}: {culprit.quote(answer.message)}"
        case Outcome.EXITED:
            reason = Reason.STAGE_FAILED
            text = f"called sys.exit{at}; a stage returns its output, it does not exit."
        case Outcome.OUT_OF_MEMORY:
            reason = Reason.STAGE_OUT_OF_MEMORY
            text = f"asked for more than {limits.memory_bytes >> 20} MiB of memory{at}."
        case Outcome.LATE:
            reason = Reason.STAGE_TIMEOUT
            text = f"was not done after {limits.seconds:g} seconds and was stopped."
        case _:  # Outcome.DIED
            reason = Reason.STAGE_CRASHED
            text = f"is gone: its process {answer.message}."
    return StageError(reason, f"{culprit} {text}{_last_output(culprit)}")


def _own_error(answer: Answer, culprit: Culprit) -> TrothError:
    try:
        reason = Reason(answer.reason)
    except ValueError:
        reason = Reason.STAGE_FAILED
    message = culprit.quote(answer.message)
    if answer.kind == InvalidInputError.__name__:
        return InvalidInputError(reason, message, answer.field)
    return _KINDS.get(answer.kind, StageError)(reason, message)


def _last_output(culprit: Culprit) -> str:
    text = _tail(f"{culprit.root}/{LOG_NAME}").decode(errors="replace")
    lines = without_secrets(text, culprit.secrets).strip().splitlines()
    if not lines:
        return ""
    return "\nThe last of what it printed:\n" + _printable("\n".join(lines[-_TAIL_LINES:]))


def _tail(path: str) -> bytes:
    """Return the end of a log; nothing when the stage put something else in its place."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return b""
        return os.pread(descriptor, _TAIL_BYTES, max(0, status.st_size - _TAIL_BYTES))
    finally:
        os.close(descriptor)


def _printable(text: str) -> str:
    """Take out what would steer a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)

"""The one Promise that a path leads to, for commands about a single one."""

from pathlib import Path

from troth.api import Promise
from troth.errors import InvalidInputError, Reason
from troth.local import load

__all__ = ["promise_file", "promise_in"]

_PROMISE = "promise.yaml"


def promise_file(path: Path) -> Path:
    """Return the file of the Promise at `path`, a file or a bundle's folder.

    Raises:
        InvalidInputError: the folder is no bundle.
    """
    if not path.is_dir():
        return path
    if not (path / _PROMISE).is_file():
        message = f"{path} is no bundle: it holds no {_PROMISE}; give the Promise's file."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    return path / _PROMISE


def promise_in(file: Path) -> Promise:
    """Return the one Promise that a file holds.

    Raises:
        InvalidInputError: it cannot be read, or holds none or several.
    """
    inputs = load([file])
    if inputs.problems:
        problem = inputs.problems[0]
        raise InvalidInputError(Reason(problem.reason), problem.message)
    if len(inputs.promises) != 1:
        message = f"{file} holds {len(inputs.promises)} Promises; one is needed here."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    return next(iter(inputs.promises.values()))

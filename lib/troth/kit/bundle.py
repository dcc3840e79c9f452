"""A bundle: the folder of a Promise, read as ``troth sync`` reads it."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from troth.api import Promise
from troth.engine import Submission
from troth.errors import InvalidInputError, Reason
from troth.local import load

__all__ = ["EXPECTED", "Bundle", "open_bundle"]

EXPECTED = "expected"
"""The folder in a bundle that holds golden output, a folder a request."""

_PROMISE = "promise.yaml"
_README = "README.md"
_REQUEST = "resource-request.yaml"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What stands in a bundle's folder.

    Attributes:
        name: the folder, as it was given.
        folder: where it is.
        promise: None when it cannot be read; `problems` says why.
        installed: the Promise as it is handed in for its own output, None with `promise`.
        requests: those that can be read; each name stands once.
        problems: what is wrong with the bundle as a whole, in sentences.
        remarks: what is not wrong, but should be known.
    """

    name: str
    folder: Path
    promise: Promise | None
    installed: Submission | None
    requests: tuple[Submission, ...]
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def expected(self) -> Path:
        """Where the golden output stands."""
        return self.folder / EXPECTED


def open_bundle(folder: Path) -> Bundle:
    """Read a bundle.

    Raises:
        InvalidInputError: the folder is none, or holds no promise.yaml.
    """
    if not (folder / _PROMISE).is_file():
        raise InvalidInputError(Reason.INVALID_OBJECT, _no_bundle(folder))
    inputs = load([folder])
    promise = next(iter(inputs.promises.values()), None)
    requests, twice = _unambiguous(inputs.submissions)
    problems = [item.message for item in inputs.problems]
    problems += [f"{path}: this file holds no object." for path in inputs.empty]
    if promise is None and not problems:
        problems.append(f"{folder / _PROMISE} holds no Promise.")
    if promise is not None:
        problems += _missing(folder, promise)
    problems += twice
    remarks = [
        f"{path} is none of a bundle's files, and is not read." for path in inputs.passed_over
    ]
    return Bundle(
        name=str(folder),
        folder=folder,
        promise=promise,
        installed=next(iter(inputs.promise_submissions), None),
        requests=requests,
        problems=tuple(dict.fromkeys(problems)),
        remarks=tuple(remarks),
    )


def _no_bundle(folder: Path) -> str:
    message = f"{folder} is no bundle: it holds no {_PROMISE}."
    if not folder.exists():
        return f"{folder}: there is no such folder."
    if folder.is_file():
        return f"{folder} is a file; give the folder of a bundle."
    inside = sorted(path.parent.name for path in folder.glob(f"*/{_PROMISE}"))
    return f"{message} There are bundles in it: {', '.join(inside)}." if inside else message


def _missing(folder: Path, promise: Promise) -> list[str]:
    """Say which files are missing that the users of a bundle need."""
    needed = {_README: "it tells users what the Promise does, and who is responsible for what"}
    if promise.api is not None:
        needed[_REQUEST] = "it is the example that works as it is"
    return [
        f"{folder / name} is missing: {why}."
        for name, why in needed.items()
        if not (folder / name).is_file()
    ]


def _unambiguous(
    submissions: list[Submission],
) -> tuple[tuple[Submission, ...], list[str]]:
    """Return the requests whose name no other has, by name, and what is wrong with the rest."""
    counts = Counter(one.request.name for one in submissions)
    problems = [
        f"{count} requests are called {name!r}; golden output is told apart by that name."
        for name, count in sorted(counts.items())
        if count > 1
    ]
    alone = [one for one in submissions if counts[one.request.name] == 1]
    return tuple(sorted(alone, key=lambda one: one.request.name)), problems

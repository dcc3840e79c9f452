"""Read objects from files and sort them: Promises, Destinations, state stores, requests.

One bad file or object costs itself alone: it is reported and the rest is read. That something
could not be read is remembered, since then nothing may be concluded from what is absent.
"""

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from troth.api import (
    Destination,
    Document,
    GitStateStore,
    JsonObject,
    Kind,
    Promise,
    ResourceRequest,
    is_object,
    load_documents,
)
from troth.api.destination import same_place
from troth.api.labels import KRATIX_GROUP
from troth.engine import Item, State, Submission
from troth.errors import InvalidInputError, Reason
from troth.local.files import Found, walk
from troth.local.inputs import Inputs
from troth.local.sealing import beside
from troth_statestore import why_unsafe

__all__ = ["load"]

T = TypeVar("T")

_STORE = "GitStateStore"

# Bytes; a Promise with a large schema has some hundred thousand.
_FILE_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Loose:
    """An object of no kind known before all Promises have been read."""

    document: Document
    found: Found


def load(paths: Sequence[Path], source: str | None = None) -> Inputs:
    """Read everything in the given files and folders.

    Args:
        paths: as the command was given them.
        source: a name for the place they are in, see `troth.local.files.root_of`.

    Raises:
        InvalidInputError: there is nothing at one of the paths.
    """
    inputs = Inputs()
    loose: list[_Loose] = []
    seen: set[str] = set()
    for path in paths:
        walked = walk(path, source)
        if walked.files:
            inputs.walks.append(walked)
        if walked.passed_over:
            inputs.passed_over += walked.passed_over
            inputs.complete = False  # they may have been requests before there was a promise.yaml
        for problem in walked.problems:
            _refuse(inputs, problem, walked.root)
            inputs.complete = False
        real = os.path.realpath(path)
        for found in walked.files:
            place = f"{real}/{os.path.relpath(found.path, path)}" if path.is_dir() else real
            if place in seen:
                continue  # paths of a command may overlap
            seen.add(place)
            for document in _read(found, inputs):
                _sort(document, found, inputs, loose)
    _refuse_rivals(inputs)
    _sort_loose(loose, inputs)
    _refuse_shared_places(inputs)
    return inputs


def _read(found: Found, inputs: Inputs) -> list[Document]:
    content = ""
    try:
        content = _content(found.path)
        documents = load_documents(content, str(found.path))
    except InvalidInputError as error:
        _refuse(inputs, error, str(found.path))
        inputs.complete = False
        if _STORE in content:
            inputs.hidden_stores[str(found.path)] = error
        return []
    if not documents:
        inputs.empty.append(str(found.path))
        inputs.complete = False  # what stood there may have been lost
    return documents


def _content(path: Path) -> str:
    """Return a file's text. Raises InvalidInputError when it cannot be had."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
            message = f"{path}: this is no regular file; take it away or name it otherwise."
            raise InvalidInputError(Reason.INVALID_OBJECT, message)
        with path.open("rb") as stream:
            content = stream.read(_FILE_LIMIT + 1)
    except OSError as error:
        message = f"{path}: this file cannot be read: {error.strerror}."
        raise InvalidInputError(Reason.INVALID_OBJECT, message) from error
    if len(content) > _FILE_LIMIT:
        message = f"{path}: this file is larger than {_FILE_LIMIT} bytes."
        raise InvalidInputError(Reason.TOO_LARGE, message)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        message = f"{path}: this file is not UTF-8: {error.reason} at byte {error.start}."
        raise InvalidInputError(Reason.INVALID_YAML, message) from error


def _refuse(inputs: Inputs, error: InvalidInputError, source: str) -> None:
    item = Item("", "", "", State.REFUSED, error.reason, error.message, source=source)
    inputs.problems.append(item)


def _sort(document: Document, found: Found, inputs: Inputs, loose: list[_Loose]) -> None:
    """Put a document where it belongs; requests wait until all Promises are known."""
    group, kind, _, _ = _identity(document)
    if group != KRATIX_GROUP:
        loose.append(_Loose(document, found))
        return
    try:
        _add_kratix_object(kind, document, found, inputs)
    except InvalidInputError as error:
        _refuse_document(inputs, document, error)


def _add_kratix_object(kind: str, document: Document, found: Found, inputs: Inputs) -> None:
    match kind:
        case "Promise":
            promise = Promise.parse(document.data)
            _add(inputs.promises, promise.name, promise, document)
            request = ResourceRequest.of_promise(promise)
            inputs.handed_in[promise.name] = Submission(request, document, found.root)
        case "Destination":
            destination = Destination.parse(document.data)
            if problem := why_unsafe(destination.path) if destination.path else None:
                message = f"spec.path: {destination.path!r} cannot be used: {problem}."
                raise InvalidInputError(Reason.UNSAFE_PATH, message, ("spec", "path"))
            certificate = beside(destination.certificate, Path(document.source).parent)
            destination = replace(destination, certificate=certificate)
            _add(inputs.destinations, destination.name, destination, document)
        case kind if kind == _STORE:
            store = GitStateStore.parse(document.data)
            _add(inputs.stores, store.name, store, document)
        case _:
            message = (
                f"kind {kind!r} of {KRATIX_GROUP} is not known here; there are Promise, "
                "Destination and GitStateStore."
            )
            raise InvalidInputError(Reason.UNKNOWN_KIND, message, ("kind",))


def _add(known: dict[str, T], name: str, thing: T, document: Document) -> None:
    if name in known:
        message = f"{document.data['kind']} {name} stands more than once; keep one."
        raise InvalidInputError(Reason.AMBIGUOUS_IDENTITY, message, ("metadata", "name"))
    known[name] = thing


def _refuse_document(inputs: Inputs, document: Document, error: InvalidInputError) -> None:
    where = document.where(error.field)
    group, kind, namespace, name = _identity(document)
    item = Item(
        namespace=namespace if name else "",
        promise="",
        name=name,
        state=State.REFUSED,
        reason=error.reason,
        message=f"{where}: {error.message}",
        source=where,
    )
    inputs.problems.append(item)
    inputs.refused.add((group, kind, namespace, name))
    inputs.complete = False
    if (group, kind) == (KRATIX_GROUP, _STORE):
        inputs.hidden_stores[name or where] = error


def _identity(document: Document) -> tuple[str, str, str, str]:
    """Return group, kind, namespace and name as far as a document has them, "" elsewhere."""
    data = document.data
    metadata = data.get("metadata")
    named: JsonObject = metadata if is_object(metadata) else {}
    group = str(data.get("apiVersion") or "").rpartition("/")[0]
    namespace, name = str(named.get("namespace") or "default"), str(named.get("name") or "")
    return group, str(data.get("kind") or ""), namespace, name


def _sort_loose(loose: Iterable[_Loose], inputs: Inputs) -> None:
    offered = {
        Kind(promise.api.group, promise.api.kind)
        for promise in inputs.promises.values()
        if promise.api is not None
    }
    groups = {kind.group for kind in offered}
    read: list[tuple[Submission, Document]] = []
    for one in loose:
        group, kind, namespace, name = _identity(one.document)
        if not one.found.named and not (kind and name):
            inputs.empty.append(one.document.where())
            inputs.complete = False  # a file that was cut off looks like this
            continue
        if not one.found.named and group not in groups:
            inputs.left_out[f"{group or 'core'}/{kind}"] += 1
            inputs.doubtful.add((namespace, name))
            continue
        try:
            request = ResourceRequest.parse(one.document.data)
            read.append((Submission(request, one.document, one.found.root), one.document))
        except InvalidInputError as error:
            _refuse_document(inputs, one.document, error)
    inputs.submissions = _unambiguous(read, inputs)


def _unambiguous(read: Iterable[tuple[Submission, Document]], inputs: Inputs) -> list[Submission]:
    """Refuse every document of an identity that stands more than once: which is meant?"""
    by_identity: dict[tuple[str, str, str, str], list[tuple[Submission, Document]]] = {}
    for submission, document in read:
        by_identity.setdefault(_identity(document), []).append((submission, document))
    for (_, kind, namespace, name), same in by_identity.items():
        if len(same) > 1:
            places = ", ".join(document.where() for _, document in same)
            message = f"{kind} {namespace}/{name} stands {len(same)} times: {places}. Keep one."
            for _, document in same:
                error = InvalidInputError(Reason.AMBIGUOUS_IDENTITY, message)
                _refuse_document(inputs, document, error)
    return [same[0][0] for same in by_identity.values() if len(same) == 1]


def _refuse_rivals(inputs: Inputs) -> None:
    """Leave out all Promises that offer one kind, or share a name: which of them is meant?"""
    for item in inputs.problems:
        if item.reason == Reason.AMBIGUOUS_IDENTITY:
            inputs.promises.pop(item.name, None)
    rivals: dict[Kind, list[str]] = {}
    for promise in inputs.promises.values():
        if promise.api is not None:
            kind = Kind(promise.api.group, promise.api.kind)
            rivals.setdefault(kind, []).append(promise.name)
    for kind, names in rivals.items():
        if len(names) > 1:
            message = (
                f"the Promises {', '.join(sorted(names))} all offer kind {kind.kind} of group "
                f"{kind.group}; none of them is used until one is left."
            )
            problem = InvalidInputError(Reason.AMBIGUOUS_IDENTITY, message)
            _refuse(inputs, problem, f"Promise {min(names)}")
            inputs.complete = False
            for name in names:
                del inputs.promises[name]


def _refuse_shared_places(inputs: Inputs) -> None:
    destinations = sorted(inputs.destinations.values(), key=lambda one: one.name)
    for index, second in enumerate(destinations):
        for first in destinations[:index]:
            error = same_place(first, second)
            if error is not None and second.name in inputs.destinations:
                del inputs.destinations[second.name]
                message = f"Destination {second.name} is left out: {error.message} ({first.name})."
                problem = InvalidInputError(Reason.INVALID_OBJECT, message)
                _refuse(inputs, problem, f"Destination {second.name}")
                inputs.complete = False

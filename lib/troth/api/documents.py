"""YAML in: documents that know their lines, read strictly.

JSON's data model only (no timestamps, no tags, text keys), numbers as the Go libraries of
Kubernetes read them, duplicate keys refused, and aliases that would expand without bound refused.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import yaml

from troth.api.json_values import Json, JsonObject, is_object, kind_of
from troth.api.yaml_loader import VALUES_LIMIT, StrictLoader
from troth.errors import InvalidInputError, Reason

__all__ = ["Document", "load_documents", "load_object", "load_values"]

# Levels of one document: the deepest CRDs have some 60, and recursion over it must never run out.
_DEPTH_LIMIT = 150
_SUSPICIOUS = 2000  # openings in one file; the composer bears ten times as many levels

# Whole numbers from here on lose digits in the Go libraries.
_NUMBER_LIMIT = 2**64


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its data, and where it came from.

    `source` is what messages call the file; `text` is the document's part of it, and `above` the
    number of lines before that. So a line is found when an error needs one, which is cheaper than
    keeping every line of ten thousand good documents.
    """

    data: JsonObject
    source: str
    text: str
    above: int

    def line(self, path: Sequence[str | int] = ()) -> int:
        """Return the line (from 1) of the value at `path`, or of what comes nearest above it."""
        node = next(iter(yaml.compose_all(self.text, Loader=yaml.CSafeLoader)), None)
        if node is None:
            return self.above + 1
        line = node.start_mark.line + 1
        for part in path:
            found = _child(node, part)
            if found is None:
                break
            line, node = found
        return self.above + line

    def where(self, path: Sequence[str | int] = ()) -> str:
        """Return ``file:line`` of the value at `path`."""
        return f"{self.source}:{self.line(path)}"


def _child(node: yaml.Node, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        child = node.value[part]
        return child.start_mark.line + 1, child
    return None


def load_documents(text: str, source: str) -> list[Document]:
    """Read every document of a file; empty ones are left out.

    Raises:
        InvalidInputError: it is no YAML, or holds what JSON could not (``file:line: ...``).
    """
    text = text.removeprefix("\ufeff")  # libyaml does not count a byte order mark
    documents: list[Document] = []
    values, starts = _load(text, source)
    for index, (data, start) in enumerate(zip(values, starts, strict=True)):
        if not is_object(data):
            message = f"a mapping is needed here, found {kind_of(data)}."
            raise InvalidInputError(Reason.INVALID_YAML, f"{source}:{start.line + 1}: {message}")
        end = starts[index + 1].offset if index + 1 < len(starts) else None
        documents.append(Document(data, source, text[start.offset : end], start.line))
    return documents


def load_values(text: str, source: str) -> list[Json]:
    """Read every document of a file, whatever its type. Raises as `load_documents`."""
    return _load(text, source)[0]


class _Start(NamedTuple):
    """Where a document's content begins: lines and characters before its first line."""

    line: int
    offset: int


def _load(text: str, source: str) -> tuple[list[Json], list[_Start]]:
    values: list[object] = []
    starts: list[_Start] = []
    _refuse_half_characters(text, source)
    _refuse_deep(text, source)
    loader = StrictLoader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            data = cast("object", loader.construct_document(node))
            if node is not None and data is not None:
                mark = node.start_mark
                values.append(data)
                starts.append(_Start(mark.line, mark.index - mark.column))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        raise _no_yaml(source, line, error.problem) from error
    except RecursionError as error:
        raise _too_deep(source) from error
    except (yaml.YAMLError, ValueError) as error:
        raise _no_yaml(source, 1, error) from error
    except (AttributeError, LookupError, TypeError) as error:
        # So PyYAML answers to a value that is not of the type its tag says.
        raise _no_yaml(source, 1, "a value does not fit its tag (`!!...`)") from error
    finally:
        loader.dispose()
    _refuse_foreign(values, source)
    return cast("list[Json]", values), starts


def _no_yaml(source: str, line: int, problem: object) -> InvalidInputError:
    message = f"{source}:{line}: this is no YAML we can read: {problem}."
    return InvalidInputError(Reason.INVALID_YAML, message)


def _refuse_half_characters(text: str, source: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise _no_yaml(source, line, "half a character stands here") from error


def _refuse_deep(text: str, source: str) -> None:
    """Refuse nesting that would exhaust the stack of the C composer, which no exception reports.

    The count of what may open a level is a bound on the depth; only where it is large is the
    depth itself worked out, from events, which need no stack.
    """
    if text.count("[") + text.count("{") + text.count("- -") + text.count("? ?") < _SUSPICIOUS:
        return
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEPTH_LIMIT:
                raise _too_deep(source)
    except yaml.YAMLError:
        return  # the loader will say what is wrong, and where


def load_object(text: str, source: str) -> JsonObject:
    """Read a file that holds one document. Raises InvalidInputError when it does not."""
    documents = load_documents(text, source)
    if len(documents) != 1:
        message = f"{source}: one YAML document is needed here, found {len(documents)}."
        raise InvalidInputError(Reason.INVALID_YAML, message)
    return documents[0].data


def _too_deep(source: str) -> InvalidInputError:
    message = f"{source}: this file is nested deeper than {_DEPTH_LIMIT} levels."
    return InvalidInputError(Reason.INVALID_YAML, message)


def _refuse_foreign(values: list[object], source: str) -> None:
    """Refuse what JSON does not have, and more values or levels than the limits allow.

    Goes level by level: an alias that holds itself comes to an end at one of the limits.
    """
    count, depth, level = len(values), 0, values
    while level:
        below: list[object] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(cast("dict[str, object]", value).values())
            elif isinstance(value, list):
                below.extend(cast("list[object]", value))
            elif not isinstance(value, str):
                _refuse_scalar(value, source)
            if count + len(below) > VALUES_LIMIT:
                message = f"{source}: this file expands to more than {VALUES_LIMIT} values."
                raise InvalidInputError(Reason.INVALID_YAML, message)
        count, depth, level = count + len(below), depth + 1, below
        if depth > _DEPTH_LIMIT:
            raise _too_deep(source)


def _refuse_scalar(value: object, source: str) -> None:
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, float):
        if math.isfinite(value):
            return
        problem = f"{value} is no number that JSON has; put it in quotes."
    elif isinstance(value, int):
        if abs(value) < _NUMBER_LIMIT:
            return
        problem = "a whole number of more than 64 bits loses digits; put it in quotes."
    else:
        problem = f"a value of type {type(value).__name__} has no place in a manifest."
    raise InvalidInputError(Reason.INVALID_YAML, f"{source}: {problem}")

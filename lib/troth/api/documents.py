"""YAML in and out: documents that know their lines, and one spelling for what we write.

Read: JSON's data model only (no timestamps, no tags, text keys), duplicate keys refused, and
aliases that would expand without bound refused. Written: a spelling that PyYAML and the Go
libraries of Kubernetes read alike.
"""

import math
import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import yaml

from troth.api.json_values import Json, JsonObject, is_object
from troth.errors import InvalidInputError, Reason

__all__ = ["Document", "dump_documents", "load_documents", "load_object", "load_values"]

# Values in one file, aliases expanded: an honest Promise has some thousands.
_VALUES_LIMIT = 500_000

# Text that go-yaml would read as a number or a boolean although PyYAML would not quote it.
_AMBIGUOUS = re.compile(
    r"[-+]?(\d[\d_]*)?\.?\d+([eE][-+]?\d+)?|[-+]?\d+\.?|0[oOxXbB][0-9a-fA-F_]+|[yYnN]|[-+]?\.\d.*"
)


class _Loader(yaml.CSafeLoader):
    """Safe and strict: duplicate keys are errors, timestamps stay text."""

    def construct_mapping(  # the signature is PyYAML's
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002  (as above)
    ) -> dict[Hashable, object]:
        self.flatten_mapping(node)
        mapping: dict[Hashable, object] = {}
        for key_node, value_node in node.value:
            if key_node.tag != "tag:yaml.org,2002:str":
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key_node.value!r} is no text; put it in quotes",
                    key_node.start_mark,
                )  # fmt: skip
            if key_node.value in mapping:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key_node.value!r} stands twice", key_node.start_mark
                )
            mapping[key_node.value] = self.construct_object(value_node, deep=deep)
        return mapping


def _construct_map(loader: _Loader, node: yaml.MappingNode) -> Iterator[dict[Hashable, object]]:
    mapping: dict[Hashable, object] = {}
    yield mapping
    mapping.update(loader.construct_mapping(node))


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_map)
_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


class _Dumper(yaml.CSafeDumper):
    """Block style, no aliases, ambiguous text quoted."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  (PyYAML's signature)
        return True


def _represent_text(dumper: yaml.CSafeDumper, data: str) -> yaml.ScalarNode:
    if "\n" in data and not any(line != line.rstrip() for line in data.split("\n")):
        return dumper.represent_scalar("tag:yaml.org,2002:str", data, style="|")
    style = "'" if _AMBIGUOUS.fullmatch(data) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _represent_text)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its data, and where it came from.

    `source` is what messages call the file; `text` and `index` let a line be found when an error
    needs one, which is cheaper than keeping every line of ten thousand good files.
    """

    data: JsonObject
    source: str
    text: str
    index: int

    def line(self, path: Sequence[str | int] = ()) -> int:
        """Return the line (from 1) of the value at `path`, or of what comes nearest above it."""
        node = _compose(self.text, self.index)
        line = node.start_mark.line + 1
        for part in path:
            found = _child(node, part)
            if found is None:
                break
            line, node = found
        return line

    def where(self, path: Sequence[str | int] = ()) -> str:
        """Return ``file:line`` of the value at `path`."""
        return f"{self.source}:{self.line(path)}"


def _compose(text: str, index: int) -> yaml.Node:
    nodes = cast("Iterator[yaml.Node | None]", yaml.compose_all(text, Loader=yaml.CSafeLoader))
    return [node for node in nodes if node is not None][index]


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
    documents: list[Document] = []
    for index, data in enumerate(load_values(text, source)):
        if not is_object(data):
            line = _compose(text, index).start_mark.line + 1
            message = f"{source}:{line}: a mapping is needed here, found {type(data).__name__}."
            raise InvalidInputError(Reason.INVALID_YAML, message)
        documents.append(Document(data, source, text, index))
    return documents


def load_values(text: str, source: str) -> list[Json]:
    """Read every document of a file, whatever its type. Raises as `load_documents`."""
    try:
        loaded = list(cast("Iterator[object]", yaml.load_all(text, Loader=_Loader)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark is not None else 1
        message = f"{source}:{line}: this is no YAML we can read: {error.problem}."
        raise InvalidInputError(Reason.INVALID_YAML, message) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        message = f"{source}:1: this is no YAML we can read: {error}."
        raise InvalidInputError(Reason.INVALID_YAML, message) from error
    values = [data for data in loaded if data is not None]
    budget = [_VALUES_LIMIT]
    for data in values:
        _refuse_foreign(data, budget, source)
    return cast("list[Json]", values)


def load_object(text: str, source: str) -> JsonObject:
    """Read a file that holds one document. Raises InvalidInputError when it does not."""
    documents = load_documents(text, source)
    if len(documents) != 1:
        message = f"{source}: one YAML document is needed here, found {len(documents)}."
        raise InvalidInputError(Reason.INVALID_YAML, message)
    return documents[0].data


def _refuse_foreign(value: object, budget: list[int], source: str) -> None:
    """Refuse what JSON does not have, and more values than `budget` (counted down) allows."""
    budget[0] -= 1
    if budget[0] < 0:
        message = f"{source}: this file expands to more than {_VALUES_LIMIT} values."
        raise InvalidInputError(Reason.INVALID_YAML, message)
    if isinstance(value, dict):
        for item in cast("dict[str, object]", value).values():
            _refuse_foreign(item, budget, source)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            _refuse_foreign(item, budget, source)
    elif isinstance(value, float) and not math.isfinite(value):
        message = f"{source}: {value} is no number that JSON has; put it in quotes."
        raise InvalidInputError(Reason.INVALID_YAML, message)
    elif value is not None and not isinstance(value, str | bool | int | float):
        message = f"{source}: a value of type {type(value).__name__} has no place in a manifest."
        raise InvalidInputError(Reason.INVALID_YAML, message)


# The order in which people read an object; other keys follow as they came.
_FIRST_KEYS = ("apiVersion", "kind", "metadata")


def _ordered(document: Json) -> Json:
    if not is_object(document):
        return document
    first = {key: document[key] for key in _FIRST_KEYS if key in document}
    return {**first, **document}


def dump_documents(documents: Sequence[Json]) -> bytes:
    """Spell documents as UTF-8 YAML, ``---`` between them; the same data, the same bytes."""
    ordered = [_ordered(document) for document in documents]
    text = yaml.dump_all(
        ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=4096,
        default_flow_style=False,
    )  # fmt: skip
    return text.encode()

"""Rendering: templates and variables in, Kubernetes objects out. What other packages call."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from troth.api import Document, Json, JsonObject, is_object, load_documents
from troth.errors import InvalidInputError, Reason
from troth.sdk.templates._compile import Compiler
from troth.sdk.templates._nodes import ListNode, MappingNode, Scope, Step, walk
from troth.sdk.templates._places import Place
from troth.sdk.templates._values import Budget, describe, in_order

__all__ = [
    "FileTemplates",
    "ValueTemplate",
    "read_files",
    "read_value",
    "render",
]

# A worker renders thousands of requests of few Promises, and compiling an expression takes 0.7 ms,
# seventy times as long as evaluating it.
_KEPT = 64

# `key: {{ x }}` or `- {{ x }}`, which YAML takes for a mapping in a mapping.
_NO_QUOTES = re.compile(r"^[ \t]*(-[ \t]+)*([^'\"\s#][^'\"\n]*:[ \t]+)?\{\{", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FileTemplates:
    """Templates of files: path → object, list of objects, or a form. `read_files` makes it."""

    names: frozenset[str]
    steps: tuple[Step, ...]

    def render(self, variables: Mapping[str, Json]) -> dict[str, list[JsonObject]]:
        """Make the objects of every file; a file without any is left out.

        Raises:
            InvalidInputError: an expression does not fit the variables, what comes out is no
                Kubernetes object, or two files have one path; template and line are named.
            ValueError: the variables are not those that the templates were read for.
        """
        scope, budget = _scope(variables, self.names), Budget()
        files: dict[str, list[JsonObject]] = {}
        for emit, seen in walk(self.steps, scope, budget):
            path = emit.key.render(seen, budget) if emit.key is not None else None
            if not isinstance(path, str):
                raise emit.place.error(f"a path has to be a text, found {describe(path)}")
            if path in files:
                raise emit.place.error(f"there is a file {path!r} already")
            documents = cast("ListNode", emit.value)  # as Compiler.files makes them
            files[path] = _objects(documents, seen, budget)
        return {path: objects for path, objects in files.items() if objects}


@dataclass(frozen=True, slots=True)
class ValueTemplate:
    """A template of one mapping, such as a status. `read_value` makes it."""

    names: frozenset[str]
    node: MappingNode

    def render(self, variables: Mapping[str, Json]) -> JsonObject:
        """Make the mapping. Raises as `FileTemplates.render`."""
        return self.node.render(_scope(variables, self.names), Budget())


@lru_cache(maxsize=_KEPT)
def read_files(text: str, source: str, names: frozenset[str]) -> FileTemplates:
    """Read templates of files, checking every expression and form of all of them.

    Args:
        text: YAML, a mapping of output path → template.
        source: what messages call it.
        names: the variables there will be.

    Raises:
        InvalidInputError: something is wrong with it; template and line are named.
    """
    [document] = _documents(text, source, single=True)
    return FileTemplates(names, Compiler().files(document.data, Place(document), names))


@lru_cache(maxsize=_KEPT)
def read_value(text: str, source: str, names: frozenset[str]) -> ValueTemplate:
    """Read a template of one mapping. Arguments and errors are those of `read_files`."""
    [document] = _documents(text, source, single=True)
    place = Place(document)
    return ValueTemplate(names, MappingNode(Compiler().fields(document.data, place, names), place))


@lru_cache(maxsize=_KEPT)
def _read_objects(text: str, source: str, names: frozenset[str]) -> tuple[ListNode, ...]:
    documents, compiler = _documents(text, source, single=False), Compiler()
    return tuple(compiler.items(one.data, Place(one), names) for one in documents)


def render(text: str, variables: Mapping[str, Json], source: str) -> list[JsonObject]:
    """Render templates of objects, one YAML document each (or a form, which may give several).

    Args:
        text: the templates.
        variables: what expressions may use; plain data.
        source: what messages call the templates, such as the name of their file.

    Raises:
        InvalidInputError: something is wrong with a template, or it does not fit the variables;
            line and expression are named.
    """
    names = frozenset(variables)
    nodes = _read_objects(text, source, names)
    scope, budget = _scope(variables, names), Budget()
    return [made for node in nodes for made in _objects(node, scope, budget)]


def _scope(variables: Mapping[str, Json], names: Collection[str]) -> Scope:
    if set(variables) != set(names):
        raise ValueError(f"the templates were read for {sorted(names)}, not {sorted(variables)}")
    return {name: in_order(value) for name, value in variables.items()}


def _objects(node: ListNode, scope: Scope, budget: Budget) -> list[JsonObject]:
    return [
        _object(emit.value.render(seen, budget), emit.place)
        for emit, seen in walk(node.steps, scope, budget)
    ]


def _object(made: Json, place: Place) -> JsonObject:
    """Return what was made, once it is known to be a Kubernetes object."""
    if not is_object(made):
        raise place.error(f"a Kubernetes object is needed here, found {describe(made)}")
    metadata = made.get("metadata")
    found = {
        "apiVersion": made.get("apiVersion"),
        "kind": made.get("kind"),
        "metadata.name": metadata.get("name") if is_object(metadata) else None,
    }
    for field, value in found.items():
        if not isinstance(value, str) or not value:
            raise place.error(
                f"a Kubernetes object needs {field}, a text; found {describe(value)}"
                + (", which is empty" if value == "" else "")
            )
    return made


def _documents(text: str, source: str, *, single: bool) -> list[Document]:
    try:
        documents = load_documents(text, source)
    except InvalidInputError as error:
        message = f"{error.message}{_hint(error.message, text)}"
        raise InvalidInputError(Reason.INVALID_TEMPLATE, message) from error
    if single and len(documents) != 1:
        message = f"{source}: one mapping is needed here, found {len(documents)} YAML documents."
        raise InvalidInputError(Reason.INVALID_TEMPLATE, message)
    return documents


def _hint(problem: str, text: str) -> str:
    if "'(" in problem and "stands twice" in problem:
        return " YAML has a key once in a mapping: write the other one as `(if not …)`."
    if _NO_QUOTES.search(text):
        return " A value that begins with '{{' has to stand in quotes."
    return ""

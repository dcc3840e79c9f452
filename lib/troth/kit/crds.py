"""Schemas of rendered objects, read from CustomResourceDefinitions, and what they find wrong.

Checked is what the API server's structural validation checks: unknown fields, types, patterns,
enums, bounds, what is required, lists whose items may not repeat. Formats are not, and CEL rules
are not evaluated; `Crds.has_rules` says where there are any.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

from troth.api import (
    Document,
    Fields,
    Json,
    JsonObject,
    RequestSchema,
    Violation,
    canonical,
    field_path,
    is_object,
    load_documents,
)
from troth.errors import InvalidInputError, Reason
from troth.local.files import walk

__all__ = ["Crds", "load_crds"]

_CRD = "CustomResourceDefinition"
_CRD_GROUP = "apiextensions.k8s.io/v1"
_OPEN: JsonObject = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


class _Version(NamedTuple):
    """What an object says of its type: apiVersion and kind."""

    api_version: str
    kind: str


@dataclass(frozen=True, slots=True)
class _Schema:
    """A schema of one version, and the CRD it stands in."""

    source: str
    raw: JsonObject
    ready: RequestSchema


class Crds:
    """The schemas of custom resources, by apiVersion and kind."""

    def __init__(self, schemas: Mapping[_Version, _Schema]) -> None:
        self._schemas = schemas

    def knows(self, manifest: JsonObject) -> bool:
        """Tell whether there is a schema for an object."""
        return _version_of(manifest) in self._schemas

    def has_rules(self, manifest: JsonObject) -> bool:
        """Tell whether an object's schema holds CEL rules, which are not evaluated here."""
        return self._schemas[_version_of(manifest)].ready.ignored_rules

    def violations(self, manifest: JsonObject) -> list[Violation]:
        """List what is wrong with an object that `knows` of.

        Raises:
            InvalidInputError: the CRD's schema is none.
        """
        schema = self._schemas[_version_of(manifest)]
        filled = schema.ready.fill(manifest)
        try:
            found = schema.ready.violations(filled)
        except InvalidInputError as error:
            raise error.about(schema.source) from error
        found = [Violation(one.field[1:], _unwrapped(one.message)) for one in found]
        return [*found, *_repeated(schema.raw, filled, ())]


def _version_of(manifest: JsonObject) -> _Version:
    return _Version(str(manifest.get("apiVersion")), str(manifest.get("kind")))


def _unwrapped(message: str) -> str:
    """Take out of a message what `_ready` put around the object."""
    return message.replace("spec.", "", 1) if message.startswith("spec.") else message


def load_crds(paths: Iterable[Path]) -> Crds:
    """Read every CustomResourceDefinition in files and folders.

    Raises:
        InvalidInputError: a path holds none, a file cannot be read, or two of them differ about
            one version of a kind.
    """
    schemas: dict[_Version, _Schema] = {}
    for path in paths:
        found = [one for document in _documents(path) for one in _schemas_in(document)]
        if not found:
            message = f"{path} holds no {_CRD} ({_CRD_GROUP})."
            raise InvalidInputError(Reason.INVALID_OBJECT, message)
        for version, schema in found:
            known = schemas.setdefault(version, schema)
            if canonical(known.raw) != canonical(schema.raw):
                message = (
                    f"{schema.source} and {known.source} have different schemas for "
                    f"{version.kind} of {version.api_version}; give one of them."
                )
                raise InvalidInputError(Reason.AMBIGUOUS_IDENTITY, message)
    return Crds(schemas)


def _documents(path: Path) -> list[Document]:
    walked = walk(path)
    if walked.problems:
        raise walked.problems[0]
    documents: list[Document] = []
    for found in walked.files:
        try:
            text = found.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            message = f"{found.path}: this file cannot be read: {why}."
            raise InvalidInputError(Reason.INVALID_OBJECT, message) from error
        documents += load_documents(text, str(found.path))
    return documents


def _schemas_in(document: Document) -> list[tuple[_Version, _Schema]]:
    data = document.data
    if (data.get("apiVersion"), data.get("kind")) != (_CRD_GROUP, _CRD):
        return []
    try:
        spec = Fields(data).section("spec")
        group, kind = spec.text("group"), spec.section("names").text("kind")
        found: list[tuple[_Version, _Schema]] = []
        for version in spec.items("versions"):
            raw = version.section("schema").mapping("openAPIV3Schema")
            schema = _Schema(document.where(), raw, _ready(raw))
            found.append((_Version(f"{group}/{version.text('name')}", kind), schema))
    except InvalidInputError as error:
        message = f"{document.where(error.field)}: {error.message}"
        raise InvalidInputError(error.reason, message) from error
    return found


def _ready(schema: JsonObject) -> RequestSchema:
    """Make the schema of a whole object ready: as that of a spec, which is what is validated.

    Every object has a type and metadata, of which a schema may say nothing, or that it is some
    object; the API server knows better what may stand in them.
    """
    known = Fields(schema).mapping("properties")
    metadata = {**_OPEN, **Fields(known).mapping("metadata")}
    own: dict[str, Json] = {"apiVersion": {}, "kind": {}, **known, "metadata": metadata}
    whole: JsonObject = {**schema, "properties": own} if schema else _OPEN
    return RequestSchema({"properties": {"spec": whole}})


def _repeated(schema: JsonObject, value: Json, at: tuple[str | int, ...]) -> list[Violation]:
    """Find items that stand twice in lists of the types ``set`` and ``map``."""
    found: list[Violation] = []
    if is_object(value):
        known, others = Fields(schema).mapping("properties"), schema.get("additionalProperties")
        for key, item in value.items():
            child = known.get(key, others)
            if is_object(child):
                found += _repeated(child, item, (*at, key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        seen: dict[bytes, int] = {}
        for index, item in enumerate(value):
            identity = _identity(schema, item)
            if identity is not None and seen.setdefault(identity, index) != index:
                text = f"{field_path((*at, index))}: it repeats item {seen[identity]} of the list"
                found.append(Violation((*at, index), text))
            child = schema.get("items")
            if is_object(child):
                found += _repeated(child, item, (*at, index))
    return found


def _identity(schema: JsonObject, item: Json) -> bytes | None:
    """Return what no other item of the list may have, None where items may repeat."""
    match schema.get("x-kubernetes-list-type"):
        case "set":
            return canonical(item)
        case "map" if is_object(item):
            keys = cast("Sequence[str]", schema.get("x-kubernetes-list-map-keys") or ())
            return canonical([item.get(key) for key in keys])
        case _:
            return None

"""What an API server would say of an object: the schemas of custom resources, CEL rules included.

The resources stand in tests/data/gateway-api. Structure is judged by troth's own validator of
structural schemas; rules over an earlier object (oldSelf) are passed over. Sources: apiextensions-
apiserver ``pkg/apiserver/schema`` and, of the names in rules, ``cel/model/schemas.go``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import cel
from support.workspace import ROOT

from troth.api import (
    Fields,
    Json,
    JsonObject,
    RequestSchema,
    canonical,
    field_path,
    is_object,
    load_documents,
)
from troth.api.names import dns_label_problem, dns_subdomain_problem

__all__ = ["CrdSchema", "defaulted", "is_known", "problems"]

_FOLDER = ROOT / "tests/data/gateway-api"
_RULES = "x-kubernetes-validations"
_OPEN: JsonObject = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_OLD = re.compile(r"\b(optionalOldSelf|oldSelf)\b")

# Words that CEL keeps for itself: a rule spells a property of that name between underscores.
_RESERVED = frozenset(
    {
        "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import",
        "in", "let", "loop", "namespace", "null", "package", "return", "true", "var", "void",
        "while",
    }
)  # fmt: skip
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}

_Path = tuple[str | int, ...]


@dataclass(frozen=True)
class CrdSchema:
    """The schema of one version of a custom resource."""

    root: JsonObject

    def defaulted(self, manifest: JsonObject) -> JsonObject:
        """Return the object as the API server would store it; a status is for controllers."""
        stored = self._structure.fill(manifest)
        if "status" in manifest:
            return stored
        return {key: value for key, value in stored.items() if key != "status"}

    def problems(self, manifest: JsonObject) -> list[str]:
        """List what the API server would refuse the object for, after its defaults."""
        stored = self.defaulted(manifest)
        structural = [
            f"{field_path(violation.field[1:])}: {violation.message}"
            for violation in self._structure.violations(stored)
        ]
        # Rules are evaluated only on what has the right shape.
        return [
            *_name_problems(manifest),
            *structural,
            *_list_problems(self.root, stored, ()),
            *([] if structural else _rule_problems(self.root, stored, ())),
        ]

    @cached_property
    def _structure(self) -> RequestSchema:
        properties = Fields(self.root).mapping("properties")
        opened: JsonObject = {**self.root, "properties": {**properties, "metadata": _OPEN}}
        return RequestSchema({"type": "object", "properties": {"spec": opened}})


def is_known(manifest: JsonObject) -> bool:
    """Tell whether there is a schema for an object."""
    return (manifest["apiVersion"], manifest["kind"]) in _schemas(_FOLDER)


def problems(manifest: JsonObject) -> list[str]:
    """List what an API server would refuse an object for. Raises KeyError without a schema."""
    return _schema_of(manifest).problems(manifest)


def defaulted(manifest: JsonObject) -> JsonObject:
    """Return an object as an API server would store it. Raises KeyError without a schema."""
    return _schema_of(manifest).defaulted(manifest)


def _schema_of(manifest: JsonObject) -> CrdSchema:
    return _schemas(_FOLDER)[manifest["apiVersion"], manifest["kind"]]


@cache
def _schemas(folder: Path) -> Mapping[tuple[Json, Json], CrdSchema]:
    """Read the resources, by version with its group, and kind."""
    found: dict[tuple[Json, Json], CrdSchema] = {}
    for path in sorted(folder.glob("*.yaml")):
        for document in load_documents(path.read_text(encoding="utf-8"), path.name):
            spec = Fields(document.data).section("spec")
            kind = spec.section("names").text("kind")
            for version in spec.items("versions"):
                name = f"{spec.text('group')}/{version.text('name')}"
                if version.flag("served", default=False):
                    root = version.section("schema").mapping("openAPIV3Schema")
                    found[name, kind] = CrdSchema(root)
    return found


def _name_problems(manifest: JsonObject) -> Iterator[str]:
    metadata = Fields(manifest).section("metadata")
    if problem := dns_subdomain_problem(metadata.text("name", "")):
        yield f"metadata.name: {problem}"
    if problem := dns_label_problem(metadata.text("namespace", "")):
        yield f"metadata.namespace: {problem}"


def _children(
    schema: JsonObject, value: Json, at: _Path
) -> Iterator[tuple[JsonObject, Json, _Path]]:
    """Yield the schema, the value and the place of each part that has a schema."""
    items, others = schema.get("items"), schema.get("additionalProperties")
    known = Fields(schema).mapping("properties")
    if is_object(value):
        for key, child in value.items():
            child_schema = known.get(key, others)
            if is_object(child_schema):
                yield child_schema, child, (*at, key)
    elif is_object(items):
        for index, child in enumerate(_items(value)):
            yield items, child, (*at, index)


def _items(value: Json) -> Sequence[Json]:
    """Return the items of a list, none of anything else."""
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _list_problems(schema: JsonObject, value: Json, at: _Path) -> Iterator[str]:
    """Yield the items that lists of the types map and set hold twice."""
    kind = schema.get("x-kubernetes-list-type")
    if kind in {"map", "set"}:
        keys = Fields(schema).texts("x-kubernetes-list-map-keys")
        seen: set[bytes] = set()
        for index, item in enumerate(_items(value)):
            identity = [item.get(key) for key in keys] if is_object(item) else item
            spelled = canonical(identity)
            if spelled in seen:
                yield f"{field_path((*at, index))}: duplicate of an earlier item"
            seen.add(spelled)
    for child_schema, child, place in _children(schema, value, at):
        yield from _list_problems(child_schema, child, place)


def _rule_problems(schema: JsonObject, value: Json, at: _Path) -> Iterator[str]:
    """Yield the rules that do not hold, from the root down."""
    for rule in Fields(schema).items(_RULES):
        text = rule.text("rule")
        if not _OLD.search(text) and not _holds(text, _for_rules(schema, value)):
            yield f"{field_path(at)}: {rule.text('message', text)}"
    for child_schema, child, place in _children(schema, value, at):
        yield from _rule_problems(child_schema, child, place)


def _holds(rule: str, value: object) -> bool:
    """Evaluate a rule; one that reads a field that is not there does not hold."""
    context = cel.Context(variables={"self": value}, functions={"split": _split})
    try:
        return _program(rule).execute(context) is True
    except KeyError:
        return False


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator)


@cache
def _program(rule: str) -> cel.Program:
    return cel.compile(rule)


def _for_rules(schema: JsonObject, value: Json) -> object:
    """Return a value with its properties named as rules name them; keys of maps stay."""
    items, others = schema.get("items"), schema.get("additionalProperties")
    known = Fields(schema).mapping("properties")
    if is_object(value):
        named: dict[str, object] = {}
        for key, child in value.items():
            own = known.get(key)
            if is_object(own):
                named[_escaped(key)] = _for_rules(own, child)
            else:
                named[key] = _for_rules(others, child) if is_object(others) else child
        return named
    if isinstance(value, list):
        inner: JsonObject = items if is_object(items) else {}
        return [_for_rules(inner, child) for child in _items(value)]
    return value


def _escaped(name: str) -> str:
    if name in _RESERVED:
        return f"__{name}__"
    return re.sub(r"__|[./-]", lambda match: _ESCAPES[match[0]], name)

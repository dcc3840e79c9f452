"""The YAML loader: PyYAML's safe one, made strict, with numbers as the Go libraries read them.

It builds values from nodes; what JSON does not have, and nesting, is refused by
`troth.api.documents`, which alone calls it.
"""

import re
from collections.abc import Hashable, Iterable, Iterator

import yaml

__all__ = ["VALUES_LIMIT", "StrictLoader"]

VALUES_LIMIT = 500_000
"""Values in one file, aliases expanded: an honest Promise has some thousands."""

_TEXT, _MERGE, _INT, _FLOAT = (
    f"tag:yaml.org,2002:{name}" for name in ("str", "merge", "int", "float")
)


class StrictLoader(yaml.CSafeLoader):
    """Safe and strict: duplicate keys are errors, timestamps and sexagesimals stay text."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._known: dict[yaml.Node, dict[str, yaml.Node]] = {}
        self._inherited = 0

    def construct_mapping(  # the signature is PyYAML's
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002  (as above)
    ) -> dict[Hashable, object]:
        """The mapping with merge keys taken in; a key that is no text or stands twice raises."""
        mapping: dict[Hashable, object] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            if key_node.tag != _TEXT:
                if key_node.tag != _MERGE:
                    raise _unreadable(f"{_spell(key_node)} is no text; put it in quotes", key_node)
                merged.append(value_node)
                continue
            if key_node.value in mapping:
                raise _unreadable(f"{_spell(key_node)} stands twice", key_node)
            mapping[key_node.value] = self.construct_object(value_node, deep=deep)
        if merged:
            for key, value_node in self._merge(merged).items():
                if key not in mapping:
                    mapping[key] = self.construct_object(value_node, deep=deep)
        return mapping

    def _merge(self, sources: Iterable[yaml.Node]) -> dict[str, yaml.Node]:
        """Return the fields that ``<<`` brings; the first source to have a field wins."""
        found: dict[str, yaml.Node] = {}
        for source in sources:
            for one in source.value if isinstance(source, yaml.SequenceNode) else [source]:
                if not isinstance(one, yaml.MappingNode):
                    raise _unreadable("'<<' takes a mapping or a list of mappings", one)
                for key, value in self._fields(one).items():
                    found.setdefault(key, value)
                self._inherited += len(found)
                if self._inherited > VALUES_LIMIT:
                    raise _unreadable(f"'<<' brings more than {VALUES_LIMIT} values", one)
        return found

    def _fields(self, node: yaml.MappingNode) -> dict[str, yaml.Node]:
        """Return the fields of a mapping that is merged into another, worked out once."""
        if node not in self._known:
            self._known[node] = {}  # so that one which merges itself comes to an end
            own = {key.value: value for key, value in node.value if key.tag == _TEXT}
            merged = self._merge(value for key, value in node.value if key.tag == _MERGE)
            self._known[node] = {**merged, **own}
        return self._known[node]


def _unreadable(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _spell(key: yaml.Node) -> str:
    return f"the key {key.value[:60]!r}" if isinstance(key, yaml.ScalarNode) else "this key"


def _construct_map(
    loader: StrictLoader, node: yaml.MappingNode
) -> Iterator[dict[Hashable, object]]:
    mapping: dict[Hashable, object] = {}
    yield mapping
    mapping.update(loader.construct_mapping(node))


StrictLoader.add_constructor("tag:yaml.org,2002:map", _construct_map)
StrictLoader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0].rpartition(":")[2] in {"bool", "null", "merge"}]
    for first, pairs in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
StrictLoader.add_implicit_resolver(
    _INT,
    re.compile(r"[-+]?(0b_*[01][01_]*|0x_*[0-9a-fA-F][0-9a-fA-F_]*|0o?[0-7_]*|[1-9][0-9_]*)$"),
    list("-+0123456789"),
)
StrictLoader.add_implicit_resolver(
    _FLOAT,
    re.compile(
        r"[-+]?((\d[\d_]*\.[\d_]*|\.\d[\d_]*)([eE][-+]?\d+)?|\d[\d_]*[eE][-+]?\d+)$"
        r"|[-+]?\.(inf|Inf|INF)$|\.(nan|NaN|NAN)$",
        re.ASCII,
    ),
    list("-+.0123456789"),
)

"""YAML out: one spelling for what we write, that PyYAML and the Go libraries read alike.

Block style, keys in the order given, and quotes around every text that one of the readers would
take for something else. Source of the Go rules: go-yaml ``resolve.go`` (v2 and v3).
"""

import re
from collections.abc import Sequence

import yaml

from troth.api.json_values import Json, is_object

__all__ = ["dump_documents"]

_TEXT = "tag:yaml.org,2002:str"

# What the Go libraries read as a number, once underscores are taken out; PyYAML knows less.
_NUMBER_LIKE = re.compile(
    r"[-+]?((\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)"
)
_DATE_LIKE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?")
_NUMBER_STARTS = frozenset("+-.0123456789")
_BOOLEANS = frozenset("yYnN")

# Line ends of YAML 1.1 that 1.2 takes for plain characters.
_OLD_LINE_ENDS = re.compile("[\x85\u2028\u2029]")


class _Dumper(yaml.CSafeDumper):
    """Block style, no aliases, ambiguous text quoted."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  (PyYAML's signature)
        return True


def _represent_text(dumper: yaml.CSafeDumper, data: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(_TEXT, data, style=_style(data))


def _style(text: str) -> str | None:
    """Return how to write a text, None where PyYAML knows best."""
    if "\n" in text:
        plain = text[0] not in " \n" and not text.endswith("\n\n")
        tidy = plain and all(line == line.rstrip() for line in text.split("\n"))
        return "|" if tidy else '"'
    if text[:1] in _NUMBER_STARTS:
        number = _NUMBER_LIKE.fullmatch(text.replace("_", ""))
        return "'" if number or _DATE_LIKE.fullmatch(text) else None
    if text in _BOOLEANS:
        return "'"
    return None if text.isascii() or not _OLD_LINE_ENDS.search(text) else '"'


_Dumper.add_representer(str, _represent_text)


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

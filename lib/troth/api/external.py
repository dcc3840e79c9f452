"""External objects: what a Promise's output may refer to although no request makes it.

Annotation ``troth.dev/external`` of a Promise, a YAML list such as
``[{kind: Gateway, namespace: infra, name: shared}]``. A field that is left out may be anything.
"""

from dataclasses import dataclass

from troth.api.documents import load_values
from troth.api.json_values import Fields
from troth.api.labels import EXTERNAL
from troth.api.names import dns_label_problem, dns_subdomain_problem
from troth.errors import InvalidInputError

__all__ = ["External"]


@dataclass(frozen=True, slots=True)
class _Entry:
    """Objects of a kind; None means any."""

    kind: str
    group: str | None
    namespace: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class External:
    """What exists without any request."""

    entries: tuple[_Entry, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "External":
        """Read the annotation.

        Raises:
            InvalidInputError: it is no list of objects; annotation and field are named.
        """
        values = load_values(text, EXTERNAL)
        fields = Fields({EXTERNAL: values[0] if values else None}, ("metadata", "annotations"))
        if len(values) > 1:
            raise fields.error(EXTERNAL, "one list is needed here, found several documents.")
        return cls(tuple(_entry(item) for item in fields.items(EXTERNAL)))

    def covers(self, group: str, kind: str, namespace: str, name: str) -> bool:
        """Tell whether an object is among them."""
        return any(
            entry.kind == kind
            and entry.group in {None, group}
            and entry.namespace in {None, namespace}
            and entry.name in {None, name}
            for entry in self.entries
        )


def _entry(fields: Fields) -> _Entry:
    fields.refuse_unknown({"group", "kind", "name", "namespace"}, "an external object")
    namespace, name = _optional(fields, "namespace"), _optional(fields, "name")
    if namespace is not None and (problem := dns_label_problem(namespace)):
        raise _named(fields, "namespace", problem)
    if name is not None and (problem := dns_subdomain_problem(name)):
        raise _named(fields, "name", problem)
    group = fields.text("group", "") if fields.has("group") else None
    return _Entry(fields.text("kind"), group, namespace, name)


def _optional(fields: Fields, name: str) -> str | None:
    return fields.text(name) if fields.has(name) else None


def _named(fields: Fields, name: str, problem: str) -> InvalidInputError:
    return fields.error(name, f"{problem}; leave the field out where any will do.")

"""Whose the objects are and what they attach to: names, labels, the parent."""

import hashlib
from dataclasses import dataclass

from troth.api import Json, JsonObject
from troth_pipelines.gateway.objects import AGGREGATOR, GATEWAY_GROUP
from troth_pipelines.stages.api_aggregator_target._model import AggregatorRef, Parent

__all__ = ["Attachment", "Identity"]

_TARGET = "marketplace.troth.dev/target"
_NAME_LIMIT = 253  # characters, RFC 1123
_LABEL_LIMIT = 63  # characters
_HASH_LENGTH = 8  # hex digits that tell cut names apart


@dataclass(frozen=True, slots=True)
class Attachment:
    """The Gateway or ListenerSet that the routes attach to; `section` is one of its listeners."""

    kind: str
    namespace: str
    name: str
    section: str | None

    @classmethod
    def of(cls, aggregator: AggregatorRef) -> "Attachment":
        """Say what an aggregator's routes attach to: its own Gateway, if nothing else is said."""
        parent = aggregator.parent or Parent()
        return cls(
            kind=parent.kind,
            namespace=parent.namespace or aggregator.namespace,
            name=parent.name or aggregator.name,
            section=parent.section_name,
        )

    def summary(self) -> dict[str, Json]:
        """Return it as the status tells it."""
        found: dict[str, Json] = {
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
        }
        return found if self.section is None else {**found, "sectionName": self.section}

    def reference(self) -> JsonObject:
        """Return it as a parentRef, the API's default written out."""
        return {"group": GATEWAY_GROUP, **self.summary()}


@dataclass(frozen=True, slots=True)
class Identity:
    """A target: its request, and the aggregator it is for."""

    name: str
    namespace: str
    aggregator: AggregatorRef

    @property
    def parent(self) -> Attachment:
        """What the routes attach to."""
        return Attachment.of(self.aggregator)

    def route_name(self, suffix: str) -> str:
        """Name an HTTPRoute: claims, claims-2, claims-h2."""
        return _bounded(self.name, _NAME_LIMIT - len(suffix)) + suffix

    def grant_name(self, service: str) -> str:
        """Name the ReferenceGrant to a Service: <own namespace>.<target>.<service>.

        Neither namespaces nor Services have dots, so no two targets share a name.
        """
        target = _bounded(self.name, _NAME_LIMIT - len(self.namespace) - len(service) - 2)
        return f"{self.namespace}.{target}.{service}"

    def metadata(self, name: str, namespace: str | None = None) -> JsonObject:
        """Return the metadata of an object, by default in the request's namespace."""
        labels: dict[str, Json] = {
            "app.kubernetes.io/managed-by": "troth",
            AGGREGATOR: self.aggregator.name,
            _TARGET: _bounded(self.name, _LABEL_LIMIT),
        }
        return {"name": name, "namespace": namespace or self.namespace, "labels": labels}


def _bounded(name: str, limit: int) -> str:
    """Return a name that fits, cut and told apart by a hash where it is too long."""
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{name[: limit - _HASH_LENGTH - 1].rstrip('-.')}-{digest}"

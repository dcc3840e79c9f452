"""Where the aggregator's objects live, what they are called, and by what they are found."""

from dataclasses import dataclass
from typing import Literal

from troth.api import Fields, Json, JsonObject
from troth.api.names import dns_label_problem
from troth.errors import Reason
from troth_pipelines.gateway.objects import AGGREGATOR, GATEWAY_GROUP

__all__ = ["Home"]


@dataclass(frozen=True, slots=True)
class Home:
    """Name and namespace of the request, and the kind of the object that holds its listeners."""

    name: str
    namespace: str
    kind: Literal["Gateway", "ListenerSet"]

    def check(self) -> None:
        """Refuse a name that no Gateway can have.

        Implementations copy it into labels and into names of Services (GEP-1762), which are one
        DNS label each. Raises InvalidInputError.
        """
        fields = Fields({}, ("metadata",), Reason.INVALID_NAME)
        for field, value in (("name", self.name), ("namespace", self.namespace)):
            if problem := dns_label_problem(value):
                raise fields.error(field, f"{problem}.")

    def metadata(self, name: str | None = None) -> dict[str, Json]:
        """Return the metadata of an object of this request, called as the request without `name`.

        The label is how everything of one aggregator is found.
        """
        return {
            "name": name or self.name,
            "namespace": self.namespace,
            "labels": {"app.kubernetes.io/managed-by": "troth", AGGREGATOR: self.name},
        }

    def reference(self) -> dict[str, Json]:
        """Return how a policy refers to the object that holds the listeners."""
        return {"group": GATEWAY_GROUP, "kind": self.kind, "name": self.name}

    def parent(self, section: str) -> JsonObject:
        """Return how a route attaches to one listener."""
        return {**self.reference(), "namespace": self.namespace, "sectionName": section}

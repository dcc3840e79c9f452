"""A CustomResourceDefinition of the group platform.kratix.io, put together from its parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from troth.api.crds._schema import Schema, record, text
from troth.api.json_values import Json, JsonObject
from troth.api.labels import KRATIX_GROUP, KRATIX_VERSION

__all__ = ["READY", "Column", "Definition"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of ``kubectl get``."""

    name: str
    path: str
    kind: str = "string"

    def spell(self) -> JsonObject:
        """Return it as a CRD has it."""
        return {"name": self.name, "type": self.kind, "jsonPath": self.path}


READY = Column("Ready", '.status.conditions[?(@.type=="Ready")].status')


@dataclass(frozen=True, slots=True)
class Definition:
    """What a kind has that others have not.

    `fields` are those of the object beside apiVersion, kind and metadata. The category is not
    ``troth``: that one is the requests', who are watched by it.
    """

    kind: str
    plural: str
    about: str
    fields: Mapping[str, Schema]
    scope: str = "Cluster"
    columns: Sequence[Column] = ()
    short_names: Sequence[str] = ()
    categories: Sequence[str] = ("kratix",)
    required: Sequence[str] = ()
    rules: Sequence[Schema] = ()
    selectable: Sequence[str] = ()
    metadata: Schema = field(default_factory=lambda: record({}))

    def crd(self) -> JsonObject:
        """Return the CustomResourceDefinition."""
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{self.plural}.{KRATIX_GROUP}"},
            "spec": {
                "group": KRATIX_GROUP,
                "scope": self.scope,
                "names": self._names(),
                "versions": [self._version()],
            },
        }

    def _names(self) -> JsonObject:
        names: dict[str, Json] = {
            "kind": self.kind,
            "listKind": f"{self.kind}List",
            "plural": self.plural,
            "singular": self.kind.lower(),
        }
        if self.short_names:
            names["shortNames"] = list(self.short_names)
        if self.categories:
            names["categories"] = list(self.categories)
        return names

    def _version(self) -> JsonObject:
        version: dict[str, Json] = {"name": KRATIX_VERSION, "served": True, "storage": True}
        if "status" in self.fields:
            version["subresources"] = {"status": {}}
        if self.columns:
            version["additionalPrinterColumns"] = [column.spell() for column in self.columns]
        if self.selectable:
            version["selectableFields"] = [{"jsonPath": path} for path in self.selectable]
        version["schema"] = {
            "openAPIV3Schema": record(
                {"apiVersion": text(), "kind": text(), "metadata": self.metadata, **self.fields},
                self.about,
                required=self.required,
                rules=self.rules,
            )
        }
        return version

"""The CRD that a Promise installs: its author's, with what a controller has to write added.

Source of what is added: Kratix's own (message, counts, conditions, ``kratix``, the columns
``message`` and ``status``, the label, names of at most 63 characters), so that what reads such
objects reads ours. Unlike Kratix's, nothing of the author's is taken away for it: columns, scale,
and the fields that the author gave the status stay.
"""

from collections.abc import Sequence

from troth.api.crds._schema import OPEN, Schema, conditions, listing, record, text, whole
from troth.api.json_values import Fields, Json, JsonObject, is_object
from troth.api.labels import PROMISE_NAME
from troth.api.promise import Promise
from troth.errors import InvalidInputError, Reason

__all__ = ["CATEGORY", "installed_crd"]

# All kinds of requests have it: what is watched, and what `kubectl get troth` shows.
CATEGORY = "troth"

# Names become values of labels, which have no more characters.
_NAME_LENGTH = 63

_AGE: JsonObject = {"name": "age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
_COLUMNS: tuple[JsonObject, ...] = (
    {"name": "message", "type": "string", "jsonPath": ".status.message"},
    {
        "name": "status",
        "type": "string",
        "jsonPath": '.status.conditions[?(@.type=="Reconciled")].message',
    },
    {"name": "commit", "type": "string", "jsonPath": ".status.troth.commit", "priority": 1},
    _AGE,
)


def installed_crd(promise: Promise) -> JsonObject:
    """Return the CRD that is installed for a Promise.

    It is made of the author's alone, so it is the same every time, and made of itself it is
    itself. What the author says of the status as a whole (``required`` and the like) is left out:
    a status is written in steps, and the first of them could not be.

    Raises:
        InvalidInputError: the Promise has no API, or one whose parts are not what they should be.
    """
    api = Fields(promise.raw, reason=Reason.PROMISE_INVALID).section("spec").section("api")
    if not api.raw:
        message = f"The Promise {promise.name} has no spec.api: it installs no CRD."
        raise InvalidInputError(Reason.PROMISE_INVALID, message)
    metadata, spec = api.section("metadata"), api.section("spec")
    kept: dict[str, Json] = {
        "name": metadata.text("name"),
        "labels": {**metadata.string_map("labels"), PROMISE_NAME: promise.name},
    }
    if metadata.has("annotations"):
        kept["annotations"] = metadata.mapping("annotations")
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": kept,
        "spec": {
            **spec.raw,
            "scope": "Namespaced",
            "names": _names(spec.section("names")),
            "versions": [_version(version) for version in spec.items("versions")],
        },
    }


def _names(names: Fields) -> JsonObject:
    categories = list(dict.fromkeys((*names.texts("categories"), CATEGORY)))
    return {**names.raw, "categories": categories}


def _version(version: Fields) -> JsonObject:
    subresources: dict[str, Json] = {**version.mapping("subresources"), "status": {}}
    columns: Sequence[Json] = [item.raw for item in version.items("additionalPrinterColumns")]
    return {
        **version.raw,
        "subresources": subresources,
        "additionalPrinterColumns": columns or list(_COLUMNS),
        "schema": {"openAPIV3Schema": _schema(version.section("schema"))},
    }


def _schema(given: Fields) -> JsonObject:
    root = given.section("openAPIV3Schema")
    schema: JsonObject = root.raw or {"type": "object", **OPEN}
    properties = dict(root.mapping("properties"))
    properties["metadata"] = _metadata(root.section("properties").section("metadata"))
    properties["status"] = _status(root.section("properties").section("status"))
    return {**schema, "properties": properties}


def _metadata(given: Fields) -> Schema:
    name = dict(given.section("properties").mapping("name"))
    length = name.get("maxLength")
    bound = min(length, _NAME_LENGTH) if isinstance(length, int) else _NAME_LENGTH
    named: Schema = {"type": "string", **name, "maxLength": bound}
    properties = {**given.mapping("properties"), "name": named}
    return {"type": "object", **given.raw, "properties": properties}


def _status(given: Fields) -> Schema:
    about = given.text("description", "")
    own = {name: item for name, item in given.mapping("properties").items() if is_object(item)}
    return record({**own, **_written()}, about, more=OPEN)


def _written() -> dict[str, Schema]:
    """Return the fields that a controller writes, which mean the same in every kind."""
    pipeline = {
        "name": text(),
        "phase": text(),
        "message": text(),
        "nextRetryAt": text(),
        "attempts": whole(),
        "lastTransitionTime": text(),
    }
    workflows = {
        "lastSuccessfulConfigureWorkflowTime": text(),
        "pipelines": listing(record(pipeline)),
        "suspendedGeneration": whole(),
    }
    return {
        "message": text(),
        "observedGeneration": whole(),
        "workflows": whole(),
        "workflowsSucceeded": whole(),
        "workflowsFailed": whole(),
        "conditions": conditions(of_stages=True),
        "kratix": record({"workflows": record(workflows)}),
        "troth": record({}, more=OPEN),
    }

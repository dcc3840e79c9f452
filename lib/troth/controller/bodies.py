"""Objects as the API server gives them, and what is made of them here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from troth.api import JsonObject, Promise, ResourceRequest
from troth.engine import ObjectVersion, Submission

__all__ = ["CLUSTER", "as_plain", "is_leaving", "promise_in", "request_in", "what_was_asked"]

CLUSTER = "cluster"
"""What records name as the place that objects of a cluster were read from."""

# Of the metadata, all that anybody asked for; the rest is the server's.
_ASKED = ("name", "namespace", "labels", "annotations")


@dataclass(frozen=True, slots=True)
class _InCluster:
    """Where an object was read from: a cluster, whose objects have no lines."""

    named: str

    def where(self, path: Sequence[str | int] = ()) -> str:
        return f"{self.named}: {'.'.join(map(str, path))}" if path else self.named


def as_plain(mapping: Mapping[str, Any]) -> JsonObject:
    """Return a mapping of kopf's, which is a view with views in it, as plain values."""
    return cast("JsonObject", json.loads(json.dumps(mapping, default=dict)))


def what_was_asked(body: Mapping[str, Any]) -> JsonObject:
    """Return what somebody asked for of an object; what the server keeps is left out."""
    metadata = body["metadata"]
    asked = {name: metadata[name] for name in _ASKED if name in metadata}
    kind = {"apiVersion": body["apiVersion"], "kind": body["kind"]}
    return as_plain({**kind, "metadata": asked, "spec": body.get("spec") or {}})


def is_leaving(body: Mapping[str, Any]) -> bool:
    """Tell whether somebody has asked for an object to be deleted."""
    return bool(body["metadata"].get("deletionTimestamp"))


def request_in(body: Mapping[str, Any]) -> Submission:
    """Return a request. Raises InvalidInputError."""
    request = ResourceRequest.parse(what_was_asked(body))
    return Submission(request, _place(body), CLUSTER, _version(body))


def promise_in(promise: Promise, body: Mapping[str, Any]) -> Submission:
    """Return a Promise, for what it renders itself."""
    request = ResourceRequest.of_promise(promise)
    return Submission(request, _place(body), CLUSTER, _version(body))


def _place(body: Mapping[str, Any]) -> _InCluster:
    metadata = body["metadata"]
    inside = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return _InCluster(f"{body['kind']} {inside}{metadata['name']}")


def _version(body: Mapping[str, Any]) -> ObjectVersion:
    metadata = body["metadata"]
    return ObjectVersion(
        str(metadata["uid"]), int(metadata["generation"]), str(metadata["creationTimestamp"])
    )

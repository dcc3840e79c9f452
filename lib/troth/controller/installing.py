"""The CRD that a Promise brings: installed, removed, and what is asked for in between."""

import time
from dataclasses import replace

from troth.api import Fields, JsonObject, Promise, is_object
from troth.api.crds import installed_crd
from troth.api.labels import PROMISE_NAME
from troth.controller.cluster import Cluster, Place, place_of_requests
from troth.errors import Reason, TransientError

__all__ = ["ask_requests_to_go", "crd_of", "install_crd", "remove_crd"]

_CRDS = Place("apiextensions.k8s.io", "v1", "customresourcedefinitions")

_OFFERED = "troth.dev/offered-generation"

# Seconds: until a CRD is served, and between two looks at it.
_ESTABLISHED, _LOOK = 30.0, 0.1


def install_crd(cluster: Cluster, promise: Promise) -> None:
    """Install the CRD of a Promise, if it has one, and wait until it is served.

    Raises:
        TransientError: it is not served in time, or the API server does not answer.
        PermanentError: the Promise's API is wrong, or the API server refuses it.
    """
    kind = place_of_requests(promise)
    if kind is None:
        return
    before = _seen(cluster.read(_CRDS, _name(promise)) or {})
    there = cluster.apply(_CRDS, _noting(promise, before))
    until = time.monotonic() + _ESTABLISHED
    while not (_is_established(there) and cluster.knows(kind)):
        if time.monotonic() > until:
            message = f"the CRD {_name(promise)} is not served yet."
            raise TransientError(Reason.CLUSTER_UNREACHABLE, message)
        time.sleep(_LOOK)
        there = cluster.read(_CRDS, _name(promise)) or {}
    # Kopf looks for new kinds when a CRD changes, and the API server may name them only after the
    # last change of its own: so there is one more, once it does.
    now = str(Fields(there).section("metadata").raw.get("generation"))
    if before != now:
        cluster.apply(_CRDS, _noting(promise, now))


def remove_crd(cluster: Cluster, promise: Promise) -> None:
    """Remove the CRD of a Promise. Raises as `Cluster.apply`."""
    if promise.api is not None:
        cluster.delete(_CRDS, _name(promise))


def ask_requests_to_go(cluster: Cluster, promise: Promise) -> int:
    """Ask for all requests of a Promise to be deleted; return how many are still there.

    Raises as `Cluster.apply`.
    """
    everywhere = place_of_requests(promise)
    if everywhere is None:
        return 0
    found = cluster.list(everywhere)
    for one in found:
        metadata = one["metadata"]
        if is_object(metadata) and not metadata.get("deletionTimestamp"):
            place = replace(everywhere, namespace=str(metadata["namespace"]))
            cluster.delete(place, str(metadata["name"]))
    return len(found)


def crd_of(cluster: Cluster, promise: str) -> str | None:
    """Return the name of the CRD that a Promise has installed, None where there is none.

    Raises as `Cluster.apply`.
    """
    for crd in cluster.list(_CRDS):
        metadata = Fields(crd).section("metadata")
        if metadata.string_map("labels").get(PROMISE_NAME) == promise:
            return metadata.text("name")
    return None


def _noting(promise: Promise, generation: str | None) -> JsonObject:
    """Return the CRD of a Promise, with which state of it is known to be offered."""
    crd = installed_crd(promise)
    if generation is None:
        return crd
    metadata = Fields(crd).section("metadata")
    noted = {**metadata.mapping("annotations"), _OFFERED: generation}
    return {**crd, "metadata": {**metadata.raw, "annotations": noted}}


def _seen(crd: JsonObject) -> str | None:
    return Fields(crd).section("metadata").string_map("annotations").get(_OFFERED)


def _name(promise: Promise) -> str:
    return f"{promise.api.plural}.{promise.api.group}" if promise.api is not None else ""


def _is_established(crd: JsonObject) -> bool:
    conditions = Fields(crd).section("status").items("conditions")
    return any(
        (one.raw.get("type"), one.raw.get("status")) == ("Established", "True")
        for one in conditions
    )

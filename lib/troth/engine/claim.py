"""Claim: may this request write these objects, and is nobody else holding them?

Decided one request after another in the order of their keys, so that the outcome does not depend
on the order in which they were rendered or handed in.
"""

from collections.abc import Iterable

from troth.api import Destination, Promise, RequestKey, is_system_namespace
from troth.engine.draft import Draft
from troth.engine.ledger import Ledger, names_in
from troth.engine.objects import identify, is_cluster_scoped
from troth.engine.values import ObjectId, Placement
from troth.errors import HeldError, OutputRefusedError, Reason
from troth_statestore import Owner, nested_folder

__all__ = ["Claims", "check_fence", "held_in_the_dark"]


# Of these, what was placed earlier under an earlier spec stays as it is: nothing is written.
_NOTHING_NEW = frozenset(
    {
        Reason.DESTINATION_GONE,
        Reason.NO_MATCHING_DESTINATION,
        Reason.PAUSED,
        Reason.WORKFLOW_SUSPENDED,
    }
)


def check_fence(draft: Draft) -> None:
    """Refuse objects outside the Promise's fence.

    A Promise that declares none may write anywhere but into system namespaces; the driver warns
    about it.

    Raises:
        OutputRefusedError: names the object, and what is allowed.
    """
    if draft.settled is not None and draft.settled.reason in _NOTHING_NEW:
        return
    allowed = draft.promise.fence.allowed_namespaces(draft.object)
    for placement in draft.placements:
        for identity in placement.objects:
            if problem := _outside(identity, draft.promise, allowed):
                message = f"pipeline {placement.group.pipeline}: {identity} {problem}"
                raise OutputRefusedError(Reason.OUTSIDE_FENCE, message)


def _outside(identity: ObjectId, promise: Promise, allowed: frozenset[str]) -> str | None:
    is_namespace = (identity.group, identity.kind) == ("", "Namespace")
    namespace = identity.name if is_namespace else identity.namespace
    if is_system_namespace(namespace):
        return f"is in the system namespace {namespace}, which no request may touch."
    fence = promise.fence
    if not fence.declared:
        return None
    named = ", ".join(sorted(allowed)) or "none"
    if is_cluster_scoped(identity) or not identity.namespace:
        if identity.kind not in fence.cluster_kinds:
            kinds = ", ".join(sorted(fence.cluster_kinds)) or "none"
            return (
                f"has no namespace, and the fence of Promise {promise.name} allows only these "
                f"kinds without one: {kinds}."
            )
        if not is_namespace:
            return None
    if namespace not in allowed:
        return (
            f"is in namespace {namespace}, outside the fence of Promise {promise.name}, which "
            f"allows: {named}."
        )
    return None


def held_in_the_dark(
    ledger: Ledger, destinations: Iterable[Destination]
) -> dict[tuple[str, ObjectId], RequestKey]:
    """Return who holds what by files whose record cannot be read.

    What such a request holds is told by the files in its folders; else another could take an
    object that still stands there.
    """
    held: dict[tuple[str, ObjectId], RequestKey] = {}
    owners = [RequestKey(*names) for key in ledger.unreadable if (names := names_in(key))]
    for owner in owners:
        for destination in destinations:
            folder = nested_folder(destination.path, Owner(*owner))
            files = ledger.snapshot.read(sorted(ledger.snapshot.digests(folder)))
            try:
                found = identify(files, destination.reader, allow_secrets=True)
            except OutputRefusedError:
                continue  # edited by hand into what no agent reads: nothing is held by it
            for identity in (one for objects in found.values() for one in objects):
                held[destination.name, identity] = owner
    return held


class Claims:
    """Who holds which object in which Destination, through one run.

    Args:
        held: what the store says at the start of the run; a holder keeps what it holds until its
            change has been written.
    """

    def __init__(self, held: dict[tuple[str, ObjectId], RequestKey]) -> None:
        self._held = dict(held)

    def take(self, key: RequestKey, placements: Iterable[Placement]) -> None:
        """Claim all objects of a request, or none.

        Raises:
            HeldError: another request holds one of them; it is named.
        """
        wanted = [(p.destination, identity) for p in placements for identity in p.objects]
        for destination, identity in wanted:
            holder = self._held.get((destination, identity), key)
            if holder != key:
                message = (
                    f"{identity} in Destination {destination} is held by {holder}; it becomes "
                    "free when that request lets go of it, and is then tried again."
                )
                raise HeldError(Reason.OBJECT_HELD, message, holder)
        seen: set[tuple[str, ObjectId]] = set()
        for claim in wanted:
            if claim in seen:
                message = f"{claim[1]} is rendered by two pipelines for Destination {claim[0]}."
                raise OutputRefusedError(Reason.DUPLICATE_OBJECT, message)
            seen.add(claim)
        self._held.update(dict.fromkeys(wanted, key))

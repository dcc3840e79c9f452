"""Fence: may a request of this Promise write these objects at all?"""

from troth.api import Promise, is_system_namespace
from troth.engine.draft import Draft
from troth.engine.objects import is_cluster_scoped
from troth.engine.values import ObjectId
from troth.errors import OutputRefusedError, Reason

__all__ = ["check_fence"]


def check_fence(draft: Draft) -> None:
    """Refuse objects outside the Promise's fence.

    A Promise that declares none may write anywhere but into system namespaces; the driver warns
    about it. What the Promise itself brings is the platform's own and no request's doing: its
    dependencies are not fenced.

    Raises:
        OutputRefusedError: names the object, and what is allowed.
    """
    if draft.key.is_promise or not draft.is_wanted:
        return
    allowed = draft.promise.fence.allowed_namespaces(draft.object)
    for placement in draft.placements:
        for identity in placement.objects:
            if problem := _outside(identity, draft.promise, allowed):
                message = f"{placement.group.source}: {identity} {problem}"
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

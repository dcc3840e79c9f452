"""Who may do what in the namespace: groups, bound to the ClusterRoles every cluster has."""

from collections.abc import Iterable

from troth.api import Fields, Json, JsonObject
from troth_pipelines.stages.namespace._identity import Home
from troth_pipelines.stages.namespace._model import TeamNamespaceSpec

__all__ = ["access_manifests"]

_RBAC = "rbac.authorization.k8s.io"

# Kubernetes keeps system: for itself. All service accounts of one namespace are a group that can
# be meant (a delivery pipeline's); the others are everybody, nobody or the cluster's own parts.
_SYSTEM = "system:"
_SERVICE_ACCOUNTS_OF = "system:serviceaccounts:"


def access_manifests(home: Home, spec: TeamNamespaceSpec) -> list[JsonObject]:
    """Bind owners to edit and viewers to view.

    One binding a role, with all its groups: a group's name may hold what an object's may not.

    Raises:
        InvalidInputError: a group is one of Kubernetes' own.
    """
    bindings = [_binding(home, "owners", "edit", spec.owners)]
    if spec.viewers:
        bindings.append(_binding(home, "viewers", "view", spec.viewers))
    return bindings


def _binding(home: Home, name: str, role: str, groups: Iterable[str]) -> JsonObject:
    for index, group in enumerate(groups):
        if group.startswith(_SYSTEM) and not group.startswith(_SERVICE_ACCOUNTS_OF):
            raise Fields({}, ("spec", name)).error(
                index, f"the group {group!r} is one of Kubernetes' own; name a group of people."
            )
    subjects: list[Json] = [
        {"apiGroup": _RBAC, "kind": "Group", "name": group} for group in sorted(set(groups))
    ]
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": home.metadata(name),
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        "subjects": subjects,
    }

"""Identify: which Kubernetes objects a file holds, as the agent that reads it will see them.

Sources: Argo CD's directory reader and Flux's kustomization generator; a file that either would
choke on, or quietly skip, is refused for both.
"""

from collections.abc import Collection, Mapping

from troth.api import Document, Fields, Reader, load_documents
from troth.api.names import (
    dns_label_problem,
    dns_subdomain_problem,
    label_key_problem,
    label_value_problem,
    path_segment_problem,
)
from troth.engine.routes import GATEWAY_GROUP, Traits, read_traits
from troth.engine.secrets import plain_secret_in_object
from troth.engine.values import ObjectId
from troth.errors import InvalidInputError, OutputRefusedError, Reason

__all__ = ["identify", "is_cluster_scoped", "traits_of"]

# Bytes of all keys and values together; the API server takes no more.
_ANNOTATIONS_LIMIT = 256 * 1024

# Kinds without a namespace, of Kubernetes itself and of what platforms commonly render, by group.
# Agents drop a namespace given to them, so it must not lead an object past the fence.
_CLUSTER_KINDS = {
    "": {"ComponentStatus", "Namespace", "Node", "PersistentVolume"},
    "admissionregistration.k8s.io": {
        "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration", "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
    },
    "apiextensions.k8s.io": {"CustomResourceDefinition"},
    "apiregistration.k8s.io": {"APIService"},
    "cert-manager.io": {"ClusterIssuer"},
    "certificates.k8s.io": {"CertificateSigningRequest", "ClusterTrustBundle"},
    "external-secrets.io": {"ClusterExternalSecret", "ClusterSecretStore"},
    "flowcontrol.apiserver.k8s.io": {"FlowSchema", "PriorityLevelConfiguration"},
    "gateway.networking.k8s.io": {"GatewayClass"},
    "kyverno.io": {"ClusterCleanupPolicy", "ClusterPolicy"},
    "networking.k8s.io": {"IPAddress", "IngressClass", "ServiceCIDR"},
    "node.k8s.io": {"RuntimeClass"},
    "policy.networking.k8s.io": {"AdminNetworkPolicy", "BaselineAdminNetworkPolicy"},
    "rbac.authorization.k8s.io": {"ClusterRole", "ClusterRoleBinding"},
    "scheduling.k8s.io": {"PriorityClass"},
    "storage.k8s.io": {"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment",
                       "VolumeAttributesClass"},
}  # fmt: skip

_DNS_LABEL_KINDS = frozenset({("", "Namespace"), ("", "Service")})
_RBAC_GROUP = "rbac.authorization.k8s.io"


def is_cluster_scoped(identity: ObjectId) -> bool:
    """Tell whether a kind is known to have no namespace."""
    return identity.kind in _CLUSTER_KINDS.get(identity.group, ())


def identify(
    files: Mapping[str, bytes], reader: Reader, *, allow_secrets: bool
) -> dict[str, list[ObjectId]]:
    """Return the objects of each file; none at all for a Destination that is read as files.

    Raises:
        OutputRefusedError: a file is not YAML of Kubernetes objects, an object is not one, holds
            secret values, or stands twice. File, line and field are named.
    """
    if reader is Reader.FILES:
        return {}
    found: dict[str, list[ObjectId]] = {}
    where: dict[ObjectId, str] = {}
    for path in sorted(files):
        for document in _documents(path, files[path]):
            identity = _identify(document, allow_secrets=allow_secrets)
            here = document.source
            if identity in where:
                message = f"{here}: {identity} stands twice, first in {where[identity]}."
                raise OutputRefusedError(Reason.DUPLICATE_OBJECT, message)
            where[identity] = here
            found.setdefault(path, []).append(identity)
    return found


def traits_of(files: Mapping[str, bytes], objects: Collection[ObjectId]) -> Traits:
    """Return what routes are decided by, of files that hold these objects.

    Raises:
        InvalidInputError: a Gateway or a route is none.
    """
    if not any(identity.group == GATEWAY_GROUP for identity in objects):
        return Traits()
    return read_traits(
        document.data for path in sorted(files) for document in _documents(path, files[path])
    )


def _documents(path: str, content: bytes) -> list[Document]:
    if not path.endswith((".yaml", ".yml")):
        message = (
            f"{path}: only .yaml and .yml files are read by Argo CD and Flux alike; rename it, or "
            "set troth.dev/reader: files on the Destination."
        )
        raise OutputRefusedError(Reason.NOT_AN_OBJECT, message)
    if path.rpartition("/")[2] in {"kustomization.yaml", "kustomization.yml"}:
        message = f"{path}: Flux would take it for its own kustomization; name it otherwise."
        raise OutputRefusedError(Reason.NOT_AN_OBJECT, message)
    try:
        documents = load_documents(content.decode(), path)
    except UnicodeDecodeError as error:
        raise OutputRefusedError(Reason.NOT_AN_OBJECT, f"{path}: not UTF-8: {error}.") from error
    except InvalidInputError as error:
        raise OutputRefusedError(Reason.NOT_AN_OBJECT, error.message) from error
    if not documents:
        raise OutputRefusedError(Reason.NOT_AN_OBJECT, f"{path}: it holds no object at all.")
    return documents


def _identify(document: Document, *, allow_secrets: bool) -> ObjectId:
    root = Fields(document.data, reason=Reason.NOT_AN_OBJECT)
    try:
        kind, version = root.text("kind"), root.text("apiVersion")
        metadata = root.section("metadata")
        name, namespace = metadata.text("name"), metadata.text("namespace", "")
        if kind.endswith("List") and root.has("items"):
            raise root.error("kind", "write the items of a list as documents of their own.")
        identity = ObjectId(version.rpartition("/")[0], kind, namespace, name)
        if is_cluster_scoped(identity):
            identity = identity._replace(namespace="")  # as agents do
        _check_names(metadata, identity)
        _check_metadata(metadata)
    except InvalidInputError as error:
        message = f"{document.where(error.field)}: {error.message}"
        raise OutputRefusedError(error.reason, message) from error
    if not allow_secrets and (field := plain_secret_in_object(document.data)):
        message = (
            f"{document.where(field)}: {identity} holds values in plain text; seal it, or let "
            "the workload cluster make it."
        )
        raise OutputRefusedError(Reason.PLAIN_SECRET, message)
    return identity


def _check_names(metadata: Fields, identity: ObjectId) -> None:
    if (identity.group, identity.kind) in _DNS_LABEL_KINDS:
        problem = dns_label_problem(identity.name)
    elif identity.group == _RBAC_GROUP:
        problem = path_segment_problem(identity.name)
    else:
        problem = dns_subdomain_problem(identity.name)
    if problem:
        raise _invalid_name(metadata, "name", f"the name of {identity.kind} {problem}")
    if identity.namespace and (problem := dns_label_problem(identity.namespace)):
        raise _invalid_name(metadata, "namespace", f"the namespace of {identity} {problem}")


def _check_metadata(metadata: Fields) -> None:
    labels, annotations = metadata.string_map("labels"), metadata.string_map("annotations")
    for key, value in labels.items():
        if problem := label_key_problem(key) or label_value_problem(value):
            raise _invalid_name(metadata.section("labels"), key, problem)
    for key in annotations:
        if problem := label_key_problem(key.lower()):
            raise _invalid_name(metadata.section("annotations"), key, problem)
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > _ANNOTATIONS_LIMIT:
        text = f"{size} bytes of annotations, at most {_ANNOTATIONS_LIMIT} are allowed."
        error = metadata.error("annotations", text)
        raise InvalidInputError(Reason.TOO_LARGE, error.message, error.field)


def _invalid_name(fields: Fields, name: str, problem: str) -> InvalidInputError:
    error = fields.error(name, f"{problem}.")
    return InvalidInputError(Reason.INVALID_NAME, error.message, error.field)

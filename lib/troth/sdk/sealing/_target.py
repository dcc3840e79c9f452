"""What a sealed value is bound to: the Secret it may be opened for, more or less closely.

The controller takes the scope from the SealedSecret's own annotations, never from the template's;
the Secret it makes gets those of the template. So they stand in both, as kubeseal writes them.
Source: sealed-secrets, ``pkg/apis/sealedsecrets/v1alpha1/sealedsecret_expansion.go``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from troth.api.names import dns_label_problem, dns_subdomain_problem
from troth.errors import InvalidInputError, Reason

__all__ = ["SEALED_SECRETS_PREFIX", "Scope", "Target"]

SEALED_SECRETS_PREFIX = "sealedsecrets.bitnami.com/"
"""Annotations below it are the sealed-secrets controller's."""


class Scope(StrEnum):
    """How far a sealed value may be carried: not at all, within its namespace, or anywhere."""

    STRICT = "strict"
    NAMESPACE_WIDE = "namespace-wide"
    CLUSTER_WIDE = "cluster-wide"

    @property
    def annotations(self) -> dict[str, str]:
        """Return what a SealedSecret and its template have to carry; nothing if it is strict."""
        return {} if self is Scope.STRICT else {f"{SEALED_SECRETS_PREFIX}{self}": "true"}

    @classmethod
    def of(cls, annotations: Mapping[str, str]) -> "Scope":
        """Return the scope that the controller reads from a SealedSecret's own annotations.

        Only the text ``true`` counts; of both, cluster-wide.
        """
        for scope in (cls.CLUSTER_WIDE, cls.NAMESPACE_WIDE):
            if scope.annotations.items() <= annotations.items():
                return scope
        return cls.STRICT


@dataclass(frozen=True, slots=True)
class Target:
    """The Secret that a value is sealed for.

    Raises:
        InvalidInputError: Kubernetes knows no such name or namespace.
    """

    namespace: str
    name: str
    scope: Scope = Scope.STRICT

    def __post_init__(self) -> None:
        """Refuse what could be no Secret, and with it labels that could be taken for others."""
        problem = dns_label_problem(self.namespace)
        if problem is not None:
            message = f"the namespace of the Secret to seal for: {problem}."
            raise InvalidInputError(Reason.INVALID_NAME, message)
        problem = dns_subdomain_problem(self.name)
        if problem is not None:
            message = f"the name of the Secret to seal for: {problem}."
            raise InvalidInputError(Reason.INVALID_NAME, message)

    @property
    def label(self) -> str:
        """Return what the encryption binds a value to: its OAEP label, as text.

        No two scopes share one: a namespace is never empty and has no ``/`` in it.
        """
        match self.scope:
            case Scope.STRICT:
                return f"{self.namespace}/{self.name}"
            case Scope.NAMESPACE_WIDE:
                return self.namespace
            case Scope.CLUSTER_WIDE:
                return ""

    def __str__(self) -> str:
        """Return it as messages name it."""
        return f"{self.namespace}/{self.name} ({self.scope})"

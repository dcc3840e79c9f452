"""References to Kubernetes Secrets and ConfigMaps, and the seam through which values are had."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol

__all__ = ["SecretKind", "SecretRef", "Secrets"]


class SecretKind(StrEnum):
    """What kind of object holds values by key."""

    SECRET = "Secret"  # noqa: S105  (a kind's name)
    CONFIG_MAP = "ConfigMap"


class SecretRef(NamedTuple):
    """A reference to a Secret or ConfigMap."""

    namespace: str
    name: str
    kind: SecretKind = SecretKind.SECRET

    def __str__(self) -> str:
        """Return it as messages name it, without its kind."""
        return f"{self.namespace}/{self.name}"


class Secrets(Protocol):
    """Where Secrets and ConfigMaps are kept: a folder beside an embedded run, or a cluster.

    Asked each time a value is needed, so that one that changed is taken up.
    """

    def read(self, reference: SecretRef) -> Mapping[str, bytes]:
        """Return the object's values by key, all of one moment.

        Raises:
            InvalidInputError: there is no such object (reason SecretNotFound), or it cannot be
                read.
        """
        ...

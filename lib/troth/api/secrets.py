"""References to Kubernetes Secrets, and the seam through which their values are had."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

__all__ = ["SecretRef", "Secrets"]


class SecretRef(NamedTuple):
    """A reference to a Secret."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """Return it as messages name it."""
        return f"{self.namespace}/{self.name}"


class Secrets(Protocol):
    """Where Secrets are kept: a folder beside an embedded run, or a cluster.

    Asked each time a value is needed, so that one that changed is taken up.
    """

    def read(self, reference: SecretRef) -> Mapping[str, bytes]:
        """Return the Secret's values by key, all of one moment.

        Raises:
            InvalidInputError: there is no such Secret, or it cannot be read.
        """
        ...

"""Secrets and ConfigMaps of the cluster, read anew each time they are asked for."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from troth.api import Fields, SecretKind, SecretRef
from troth.controller.cluster import Cluster, Place
from troth.errors import InvalidInputError, Reason

__all__ = ["ClusterSecrets"]

_PLURALS = {SecretKind.SECRET: "secrets", SecretKind.CONFIG_MAP: "configmaps"}


@dataclass(frozen=True, slots=True)
class ClusterSecrets:
    """Where Secrets are kept: an API server.

    Args:
        cluster: read with the controller's own rights.
    """

    cluster: Cluster

    def read(self, reference: SecretRef) -> Mapping[str, bytes]:
        """Return the values of a Secret or ConfigMap by key.

        Raises:
            InvalidInputError: there is none.
            TransientError, PermanentError: as `Cluster.apply`.
        """
        namespace, name, kind = reference
        found = self.cluster.read(Place("", "v1", _PLURALS[kind], namespace), name)
        if found is None:
            message = f"{kind} {name} not found in namespace {namespace}."  # Kratix's words
            raise InvalidInputError(Reason.SECRET_NOT_FOUND, message)
        fields = Fields(found)
        if kind is SecretKind.SECRET:
            return {key: base64.b64decode(text) for key, text in fields.string_map("data").items()}
        binary = fields.string_map("binaryData").items()
        return {
            **{key: text.encode() for key, text in fields.string_map("data").items()},
            **{key: base64.b64decode(text) for key, text in binary},
        }

"""Canaries: two small files in a Destination by which people see that its agent is at work.

They are Kratix's, to the byte, and are written where a Destination asks for them
(``spec.initWorkloads.enabled``). Source: Kratix's destination controller
(``destination_controller.go``).
"""

from troth.api import Destination, Layout
from troth.engine.values import ObjectId
from troth_statestore import digest_bytes, flat_file

__all__ = ["CANARY_FILES", "CANARY_OBJECTS", "canaries_of"]

_NAMESPACE = b"""\
apiVersion: v1
kind: Namespace
metadata:
  creationTimestamp: null
  name: kratix-worker-system
spec: {}
status: {}
"""
_CONFIG_MAP = b"""\
apiVersion: v1
data:
  canary: this confirms your infrastructure is reading from Kratix state stores
kind: ConfigMap
metadata:
  creationTimestamp: null
  name: kratix-info
  namespace: kratix-worker-system
"""
_FILES = {
    "dependencies/kratix-canary-namespace.yaml": _NAMESPACE,
    "resources/kratix-canary-configmap.yaml": _CONFIG_MAP,
}

CANARY_OBJECTS = frozenset(
    {
        ObjectId("", "Namespace", "", "kratix-worker-system"),
        ObjectId("", "ConfigMap", "kratix-worker-system", "kratix-info"),
    }
)
"""What stands in a Destination with canaries, and no request may render there."""

CANARY_FILES = {path: digest_bytes(content) for path, content in _FILES.items()}
"""Where they lie below a Destination's path in the layout ``nestedByMetadata`` → digest."""


def canaries_of(destination: Destination) -> dict[str, bytes]:
    """Return the canaries by path; only where requests have folders do they lie in folders."""
    nested = destination.layout is Layout.NESTED
    return {
        flat_file(destination.path, path if nested else path.rpartition("/")[2]): content
        for path, content in _FILES.items()
    }

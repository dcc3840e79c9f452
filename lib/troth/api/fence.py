"""The fence: which namespaces and cluster-scoped kinds the output of a Promise may touch.

Annotation ``troth.dev/fence`` of a Promise, a YAML mapping such as
``{namespaces: [own, "{spec.team}-{spec.environment}"], clusterKinds: [Namespace]}``. Braces read
dotted paths of the validated request and nothing else.
"""

import re
from dataclasses import dataclass

from troth.api.documents import load_object
from troth.api.json_values import Fields, Json, JsonObject, is_object
from troth.api.labels import FENCE
from troth.api.names import dns_label_problem

__all__ = ["Fence", "is_system_namespace"]

_BRACES = re.compile(r"\{([^{}]*)\}")
_DOTTED = re.compile(r"(metadata\.(name|namespace)|spec(\.[A-Za-z0-9_-]+)+)")

# Namespaces that carry a cluster, Kratix or the agents; no request writes there.
_SYSTEM = frozenset({"argocd", "flux-system", "kratix-platform-system", "kratix-worker-system"})


def is_system_namespace(namespace: str) -> bool:
    """Tell whether a namespace is never a request's to write to."""
    return namespace.startswith("kube-") or namespace in _SYSTEM


@dataclass(frozen=True, slots=True)
class Fence:
    """What a Promise's output may touch.

    Attributes:
        namespaces: patterns; ``own`` is the request's namespace, braces read its fields.
        cluster_kinds: kinds without a namespace that may be written, as ``Kind``.
        declared: False when the Promise says nothing and this is the default.
    """

    namespaces: tuple[str, ...] = ("own",)
    cluster_kinds: frozenset[str] = frozenset()
    declared: bool = False

    @classmethod
    def parse(cls, text: str) -> "Fence":
        """Read the annotation. Raises InvalidInputError when it is no fence."""
        fields = Fields(load_object(text, FENCE), ("metadata", "annotations", FENCE))
        fields.refuse_unknown({"namespaces", "clusterKinds"}, "a fence")
        namespaces = fields.texts("namespaces") if fields.has("namespaces") else ("own",)
        for pattern in namespaces:
            for path in _BRACES.findall(pattern):
                if not _DOTTED.fullmatch(path):
                    raise fields.error(
                        "namespaces",
                        f"{{{path}}} is no path of a request; write {{spec.field}}, "
                        "{metadata.name} or {metadata.namespace}.",
                    )
            if problem := dns_label_problem(_BRACES.sub("x", pattern)):
                raise fields.error("namespaces", f"this can never be a namespace: {problem}.")
        return cls(namespaces, frozenset(fields.texts("clusterKinds")), declared=True)

    def allowed_namespaces(self, request: JsonObject) -> frozenset[str]:
        """Return the namespaces a request may write to, system namespaces left out.

        A pattern whose field the request does not have allows nothing.
        """
        allowed: set[str] = set()
        for pattern in self.namespaces:
            filled = _fill("{metadata.namespace}" if pattern == "own" else pattern, request)
            if filled and not is_system_namespace(filled):
                allowed.add(filled)
        return frozenset(allowed)


def _fill(pattern: str, request: JsonObject) -> str | None:
    values = {path: _value(path, request) for path in _BRACES.findall(pattern)}
    if any(value is None for value in values.values()):
        return None
    return _BRACES.sub(lambda match: str(values[match.group(1)]), pattern)


def _value(path: str, request: JsonObject) -> str | None:
    value: Json = request
    for part in path.split("."):
        if not is_object(value):
            return None
        value = value.get(part)
    return value if isinstance(value, str) else None

"""The namespace itself: its name, the labels that everything in it carries, its Pod Security."""

from dataclasses import dataclass

from troth.api import Fields, Json, JsonObject, is_system_namespace
from troth.errors import Reason
from troth_pipelines.stages.namespace._model import TeamNamespaceSpec

__all__ = ["PREFIX", "Home", "namespace_manifest", "refuse_move"]

PREFIX = "marketplace.troth.dev/"

_NAME_LIMIT = 63  # characters, RFC 1123

# Pinned: a newer cluster must not begin to refuse Pods that ran before. Older clusters take the
# newest rules they know.
_POD_SECURITY_VERSION = "v1.34"


@dataclass(frozen=True, slots=True)
class Home:
    """Where a request's objects live, and whose they are."""

    team: str
    environment: str

    @classmethod
    def of(cls, spec: TeamNamespaceSpec) -> "Home":
        """Name the namespace. Raises InvalidInputError when it cannot be one of a team's."""
        home = cls(spec.team, spec.environment)
        name = home.namespace
        fields = Fields({}, ("spec",), Reason.INVALID_NAME)
        if len(name) > _NAME_LIMIT:
            raise fields.error(
                "team",
                f"the namespace {name!r} would have {len(name)} characters, at most "
                f"{_NAME_LIMIT} are allowed; shorten team or environment.",
            )
        if is_system_namespace(name):
            raise fields.error(
                "team", f"the namespace {name!r} belongs to the cluster; choose another name."
            )
        return home

    @property
    def namespace(self) -> str:
        """The namespace's name."""
        return f"{self.team}-{self.environment}"

    def labels(self) -> dict[str, Json]:
        """Return the labels by which everything of this request is found."""
        return {
            "app.kubernetes.io/managed-by": "troth",
            f"{PREFIX}team": self.team,
            f"{PREFIX}environment": self.environment,
        }

    def metadata(self, name: str) -> JsonObject:
        """Return the metadata of an object in the namespace."""
        return {"name": name, "namespace": self.namespace, "labels": self.labels()}


def refuse_move(home: Home, status: JsonObject) -> None:
    """Refuse a request that had another namespace before.

    The old one would be removed with everything in it, volumes included, because of an edited line.

    Raises:
        InvalidInputError: the status tells of another namespace.
    """
    before = status.get("namespace")
    if isinstance(before, str) and before != home.namespace:
        raise Fields({}, ("spec",), Reason.INVALID_NAME).error(
            "team",
            f"this request made the namespace {before!r} and cannot turn it into "
            f"{home.namespace!r}. Put team and environment back; ask for the new namespace in "
            "another request, move what is needed, then delete this one.",
        )


def namespace_manifest(home: Home, pod_security: str) -> JsonObject:
    """Make the Namespace.

    Enforcing speaks only to Pods; the same level as a warning also tells whoever applies a
    Deployment, whose Pods would silently never come.
    """
    levels: dict[str, Json] = {}
    for mode in ("enforce", "warn"):
        levels[f"pod-security.kubernetes.io/{mode}"] = pod_security
        levels[f"pod-security.kubernetes.io/{mode}-version"] = _POD_SECURITY_VERSION
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": home.namespace, "labels": {**home.labels(), **levels}},
    }

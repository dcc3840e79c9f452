"""The API server: what is read from it and written to it, and what its refusals mean here.

The only module that calls the Kubernetes client, which knows no types; kopf does the watching.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

import kubernetes.client
import kubernetes.config
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError, SSLError
from yaml import YAMLError

from troth.api import JsonObject, Promise
from troth.errors import (
    InvalidInputError,
    PermanentError,
    Reason,
    TransientError,
    TrothError,
    shorten,
)

__all__ = ["GROUP", "VERSION", "Cluster", "Place", "place_of_requests"]

GROUP: Final = "platform.kratix.io"
VERSION: Final = "v1alpha1"

_MANAGER: Final = "troth"  # who owns the fields that are applied, for ever
_SECONDS: Final = 30  # for one answer
_APPLY: Final = "application/apply-patch+yaml"
_MERGE: Final = "application/merge-patch+json"

_REFUSED, _NOT_FOUND, _CONFLICT, _TOO_MANY, _SERVER = 400, 404, 409, 429, 500


@dataclass(frozen=True, slots=True)
class Place:
    """Where objects of one kind are; `namespace` is "" for kinds that are in none."""

    group: str
    version: str
    plural: str
    namespace: str = ""

    def path(self, name: str = "", subresource: str = "") -> str:
        """Return the path of an object, or of all of them."""
        base = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        inside = f"/namespaces/{self.namespace}" if self.namespace else ""
        parts = (base + inside, self.plural, name, subresource)
        return "/".join(part for part in parts if part)


def place_of_requests(promise: Promise | None, namespace: str = "") -> Place | None:
    """Return where the requests of a Promise are, None where it offers none."""
    if promise is None or promise.api is None:
        return None
    version = promise.api.stored.rpartition("/")[2]
    return Place(promise.api.group, version, promise.api.plural, namespace)


class Cluster:
    """An API server, and the rights of one user there. Threads may share it."""

    def __init__(
        self,
        client: Any,  # noqa: ANN401  (the library has no types)
        seconds: float = _SECONDS,
        may_write: Callable[[], bool] = lambda: True,
    ) -> None:
        """Use a client of the Kubernetes library.

        Args:
            client: logged in.
            seconds: for one answer.
            may_write: asked before anything is changed.
        """
        self._client = client
        self._seconds = seconds
        self._may_write = may_write

    def guarded(self, may_write: Callable[[], bool]) -> "Cluster":
        """Return it such that nothing is changed while that is not allowed."""
        return Cluster(self._client, self._seconds, may_write)

    @classmethod
    def connect(cls, kubeconfig: Path | None = None, seconds: float = _SECONDS) -> "Cluster":
        """Connect as a kubeconfig says, or as the Pod that this runs in.

        Args:
            kubeconfig: None for the Pod's own.
            seconds: for one answer.

        Raises:
            InvalidInputError: there is neither, or the file cannot be used.
        """
        configuration = kubernetes.client.Configuration()
        try:
            if kubeconfig is not None:
                load_file = cast("Any", kubernetes.config.load_kube_config)
                load_file(str(kubeconfig), client_configuration=configuration)
            else:
                load_pod = cast("Any", kubernetes.config.load_incluster_config)
                load_pod(client_configuration=configuration)
        except (kubernetes.config.ConfigException, YAMLError) as error:
            message = f"no API server is known: {shorten(str(error))}; give --kubeconfig FILE."
            raise InvalidInputError(Reason.INVALID_OBJECT, message) from None
        return cls(kubernetes.client.ApiClient(configuration), seconds)

    def read(self, place: Place, name: str) -> JsonObject | None:
        """Return an object, None where there is none. Raises as `apply`."""
        try:
            return self._call("GET", place.path(name))
        except _NotFoundError:
            return None

    def list(self, place: Place) -> list[JsonObject]:
        """Return all objects of a kind; none where the kind is not known. Raises as `apply`."""
        try:
            return cast("list[JsonObject]", self._call("GET", place.path())["items"])
        except _NotFoundError:
            return []

    def knows(self, place: Place) -> bool:
        """Tell whether a kind is among those that the API server offers. Raises as `apply`."""
        try:
            found = self._call("GET", replace(place, plural="", namespace="").path())
        except _NotFoundError:
            return False
        return any(one.get("name") == place.plural for one in found.get("resources", ()))

    def apply(self, place: Place, manifest: JsonObject) -> JsonObject:
        """Bring an object to what a manifest says, by server-side apply; return what is there.

        Raises:
            TransientError: the API server does not answer, or not now.
            PermanentError: it refuses.
        """
        metadata = cast("Mapping[str, str]", manifest["metadata"])
        query = {"fieldManager": _MANAGER, "force": "true"}
        return self._call("PATCH", place.path(metadata["name"]), manifest, _APPLY, query)

    def create(self, place: Place, manifest: JsonObject) -> None:
        """Create an object. Raises as `apply`; that it is there already is a TransientError."""
        self._call("POST", place.path(), manifest)

    def replace(self, place: Place, manifest: JsonObject) -> None:
        """Replace an object as it was read. Raises as `apply`; TransientError if it has changed."""
        metadata = cast("Mapping[str, str]", manifest["metadata"])
        self._call("PUT", place.path(metadata["name"]), manifest)

    def patch_status(self, place: Place, name: str, status: JsonObject) -> bool:
        """Merge into an object's status; tell whether it is there. Raises as `apply`."""
        try:
            self._call("PATCH", place.path(name, "status"), {"status": status}, _MERGE)
        except _NotFoundError:
            return False
        return True

    def delete(self, place: Place, name: str) -> None:
        """Ask for an object to be deleted; one that is not there is no error. Raises as `apply`."""
        try:
            self._call("DELETE", place.path(name))
        except _NotFoundError:
            return

    def _call(
        self,
        method: str,
        path: str,
        body: JsonObject | None = None,
        kind: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        what = f"{method} {path}"
        if method != "GET" and not self._may_write():
            message = f"{what} is left to the controller that serves now: the Lease was lost."
            raise TransientError(Reason.LEASE_LOST, message)
        asked = self._client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params={"Accept": "application/json", "Content-Type": kind},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            answer = self._client.call_api(*asked, _request_timeout=self._seconds)
            status, content = int(answer.status), cast("bytes", answer.read())
        except (ApiException, HTTPError) as error:
            message = f"the API server does not answer ({_why(error)}), {what}."
            raise TransientError(Reason.CLUSTER_UNREACHABLE, message) from None
        if status < _REFUSED:
            return _object_in(what, content)
        raise _refusal(what, status, content)


class _NotFoundError(PermanentError):
    """There is no such object, or kind."""


def _why(error: Exception) -> str:
    """Return in a few words why there was no answer: the library's are long, and quote much."""
    cause = getattr(error, "reason", None)  # of what was tried several times
    if isinstance(cause or error, SSLError):
        return "its certificate is not trusted"
    return type(cause if isinstance(cause, Exception) else error).__name__


def _object_in(what: str, content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        message = f"what answers {what} is something in between, and not the API server."
        raise TransientError(Reason.CLUSTER_UNREACHABLE, message)
    return cast("dict[str, Any]", found)


def _refusal(what: str, status: int, content: bytes) -> TrothError:
    """Return the error that a refusal is, with the words of the server's Status object."""
    try:
        said = str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        said = content.decode(errors="replace")
    message = f"the API server refuses {what} ({status}): {shorten(said)}"
    if status == _NOT_FOUND:
        return _NotFoundError(Reason.CLUSTER_REFUSED, message)
    if status in {_CONFLICT, _TOO_MANY} or status >= _SERVER:
        return TransientError(Reason.CLUSTER_UNREACHABLE, message)
    return PermanentError(Reason.CLUSTER_REFUSED, message)

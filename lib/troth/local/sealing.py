"""Certificates for sealing: found where Destinations say, loaded once in a run.

Only those are loaded that a Promise which runs might seal with, and one that cannot be had stops
nobody who has nothing to seal.
"""

from dataclasses import dataclass
from pathlib import Path

from troth.api import Destination, Json, JsonObject, Promise, Secrets
from troth.api.labels import SEALING_ACCESS
from troth.engine import World
from troth.engine.sealing import same_cluster, seals_for
from troth.errors import InvalidInputError, Reason, TrothError
from troth.sdk.sealing import Certificate, CertificateCache, HttpAccess

__all__ = ["Certificates", "bearer", "beside"]

_NO_CERTIFICATE = "has no annotation troth.dev/sealing-certificate"


@dataclass(frozen=True, slots=True)
class Certificates:
    """The sealing certificates of the Destinations of a run.

    Args:
        world: the Destinations.
        cache: of the run.
        secrets: where the Secrets are that Destinations refer to, None where nobody knows.
    """

    world: World
    cache: CertificateCache
    secrets: Secrets | None = None

    def of(self, promise: Promise) -> JsonObject | None:
        """Return what a Promise's secrets are sealed with, as input/troth.json spells it.

        A certificate that cannot be had or used is said to the stage, which may have nothing to
        seal: most Promises never have, and a credential that is kept needs none.

        Raises:
            InvalidInputError: the Promise names a Destination that is not given, or that has no
                certificate.
        """
        destination = seals_for(self.world, promise)
        if destination is None or destination.certificate is None:
            if promise.seals_for is not None:
                raise _unusable(promise.seals_for, known=destination is not None)
            return None
        found: dict[str, Json] = {"destination": destination.name}
        try:
            found["certificate"] = self.load(destination).pem.decode()
        except TrothError as error:
            message = f"Destination {destination.name}: {error.message}"
            found["problem"] = {"reason": error.reason.value, "message": message}
        if destination.sealing_epoch:
            found["epoch"] = destination.sealing_epoch
        same: list[Json] = [*same_cluster(self.world, destination)]
        return {**found, **({"same": same} if len(same) > 1 else {})}

    def load(self, destination: Destination) -> Certificate:
        """Return the certificate of a Destination.

        Raises:
            InvalidInputError: it has none, or that cannot be had or used.
            TransientError: its host does not answer, or not now.
        """
        if destination.certificate is None:
            message = f"Destination {destination.name} {_NO_CERTIFICATE}."
            raise InvalidInputError(Reason.CERTIFICATE_UNUSABLE, message)
        return self.cache.load(destination.certificate, self.access(destination))

    def current(self, name: str) -> str:
        """Return the fingerprint of the certificate of a Destination. Raises as `load`."""
        return self.load(self.world.destinations[name]).fingerprint

    def access(self, destination: Destination) -> HttpAccess:
        """Return what lets in where a Destination's certificate is had from.

        Its Secret may be that of a service account: the keys ``token`` and ``ca.crt``.

        Raises:
            InvalidInputError: its Secret cannot be read, or has neither of the keys.
        """
        reference = destination.sealing_access
        if reference is None:
            return HttpAccess()
        about = f"Destination {destination.name} ({SEALING_ACCESS})"
        if self.secrets is None:
            message = f"{about}: nothing says where the Secret {reference} is; give --secrets-dir."
            raise InvalidInputError(Reason.SECRET_NOT_FOUND, message)
        try:
            values = self.secrets.read(reference)
        except TrothError as error:
            raise error.about(about) from error
        token, authority = values.get("token"), values.get("ca.crt")
        if token is None and authority is None:
            message = f"{about}: the Secret {reference} has neither the key token nor ca.crt."
            raise InvalidInputError(Reason.INVALID_CREDENTIALS, message)
        return HttpAccess(authority, None if token is None else bearer(token))


def bearer(content: bytes) -> str:
    """Return the token that a file or Secret holds; a line end behind it is no part of it."""
    return content.decode(errors="replace").rstrip("\r\n")


def beside(certificate: str | None, folder: Path) -> str | None:
    """Return where a certificate is that a file in `folder` names, which may be a relative path."""
    if certificate is None or "-----BEGIN" in certificate or "://" in certificate:
        return certificate
    return str(folder / certificate)


def _unusable(name: str, *, known: bool) -> InvalidInputError:
    problem = _NO_CERTIFICATE if known else "is not among those given"
    message = f"the Promise seals for Destination {name} (troth.dev/seals-for), which {problem}."
    return InvalidInputError(Reason.CERTIFICATE_UNUSABLE, message)

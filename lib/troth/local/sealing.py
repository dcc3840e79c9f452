"""Certificates for sealing: found where Destinations say, loaded once in a run.

Only those are loaded that a Promise which runs might seal with, and one that cannot be had stops
nobody who has nothing to seal.
"""

from dataclasses import dataclass
from pathlib import Path

from troth.api import Json, JsonObject, Promise
from troth.engine import World
from troth.engine.sealing import same_cluster, seals_for
from troth.errors import InvalidInputError, Reason, TrothError
from troth.sdk.sealing import CertificateCache

__all__ = ["Certificates", "beside"]


@dataclass(frozen=True, slots=True)
class Certificates:
    """The sealing certificates of the Destinations of a run.

    Args:
        world: the Destinations.
        cache: of the run.
    """

    world: World
    cache: CertificateCache

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
            found["certificate"] = self.cache.load(destination.certificate).pem.decode()
        except TrothError as error:
            message = f"Destination {destination.name}: {error.message}"
            found["problem"] = {"reason": error.reason.value, "message": message}
        if destination.sealing_epoch:
            found["epoch"] = destination.sealing_epoch
        same: list[Json] = [*same_cluster(self.world, destination)]
        return {**found, **({"same": same} if len(same) > 1 else {})}


def beside(certificate: str | None, folder: Path) -> str | None:
    """Return where a certificate is that a file in `folder` names, which may be a relative path."""
    if certificate is None or "-----BEGIN" in certificate or "://" in certificate:
        return certificate
    return str(folder / certificate)


def _unusable(name: str, *, known: bool) -> InvalidInputError:
    problem = (
        "has no annotation troth.dev/sealing-certificate" if known else "is not among those given"
    )
    message = f"the Promise seals for Destination {name} (troth.dev/seals-for), which {problem}."
    return InvalidInputError(Reason.CERTIFICATE_UNUSABLE, message)

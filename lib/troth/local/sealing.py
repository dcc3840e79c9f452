"""Certificates for sealing: found where Destinations say, loaded once in a run.

Only what a Promise that runs seals for is loaded, so that a certificate nobody needs stops nobody.
"""

from dataclasses import dataclass
from pathlib import Path

from troth.api import Json, JsonObject, Promise
from troth.engine import World
from troth.engine.sealing import seals_for
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

        Raises:
            InvalidInputError: the Promise names a Destination that is not given, or that has no
                certificate; or the certificate cannot be used.
            TransientError: it cannot be had now.
        """
        destination = seals_for(self.world, promise)
        if destination is None or destination.certificate is None:
            if promise.seals_for is not None:
                raise _unusable(promise.seals_for, known=destination is not None)
            return None
        try:
            pem = self.cache.load(destination.certificate).pem
        except TrothError as error:
            raise error.about(f"Destination {destination.name}") from error
        epoch: dict[str, Json] = (
            {"epoch": destination.sealing_epoch} if destination.sealing_epoch else {}
        )
        return {"destination": destination.name, "certificate": pem.decode(), **epoch}


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

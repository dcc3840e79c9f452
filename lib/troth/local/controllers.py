"""Controllers: where the sealed-secrets controller of each Destination is, and asking it.

One is asked only while its newest certificate is the one that the Destination names: what it seals
is sealed with that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from troth.api import Destination, JsonObject
from troth.errors import InvalidInputError, Reason, TransientError, TrothError
from troth.local.sealing import Certificates
from troth.sdk.sealing import Controller, HttpAccess

__all__ = ["Controllers", "Reencryption"]

# Failures in a row of one controller that are taken to mean that it is not there.
_PATIENCE = 3


@dataclass(frozen=True, slots=True)
class Controllers:
    """Finds controllers.

    Attributes:
        certificates: of the Destinations.
        given: address by the name of a Destination, under "" that of all others.
        access: what lets in to those that are given.
    """

    certificates: Certificates
    given: Mapping[str, str] = field(default_factory=dict[str, str])
    access: HttpAccess = field(default_factory=HttpAccess)

    def of(self, destination: Destination) -> Controller:
        """Return a Destination's controller.

        Raises:
            InvalidInputError: nobody says where it is, or what is said is no address.
        """
        address = self.given.get(destination.name, self.given.get(""))
        if address is not None:
            return Controller.at(address, self.access)
        access = self.certificates.access(destination)
        found = Controller.behind(destination.certificate or "", access)
        if found is None:
            message = (
                f"where the sealed-secrets controller of Destination {destination.name} is does "
                "not follow from troth.dev/sealing-certificate, which is none of its addresses; "
                f"give --controller {destination.name}=URL."
            )
            raise InvalidInputError(Reason.INVALID_OBJECT, message)
        return found


@dataclass(slots=True)
class Reencryption:
    """Asks controllers in one run.

    Args:
        controllers: finds them.
        now: the moment of the run.
    """

    controllers: Controllers
    now: datetime
    _known: dict[str, Controller | TrothError] = field(
        default_factory=dict[str, Controller | TrothError], init=False
    )
    _failures: dict[str, int] = field(default_factory=dict[str, int], init=False)

    def current(self, name: str) -> str:
        """Return the fingerprint of a Destination's certificate. Raises as `Certificates.load`."""
        return self.controllers.certificates.current(name)

    def reencrypt(self, name: str, manifest: JsonObject) -> Mapping[str, str]:
        """Return an object's ciphertexts as the controller of a Destination seals them anew.

        Raises:
            TrothError: it cannot be had, seals with another certificate, refuses, or does not
                answer. One that did not answer several times in a row is not asked again.
        """
        controller = self._controller(name)
        try:
            found = controller.reencrypt(manifest)
        except TransientError as error:
            self._failures[name] = self._failures.get(name, 0) + 1
            if self._failures[name] >= _PATIENCE:
                self._known[name] = error.about("it is not asked any more")
            raise
        self._failures[name] = 0
        return found

    def refuse_renewed(self, name: str) -> None:
        """Raise where a controller has got another certificate since it was asked first.

        Raises:
            TransientError: nobody can tell with which of both it has sealed.
            TrothError: it cannot be asked.
        """
        controller = self._controller(name)
        if controller.certificate(self.now).fingerprint != self.current(name):
            message = (
                f"the controller of Destination {name} got another certificate meanwhile; put that "
                "where the Destination names it, and seal anew again."
            )
            raise TransientError(Reason.CERTIFICATE_UNUSABLE, message)

    def _controller(self, name: str) -> Controller:
        if name not in self._known:
            try:
                self._known[name] = self._checked(name)
            except TrothError as error:
                self._known[name] = error
        found = self._known[name]
        if isinstance(found, TrothError):
            raise found.with_traceback(None)
        return found

    def _checked(self, name: str) -> Controller:
        destination = self.controllers.certificates.world.destinations[name]
        controller = self.controllers.of(destination)
        served, named = controller.certificate(self.now).fingerprint, self.current(name)
        if served != named:
            message = (
                f"the controller of Destination {name} seals with {served}, and the Destination "
                f"names the certificate {named}. Put the controller's newest there first, or give "
                "the right controller."
            )
            raise InvalidInputError(Reason.CERTIFICATE_UNUSABLE, message)
        return controller

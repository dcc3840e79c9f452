"""Means: what a stage was given to seal with, from Troth or from a bare container's variables."""

from troth.errors import InvalidInputError, Reason
from troth.sdk import UNKNOWN, Context, SealingInput
from troth.sdk.sealing import (
    Certificate,
    InProcessSealer,
    KubesealSealer,
    Sealer,
    Sealing,
    SealingKey,
    Target,
)

__all__ = ["sealing_of"]

_KEY = "TROTH_SEALING_KEY"
_PROGRAM = "TROTH_SEALER"
_CERTIFICATE = "TROTH_SEALING_CERTIFICATE"
_DESTINATION = "TROTH_SEALING_DESTINATION"
_EPOCH = "TROTH_SEALING_EPOCH"


def sealing_of(context: Context, target: Target, *, known: bool) -> Sealing:
    """Return how a Secret's values are sealed in this run.

    Args:
        context: of the run.
        target: the Secret.
        known: whether something was sealed for it before. A request that is only rehearsed was
            never, and needs no certificate.

    Raises:
        InvalidInputError: there is nothing to seal with, or it is not what it should be.
    """
    given = context.sealing or _of_variables(context)
    key = context.environ.get(_KEY)
    if given is None:
        if context.effects.performed or known:
            raise _nothing_given()
        return Sealing(None, target, str(UNKNOWN))
    return Sealing(
        sealer=_sealer(context, given) if context.effects.performed else None,
        target=target,
        destination=given.destination,
        epoch=given.epoch,
        key=SealingKey(key.encode(), f"in the variable {_KEY}") if key is not None else None,
    )


def _of_variables(context: Context) -> SealingInput | None:
    """Return what a container's variables say, where nobody lays troth.json."""
    certificate = context.environ.get(_CERTIFICATE)
    if certificate is None:
        return None
    destination = context.environ.get(_DESTINATION, "")
    if not destination:
        message = f"{_CERTIFICATE} is set, and {_DESTINATION} does not say whose it is; set both."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    return SealingInput(destination, certificate.encode(), context.environ.get(_EPOCH, ""))


def _sealer(context: Context, given: SealingInput) -> Sealer:
    source = f"of Destination {given.destination}"
    certificate = Certificate.parse(given.certificate, source, context.now)
    program = context.environ.get(_PROGRAM, "")
    if program in {"", "in-process"}:
        return InProcessSealer(certificate)
    if program == "kubeseal":
        return KubesealSealer(certificate)
    message = f"{_PROGRAM} is {program[:40]!r}; it has to be in-process or kubeseal."
    raise InvalidInputError(Reason.INVALID_OBJECT, message)


def _nothing_given() -> InvalidInputError:
    message = (
        "it is not known what to seal with. Give the Destination the annotation "
        "troth.dev/sealing-certificate, and where several match the Promise, name one in its "
        f"annotation troth.dev/seals-for. On Kratix set {_CERTIFICATE} and {_DESTINATION}."
    )
    return InvalidInputError(Reason.CERTIFICATE_UNUSABLE, message)

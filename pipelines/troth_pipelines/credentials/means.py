"""Means: what a stage was given to seal with, from Troth or from a bare container's variables."""

from collections.abc import Mapping
from pathlib import PurePath

from troth.errors import InvalidInputError, Reason, shorten
from troth.sdk import UNKNOWN, Context, SealingInput
from troth.sdk.sealing import (
    Certificate,
    InProcessSealer,
    KubesealSealer,
    SealedValue,
    Sealer,
    Sealing,
    SealingKey,
    Target,
)

__all__ = ["KEY_VARIABLE", "sealer_of", "sealing_of"]

KEY_VARIABLE = "TROTH_SEALING_KEY"
"""The variable with the sealing key, from a Secret."""

_PROGRAM = "TROTH_SEALER"
_KUBESEAL = "kubeseal"
_SHOWN = 60  # characters of a wrong value that a message quotes
_CERTIFICATE = "TROTH_SEALING_CERTIFICATE"
_DESTINATION = "TROTH_SEALING_DESTINATION"
_EPOCH = "TROTH_SEALING_EPOCH"


def sealing_of(context: Context, target: Target, sealed: Mapping[str, SealedValue]) -> Sealing:
    """Return for whom a Secret's values are sealed in this run, yet without a sealer.

    Nothing of a certificate counts here: what was sealed is kept without one.

    Args:
        context: of the run.
        target: the Secret.
        sealed: what was sealed for it before. A request that is only rehearsed has nothing, and
            needs no certificate.

    Raises:
        InvalidInputError: it is not known for whom, or the sealing key is none.
    """
    given = _given(context)
    if given is None:
        if context.effects.performed or sealed:
            raise _nothing_given()
        return Sealing(None, target, str(UNKNOWN))
    key = context.environ.get(KEY_VARIABLE)
    return Sealing(
        sealer=None,
        target=target,
        destination=_destination(given, sealed),
        epoch=given.epoch,
        key=SealingKey(key.encode(), f"in the variable {KEY_VARIABLE}")
        if key is not None
        else None,
    )


def sealer_of(context: Context) -> Sealer | None:
    """Return what seals, None where effects are not performed.

    Raises:
        InvalidInputError: there is no certificate, or it cannot be used.
        NotServedError: the program that is to seal is not there.
        TransientError: the certificate cannot be had now.
    """
    given = _given(context)
    if given is not None and given.problem is not None:
        raise given.problem
    program = _program_of(context)
    if not context.effects.performed:
        return None
    if given is None:
        raise _nothing_given()
    source = f"of Destination {given.destination}"
    certificate = Certificate.parse(given.certificate, source, context.now)
    if program is None:
        return InProcessSealer(certificate)
    return KubesealSealer(certificate, program)


def _program_of(context: Context) -> str | None:
    """Return the program that is to seal, None for this process.

    Raises:
        InvalidInputError: the variable says something else.
    """
    program = context.environ.get(_PROGRAM, "")
    if program in {"", "in-process"}:
        return None
    if program == _KUBESEAL or (
        PurePath(program).is_absolute() and PurePath(program).name == _KUBESEAL
    ):
        return program
    message = (
        f"{_PROGRAM} is {shorten(program, _SHOWN)!r}; it has to be in-process, kubeseal, or that "
        "program by its whole path."
    )
    raise InvalidInputError(Reason.INVALID_OBJECT, message)


def _given(context: Context) -> SealingInput | None:
    """Return what Troth laid into troth.json, or what a container's variables say without it."""
    if context.sealing is not None:
        return context.sealing
    certificate = context.environ.get(_CERTIFICATE)
    if certificate is None:
        return None
    destination = context.environ.get(_DESTINATION, "")
    if not destination:
        message = f"{_CERTIFICATE} is set, and {_DESTINATION} does not say whose it is; set both."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    return SealingInput(destination, certificate.encode(), context.environ.get(_EPOCH, ""))


def _destination(given: SealingInput, sealed: Mapping[str, SealedValue]) -> str:
    """Return for whom it is sealed: of several names of one cluster, the one that it was.

    Otherwise a Destination that is added beside would have every credential rotated.
    """
    before = {one.destination for one in sealed.values()}
    return before.pop() if len(before) == 1 and before <= set(given.same) else given.destination


def _nothing_given() -> InvalidInputError:
    message = (
        "it is not known what to seal with. Give the Destination the annotation "
        "troth.dev/sealing-certificate. Where several with different certificates match the "
        "Promise, let its destinationSelectors match one cluster alone, or name one in its "
        f"annotation troth.dev/seals-for. On Kratix set {_CERTIFICATE} and {_DESTINATION}."
    )
    return InvalidInputError(Reason.CERTIFICATE_UNUSABLE, message)

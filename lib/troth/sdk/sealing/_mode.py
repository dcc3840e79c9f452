"""How the controller treats a Secret that is already there: replace it, patch it, take it over.

The annotations that steer it stand in the SealedSecret's template, but ``patch`` and ``managed``
are read from the *live* Secret, which has them only after it was written with them. So a
SealedSecret that is switched to patching too early still replaces, and wipes what it leaves out.
Source: sealed-secrets ``pkg/controller/controller.go``, ``unseal``.
"""

from collections.abc import Mapping
from enum import StrEnum

from troth.errors import OutputRefusedError, Reason
from troth.sdk.sealing._target import SEALED_SECRETS_PREFIX

__all__ = ["PatchMode", "refuse_unsafe_switch"]

_MANAGED = f"{SEALED_SECRETS_PREFIX}managed"
_PATCH = f"{SEALED_SECRETS_PREFIX}patch"
_UNOWNED = f"{SEALED_SECRETS_PREFIX}skip-set-owner-references"


class PatchMode(StrEnum):
    """What becomes of the Secret.

    Attributes:
        REPLACE: it is the SealedSecret's own: what is not sealed in it goes, and with the
            SealedSecret it goes altogether.
        PATCH: sealed keys are laid over those that are there; none is ever removed. One that is
            made this way is owned, and goes with the SealedSecret.
        PATCH_UNOWNED: the same, but one that is made this way is not owned, and stays.
        PATCH_NOTHING: nothing is sealed and the data stay as they are: for values that nobody can
            read again. Labels and annotations are laid over those that are there.
        TAKE_OVER: it becomes the SealedSecret's own although it was made by somebody else, once it
            carries the annotation ``managed`` (then it is replaced) or ``patch`` (then it is
            patched, as long as it carries that).
    """

    REPLACE = "replace"
    PATCH = "patch"
    PATCH_UNOWNED = "patch-unowned"
    PATCH_NOTHING = "patch-nothing"
    TAKE_OVER = "take-over"

    @property
    def annotations(self) -> dict[str, str]:
        """Return what the template has to carry."""
        match self:
            case PatchMode.REPLACE:
                return {}
            case PatchMode.PATCH | PatchMode.PATCH_NOTHING:
                return {_PATCH: "true"}
            case PatchMode.PATCH_UNOWNED:
                return {_PATCH: "true", _UNOWNED: "true"}
            case PatchMode.TAKE_OVER:
                return {_MANAGED: "true"}


def refuse_unsafe_switch(
    before: PatchMode, after: PatchMode, live_annotations: Mapping[str, str] | None
) -> None:
    """Raise unless a live SealedSecret can be switched to another mode with nothing lost.

    Args:
        before: the mode that it was written in last.
        after: the mode that it is to be written in.
        live_annotations: those of the live Secret, as they were seen in the cluster; None where
            nobody has looked.

    Raises:
        OutputRefusedError: the live Secret is not known to carry what makes the switch safe, or
            carries what defeats it.
    """
    if before is after:
        return
    switch = f"the SealedSecret cannot be switched from {before} to {after}"
    if live_annotations is None:
        message = (
            f"{switch}: what its live Secret carries is not known, and the controller goes by "
            "that. Look at it in the cluster first, and say what annotations it has."
        )
        raise OutputRefusedError(Reason.UNSAFE_SWITCH, message)
    problem = _problem(before, after, live_annotations)
    if problem is not None:
        raise OutputRefusedError(Reason.UNSAFE_SWITCH, f"{switch}: {problem}")


def _problem(before: PatchMode, after: PatchMode, live: Mapping[str, str]) -> str | None:
    match after:
        case PatchMode.PATCH | PatchMode.PATCH_NOTHING | PatchMode.PATCH_UNOWNED:
            return _missing(after, live)
        case PatchMode.TAKE_OVER:
            return _not_taken(before, live)
        case PatchMode.REPLACE:
            return _not_replaced(before, live)


def _missing(after: PatchMode, live: Mapping[str, str]) -> str | None:
    for annotation, value in after.annotations.items():
        if live.get(annotation) == value:
            continue
        if annotation == _UNOWNED:
            return (
                f'its live Secret does not carry {_UNOWNED}: "true", so it was made as the '
                "SealedSecret's own and would still go with it. Take its ownerReferences away and "
                "annotate it so, then switch."
            )
        return (
            f'its live Secret does not carry {_PATCH}: "true", so the controller would replace '
            "it, and what the SealedSecret leaves out would be gone. Annotate the live Secret, "
            "then switch."
        )
    return None


def _not_taken(before: PatchMode, live: Mapping[str, str]) -> str | None:
    if before is PatchMode.REPLACE or "true" in {live.get(_MANAGED), live.get(_PATCH)}:
        return None
    return (
        f'its live Secret carries neither {_MANAGED}: "true" nor {_PATCH}: "true", so the '
        "controller would refuse to touch it. Annotate the live Secret, then switch."
    )


def _not_replaced(before: PatchMode, live: Mapping[str, str]) -> str | None:
    if live.get(_PATCH) == "true":
        return (
            f'its live Secret carries {_PATCH}: "true", so the controller would go on patching '
            "it, and keys that are taken out would stay. Take that annotation off the live Secret, "
            "then switch."
        )
    if before is PatchMode.PATCH_UNOWNED and live.get(_MANAGED) != "true":
        return (
            f"its live Secret is not the SealedSecret's own and does not carry {_MANAGED}: "
            '"true", so the controller would refuse to touch it. Switch to take-over first.'
        )
    return None

"""The SealedSecret object: what is written for the controller to make a Secret of."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from troth.api import Json, JsonObject
from troth.api.labels import SEALED_FOR, TROTH_PREFIX
from troth.errors import InvalidInputError, Reason
from troth.sdk.sealing._mode import PatchMode
from troth.sdk.sealing._target import SEALED_SECRETS_PREFIX, Target

__all__ = ["SecretShape", "sealed_secret"]

_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")  # apimachinery ``IsConfigMapKey``


@dataclass(frozen=True, slots=True)
class SecretShape:
    """What the Secret is like besides its values.

    Attributes:
        type: written always: a Secret's type cannot be changed, and a SealedSecret without one
            would change it to ``Opaque``.
        labels: of the Secret and of the SealedSecret alike, since a controller with a label
            selector goes by both.
        annotations: of the Secret.
    """

    type: str = "Opaque"
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])


def sealed_secret(
    target: Target,
    destination: str,
    ciphertexts: Mapping[str, str],
    shape: SecretShape | None = None,
    mode: PatchMode = PatchMode.REPLACE,
) -> JsonObject:
    """Return the SealedSecret, the same for the same arguments in any order.

    Args:
        target: what the values were sealed for.
        destination: name of the Destination that they were sealed for.
        ciphertexts: the values by key; empty in the mode `PATCH_NOTHING`, and only there.
        shape: what the Secret is like besides; of type ``Opaque`` and nothing else without it.
        mode: what becomes of a Secret that is there.

    Raises:
        InvalidInputError: a key is none, the type is empty, an annotation is not for people to set,
            or the mode and what is sealed contradict each other.
    """
    shape = shape or SecretShape()
    _refuse_wrong(target, ciphertexts, shape, mode)
    template: dict[str, Json] = {"type": shape.type}
    annotations = {**shape.annotations, **target.scope.annotations, **mode.annotations}
    described = _without_empty({"annotations": annotations, "labels": shape.labels})
    if described:
        template = {"metadata": described, **template}
    return {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {
            "name": target.name,
            "namespace": target.namespace,
            **_without_empty(
                {
                    "annotations": {**target.scope.annotations, SEALED_FOR: destination},
                    "labels": shape.labels,
                }
            ),
        },
        "spec": {"encryptedData": _sorted(ciphertexts), "template": template},
    }


def _refuse_wrong(
    target: Target, ciphertexts: Mapping[str, str], shape: SecretShape, mode: PatchMode
) -> None:
    what = f"the SealedSecret {target}"
    for key in ciphertexts:
        if not _KEY.fullmatch(key) or key in {".", ".."}:
            message = (
                f"{what}: {key!r} is no key of a Secret: 1 to 253 letters, digits, '-', '_' or '.'."
            )
            raise InvalidInputError(Reason.INVALID_OBJECT, message)
    if not shape.type:
        message = f"{what}: its Secret needs a type; that of most is 'Opaque'."
        raise InvalidInputError(Reason.INVALID_OBJECT, message)
    for key in shape.annotations:
        if key.startswith((SEALED_SECRETS_PREFIX, TROTH_PREFIX)):
            message = f"{what}: the annotation {key} follows from scope and mode; leave it out."
            raise InvalidInputError(Reason.INVALID_OBJECT, message)
    if bool(ciphertexts) == (mode is PatchMode.PATCH_NOTHING):
        message = (
            f"{what}: the mode {mode} seals nothing, but {len(ciphertexts)} values were given."
            if ciphertexts
            else f"{what}: nothing is to be sealed; only the mode {PatchMode.PATCH_NOTHING} leaves "
            "a live Secret as it is."
        )
        raise InvalidInputError(Reason.INVALID_OBJECT, message)


def _without_empty(parts: Mapping[str, Mapping[str, str]]) -> dict[str, Json]:
    return {name: _sorted(part) for name, part in parts.items() if part}


def _sorted(part: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(part.items()))

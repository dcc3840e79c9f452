"""A sealed value and what is remembered of it: the state from which sealing stays stable.

It is kept in a request's status, one object for each key of the Secret. Nothing in it opens
anything: the ciphertext is for the cluster, and the fingerprint is a keyed one.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass

from troth.api import Fields, JsonObject
from troth.errors import InvalidInputError, Reason
from troth.sdk.sealing._target import Target

__all__ = ["SealedValue", "read_sealed_values"]

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SealedValue:
    """One sealed value.

    Attributes:
        ciphertext: what stands in the SealedSecret, standard base64.
        label: what it is bound to, as `Target.label` spells it.
        destination: name of the Destination whose cluster opens it.
        epoch: which life of that cluster's keys; another one opens nothing of this.
        generation: of the credential, counted by who makes it.
        certificate: fingerprint of the public key it was sealed with.
        fingerprint: of the value, under the key of `key_id`; None where there was no key.
        key_id: which sealing key made the fingerprint.
    """

    ciphertext: str
    label: str
    destination: str
    epoch: str
    generation: int
    certificate: str
    fingerprint: str | None = None
    key_id: str | None = None

    def fits(self, target: Target, destination: str, epoch: str) -> bool:
        """Tell whether it can be opened where it is to go."""
        here = (self.label, self.destination, self.epoch)
        return here == (target.label, destination, epoch)

    def as_json(self) -> JsonObject:
        """Return it as it is kept."""
        kept: dict[str, str | int] = {
            "ciphertext": self.ciphertext,
            "label": self.label,
            "destination": self.destination,
            "epoch": self.epoch,
            "generation": self.generation,
            "certificate": self.certificate,
        }
        if self.fingerprint is not None and self.key_id is not None:
            kept |= {"fingerprint": self.fingerprint, "keyId": self.key_id}
        return kept

    @classmethod
    def from_json(cls, raw: JsonObject, at: tuple[str | int, ...] = ()) -> "SealedValue":
        """Read it as it was kept.

        Fields that a newer version added are left alone.

        Args:
            raw: what was kept.
            at: where it stands, for messages.

        Raises:
            InvalidInputError: somebody changed it into something else.
        """
        fields = Fields(raw, at, Reason.INVALID_STATUS)
        generation = fields.value("generation")
        if not isinstance(generation, int) or isinstance(generation, bool) or generation < 0:
            raise fields.error("generation", "a whole number is needed here, from 0 on.")
        fingerprint = fields.text("fingerprint") if fields.has("fingerprint") else None
        if fingerprint is not None and not _FINGERPRINT.fullmatch(fingerprint):
            raise fields.error("fingerprint", "64 hex digits are needed here.")
        return cls(
            ciphertext=_ciphertext(fields),
            label=fields.text("label", ""),
            destination=fields.text("destination"),
            epoch=fields.text("epoch", ""),
            generation=generation,
            certificate=fields.text("certificate"),
            fingerprint=fingerprint,
            key_id=None if fingerprint is None else fields.text("keyId"),
        )


def read_sealed_values(raw: JsonObject, at: tuple[str | int, ...] = ()) -> dict[str, SealedValue]:
    """Read what `SealedResult.as_json` kept of all keys of a Secret.

    Raises:
        InvalidInputError: a part of it is not as it was kept.
    """
    fields = Fields(raw, at, Reason.INVALID_STATUS)
    for key, value in raw.items():
        if not isinstance(value, Mapping):
            raise fields.error(key, "a sealed value is needed here: a mapping.")
    return {key: SealedValue.from_json(fields.mapping(key), (*at, key)) for key in raw}


def _ciphertext(fields: Fields) -> str:
    text = fields.text("ciphertext")
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        raise _no_ciphertext(fields) from None  # base64's own words may quote it
    return text


def _no_ciphertext(fields: Fields) -> InvalidInputError:
    return fields.error("ciphertext", "standard base64 is needed here, as a sealer printed it.")

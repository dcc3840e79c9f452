"""Stable sealing: what did not change is not sealed again, key by key.

Every ciphertext of a value differs, and a changed ciphertext makes the cluster write the Secret. So
a value is known again by its keyed fingerprint, or, where nobody can read it again, by its
generation, and its old ciphertext is kept to the byte. What was left is all that decides: sealing
again from it changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from troth.api import JsonObject
from troth.errors import Reason, StageError
from troth.sdk.sealing._key import SealingKey
from troth.sdk.sealing._sealer import Sealer
from troth.sdk.sealing._target import Target
from troth.sdk.sealing._value import SealedValue
from troth.sdk.unknown import UNKNOWN, Unknown

__all__ = ["Note", "Sealable", "SealedResult", "Sealing", "seal_stably"]


@dataclass(frozen=True, slots=True)
class Sealable:
    """A value that the Secret should hold.

    Attributes:
        value: the plain bytes; None where nobody can read them again; `UNKNOWN` where an effect
            that would give them was not performed.
        generation: of the credential; of values that nobody rotates always the same.
    """

    value: bytes | Unknown | None = field(repr=False)
    generation: int = 1

    def __post_init__(self) -> None:
        """Refuse a text in place of bytes; it would be taken for a value that is not known."""
        value = cast("object", self.value)
        if value is not None and not isinstance(value, bytes | Unknown):
            message = f"a value to seal is bytes, None or UNKNOWN, not {type(value).__name__}"
            raise TypeError(message)


@dataclass(frozen=True, slots=True)
class Sealing:
    """How and where to seal.

    Attributes:
        sealer: seals; None where nothing is to be sealed now (plan, render, test): what would be
            sealed is unknown then.
        target: the Secret.
        destination: name of the Destination whose cluster opens it.
        epoch: which life of that cluster's keys.
        key: knows values again; None where the platform has none.
    """

    sealer: Sealer | None
    target: Target
    destination: str
    epoch: str = ""
    key: SealingKey | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth saying that stops nothing; the same as long as nothing changes.

    Attributes:
        keys: of the Secret, which it concerns.
        text: full sentences for a person.
    """

    keys: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class SealedResult:
    """What came of sealing a Secret's values.

    Attributes:
        values: what was sealed, or kept.
        unknown: keys whose value is known after apply.
        rotate: keys whose credential has to be rotated now (`Reason.KEY_REPLACED`), and the
            sentence that says why; they are in neither of the two others. Until that is done, what
            the last run left stands as it is, state and SealedSecret: one value that cannot be
            opened stops the whole Secret.
        notes: what to say besides.
    """

    values: Mapping[str, SealedValue]
    unknown: tuple[str, ...] = ()
    rotate: Mapping[str, str] = field(default_factory=dict[str, str])
    notes: tuple[Note, ...] = ()

    def ciphertexts(self) -> dict[str, str]:
        """Return what the SealedSecret should hold, by key; of an unknown value its text.

        Raises:
            StageError: credentials have to be rotated first.
        """
        self._refuse_unfinished()
        known = {key: value.ciphertext for key, value in self.values.items()}
        return dict(sorted((known | dict.fromkeys(self.unknown, str(UNKNOWN))).items()))

    def as_json(self) -> dict[str, JsonObject]:
        """Return what is to be kept in the request's status; what is unknown is no part of it.

        Raises:
            StageError: credentials have to be rotated first.
        """
        self._refuse_unfinished()
        return {key: value.as_json() for key, value in self.values.items()}

    def _refuse_unfinished(self) -> None:
        if self.rotate:
            message = " ".join(self.rotate[key] for key in sorted(self.rotate))
            raise StageError(Reason.KEY_REPLACED, message)


def seal_stably(
    wanted: Mapping[str, Sealable], before: Mapping[str, SealedValue], sealing: Sealing
) -> SealedResult:
    """Seal the values of a Secret, each for itself, and what did not change not at all.

    Args:
        wanted: the Secret's values by key.
        before: what the last run left; keys that are no longer wanted are forgotten.
        sealing: how and where to seal.

    Returns:
        The ciphertexts, and what to say of them.

    Raises:
        StageError: a value is wanted that nobody knows, and there is no ciphertext of it
            (`Reason.CREDENTIAL_LOST`).
        PermanentError, TransientError: as the sealer raises them.
    """
    outcomes = {key: _outcome(wanted[key], before.get(key), sealing) for key in sorted(wanted)}
    lost = [key for key, outcome in outcomes.items() if outcome is Reason.CREDENTIAL_LOST]
    if lost:
        raise _lost({key: wanted[key].generation for key in lost}, sealing.target)
    values = {key: one for key, one in outcomes.items() if isinstance(one, SealedValue)}
    return SealedResult(
        values=values,
        unknown=tuple(key for key, outcome in outcomes.items() if outcome is UNKNOWN),
        rotate={
            key: _why(key, before[key], sealing)
            for key, outcome in outcomes.items()
            if outcome is Reason.KEY_REPLACED
        },
        notes=_notes(wanted, values, sealing.key),
    )


def _outcome(
    wanted: Sealable, old: SealedValue | None, sealing: Sealing
) -> SealedValue | Unknown | Reason:
    """Decide about one value, and seal it if need be; a Reason says why it cannot be had.

    The certificate has no say: a controller keeps the keys that it renews.
    """
    opens = old is not None and old.fits(sealing.target, sealing.destination, sealing.epoch)
    if isinstance(wanted.value, bytes):
        if old is not None and opens and _is_same(wanted.value, wanted.generation, old, sealing):
            return replace(old, generation=wanted.generation)
        if sealing.sealer is None:
            return UNKNOWN
        return _seal(wanted.value, wanted.generation, sealing, sealing.sealer)
    if old is None or old.generation != wanted.generation:
        return Reason.CREDENTIAL_LOST if wanted.value is None else UNKNOWN
    if opens:
        return old
    return Reason.KEY_REPLACED if wanted.value is None else UNKNOWN


def _is_same(value: bytes, generation: int, old: SealedValue, sealing: Sealing) -> bool:
    """Tell whether a ciphertext holds a value: by fingerprint, or else by generation."""
    key = sealing.key
    if key is None or old.fingerprint is None or old.key_id != key.key_id:
        return old.generation == generation
    return old.fingerprint == key.fingerprint(value, sealing.target.label, sealing.destination)


def _seal(value: bytes, generation: int, sealing: Sealing, sealer: Sealer) -> SealedValue:
    key, label, destination = sealing.key, sealing.target.label, sealing.destination
    return SealedValue(
        ciphertext=sealer.seal(value, sealing.target),
        label=label,
        destination=destination,
        epoch=sealing.epoch,
        generation=generation,
        certificate=sealer.certificate.fingerprint,
        fingerprint=None if key is None else key.fingerprint(value, label, destination),
        key_id=None if key is None else key.key_id,
    )


def _lost(generations: Mapping[str, int], target: Target) -> StageError:
    names = ", ".join(f"{key!r} (generation {number})" for key, number in generations.items())
    message = (
        f"nobody knows the value of {names} of {target} any more, and no ciphertext of that "
        "generation is left. Its credential must be rotated: make the next generation, seal that."
    )
    return StageError(Reason.CREDENTIAL_LOST, message)


def _why(key: str, old: SealedValue, sealing: Sealing) -> str:
    moved = [
        f"{what} was {before!r} and is {now!r}"
        for what, before, now in (
            ("its Destination", old.destination, sealing.destination),
            ("what it is bound to", old.label, sealing.target.label),
            ("the epoch of the cluster's keys", old.epoch, sealing.epoch),
        )
        if before != now
    ]
    return (
        f"{key!r} of {sealing.target} can no longer be opened where it goes ({'; '.join(moved)}), "
        "and nobody knows its value to seal it anew: its credential must be rotated."
    )


def _notes(
    wanted: Mapping[str, Sealable], values: Mapping[str, SealedValue], key: SealingKey | None
) -> tuple[Note, ...]:
    """Say which known values could not be compared; of unknown ones the generation always decides.

    Only what was left is looked at, not what was done: so the next run says the same.
    """
    blind = tuple(
        name
        for name, value in values.items()
        if isinstance(wanted[name].value, bytes) and (key is None or value.key_id != key.key_id)
    )
    if not blind:
        return ()
    why = (
        "there is no sealing key"
        if key is None
        else "the sealing key is not the one that they were sealed under"
    )
    text = (
        f"{', '.join(blind)}: {why}, so their ciphertext is kept as long as their generation stays "
        "the same, and a changed value would not be noticed. Put the old key back, or rotate them."
    )
    return (Note(blind, text),)

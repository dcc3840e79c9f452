"""Reseal: old ciphertexts become new ones of the same values, and nothing else changes.

The new ones are put into the state in the record, and the ordinary ladder renders from it, with no
effect performed. What comes out has to be what stands in the files, to the byte but for the
ciphertexts; else nothing of it is written. So the next sync finds what it would have rendered.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

from troth.api import Json, JsonObject, RequestKey
from troth.engine.change import Change, deed_of
from troth.engine.draft import Draft
from troth.engine.ladder import Plan
from troth.engine.ledger import Entry, Ledger
from troth.engine.moves import places_of
from troth.engine.record import Record
from troth.engine.report import of_record
from troth.engine.sealed_values import KeptValue, SealedFile, kept_values
from troth.engine.survey import survey_one
from troth.engine.values import Item, Spot, State, World
from troth.errors import InvalidInputError, PermanentError, Reason
from troth.sdk.sealing import SealedValue

__all__ = [
    "Aged",
    "Current",
    "Renewed",
    "is_current",
    "judge",
    "look_for_aged",
    "renew",
    "why_not_now",
    "with_renewed",
]

Current: TypeAlias = Callable[[str], str]
"""Tells the fingerprint of the certificate that a Destination has now; raises TrothError."""

_SYNC_FIRST = "Sync first, then seal anew."


def is_current(sealed: SealedValue, world: World, current: Current) -> bool:
    """Tell whether a value is sealed with the certificate that its Destination has now.

    Raises:
        InvalidInputError: the Destination is not given, or its cluster has lost the keys.
        TrothError: its certificate cannot be had.
    """
    destination = world.destinations.get(sealed.destination)
    if destination is None:
        message = f"its Destination {sealed.destination} is not among those given."
        raise InvalidInputError(Reason.DESTINATION_GONE, message)
    if destination.sealing_epoch != sealed.epoch:
        message = (
            f"it was sealed before the cluster of Destination {sealed.destination} lost its keys, "
            "and opens nowhere; a sync makes it anew."
        )
        raise InvalidInputError(Reason.KEY_REPLACED, message)
    return sealed.certificate == current(sealed.destination)


@dataclass(frozen=True, slots=True)
class Aged:
    """A request with values under an old certificate.

    Attributes:
        entry: its record.
        values: those under an old one, all for one Destination's cluster or another.
        files: the SealedSecrets that it has in files.
    """

    entry: Entry
    values: tuple[KeptValue, ...]
    files: tuple[SealedFile, ...]

    @property
    def key(self) -> RequestKey:
        """Who it is."""
        return self.entry.record.key


@dataclass(frozen=True, slots=True)
class Renewed:
    """What is to become of a request.

    Attributes:
        aged: what it was.
        ciphertexts: old → new.
        record: with the new state.
    """

    aged: Aged
    ciphertexts: Mapping[str, str]
    record: Record


def look_for_aged(
    entry: Entry, files: Sequence[SealedFile], world: World, current: Current
) -> Aged | None:
    """Return what of a request is under an old certificate, None where nothing is.

    Args:
        entry: its record.
        files: the SealedSecrets that it has in files.
        world: Destinations.
        current: tells which certificates they have.

    Raises:
        InvalidInputError: its status cannot be read, or a value opens nowhere.
        TrothError: a certificate cannot be had.
    """
    old = tuple(
        one for one in kept_values(entry.record.status) if not is_current(one.value, world, current)
    )
    return Aged(entry, old, tuple(files)) if old else None


def why_not_now(ledger: Ledger, entry: Entry) -> Item | None:
    """Return why a request's files cannot be sealed anew as they are, None where they can be."""
    record = entry.record
    if record.paused:
        text = "it is paused by its label; take the label off first."
        return of_record(record, State.SUSPENDED, Reason.PAUSED, text)
    item = survey_one(ledger, entry)
    return None if item.reason == Reason.UP_TO_DATE else item


def renew(
    aged: Aged, reencrypt: Callable[[str, JsonObject], Mapping[str, str]], current: Current
) -> Renewed:
    """Have the SealedSecrets of a request sealed anew.

    Args:
        aged: the request.
        reencrypt: asks the controller of a Destination for the ciphertexts of an object, by key.
        current: tells which certificate they have then.

    Raises:
        PermanentError: a value stands in no file, so nobody can be asked for it.
        TrothError: the controller refuses, or does not answer.
    """
    old = {one.value.ciphertext: one for one in aged.values}
    new: dict[str, str] = {}
    for file in aged.files:
        mine = {key: text for key, text in file.ciphertexts.items() if text in old}
        if set(mine.values()) <= new.keys():
            continue  # of the same object in two Destinations of one cluster, one is enough
        answer = reencrypt(old[next(iter(mine.values()))].value.destination, file.manifest)
        new |= {text: answer[key] for key, text in mine.items()}
    missing = sorted(one.key for text, one in old.items() if text not in new)
    if missing:
        message = (
            f"the value of {', '.join(missing)} stands in none of its files, so no controller can "
            f"be asked to seal it anew. {_SYNC_FIRST}"
        )
        raise PermanentError(Reason.SYNC_FIRST, message)
    record = aged.entry.record
    status: Mapping[str, Json] = record.status
    for one in aged.values:
        renewed = {
            "ciphertext": new[one.value.ciphertext],
            "certificate": current(one.value.destination),
        }
        status = cast("JsonObject", _with(status, one.at, renewed))
    return Renewed(aged, new, replace(record, status=status))


def _with(part: Json, at: Sequence[str | int], changed: Mapping[str, Json]) -> Json:
    """Return a copy of a part of a status in which the mapping at `at` has other fields."""
    if not at:
        return {**cast("JsonObject", part), **changed}
    head, rest = at[0], at[1:]
    if isinstance(part, list):
        return [_with(one, rest, changed) if n == head else one for n, one in enumerate(part)]
    inside = cast("JsonObject", part)
    return {key: _with(one, rest, changed) if key == head else one for key, one in inside.items()}


def with_renewed(ledger: Ledger, renewed: Iterable[Renewed]) -> Ledger:
    """Return the same moment of the stores, as if the new state had been in the records."""
    entries = dict(ledger.entries)
    for one in renewed:
        entries[one.aged.key] = replace(one.aged.entry, record=one.record)
    return replace(ledger, entries=entries)


def judge(plan: Plan, renewed: Renewed) -> Change | Item:
    """Return what writes a request's new ciphertexts, or why nothing of it may be written.

    Args:
        plan: made of the moment that `with_renewed` gave.
        renewed: the request.
    """
    record, key = renewed.aged.entry.record, renewed.aged.key
    pair = next((one for one in plan.drafts if one[0].key == key), None)
    if pair is None:
        item = next((one for one in plan.items if one.key == key), None)
        if item is not None and item.state is not State.ORPHANED:
            return item
        text = "it was not handed in, so nothing can render it; give its file and its Promise."
        return of_record(record, State.REFUSED, Reason.SYNC_FIRST, text)
    draft, change = pair
    if draft.settled is not None:
        follows = draft.settled.follows
        return of_record(record, follows.state, follows.reason, draft.settled.message)
    problem = _problem(plan, draft, change, renewed)
    if problem is not None or change is None:
        text = f"{problem or 'its stages take no notice of the new ciphertexts.'} {_SYNC_FIRST}"
        return of_record(record, State.REFUSED, Reason.SYNC_FIRST, text)
    parts = {
        store: replace(part, title=f"Reseal {key}", deed=deed_of("Reseal", key))
        for store, part in change.parts.items()
    }
    return replace(change, parts=parts)


def _problem(plan: Plan, draft: Draft, change: Change | None, renewed: Renewed) -> str | None:
    """Return what else would change than ciphertexts, None where nothing would."""
    record = renewed.record
    if not record.was_asked(draft.asked) or draft.promise_digest != record.promise_digest:
        return "the request or its Promise is another than the one that was fulfilled last."
    if draft.effects:
        return f"its stages have something to do outside ({'; '.join(draft.effects)})."
    if draft.status != record.status:
        return "its stages leave another state than the one with the new ciphertexts."
    moved = places_of(draft.placements) != places_of(record.placements)
    if moved or (change is not None and (change.delete or change.after or change.last)):
        return "its files would be at another place."
    return _other_bytes(plan, draft, renewed.ciphertexts)


def _other_bytes(plan: Plan, draft: Draft, ciphertexts: Mapping[str, str]) -> str | None:
    """Compare what was rendered with what stands in the files, but for the ciphertexts."""
    rendered = {
        Spot(one.store, path): content
        for one in draft.placements
        for path, content in (one.contents or {}).items()
    }
    standing = plan.ledger.view.read(draft.observed)
    swapped = {old.encode(): new.encode() for old, new in ciphertexts.items()}
    for spot in sorted(rendered.keys() | standing.keys() - draft.left.keys()):
        expected = standing.get(spot, b"")
        for old, new in swapped.items():
            expected = expected.replace(old, new)
        if spot not in rendered or spot not in standing or rendered[spot] != expected:
            return f"{spot} would change in more than ciphertexts."
    return None

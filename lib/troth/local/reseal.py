"""Reseal: a run that seals anew what is under an old certificate, and touches nothing else."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from troth.api import Fields, JsonObject, RequestKey
from troth.engine import Change, Entry, Item, Ledger, State
from troth.engine.admit import Admission
from troth.engine.carry import Fate, Submit
from troth.engine.ledger import names_in
from troth.engine.report import of_record, of_unreadable, state_of
from troth.engine.reseal import (
    Aged,
    Renewed,
    judge,
    look_for_aged,
    renew,
    why_not_now,
    with_renewed,
)
from troth.engine.sealed_values import KeptValue, SealedFile, kept_values, sealed_files
from troth.errors import Reason, TrothError
from troth.local.controllers import Reencryption
from troth.local.past import flushing, handed_in
from troth.local.session import Session

__all__ = ["Found", "Reseal", "Resealed"]

# Requests that are written at once: what was asked before a run breaks off is asked again, and a
# controller lets two questions a second through.
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Resealed:
    """What became of a request.

    Attributes:
        item: its line.
        renewed: values that are under the newest certificate now, by this run.
        kept: values that stay as they were although they should not.
        current: values that had no need of it.
        unknown: values in its files of which nobody knows the certificate.
    """

    item: Item
    renewed: int = 0
    kept: int = 0
    current: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What a run found.

    Attributes:
        ledger: the moment of the stores.
        told: requests of which nothing is to be sealed anew, or can be.
        aged: the others, each with what becomes of it if nothing is done.
    """

    ledger: Ledger
    told: list[Resealed] = field(default_factory=list[Resealed])
    aged: list[tuple[Aged, Resealed]] = field(default_factory=list[tuple[Aged, Resealed]])


@dataclass(frozen=True, slots=True)
class Reseal:
    """Seals anew.

    Attributes:
        session: inputs, stores and stages.
        reencryption: asks the controllers.
        dry_run: no controller is asked to seal, and nothing is written.
    """

    session: Session
    reencryption: Reencryption
    dry_run: bool = False

    def look(self, selects: Callable[[RequestKey], bool] = lambda _: True) -> Found:
        """Return what is to be done.

        Args:
            selects: tells of a request whether it is meant.

        Raises:
            StoreError, TransientError: as `Session.look`.
        """
        found = Found(Ledger.read(self.session.look()))
        for spot, unreadable in found.ledger.unreadable.items():
            if (owner := names_in(spot.path)) is None or selects(owner):
                found.told.append(Resealed(of_unreadable(spot.path, unreadable)))
        for store, error in found.ledger.view.unreached.items():
            item = Item("", "", store, state_of(error), error.reason, error.message)
            found.told.append(Resealed(item))
        entries = [found.ledger.entries[key] for key in filter(selects, found.ledger.entries)]
        files = sealed_files(found.ledger, entries)
        for entry in sorted(entries, key=lambda one: one.record.key):
            self._sort(found, entry, files.get(entry.record.key, []))
        return found

    def _sort(self, found: Found, entry: Entry, files: Sequence[SealedFile]) -> None:
        """Put a request with those that are to be sealed anew, or tell why it is none."""
        record, kept = entry.record, list[KeptValue]()
        try:
            kept = kept_values(record.status)
            world, current = self.session.world, self.reencryption.current
            aged = look_for_aged(entry, files, world, current)
        except TrothError as error:
            item = of_record(record, state_of(error), error.reason, error.message)
            found.told.append(Resealed(item, kept=max(1, len(kept))))
            return
        known = {one.value.ciphertext for one in kept}
        unknown = len({text for one in files for text in one.ciphertexts.values()} - known)
        old = len(aged.values) if aged is not None else 0
        item = of_record(record, State.UNCHANGED, Reason.UP_TO_DATE)
        stays = Resealed(item, kept=old, current=len(kept) - old, unknown=unknown)
        why = why_not_now(found.ledger, entry) if aged is not None else None
        if aged is not None and why is None:
            found.aged.append((aged, stays))
        elif kept or unknown:
            found.told.append(stays if why is None else replace(stays, item=why))

    def carry_out(
        self, found: Found, progress: Callable[[], None] = lambda: None
    ) -> Iterator[Resealed]:
        """Seal anew what was found, and write it; give what became of each request.

        What is done so far is written every now and then.

        Args:
            found: by `look`.
            progress: called for each request whose controller was asked.
        """
        yield from found.told
        with flushing({} if self.dry_run else self.session.stores) as submit:
            for start in range(0, len(found.aged), _BATCH):
                yield from self._batch(
                    found.ledger, found.aged[start : start + _BATCH], submit, progress
                )

    def _batch(
        self,
        ledger: Ledger,
        batch: Sequence[tuple[Aged, Resealed]],
        submit: Submit,
        progress: Callable[[], None],
    ) -> Iterator[Resealed]:
        renewed: list[tuple[Renewed, Resealed]] = []
        for aged, stays in batch:
            try:
                reencrypt = _as_it_is if self.dry_run else self.reencryption.reencrypt
                renewed.append((renew(aged, reencrypt, self.reencryption.current), stays))
            except TrothError as error:
                yield _stopped(stays, aged.entry, error)
            progress()
        renewed, stopped = self._unless_renewed(renewed)
        yield from stopped
        changes: list[tuple[Change, Renewed, Resealed]] = []
        for (one, stays), judged in zip(renewed, self._judged(ledger, renewed), strict=True):
            if isinstance(judged, Item):
                yield replace(stays, item=judged)
            elif self.dry_run:
                yield _done(one, stays, None)
            else:
                changes.append((judged, one, stays))
        fates = handed_in(submit, [change for change, _, _ in changes], ledger.view.read)
        for (_, one, stays), fate in zip(changes, fates, strict=True):
            yield _done(one, stays, fate)

    def _unless_renewed(
        self, renewed: Sequence[tuple[Renewed, Resealed]]
    ) -> tuple[list[tuple[Renewed, Resealed]], list[Resealed]]:
        """Sort out those whose controller got another certificate while it was asked."""
        wrong: dict[str, TrothError] = {}
        if not self.dry_run:
            names = {one.value.destination for aged, _ in renewed for one in aged.aged.values}
            for name in sorted(names):
                try:
                    self.reencryption.refuse_renewed(name)
                except TrothError as error:
                    wrong[name] = error
        good: list[tuple[Renewed, Resealed]] = []
        stopped: list[Resealed] = []
        for one, stays in renewed:
            names = {value.value.destination for value in one.aged.values} & wrong.keys()
            if names:
                stopped.append(_stopped(stays, one.aged.entry, wrong[min(names)]))
            else:
                good.append((one, stays))
        return good, stopped

    def _judged(
        self, ledger: Ledger, renewed: Sequence[tuple[Renewed, Resealed]]
    ) -> list[Change | Item]:
        """Have the stages render these requests from their new state, and no others."""
        if not renewed:
            return []
        session, keys = self.session, {one.aged.key for one, _ in renewed}
        key_of = Admission(session.world, ledger).key_of
        meant = [one for one in session.inputs.submissions if key_of(one.request) in keys]
        # What is left out is no reason to remove anything.
        inputs = replace(session.inputs, submissions=meant, complete=False)
        options = replace(session.options, progress=lambda: None)
        moment = with_renewed(ledger, (one for one, _ in renewed))
        plan = replace(session, inputs=inputs, options=options).plan(moment)
        return [judge(plan, one) for one, _ in renewed]


def _as_it_is(_: str, manifest: JsonObject) -> Mapping[str, str]:
    """Return an object's ciphertexts as they are, for a run in which nobody is asked."""
    return Fields(manifest).section("spec").string_map("encryptedData")


def _stopped(stays: Resealed, entry: Entry, error: TrothError) -> Resealed:
    item = of_record(entry.record, state_of(error), error.reason, error.message)
    return replace(stays, item=item)


def _done(renewed: Renewed, stays: Resealed, fate: Fate | None) -> Resealed:
    """Return what became of a request whose change was given to the stores, or would be."""
    if isinstance(fate, TrothError):
        return _stopped(stays, renewed.aged.entry, fate)
    number = len(renewed.aged.values)
    text = f"{number} value{'' if number == 1 else 's'} under the newest certificate."
    item = of_record(renewed.record, State.WRITTEN, Reason.UPDATED, text)
    if fate is not None:
        item = replace(item, revision=fate.revision, tree=fate.tree, changed=fate.changed)
    return replace(stays, item=item, renewed=number, kept=0)

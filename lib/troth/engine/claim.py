"""Claim: is nobody else holding the objects, routes and files that a request is to write?

Decided one request after another in the order of their keys, so that the outcome does not depend
on the order in which they were rendered or handed in.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import TypeVar

from troth.api import RequestKey
from troth.api.labels import EXTERNAL
from troth.engine.canary import CANARY_OBJECTS, canaries_of
from troth.engine.dark import Dark
from troth.engine.draft import Draft
from troth.engine.foreign import Foreign
from troth.engine.heirs import NO_HEIRS, Heirs
from troth.engine.ledger import Ledger
from troth.engine.record import Record
from troth.engine.routes import GATEWAY_GROUP, RouteBook, Traits, needs
from troth.engine.standing import Standing, Standings
from troth.engine.values import ObjectId, Spot, World
from troth.errors import HeldError, OutputRefusedError, Reason, WaitingError

__all__ = ["Claims"]


class Claims:
    """Who holds which object in which Destination, which route, and which file, through one run.

    A holder keeps what it holds until its change has been written.

    Args:
        ledger: what the stores say at the start of the run.
        world: the Destinations.
        leaving: requests that this run removes; nothing may come to hang on what they hold.
        heirs: those of them that another takes over from: what they hold is that one's already.
    """

    def __init__(
        self,
        ledger: Ledger,
        world: World,
        leaving: Collection[RequestKey] = (),
        heirs: Heirs = NO_HEIRS,
    ) -> None:
        self._ledger = ledger
        self._heirs = heirs
        self._books: dict[str, RouteBook] = {}
        self._gateways: dict[ObjectId, set[str]] = {}
        self._dark = Dark.of(ledger, world)
        self._foreign = Foreign(ledger, world)
        holdings = ledger.holdings
        objects = {**self._dark.objects, **holdings.objects}
        gone = set(leaving) - heirs.by_old.keys()
        self._lasting = _left(objects, gone)
        self._objects = _handed_on(objects, heirs)
        self._files = _handed_on(holdings.files, heirs)
        self._locate(self._lasting & {*self._dark.objects, *holdings.parents})
        self.standings = Standings(ledger, world)
        self._put_back = {
            key: why
            for key, standing in self.standings.found.items()
            if (why := standing.refusal or self._enter(key, standing)) is not None
        }
        self._canaries = {
            one.name: {Spot(world.store_of(one), path) for path in canaries_of(one)}
            for one in world.destinations.values()
            if one.canaries
        }

    @property
    def files(self) -> Collection[Spot]:
        """The files that are held, of those that lie in no folder of their own."""
        return self._files.keys()

    def is_taken_over(self, key: RequestKey) -> bool:
        """Tell whether somebody else takes over from this one, in this run."""
        return self._heirs.now(key) != key

    def provides_parents(self, draft: Draft) -> bool:
        """Tell whether routes of others may hang on what a draft places, or did so far."""
        before = (traits for record in self._before(draft.key) for traits in record.traits.values())
        return draft.provides_parents or any(traits.parents for traits in before)

    def why_put_back(self, key: RequestKey) -> str | None:
        """Return why a request's files, which were set back, are not kept so; None if they are."""
        why = self._put_back.get(key)
        return None if why is None else f"it was rolled back, and put back: {why}"

    def _enter(self, key: RequestKey, standing: Standing) -> str | None:
        """Give a request what stands in its files, beside what its record says it has.

        Returns:
            Why it may not have that, None when it has it now.
        """
        mine = self._heirs.now(key)
        for one in sorted(standing.objects):
            holder = self._objects.get(one, mine)
            if holder != mine and not self._only_expects(holder, one):
                return f"{one[1]} in Destination {one[0]} is held by {holder}."
        try:
            for name, traits in standing.traits.items():
                self._book(name).judge(mine, traits)
        except (HeldError, OutputRefusedError) as error:
            return error.message
        record = self._ledger.entries[key].record
        for name, traits in standing.traits.items():
            self._book(name).take(mine, _union(traits, record.traits.get(name)))
        self._objects.update(dict.fromkeys(standing.objects, mine))
        self._lasting.update(standing.objects)
        self._locate(standing.objects)
        return None

    def _only_expects(self, holder: RequestKey, one: tuple[str, ObjectId]) -> bool:
        """Tell whether one who was set back too is to get something back that it has not now."""
        other = self.standings.found.get(holder)
        return other is not None and other.refusal is None and one not in other.objects

    def take(self, draft: Draft) -> None:
        """Claim all objects, routes and files of a request, or none. Raises as `judge`."""
        if draft.is_rolled_back:
            return  # it has that already, see `_enter`
        self.judge(draft)
        if draft.settled is not None:
            return  # what it has is neither more nor less than it was
        objects, files = _wanted(draft)
        self._objects.update(dict.fromkeys(objects, draft.key))
        self._lasting -= self._held_by(draft.key)
        self._lasting.update(objects)
        self._locate(objects)
        self._files.update(dict.fromkeys(files, draft.key))
        for name in draft.traits.keys() | self._destinations_of(draft.key):
            self._book(name).take(draft.key, draft.traits.get(name, Traits()))

    def judge(self, draft: Draft) -> None:
        """Refuse what a request may not have; nothing is written down.

        Raises:
            HeldError: another request holds one of them; it is named.
            OutputRefusedError: two pipelines render the same, or a person's file holds it.
            WaitingError: what it refers to does not exist yet.
        """
        objects, files = _wanted(draft)
        self._refuse_canaries(objects, files)
        for destination, identity in objects:
            holder = self._objects.get((destination, identity), draft.key)
            if holder != draft.key:
                message = (
                    f"{identity} in Destination {destination} is held by {holder}; it becomes "
                    "free when that one lets go of it, and is then tried again."
                )
                raise HeldError(Reason.OBJECT_HELD, message, holder)
        new = [one for one in objects if one not in self._objects]
        self._foreign.refuse(new, draft.digests.keys())
        _refuse_twice(objects, "{0[1]} is rendered by two pipelines for Destination {0[0]}.")
        self._check_files(draft, files)
        _refuse_twice(files, "the file {0} is rendered by two pipelines.")
        self._judge_routes(draft)

    def _refuse_canaries(
        self, objects: Iterable[tuple[str, ObjectId]], files: Iterable[Spot]
    ) -> None:
        """Refuse what stands in a Destination already for people to see its agent at work."""
        taken: list[object] = [
            one for name, one in objects if name in self._canaries and one in CANARY_OBJECTS
        ]
        taken += [spot for spots in self._canaries.values() for spot in files if spot in spots]
        if taken:
            message = f"{taken[0]} is one of the Destination's canaries (spec.initWorkloads)."
            raise OutputRefusedError(Reason.DUPLICATE_OBJECT, message)

    def _judge_routes(self, draft: Draft) -> None:
        """Refuse routes that are not its to have, and wait for what they hang on."""
        if not draft.is_wanted:
            return
        for name, traits in sorted(draft.traits.items()):
            for needed in needs(traits):
                if (name, needed) not in self._lasting and not draft.promise.external.covers(
                    *needed
                ):
                    raise self._missing(needed, name)
            self._book(name).judge(draft.key, traits)

    def _missing(self, needed: ObjectId, destination: str) -> WaitingError:
        """Say what is to be done about something that is not where it is referred to."""
        elsewhere = ", ".join(sorted(self._gateways.get(needed, set[str]()) - {destination}))
        advice = (
            f"It is in Destination {elsewhere}: let the selectors of both Promises choose one."
            if elsewhere
            else f"If it is made elsewhere, the Promise has to say so in {EXTERNAL}."
        )
        message = (
            f"{needed} does not exist in Destination {destination}; this is written in the run in "
            f"which it appears. {advice}"
        )
        return WaitingError(Reason.PARENT_NOT_FOUND, message)

    def _locate(self, objects: Iterable[tuple[str, ObjectId]]) -> None:
        """Note in which Destinations Gateways are, and what else routes may hang on."""
        for destination, identity in objects:
            if identity.group == GATEWAY_GROUP:
                self._gateways.setdefault(identity, set()).add(destination)

    def _book(self, destination: str) -> RouteBook:
        """Return the book of a Destination, opened when it is first needed."""
        if destination not in self._books:
            dark = self._dark.traits.get(destination, {})
            known: dict[RequestKey, Traits] = {}
            for key, entry in self._ledger.entries.items():
                if destination in entry.record.traits:
                    mine, traits = self._heirs.now(key), entry.record.traits[destination]
                    known[mine] = known[mine] + traits if mine in known else traits
            self._books[destination] = RouteBook({**dark, **known})
        return self._books[destination]

    def _before(self, key: RequestKey) -> list[Record]:
        """Return the records of what is a request's at the start of the run."""
        mine = [key, *self._heirs.forebears(key)]
        entries = (self._ledger.entries.get(one) for one in mine)
        return [entry.record for entry in entries if entry is not None]

    def _held_by(self, key: RequestKey) -> set[tuple[str, ObjectId]]:
        """Return what a request held at the start of the run."""
        return {
            (one.destination, identity)
            for record in self._before(key)
            for one in record.placements
            for identity in one.objects
        }

    def _destinations_of(self, key: RequestKey) -> set[str]:
        """Return where a request held routes, or Gateways, at the start of the run."""
        return {name for record in self._before(key) for name in record.traits}

    def _check_files(self, draft: Draft, files: Iterable[Spot]) -> None:
        """Refuse files that another request holds, or that somebody put there by hand."""
        digests = draft.digests
        for spot in files:
            holder = self._files.get(spot)
            if holder == draft.key:
                continue
            if holder is not None:
                message = f"the file {spot} is held by {holder}; write it under another name."
                raise HeldError(Reason.PATH_HELD, message, holder)
            if spot in draft.observed:
                continue  # taken over from Kratix
            there = self._ledger.view.digests(spot).get(spot)
            # The very same bytes are what a run that was cut off left, or what is wanted anyway.
            if there is not None and there != digests.get(spot):
                message = (
                    f"the file {spot} stands in the state store and no record says whose it is; "
                    "it is left alone. Move it, or write under another name."
                )
                raise OutputRefusedError(Reason.PATH_HELD, message)


def _wanted(draft: Draft) -> tuple[list[tuple[str, ObjectId]], list[Spot]]:
    """Return the objects, by Destination, and the files without a folder of a draft."""
    objects = [(p.destination, identity) for p in draft.placements for identity in p.objects]
    return objects, [spot for p in draft.placements if p.owned is None for spot in p.spots]


def _union(standing: Traits, newest: Traits | None) -> Traits:
    """Return what stands, with what is to come back and is no other version of that."""
    if newest is None:
        return standing
    there = {parent.identity for parent in standing.parents}
    parents = tuple(one for one in newest.parents if one.identity not in there)
    routes = tuple(one for one in newest.routes if one not in standing.routes)
    return standing + Traits(parents, routes)


T = TypeVar("T", bound=Hashable)


def _left(held: Mapping[T, RequestKey], gone: Collection[RequestKey]) -> set[T]:
    """Return what is held by those who stay."""
    return {one for one, holder in held.items() if holder not in gone} if gone else set(held)


def _handed_on(held: Mapping[T, RequestKey], heirs: Heirs) -> dict[T, RequestKey]:
    """Return who holds what, heirs in the place of those that they take over from."""
    if not heirs.by_old:
        return dict(held)  # one by one it would take as long as all the rest
    return {one: heirs.now(holder) for one, holder in held.items()}


def _refuse_twice(claims: Iterable[T], text: str) -> None:
    seen: set[T] = set()
    for claim in claims:
        if claim in seen:
            raise OutputRefusedError(Reason.DUPLICATE_OBJECT, text.format(claim))
        seen.add(claim)

"""Claim: may this request write these objects and files, and is nobody else holding them?

Decided one request after another in the order of their keys, so that the outcome does not depend
on the order in which they were rendered or handed in.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from troth.api import Layout, Promise, RequestKey, is_system_namespace
from troth.api.labels import EXTERNAL
from troth.engine.draft import Draft
from troth.engine.ledger import Ledger, names_in
from troth.engine.objects import identify, is_cluster_scoped
from troth.engine.routes import GATEWAY_GROUP, RouteBook, Traits, needs
from troth.engine.values import ObjectId, Spot, World
from troth.errors import HeldError, OutputRefusedError, Reason, WaitingError
from troth_statestore import Owner, nested_folder

__all__ = ["Claims", "check_fence", "is_new"]


# Of these, what was placed earlier under an earlier spec stays as it is: nothing is written.
_NOTHING_NEW = frozenset(
    {Reason.DESTINATION_GONE, Reason.NO_MATCHING_DESTINATION, Reason.WORKFLOW_SUSPENDED}
)


def is_new(draft: Draft) -> bool:
    """Tell whether what a draft places is wanted by its request as it is now."""
    settled = draft.settled
    return settled is None or not (settled.idle or settled.reason in _NOTHING_NEW)


def check_fence(draft: Draft) -> None:
    """Refuse objects outside the Promise's fence.

    A Promise that declares none may write anywhere but into system namespaces; the driver warns
    about it. What the Promise itself brings is the platform's own and no request's doing: its
    dependencies are not fenced.

    Raises:
        OutputRefusedError: names the object, and what is allowed.
    """
    if draft.key.is_promise or not is_new(draft):
        return
    allowed = draft.promise.fence.allowed_namespaces(draft.object)
    for placement in draft.placements:
        for identity in placement.objects:
            if problem := _outside(identity, draft.promise, allowed):
                message = f"pipeline {placement.group.pipeline}: {identity} {problem}"
                raise OutputRefusedError(Reason.OUTSIDE_FENCE, message)


def _outside(identity: ObjectId, promise: Promise, allowed: frozenset[str]) -> str | None:
    is_namespace = (identity.group, identity.kind) == ("", "Namespace")
    namespace = identity.name if is_namespace else identity.namespace
    if is_system_namespace(namespace):
        return f"is in the system namespace {namespace}, which no request may touch."
    fence = promise.fence
    if not fence.declared:
        return None
    named = ", ".join(sorted(allowed)) or "none"
    if is_cluster_scoped(identity) or not identity.namespace:
        if identity.kind not in fence.cluster_kinds:
            kinds = ", ".join(sorted(fence.cluster_kinds)) or "none"
            return (
                f"has no namespace, and the fence of Promise {promise.name} allows only these "
                f"kinds without one: {kinds}."
            )
        if not is_namespace:
            return None
    if namespace not in allowed:
        return (
            f"is in namespace {namespace}, outside the fence of Promise {promise.name}, which "
            f"allows: {named}."
        )
    return None


def held_in_the_dark(ledger: Ledger, world: World) -> dict[tuple[str, ObjectId], RequestKey]:
    """Return who holds what by files whose record cannot be read.

    What such a request holds is told by the files in its folders; else another could take an
    object that still stands there.
    """
    held: dict[tuple[str, ObjectId], RequestKey] = {}
    for owner in (one for spot in ledger.unreadable if (one := names_in(spot.path)) is not None):
        for destination in world.destinations.values():
            if destination.layout is not Layout.NESTED:
                continue  # there is no folder that would tell
            folder = Spot(
                world.store_of(destination), nested_folder(destination.path, Owner(*owner))
            )
            found = ledger.view.read(ledger.view.digests(folder))
            files = {spot.path: content for spot, content in found.items()}
            try:
                objects = identify(files, destination.reader, allow_secrets=True)
            except OutputRefusedError:
                continue  # edited by hand into what no agent reads: nothing is held by it
            for identity in (one for items in objects.values() for one in items):
                held[destination.name, identity] = owner
    return held


class Claims:
    """Who holds which object in which Destination, which route, and which file, through one run.

    A holder keeps what it holds until its change has been written.

    Args:
        ledger: what the stores say at the start of the run.
        world: the Destinations.
    """

    def __init__(self, ledger: Ledger, world: World) -> None:
        self._ledger = ledger
        self._books: dict[str, RouteBook] = {}
        self._gateways: dict[ObjectId, set[str]] = {}
        self._objects = {**held_in_the_dark(ledger, world), **ledger.holders()}
        self._files = ledger.file_holders()
        self._locate(self._objects)

    def take(self, draft: Draft) -> None:
        """Claim all objects, routes and files of a request, or none.

        Raises:
            HeldError: another request holds one of them; it is named.
            OutputRefusedError: two pipelines render the same, or a file is somebody's own.
            WaitingError: what it refers to does not exist yet.
        """
        objects = [(p.destination, identity) for p in draft.placements for identity in p.objects]
        files = [spot for p in draft.placements if p.owned is None for spot in p.spots]
        for destination, identity in objects:
            holder = self._objects.get((destination, identity), draft.key)
            if holder != draft.key:
                message = (
                    f"{identity} in Destination {destination} is held by {holder}; it becomes "
                    "free when that one lets go of it, and is then tried again."
                )
                raise HeldError(Reason.OBJECT_HELD, message, holder)
        _refuse_twice(objects, "{0[1]} is rendered by two pipelines for Destination {0[0]}.")
        self._check_files(draft, files)
        _refuse_twice(files, "the file {0} is rendered by two pipelines.")
        self._judge_routes(draft)
        self._objects.update(dict.fromkeys(objects, draft.key))
        self._locate(objects)
        self._files.update(dict.fromkeys(files, draft.key))
        for name in draft.traits.keys() | self._traits_of(draft.key).keys():
            self._book(name).take(draft.key, draft.traits.get(name, Traits()))

    def _judge_routes(self, draft: Draft) -> None:
        """Refuse routes that are not its to have, and wait for what they hang on."""
        if not is_new(draft):
            return
        for name, traits in sorted(draft.traits.items()):
            for needed in needs(traits):
                if (name, needed) not in self._objects and not draft.promise.external.covers(
                    *needed
                ):
                    raise self._missing(needed, name)
            self._book(name).judge(draft.key, traits)

    def _missing(self, needed: ObjectId, destination: str) -> WaitingError:
        """Say what is to be done about something that is not where it is referred to."""
        elsewhere = ", ".join(sorted(self._gateways.get(needed, ())))
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
            holders = {
                key: entry.record.traits[destination]
                for key, entry in self._ledger.entries.items()
                if destination in entry.record.traits
            }
            self._books[destination] = RouteBook(holders)
        return self._books[destination]

    def _traits_of(self, key: RequestKey) -> Mapping[str, Traits]:
        entry = self._ledger.entries.get(key)
        return entry.record.traits if entry is not None else {}

    def _check_files(self, draft: Draft, files: Iterable[Spot]) -> None:
        """Refuse files that another request holds, or that somebody put there by hand."""
        digests = draft.digests
        for spot in files:
            holder = self._files.get(spot, draft.key)
            if holder != draft.key:
                message = f"the file {spot} is held by {holder}; write it under another name."
                raise HeldError(Reason.PATH_HELD, message, holder)
            if spot in draft.observed:
                continue  # its own already, edited or not
            there = self._ledger.view.digests(spot).get(spot)
            # The very same bytes are what a run that was cut off left, or what is wanted anyway.
            if there is not None and there != digests.get(spot):
                message = (
                    f"the file {spot} stands in the state store and no record says whose it is; "
                    "it is left alone. Move it, or write under another name."
                )
                raise OutputRefusedError(Reason.PATH_HELD, message)


T = TypeVar("T", bound=Hashable)


def _refuse_twice(claims: Iterable[T], text: str) -> None:
    seen: set[T] = set()
    for claim in claims:
        if claim in seen:
            raise OutputRefusedError(Reason.DUPLICATE_OBJECT, text.format(claim))
        seen.add(claim)

"""Verify: the state stores proved against their own records, file by file.

Nothing is rendered and no request is needed: what was written is told by the records, and what
stands there by the files. Called by ``troth verify``.
"""

from collections.abc import Callable, Mapping, Sequence

from troth.api import Layout, Promise, RequestKey
from troth.engine.canary import CANARY_FILES
from troth.engine.destination_record import DestinationRecord
from troth.engine.disputes import disputes
from troth.engine.foreign import Foreign
from troth.engine.ledger import Entry, Ledger, names_in
from troth.engine.observe import NOWHERE, observe
from troth.engine.proof import (
    NOBODY,
    Flaw,
    Problem,
    Proof,
    Verdict,
    check_files,
    check_folders,
    check_objects,
    counted,
)
from troth.engine.sites import Site, folder_in, given_sites, recorded_sites
from troth.engine.values import Placement, Spot, World
from troth.errors import TrothError
from troth_statestore import Owner, nested_folder, revision_key

__all__ = ["verify"]

# Records whose files are read from the store together: few calls, and little in memory.
_AT_ONCE = 500


def verify(
    ledger: Ledger,
    world: World = NOWHERE,
    *,
    objects: bool = True,
    progress: Callable[[], None] = lambda: None,
) -> list[Proof]:
    """Prove every record of the stores, and find what no record owns.

    Args:
        ledger: what the stores hold at one moment.
        world: Destinations, where they are known; else their folders are told by the records.
        objects: also read the files, and compare the objects in them with those recorded.
        progress: called once for each record.
    """
    prover = _Prover(ledger, world, objects=objects)
    proofs: list[Proof] = []
    entries = sorted(ledger.entries.items())
    for start in range(0, len(entries), _AT_ONCE):
        for proof in prover.prove(entries[start : start + _AT_ONCE]):
            proofs.append(proof)
            progress()
    proofs += prover.unreadable()
    proofs += prover.canaries()
    proofs += prover.unowned()
    proofs += _unseen(ledger)
    proofs += _unused_revisions(ledger)
    return sorted(proofs, key=lambda proof: proof.key)


class _Prover:
    """Proves records one after another, and remembers which files were somebody's."""

    def __init__(self, ledger: Ledger, world: World, *, objects: bool) -> None:
        self._ledger = ledger
        self._view = ledger.view
        self._world = world
        self._with_objects = objects
        self._disputes = disputes(ledger)
        self._foreign = Foreign(ledger, world)
        self._revisions = _wrong_revisions(ledger)
        self._sites = _sites(ledger, world)
        self._accounted: set[Spot] = set()

    def prove(self, entries: Sequence[tuple[RequestKey, Entry]]) -> list[Proof]:
        """Prove some records, whose files are read together."""
        observed = {
            key: observe(key, entry.record, self._world, self._view) for key, entry in entries
        }
        contents: Mapping[Spot, bytes] = {}
        if self._with_objects:
            contents = self._view.read(
                spot
                for key, entry in entries
                for placement in entry.record.placements
                for spot in placement.spots
                if spot in observed[key]
            )
        return [self._prove(key, entry, observed[key], contents) for key, entry in entries]

    def _prove(
        self,
        key: RequestKey,
        entry: Entry,
        observed: Mapping[Spot, str],
        contents: Mapping[Spot, bytes],
    ) -> Proof:
        self._accounted.update(observed)
        record, seen = entry.record, self._view.snapshots.keys()
        problems = [*check_folders(record), *check_files(record, observed, entry.home, seen)]
        # Files that were set back hold other objects than the newest output, and are named as such.
        reverted = any(one.flaw is Flaw.REVERTED for one in problems)
        if self._with_objects and not reverted:
            known = [one for one in record.placements if one.store in seen]
            problems += check_objects(known, contents, self._world)
            problems += self._beside(known)
        problems += self._revision_of(entry)
        problems += self._disputes.get(key, [])
        verdict = Verdict.NOT_PROVED if problems else Verdict.PROVED
        return Proof(key, verdict, tuple(problems), self._view.revision(entry.home))

    def _beside(self, placements: Sequence[Placement]) -> list[Problem]:
        """Say which of a record's objects stand in files of people as well."""
        problems: list[Problem] = []
        for one in placements:
            for identity in one.objects:
                spot = self._foreign.holder(one.destination, identity)
                if spot is not None:
                    text = f"{identity} in Destination {one.destination} stands in {spot} too."
                    problems.append(Problem.at(Flaw.OBJECT_HELD_TWICE, text, [spot]))
        return problems

    def _revision_of(self, entry: Entry) -> list[Problem]:
        """Say what is wrong with the Promise's revision that a record refers to."""
        path = revision_key(entry.record.promise_digest)
        spot = Spot(entry.home, path)
        if spot in self._ledger.revisions:
            wrong = self._revisions.get(path)
            return [] if wrong is None else [Problem(Flaw.REVISION_WRONG, wrong, (str(spot),))]
        text = (
            f"the revision {entry.record.promise_digest[:12]} of its Promise is not in the state "
            "store, so its delete pipelines are not known there."
        )
        return [Problem(Flaw.REVISION_MISSING, text, (str(spot),))]

    def unreadable(self) -> list[Proof]:
        """Return what there is to say of records that cannot be read, and of their files."""
        proofs: list[Proof] = []
        for spot, error in sorted(self._ledger.unreadable.items()):
            owner = names_in(spot.path)
            files = {} if owner is None else self._files_of(owner)
            self._accounted.update(files)
            text = f"{error.message} Not proved with it: {counted(files)} in its folders."
            problem = Problem.at(Flaw.RECORD_UNREADABLE, text, [spot])
            revision = self._view.revision(spot.store)
            proofs.append(Proof(owner or NOBODY, Verdict.NOT_PROVED, (problem,), revision))
        return proofs

    def _files_of(self, owner: RequestKey) -> dict[Spot, str]:
        """Return what stands in the folders that a request would have in each Destination."""
        found: dict[Spot, str] = {}
        for site in self._sites:
            folder = nested_folder(site.root.path, Owner(*owner))
            found |= self._view.digests(Spot(site.root.store, folder))
        return found

    def canaries(self) -> list[Proof]:
        """Prove the records of Destinations, which tell of their canaries."""
        proofs: list[Proof] = []
        for spot, (content, _) in sorted(self._ledger.destinations.items()):
            try:
                record = DestinationRecord.decode(content, spot.path)
            except TrothError as error:
                text = f"the record {spot} cannot be read: {error.message}"
                problem = Problem.at(Flaw.RECORD_UNREADABLE, text, [spot])
                proofs.append(Proof(NOBODY, Verdict.NOT_PROVED, (problem,)))
                continue
            problems = [*self._canaries_of(record, spot.store), *self._left(record, spot.store)]
            verdict = Verdict.NOT_PROVED if problems else Verdict.PROVED
            key = RequestKey("", "", record.name)
            proofs.append(Proof(key, verdict, tuple(problems), self._view.revision(spot.store)))
        return proofs

    def _canaries_of(self, record: DestinationRecord, store: str) -> list[Problem]:
        there = {
            spot: digest
            for path in record.canaries
            for spot, digest in self._view.digests(Spot(store, path)).items()
            if spot.path == path
        }
        self._accounted.update(there)
        missing = {Spot(store, path) for path in record.canaries} - there.keys()
        edited = {spot for spot, digest in there.items() if digest not in CANARY_FILES.values()}
        problems: list[Problem] = []
        if missing:
            text = "its canaries are not there; the next sync writes them."
            problems.append(Problem.at(Flaw.MISSING_FILE, text, missing))
        if edited:
            text = "its canaries were edited; the next sync puts them back."
            problems.append(Problem.at(Flaw.DRIFTED, text, edited))
        return problems

    def _left(self, record: DestinationRecord, store: str) -> list[Problem]:
        """Say what stands where a Destination was before it moved, and is nobody's."""
        there = [spot for path in record.left for spot in self._view.digests(Spot(store, path))]
        left = [spot for spot in there if spot not in self._accounted]
        if not left:
            return []
        self._accounted.update(left)
        text = "where it was before it moved there are still files of nobody."
        return [Problem.at(Flaw.UNOWNED_FILE, text, left)]

    def unowned(self) -> list[Proof]:
        """Return the files in managed folders that belong to no record proved so far."""
        found: dict[tuple[RequestKey, str], list[Spot]] = {}
        canaries: dict[str, list[Spot]] = {}
        for site in self._sites:
            store = site.root.store
            for kind in site.managed:
                for path in self._view.paths(Spot(store, f"{site.prefix}{kind}")):
                    spot, below = Spot(store, path), path.removeprefix(site.prefix)
                    if spot in self._accounted:
                        continue
                    if below in CANARY_FILES:
                        canaries.setdefault(store, []).append(spot)
                    else:
                        owner, _ = folder_in(below) or (NOBODY, "")
                        found.setdefault((owner, store), []).append(spot)
        return [
            *(self._canary(store, spots) for store, spots in canaries.items()),
            *(self._unowned(owner, store, spots) for (owner, store), spots in found.items()),
        ]

    def _unowned(self, owner: RequestKey, store: str, spots: Sequence[Spot]) -> Proof:
        text = "no record of the state stores that were looked at owns these files."
        problem = Problem.at(Flaw.UNOWNED_FILE, text, spots)
        return Proof(owner, Verdict.NOT_PROVED, (problem,), self._view.revision(store))

    def _canary(self, store: str, spots: Sequence[Spot]) -> Proof:
        text = (
            "Kratix wrote these to try whether the Destination can be written to; no request needs "
            "them, and they may be removed once Kratix no longer writes there."
        )
        problem = Problem.at(Flaw.KRATIX_CANARY, text, spots)
        return Proof(NOBODY, Verdict.NOTED, (problem,), self._view.revision(store))


def _sites(ledger: Ledger, world: World) -> list[Site]:
    """Return where Destinations are known to be in which requests have folders of their own."""
    sites = {site.root: site for site in (*given_sites(world), *recorded_sites(ledger))
             if site.layout is not Layout.NONE}  # fmt: skip
    return [site for _, site in sorted(sites.items())]


def _wrong_revisions(ledger: Ledger) -> dict[str, str]:
    """Return what is wrong with Promise revisions, by where they stand in their store."""
    versions: dict[str, set[str]] = {}
    for spot, version in ledger.revisions.items():
        versions.setdefault(spot.path, set()).add(version)
    wrong: dict[str, str] = {}
    for path, found in sorted(versions.items()):
        digest = path.removeprefix("revisions/").removesuffix(".yaml")
        try:
            promise = Promise.parse(ledger.revision(digest) or {})
        except TrothError as error:
            wrong[path] = f"the revision of its Promise cannot be read: {error.message}"
            continue
        if promise.digest != digest:
            wrong[path] = "what is kept as the revision of its Promise is another one."
        elif len(found) > 1:
            wrong[path] = "the state stores do not hold the same revision of its Promise."
    return wrong


def _unseen(ledger: Ledger) -> list[Proof]:
    """Return the stores that could not be looked at."""
    return [
        Proof(
            NOBODY,
            Verdict.NOT_PROVED,
            (Problem(Flaw.STORE_NOT_SEEN, f"state store {name}: {error.message}"),),
        )
        for name, error in sorted(ledger.view.unreached.items())
    ]


def _unused_revisions(ledger: Ledger) -> list[Proof]:
    """Return the Promise revisions that no record refers to, which is harmless."""
    if ledger.unreadable:
        return []  # one of them may refer to any revision
    used = {
        Spot(entry.home, revision_key(entry.record.promise_digest))
        for entry in ledger.entries.values()
    }
    unused = sorted(ledger.revisions.keys() - used)
    if not unused:
        return []
    text = f"revisions of Promises that no record refers to, which is harmless: {len(unused)}."
    return [Proof(NOBODY, Verdict.NOTED, (Problem.at(Flaw.REVISION_UNUSED, text, unused),))]

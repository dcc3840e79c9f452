"""Proof: what one record says, held against what stands in the stores.

Only what follows from record and files is said. A record keeps one digest over all files of an
output, so it tells that a file differs, and mostly not which; see `tell_edited` for that.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from troth.api import Reader, RequestKey
from troth.engine.digest import output_digest
from troth.engine.objects import identify
from troth.engine.observe import Sight, compare
from troth.engine.record import Record
from troth.engine.secrets import redact
from troth.engine.values import ObjectId, Placement, Spot, World
from troth.errors import OutputRefusedError
from troth_statestore import Owner, nested_folder

__all__ = [
    "NOBODY",
    "Flaw",
    "Problem",
    "Proof",
    "Verdict",
    "check_files",
    "check_folders",
    "check_objects",
    "counted",
    "destination_root",
    "few",
]

NOBODY = RequestKey("", "", "")
"""Whose a file or a problem is that belongs to no request."""

# Names that a sentence lists before it only counts them.
_NAMED = 5


class Verdict(StrEnum):
    """What came of proving one record, or what no record speaks of."""

    PROVED = "Proved"
    NOT_PROVED = "NotProved"
    NOTED = "Noted"
    """Nothing is wrong, but it is worth knowing."""


class Flaw(StrEnum):
    """In which way something is not as the records say."""

    DRIFTED = "Drifted"
    EXTRA_FILE = "ExtraFile"
    FILE_HELD_TWICE = "FileHeldTwice"
    FOREIGN_FOLDER = "ForeignFolder"
    INPUT_UNREADABLE = "InputUnreadable"
    KRATIX_CANARY = "KratixCanary"
    MISSING_FILE = "MissingFile"
    OBJECTS_DIFFER = "ObjectsDiffer"
    OBJECT_HELD_TWICE = "ObjectHeldTwice"
    RECORD_UNREADABLE = "RecordUnreadable"
    REVERTED = "Reverted"
    REVISION_MISSING = "RevisionMissing"
    REVISION_UNUSED = "RevisionUnused"
    REVISION_WRONG = "RevisionWrong"
    ROUTE_HELD_TWICE = "RouteHeldTwice"
    STALE_RECORD = "StaleRecord"
    STORE_NOT_SEEN = "StoreNotSeen"
    UNOWNED_FILE = "UnownedFile"


@dataclass(frozen=True, slots=True)
class Problem:
    """One flaw, in words, and the files that it is about."""

    flaw: Flaw
    message: str
    paths: tuple[str, ...] = ()

    @classmethod
    def at(cls, flaw: Flaw, message: str, spots: Iterable[Spot]) -> "Problem":
        """Make one that is about files."""
        return cls(flaw, message, tuple(str(spot) for spot in sorted(spots)))


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of proving one request, Promise, or folder that no record owns.

    `revision` is the tip of the files that it was proved at.
    """

    key: RequestKey
    verdict: Verdict
    problems: tuple[Problem, ...] = ()
    revision: str | None = None


def few(names: Iterable[object]) -> str:
    """List the first names, and count the rest."""
    listed = [str(name) for name in names]
    more = [f"{len(listed) - _NAMED} more"] if len(listed) > _NAMED else []
    return ", ".join([*listed[:_NAMED], *more])


def destination_root(owned: str, key: RequestKey) -> str | None:
    """Return the path of the Destination that a request's folder lies in, None if it is not its."""
    within = nested_folder("", Owner(*key))
    if owned == within:
        return ""
    return owned.removesuffix(f"/{within}") if owned.endswith(f"/{within}") else None


def check_folders(record: Record) -> list[Problem]:
    """Say which folders a record takes for its own although they are not named after it."""
    return [
        Problem(
            Flaw.FOREIGN_FOLDER,
            f"the record owns the folder {one.owned}, which is not that of {record.key}.",
            (str(Spot(one.store, one.owned)),),
        )
        for one in record.placements
        if one.owned is not None and destination_root(one.owned, record.key) is None
    ]


def check_files(
    record: Record, observed: Mapping[Spot, str], home: str, seen: Collection[str]
) -> list[Problem]:
    """Hold the files of a request against its record.

    Args:
        record: names them, and keeps the digest of all together.
        observed: place → digest of what stands in its folders.
        home: the record's store.
        seen: the stores that were looked at.
    """
    named = {spot for placement in record.placements for spot in placement.spots}
    if left := sorted({placement.store for placement in record.leaving} - set(seen)):
        text = f"it has left files in {', '.join(left)}, which was not looked at."
        rest = check_files(replace(record, leaving=()), observed, home, seen)
        return [Problem(Flaw.STORE_NOT_SEEN, text), *rest]
    unseen = sorted({placement.store for placement in record.placements} - set(seen))
    if unseen:
        text = f"it has files in {', '.join(unseen)} too, which was not looked at."
        here = {spot for spot in named if spot.store in seen}
        return [Problem(Flaw.STORE_NOT_SEEN, text), *_sets(here, observed)]
    sight = compare(record, observed, home)
    if sight is Sight.REVERTED:
        place = record.outputs.index(output_digest(observed, home)) + 1
        text = (
            f"its files are those of an earlier output (number {place} of {len(record.outputs)} "
            "that are remembered, the newest first): they were rolled back."
        )
        return [Problem(Flaw.REVERTED, text)]
    problems = _sets(named, observed)
    if sight is Sight.DRIFTED:
        problems += _contents(record, {s: d for s, d in observed.items() if s in named}, home)
    if sight is Sight.DRIFTED and not problems:
        text = "the record names no file, yet its newest digest is not that of an empty output."
        problems.append(Problem(Flaw.DRIFTED, text))
    return problems


def _sets(named: Collection[Spot], observed: Mapping[Spot, str]) -> list[Problem]:
    missing, extra = set(named) - observed.keys(), observed.keys() - set(named)
    problems: list[Problem] = []
    if missing:
        text = f"not there: {len(missing)} of its {counted(named)}."
        problems.append(Problem.at(Flaw.MISSING_FILE, text, missing))
    if extra:
        text = f"in its folders, but not named by its record: {counted(extra)}."
        problems.append(Problem.at(Flaw.EXTRA_FILE, text, extra))
    return problems


def counted(spots: Collection[Spot]) -> str:
    """Say how many files these are."""
    return f"{len(spots)} file{'' if len(spots) == 1 else 's'}"


def _contents(record: Record, there: Mapping[Spot, str], home: str) -> list[Problem]:
    """Say what can be told of the files that are named and there, and whose digest is not right."""
    if not there or (record.outputs and output_digest(there, home) == record.outputs[0]):
        return []
    named = sum(len(placement.files) for placement in record.placements)
    odd = [spot for spot, digest in there.items() if ":" in digest]  # no content has such a digest
    if odd:
        text = (
            f"no plain files any more, but links or executable: {len(odd)} of its {counted(there)}"
        )
        return [Problem.at(Flaw.DRIFTED, f"{text}; of the others nothing is proved.", odd)]
    if len(there) < named:
        text = (
            "since files are missing, one digest over all of them cannot tell whether these are "
            "as they were written."
        )
    elif len(there) == 1:
        text = "its file is not as it was written, now or in any output that is remembered."
    else:
        text = (
            "at least one of its files is not as it was written; one digest over all of them "
            "cannot tell which."
        )
    return [Problem.at(Flaw.DRIFTED, text, there)]


def check_objects(
    placements: Iterable[Placement], contents: Mapping[Spot, bytes], world: World
) -> list[Problem]:
    """Hold the objects that a record names against those in the files.

    Of a Destination that is not given, nobody knows what reads it: it is taken for Argo CD, and
    where no object is recorded for something that reads plain files.

    Args:
        placements: those of the record whose stores were looked at.
        contents: what stands in their files.
        world: the Destinations that are given.
    """
    problems: list[Problem] = []
    for placement in placements:
        destination = world.destinations.get(placement.destination)
        if destination is None and not placement.objects:
            continue
        reader = destination.reader if destination is not None else Reader.ARGOCD
        try:
            found = _identified(placement, contents, reader)
        except OutputRefusedError as error:
            text = f"its files cannot be read as objects: {redact(error.message)}"
            problems.append(_differ(placement, text))
            continue
        lost = sorted(set(placement.objects) - set(found))
        new = sorted(set(found) - set(placement.objects))
        said = [f"recorded, but not in the files: {few(lost)}"] if lost else []
        said += [f"in the files, but not recorded: {few(new)}"] if new else []
        if said:
            problems.append(_differ(placement, f"{'; '.join(said)}."))
    return problems


def _identified(
    placement: Placement, contents: Mapping[Spot, bytes], reader: Reader
) -> Sequence[ObjectId]:
    files = {spot.path: contents[spot] for spot in placement.spots if spot in contents}
    found = identify(files, reader, allow_secrets=True)  # the gate for secrets is another's work
    return [identity for items in found.values() for identity in items]


def _differ(placement: Placement, text: str) -> Problem:
    where = f"pipeline {placement.group.pipeline}, " if placement.group.pipeline else ""
    return Problem(Flaw.OBJECTS_DIFFER, f"{where}Destination {placement.destination}: {text}")

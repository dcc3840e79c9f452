"""History: the commits of one request, and what each did to its files.

Found by the folders that the request has and had, so that hand edits show beside what Troth wrote;
files in no folder of its own are told by earlier records, and by commits of nobody else.
Which commits are Troth's own is told by the receipt at the foot of their message.
"""

import heapq
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from troth.api import RequestKey
from troth.engine.change import VERBS
from troth.engine.ledger import Ledger
from troth.engine.observe import NOWHERE
from troth.engine.place import folder_of
from troth.engine.record import Record
from troth.engine.values import World
from troth.errors import InvalidInputError, NotServedError, Reason
from troth_statestore import (
    Commit,
    History,
    Owner,
    nested_folder,
    record_key,
    split_place,
)

__all__ = ["Past", "Step", "receipt_in", "receipts_in"]

# A paragraph of a message that is a receipt; a commit of a whole flush holds one for each request.
_RECEIPT = re.compile(r"(?:^Troth-[A-Za-z]+: .*$\n?)+", re.MULTILINE)

# Versions of a record that are asked for what it placed, where no folder tells.
_VERSIONS = 200

# Paths that git is asked for at once; more are those of others, in commits of whole flushes.
_PATHS = 500


@dataclass(frozen=True, slots=True)
class Step:
    """One commit in the history of a request.

    Attributes:
        store: where it was made.
        commit: as the store tells of it; its files are the request's.
        receipt: its trailers, empty where somebody else than Troth made it.
    """

    store: str
    commit: Commit
    receipt: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def generation(self) -> int | None:
        """The request's generation that it carries, None where it does not say."""
        number = self.receipt.get("Troth-Generation", "")
        return int(number) if number.isdecimal() else None

    @property
    def promise_version(self) -> str | None:
        """The version of the Promise that rendered it, None where it does not say."""
        match self.receipt.get("Troth-Promise", "").split(" "):
            case [_, version, _]:
                return version
            case _:
                return None


def receipt_in(message: str, key: RequestKey) -> dict[str, str]:
    """Return the trailers by which a commit is that of a request; empty where it is not."""
    for owner, receipt in receipts_in(message):
        if owner == key:
            return receipt
    return {}


def receipts_in(message: str) -> Iterator[tuple[RequestKey, dict[str, str]]]:
    """Return every receipt in the message of a commit, and whose it is."""
    for found in _RECEIPT.finditer(message):
        receipt = dict(line.split(": ", 1) for line in found.group().splitlines())
        match receipt.get("Troth-Request", "").split("/"):
            case [namespace, promise, name]:
                yield RequestKey(namespace, promise, name), receipt
            case [""] if "Troth-Promise" in receipt:
                promise = receipt["Troth-Promise"].partition(" ")[0]
                yield RequestKey.of_promise(promise), receipt
            case _:
                continue  # somebody else's idea of a trailer


@dataclass(frozen=True, slots=True)
class Past:
    """What the stores of a run held before.

    Args:
        ledger: what they hold now.
        histories: of the stores that have one, by name.
        world: Destinations, where they are known.
    """

    ledger: Ledger
    histories: Mapping[str, History]
    world: World = NOWHERE

    def of(
        self, key: RequestKey, *, limit: int | None = None, until: str | None = None
    ) -> list[Step]:
        """Return the commits of a request, the newest first.

        Args:
            key: the request or Promise.
            limit: how many at most.
            until: a commit of any of the stores, or how its name begins: only that one.

        Raises:
            InvalidInputError: there is no such commit, or it is none of this request.
            NotServedError: a store that holds files of it has no history.
        """
        self.require(key)
        if until is not None:
            return [self.step(key, until)]
        found = [self._log(store, key, limit) for store in sorted(self.histories)]
        # Each store's own order stays; times only decide between stores.
        merged = heapq.merge(*found, key=lambda step: -step.commit.seconds)
        return list(islice(merged, limit))

    def require(self, key: RequestKey) -> None:
        """Refuse to tell half of a history.

        Raises:
            NotServedError: a store that holds files of the request has none.
            TransientError: one could not be reached.
        """
        entry = self.ledger.entries.get(key)
        stores = set(self.ledger.view.snapshots)
        if entry is not None:
            stores = {entry.home, *(one.store for one in entry.record.placements)}
        self.ledger.view.require(sorted(stores))
        for store in sorted(stores - self.histories.keys()):
            message = (
                f"the state store {store or 'of this run'} keeps no history: it is a plain folder, "
                "which holds the present and nothing else. Keep it in Git to have one."
            )
            raise NotServedError(Reason.STATE_STORE_UNSUPPORTED, message)

    def step(self, key: RequestKey, revision: str) -> Step:
        """Return one commit of a request. Raises as `of`."""
        unknown: InvalidInputError | None = None
        for store in sorted(self.histories):
            try:
                found = self._log(store, key, 1, revision)
            except InvalidInputError as error:
                unknown = error
                continue
            if found and found[0].commit.revision.startswith(revision):
                return found[0]
            before = f" the one before it is {found[0].commit.revision}." if found else ""
            message = f"the commit {revision} changed no file of {key};{before}".rstrip(";")
            raise InvalidInputError(Reason.INVALID_OBJECT, message)
        raise unknown or NotServedError(
            Reason.STATE_STORE_UNSUPPORTED, "no state store of this run keeps a history."
        )

    def _log(
        self, store: str, key: RequestKey, limit: int | None, until: str | None = None
    ) -> list[Step]:
        paths = self.paths(store, key)
        within = nested_folder("", Owner(*key))
        files = sorted({split_place(path)[0] for path in paths})
        # What lies in no folder of its own is changed by the commits of others as well: a file that
        # they have parts in, or that was theirs before or after.
        shared = any(not any(_folders(path, within)) for path in files)
        found = self.histories[store].log(files, limit=None if shared else limit, until=until)
        commits = [one for one in found if not shared or _concerns(one.message, key)]
        return [Step(store, commit, receipt_in(commit.message, key)) for commit in commits]

    def paths(self, store: str, key: RequestKey) -> list[str]:
        """Return the folders that a request has or had in a store, and files that lie in none."""
        entry = self.ledger.entries.get(key)
        found = set(self._given(store, key))
        if entry is not None:
            found |= set(_placed(entry.record, store))
        # As commits of Troth name the request: in their receipts, or a Promise in the subject.
        lines = [f"Troth-Request: {'/'.join(key)}"]
        if key.is_promise:
            lines = [f"{verb} {key}" for verb in VERBS]
        touched = {path for line in lines for path in self.histories[store].touched(line)}
        within = nested_folder("", Owner(*key))
        found |= {folder for path in touched for folder in _folders(path, within)}
        if left := _outside(touched, found):
            found |= self._placed_before(store, key)
        if left := _outside(left, found):
            found |= self._written_alone(store, key, left)
        return sorted(found)

    def _given(self, store: str, key: RequestKey) -> Iterator[str]:
        for destination in self.world.destinations.values():
            if self.world.store_of(destination) == store:
                yield folder_of(destination, key) or nested_folder(destination.path, Owner(*key))

    def _placed_before(self, store: str, key: RequestKey) -> set[str]:
        """Return what earlier records name, which may be where no folder of its own tells."""
        return {
            path
            for record in islice(self.records(key), _VERSIONS)
            for path in _placed(record, store)
        }

    def _written_alone(self, store: str, key: RequestKey, paths: Collection[str]) -> set[str]:
        """Return those of `paths` that a commit changed which carries no other request.

        No record may tell of them: it went with the request, or the files were adopted and moved
        at once.
        """
        if len(paths) > _PATHS:
            return set()
        commits = self.histories[store].log(sorted(paths))
        alone = (
            one for one in commits if {owner for owner, _ in receipts_in(one.message)} == {key}
        )
        return {file.path for commit in alone for file in commit.files}

    def records(self, key: RequestKey) -> Iterator[Record]:
        """Return the records that a request had, newest first, as far as they can be read."""
        entry = self.ledger.entries.get(key)
        if entry is None or entry.home not in self.histories:
            return
        path = record_key(Owner(*key))
        for _, content in self.histories[entry.home].record_versions(path):
            try:
                yield Record.decode(content, path, entry.home)
            except InvalidInputError:
                continue  # one that could not be read tells nothing, now or then


def _concerns(message: str, key: RequestKey) -> bool:
    """Tell whether a commit is that of a request, or of somebody else than Troth."""
    owners = {owner for owner, _ in receipts_in(message)}
    return not owners or key in owners


def _placed(record: Record, store: str) -> Iterator[str]:
    for placement in (*record.placements, *record.leaving):
        if placement.store == store:
            yield from [placement.owned] if placement.owned is not None else placement.files


def _outside(paths: Iterable[str], known: Collection[str]) -> set[str]:
    """Return the files that are none of those known, and in no folder of those."""
    files = {split_place(path)[0] for path in known}
    return {path for path in paths if path not in files and files.isdisjoint(_above(path))}


def _above(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _folders(path: str, within: str) -> Iterator[str]:
    """Return the folder named after the request that a file lies in, or that it is."""
    start = f"/{path}/".find(f"/{within}/")
    if start >= 0:
        yield path[: start + len(within)]

"""Sealed values: which ones the stores hold, by what records keep of them and what stands in files.

A stage that seals keeps each value in its status, as `troth.sdk.sealing` spells it, wherever there
it likes. Which Secret it is for tells the SealedSecret in which its ciphertext stands. Those of
which no status tells anything are found as well: of them only that they are there is known.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from troth.api import Fields, Json, JsonObject, RequestKey, is_object, load_documents
from troth.api.labels import SEALED_FOR
from troth.engine.awaited_keys import waits_for_keys
from troth.engine.ledger import Entry, Ledger
from troth.engine.never_back import SEALED_KIND, objects_in
from troth.engine.record import Record
from troth.engine.suspension import read_moment
from troth.engine.undone import words_of
from troth.engine.values import Spot
from troth.errors import InvalidInputError, Reason, TrothError
from troth.sdk.sealing import SealedValue

__all__ = ["Found", "KeptValue", "SealedFile", "find_sealed", "kept_values", "sealed_files"]

_SPELLED = frozenset({"ciphertext", "certificate", "destination", "generation"})


@dataclass(frozen=True, slots=True)
class KeptValue:
    """A sealed value in the status of a request.

    Attributes:
        at: the way there, from the status on; the last part is its key in the Secret.
        value: as it is kept.
    """

    at: tuple[str | int, ...]
    value: SealedValue

    @property
    def key(self) -> str:
        """Its key in the Secret, as far as the status tells."""
        return str(self.at[-1])


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A SealedSecret that stands in a file.

    Attributes:
        spot: where.
        destination: whose file it is.
        manifest: the object.
    """

    spot: Spot
    destination: str
    manifest: JsonObject

    @property
    def secret(self) -> tuple[str, str]:
        """Namespace and name; each is empty where it is missing."""
        metadata = _section(self.manifest, "metadata")
        namespace, name = metadata.get("namespace"), metadata.get("name")
        return (
            namespace if isinstance(namespace, str) else "",
            name if isinstance(name, str) else "",
        )

    @property
    def sealed_for(self) -> str:
        """The Destination that it says it was sealed for, else the one that it lies in."""
        meant = _section(_section(self.manifest, "metadata"), "annotations").get(SEALED_FOR)
        return meant if isinstance(meant, str) else self.destination

    @property
    def ciphertexts(self) -> dict[str, str]:
        """Its ciphertexts by key; what is no text opens nowhere and is left out."""
        found = _section(_section(self.manifest, "spec"), "encryptedData")
        return {key: text for key, text in found.items() if isinstance(text, str)}


@dataclass(frozen=True, slots=True)
class Found:
    """One sealed value.

    Attributes:
        owner: the request, or Promise.
        key: of the Secret.
        destination: the Destination that it was sealed for.
        secret: namespace and name of the Secret; None where the value stands in no file.
        value: what the status keeps of it; None where it keeps nothing.
        issued: when its generation was made, where the status says so.
        expires: when that ends by itself, where it does.
        due: when the stages run again though nothing has changed.
        undone: what could not be done outside for its request, empty where all is done.
        waits: whether its cluster has lost its keys, and it waits to be made anew.
        problem: what is wrong with it, None where nothing is known to be.
    """

    owner: RequestKey
    key: str
    destination: str
    secret: tuple[str, str] | None = None
    value: SealedValue | None = None
    issued: datetime | None = None
    expires: datetime | None = None
    due: datetime | None = None
    undone: str = ""
    waits: bool = False
    problem: TrothError | None = None


def kept_values(status: Mapping[str, Json]) -> list[KeptValue]:
    """Return the sealed values in a status, in the order in which they stand there.

    Raises:
        InvalidInputError: somebody changed one into something else.
    """
    return list(_kept(status, ()))


def _kept(part: Json, at: tuple[str | int, ...]) -> Iterator[KeptValue]:
    if isinstance(part, list):
        for index, item in enumerate(part):
            yield from _kept(item, (*at, index))
    elif is_object(part) and at and part.keys() >= _SPELLED:
        yield KeptValue(at, SealedValue.from_json(part, ("status", *at)))
    elif is_object(part):
        for key, item in part.items():
            yield from _kept(item, (*at, key))


def sealed_files(ledger: Ledger, entries: Iterable[Entry]) -> dict[RequestKey, list[SealedFile]]:
    """Return the SealedSecrets in the files of requests; none of one that has none.

    Only files that may hold one are read, and all of them at once: each reading of a repository
    costs as much as hundreds of files.
    """
    may_hold = [
        (entry.record.key, placement)
        for entry in entries
        for placement in entry.record.placements
        if any(one.kind == SEALED_KIND for one in placement.objects)
    ]
    contents = ledger.view.read(spot for _, placement in may_hold for spot in placement.spots)
    found: dict[RequestKey, list[SealedFile]] = {}
    for key, placement in may_hold:
        for spot in placement.spots:
            found.setdefault(key, []).extend(
                SealedFile(spot, placement.destination, manifest)
                for manifest in _in(contents.get(spot, b""))
            )
    return found


def _in(content: bytes) -> Iterator[JsonObject]:
    if SEALED_KIND.encode() not in content:
        return
    try:
        documents = load_documents(content.decode(), "")
    except (TrothError, UnicodeDecodeError):
        return  # somebody edited it; `troth verify` and the next sync tell
    for document in documents:
        yield from (one for one in objects_in(document.data) if one.get("kind") == SEALED_KIND)


def find_sealed(ledger: Ledger) -> list[Found]:
    """Return every sealed value that the stores hold, by owner, Secret and key."""
    entries = ledger.entries.values()
    files = sealed_files(ledger, entries)
    found = [one for entry in entries for one in _of(entry, files.get(entry.record.key, []))]
    return sorted(found, key=lambda one: (one.owner, one.secret or ("", ""), one.key))


def _of(entry: Entry, files: Sequence[SealedFile]) -> Iterator[Found]:
    record = entry.record
    try:
        kept = kept_values(record.status)
    except InvalidInputError as error:
        yield Found(record.key, "", "", due=record.due, problem=error)
        kept = []
    places = {text: (one.secret, key) for one in files for key, text in one.ciphertexts.items()}
    credentials = _credentials(record.status)
    for one in kept:
        secret, key = places.get(one.value.ciphertext, (None, one.key))
        issued, expires = credentials.get(one.value.generation, (None, None))
        yield Found(
            *(record.key, key, one.value.destination, secret, one.value),
            *(issued, expires, record.due),
            undone=words_of(record.undone, record.status, record.due),
            waits=waits_for_keys(record.status) and not record.undone,
        )
    yield from _unkept(record, files, {one.value.ciphertext for one in kept})


def _unkept(record: Record, files: Iterable[SealedFile], kept: set[str]) -> Iterator[Found]:
    """Give what stands in files and no status knows, once for each Secret and key."""
    told: set[tuple[tuple[str, str], str, str]] = set()
    for one in files:
        for key, text in one.ciphertexts.items():
            which = (one.secret, key, one.sealed_for)
            if text not in kept and which not in told:
                told.add(which)
                yield Found(record.key, key, one.sealed_for, one.secret, due=record.due)


def _credentials(
    status: Mapping[str, Json],
) -> dict[int, tuple[datetime | None, datetime | None]]:
    """Return by generation when a credential was issued and ends; nothing where it cannot be told.

    Format: docs/contract.md, Credentials.
    """
    found: dict[int, tuple[datetime | None, datetime | None]] = {}
    items = status.get("credentials")
    for item in items if isinstance(items, list) else ():
        number = item.get("generation") if is_object(item) else None
        if not is_object(item) or not isinstance(number, int):
            continue
        fields = Fields(item, reason=Reason.INVALID_STATUS)
        try:
            found[number] = (read_moment(fields, "issued"), read_moment(fields, "expires"))
        except InvalidInputError:
            continue  # a status may call something else so
    return found


def _section(raw: JsonObject, name: str) -> JsonObject:
    found = raw.get(name)
    return found if is_object(found) else {}

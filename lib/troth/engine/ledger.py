"""What the state store knows at one moment, read once for a whole run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from troth.api import Fields, JsonObject, RequestKey, load_object
from troth.engine.record import Record
from troth.engine.values import ObjectId
from troth.errors import InvalidInputError
from troth_statestore import Owner, Snapshot, request_key, revision_key

__all__ = ["Ledger", "names_in"]


def names_in(key: str) -> tuple[str, str, str] | None:
    """Return namespace, Promise and name that a record's path tells, None when it tells none.

    The path is ``requests/<hh>/<namespace>/<promise>/<name>.yaml``.
    """
    match key.removesuffix(".yaml").split("/"):
        case ["requests", _, namespace, promise, name]:
            return namespace, promise, name
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Ledger:
    """Records by request, and what follows from them.

    Attributes:
        snapshot: the moment of the store it was read from.
        records: record and its version by request.
        unreadable: key of a record that cannot be trusted → what is wrong with it.
        revisions: keys of the Promise revisions kept.
    """

    snapshot: Snapshot
    records: Mapping[RequestKey, tuple[Record, str]]
    unreadable: Mapping[str, InvalidInputError]
    revisions: Mapping[str, str]
    _revision_bytes: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def read(cls, snapshot: Snapshot) -> "Ledger":
        """Read every record of a snapshot; those that cannot be read are kept apart."""
        records: dict[RequestKey, tuple[Record, str]] = {}
        unreadable: dict[str, InvalidInputError] = {}
        revisions: dict[str, str] = {}
        revision_bytes: dict[str, bytes] = {}
        for key, (content, version) in snapshot.records().items():
            if key.startswith("revisions/"):
                revisions[key], revision_bytes[key] = version, content
                continue
            if not key.startswith("requests/"):
                continue  # written by a newer Troth, or by somebody else: not ours to judge
            try:
                record = Record.decode(content, key)
            except InvalidInputError as error:
                unreadable[key] = error
                continue
            records[record.key] = (record, version)
        return cls(snapshot, records, unreadable, revisions, revision_bytes)

    def find(self, key: RequestKey) -> tuple[Record | None, str | None]:
        """Return a request's record and its version, None and None where there is none.

        Raises:
            InvalidInputError: there is one, and it cannot be read.
        """
        error = self.unreadable.get(request_key(Owner(*key)))
        if error is not None:
            raise error
        return self.records.get(key, (None, None))

    def revision(self, digest: str) -> JsonObject | None:
        """Return a kept revision of a Promise, None when it is not there."""
        content = self._revision_bytes.get(revision_key(digest))
        if content is None:
            return None
        text = content.decode("utf-8", errors="replace")
        return Fields(load_object(text, revision_key(digest))).mapping("promise")

    def holders(self) -> dict[tuple[str, ObjectId], RequestKey]:
        """Return who holds which object in which Destination."""
        return {
            (placement.destination, identity): key
            for key, (record, _) in self.records.items()
            for placement in record.placements
            for identity in placement.objects
        }

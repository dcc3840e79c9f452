"""The record of a Destination: what is its own in one state store, and what it has left there."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from troth.api import Fields, Json, load_object
from troth.engine.ledger import Ledger
from troth.engine.values import Spot
from troth.errors import InvalidInputError, Reason
from troth_statestore import destination_key

__all__ = ["DestinationRecord", "known_destinations"]

_API_VERSION = "troth.dev/v1alpha1"
_KIND = "DestinationRecord"


@dataclass(frozen=True, slots=True)
class DestinationRecord:
    """What a store remembers of a Destination.

    Attributes:
        name: the Destination's.
        inventory: who may remove what is its own.
        roots: what the run read that wrote it first.
        canaries: the files by which people see that its agent is at work.
        left: files and folders of nobody where it was before it moved.
    """

    name: str
    inventory: str
    roots: tuple[str, ...]
    canaries: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """Spell the record: the same record, the same bytes."""
        spelled: dict[str, Json] = {
            "apiVersion": _API_VERSION,
            "kind": _KIND,
            "name": self.name,
            "inventory": self.inventory,
            "roots": list(self.roots),
            "canaries": list(self.canaries),
            **({"left": list(self.left)} if self.left else {}),
        }
        return (json.dumps(spelled, indent=1, ensure_ascii=False) + "\n").encode()

    @classmethod
    def decode(cls, content: bytes, key: str) -> "DestinationRecord":
        """Read a record.

        Raises:
            InvalidInputError: it is none.
        """
        text = content.decode("utf-8", errors="replace")
        fields = Fields(load_object(text, key), reason=Reason.RECORD_UNREADABLE)
        name = fields.text("name")
        if fields.text("kind") != _KIND or destination_key(name) != key:
            raise fields.error("kind", f"this is not the {_KIND} that belongs here.")
        return cls(
            name=name,
            inventory=fields.text("inventory"),
            roots=fields.texts("roots"),
            canaries=fields.texts("canaries"),
            left=fields.texts("left"),
        )


def known_destinations(ledger: Ledger) -> Iterator[tuple[Spot, DestinationRecord]]:
    """Return the records of Destinations and where they stand; ``troth verify`` names others."""
    for spot, (content, _) in sorted(ledger.destinations.items()):
        try:
            yield spot, DestinationRecord.decode(content, spot.path)
        except InvalidInputError:
            continue

"""Never back: which SealedSecrets an output holds, so that a rollback brings no old one back.

A secret that was rotated is not undone by setting files back: what was sealed before may have been
revoked since. So a rollback is one only if all that is sealed stays what it is.
"""

import hashlib
from collections.abc import Iterator, Mapping

from troth.api import Json, JsonObject, canonical, is_object, load_documents
from troth.engine.values import Spot
from troth.errors import TrothError

__all__ = ["SEALED_KIND", "SEALED_STAYS", "objects_in", "sealed_digest"]

SEALED_STAYS = (
    "it would bring back other SealedSecrets than those of its newest output, and a sealed value "
    "is never brought back, since it may have been rotated."
)
"""Why a rollback is not kept, or not made."""

SEALED_KIND = "SealedSecret"
"""The kind of what is sealed."""

# A list of objects in a document, as kubectl prints them; deeper ones nobody writes.
_LIST_SUFFIX = "List"


def sealed_digest(files: Mapping[Spot, bytes]) -> str | None:
    """Return the digest of all SealedSecrets in files, None where there is none.

    Args:
        files: place → content; the store is no part of the digest, since its name may change.
    """
    lines = sorted(
        f"{spot.path}\0{spelled}\n"
        for spot, content in files.items()
        if SEALED_KIND.encode() in content
        for spelled in _sealed(content)
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest() if lines else None


def _sealed(content: bytes) -> Iterator[str]:
    try:
        documents = load_documents(content.decode(), "")
    except (TrothError, UnicodeDecodeError):
        yield hashlib.sha256(content).hexdigest()  # nobody can tell what of it is sealed
        return
    for document in documents:
        for manifest in objects_in(document.data):
            if manifest.get("kind") == SEALED_KIND:
                yield hashlib.sha256(canonical(manifest)).hexdigest()


def objects_in(data: JsonObject) -> Iterator[JsonObject]:
    """Return a document and, where it is a list of objects, these."""
    yield data
    items: Json = data.get("items")
    if str(data.get("kind", "")).endswith(_LIST_SUFFIX) and isinstance(items, list):
        yield from (item for item in items if is_object(item))

"""Where things lie in a store: pure functions from names to paths.

Paths are relative to the store's root and use ``/``. The layouts are Kratix's, to the letter, so
that agents and people find what they find there. In ``aggregatedYAML`` an owner has a folder as in
``nestedByMetadata``, but inside the Destination's one file (see ``pieces``).
"""

import hashlib
from typing import NamedTuple

from troth_statestore.pieces import piece_path

__all__ = [
    "Owner",
    "aggregated_folder",
    "destination_key",
    "flat_file",
    "group_id",
    "namespace_of",
    "nested_folder",
    "nested_group",
    "record_key",
    "revision_key",
]

# Hex digits of a group's id that stand in a path (Kratix takes five).
_ID_DIGITS = 5


class Owner(NamedTuple):
    """The request that files belong to; without namespace and name, the Promise itself."""

    namespace: str
    promise: str
    name: str


def group_id(directory: str) -> str:
    """Return the id of a workload group in paths; ``.``, the default group, is ``5058f``."""
    return hashlib.md5(directory.encode(), usedforsecurity=False).hexdigest()[:_ID_DIGITS]


def nested_folder(destination_path: str, owner: Owner) -> str:
    """Return the folder that an owner has in a Destination, all its pipelines in it."""
    kind = "resources" if owner.name else "dependencies"
    return _join(destination_path, kind, owner.namespace, owner.promise, owner.name)


def aggregated_folder(destination_path: str, filename: str) -> str:
    """Return the folder inside a Destination's one file, to be taken for the Destination's path."""
    return piece_path(_join(destination_path, filename), "")


def nested_group(destination_path: str, owner: Owner, pipeline: str, directory: str) -> str:
    """Return the folder of one workload group of one pipeline.

    A Promise's static dependencies come from no pipeline; theirs is "".
    """
    return _join(nested_folder(destination_path, owner), pipeline, group_id(directory))


def flat_file(destination_path: str, path: str) -> str:
    """Return where the layout ``none`` puts a file: just where the stage wrote it."""
    return _join(destination_path, path)


def _join(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def record_key(owner: Owner) -> str:
    """Return the key of an owner's record.

    Of a request's, the first two hex digits of a hash come first, so that no folder grows large.
    """
    if not owner.name:
        return f"promises/{owner.promise}.yaml"
    spelled = f"{owner.namespace}/{owner.promise}/{owner.name}"
    shard = hashlib.sha256(spelled.encode()).hexdigest()[:2]
    return f"requests/{shard}/{spelled}.yaml"


def destination_key(name: str) -> str:
    """Return the key of a Destination's record."""
    return f"destinations/{name}.yaml"


def revision_key(digest: str) -> str:
    """Return the key of the record of a Promise's revision."""
    return f"revisions/{digest}.yaml"


def namespace_of(key: str) -> str | None:
    """Return the namespace of the request whose record has this key, None for any other key."""
    match key.split("/"):
        case ["requests", _, namespace, _, _]:
            return namespace
        case _:
            return None

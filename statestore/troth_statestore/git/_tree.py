"""What stands at a tip, listed by git: in full once, then by what changed between two tips."""

from collections.abc import Iterator
from dataclasses import dataclass

from troth_statestore._index import Index
from troth_statestore.git._cache import must
from troth_statestore.git._command import GitCommand

__all__ = ["NO_TREE", "Tree", "advanced", "differences", "foreign_file_at"]

_PLAIN_FILE = "100644"
_NOTHING = "000000"


@dataclass(frozen=True, slots=True)
class Tree:
    """A tip of a branch (None: there is no branch) and what stands below the store's prefix."""

    tip: str | None
    index: Index


NO_TREE = Tree(None, Index({}))


def advanced(git: GitCommand, old: Tree, tip: str | None, prefix: str) -> Tree:
    """Return the tree at `tip`, at the cost of its difference from `old`.

    Raises:
        CacheDamagedError: objects that should be in the cache are not.
    """
    if old.tip == tip:
        return old
    if tip is None:
        return NO_TREE
    if old.tip is None:
        return Tree(tip, Index(dict(_listed(git, tip, prefix))))
    return Tree(tip, old.index.changed(dict(_different(git, old.tip, tip, prefix))))


def differences(git: GitCommand, old: str, new: str | None) -> dict[str, str | None]:
    """Return path → object in the commit `new` (None: in none at all) of what differs from `old`.

    Raises:
        CacheDamagedError: objects that should be in the cache are not.
    """
    if new is None:
        return dict.fromkeys((path for path, _ in _listed(git, old, "")), None)
    found = _different(git, old, new, "")
    return {path: digest and digest.rpartition(":")[2] for path, digest in found}


def foreign_file_at(git: GitCommand, tip: str, prefix: str) -> str | None:
    """Return the path of a file that stands where the folder `prefix` or one above it should be."""
    segments = prefix.split("/")
    for depth in range(1, len(segments) + 1):
        folder = "/".join(segments[:depth])
        listed = must(git.run("ls-tree", "-z", "--full-tree", tip, "--", folder)).stdout
        if listed and not listed.startswith(b"040000 "):
            return folder
    return None


def _listed(git: GitCommand, tip: str, prefix: str) -> Iterator[tuple[str, str]]:
    # Each entry is `<mode> <type> <object>\t<path>`, ended by NUL.
    where = ["--", prefix] if prefix else []
    listed = must(git.run("ls-tree", "-r", "-z", "--full-tree", tip, *where)).stdout
    cut = len(prefix) + 1 if prefix else 0
    for entry in _texts(listed):
        facts, path = entry.split("\t", 1)
        mode, _, object_id = facts.split(" ")
        if path != prefix:
            yield path[cut:], _digest(mode, object_id)


def _different(
    git: GitCommand, old: str, new: str, prefix: str
) -> Iterator[tuple[str, str | None]]:
    # Each entry is `:<mode> <mode> <object> <object> <status>`, NUL, path, NUL; the second of each
    # pair is the newer.
    where = ["--", prefix] if prefix else []
    run = git.run("diff-tree", "-r", "-z", "--raw", old, new, *where)
    texts = _texts(must(run).stdout)
    cut = len(prefix) + 1 if prefix else 0
    for facts, path in zip(texts, texts, strict=True):
        _, mode, _, object_id, _ = facts.split(" ")
        if path != prefix:
            yield path[cut:], None if mode == _NOTHING else _digest(mode, object_id)


def _texts(output: bytes) -> Iterator[str]:
    # Names that are no UTF-8 are foreign; they must not stop us, nor be mistaken for others.
    return iter(output.decode(errors="surrogateescape").split("\0")[:-1])


def _digest(mode: str, object_id: str) -> str:
    return object_id if mode == _PLAIN_FILE else f"{mode}:{object_id}"

"""Reading the content of many objects, or their names, through one process."""

from collections.abc import Iterable
from tempfile import TemporaryFile

from troth_statestore.git._cache import CacheDamagedError, must
from troth_statestore.git._command import GitCommand

__all__ = ["read_blobs", "tree_ids"]

# The id of the tree with nothing in it, which git knows without its being there.
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def read_blobs(git: GitCommand, object_ids: Iterable[str]) -> dict[str, bytes]:
    """Return object id → content of blobs.

    Raises:
        CacheDamagedError: one of them is not there.
    """
    wanted = sorted(set(object_ids))
    if not wanted:
        return {}
    with TemporaryFile() as stdin:
        stdin.writelines(f"{object_id}\n".encode() for object_id in wanted)
        stdin.seek(0)
        output = must(git.run("cat-file", "--batch", "--buffer", stdin=stdin)).stdout
    return _parse(output, wanted)


def tree_ids(git: GitCommand, commits: Iterable[str], prefix: str) -> dict[str, str]:
    """Return commit → id of the tree of the folder `prefix` ("" for the root) in it.

    Raises:
        CacheDamagedError: git cannot tell.
    """
    wanted = sorted(set(commits))
    if not wanted:
        return {}
    with TemporaryFile() as stdin:
        stdin.writelines(f"{commit}:{prefix}\n".encode() for commit in wanted)
        stdin.seek(0)
        found = must(git.run("cat-file", "--batch-check=%(objectname)", "--buffer", stdin=stdin))
    # Nothing is left of a folder that is empty: its name is then answered by `<name> missing`.
    ids = (_EMPTY_TREE if line.endswith(" missing") else line for line in found.text.splitlines())
    return dict(zip(wanted, ids, strict=True))


def _parse(output: bytes, wanted: list[str]) -> dict[str, bytes]:
    # Each answer is `<object> <type> <size>\n<content>\n`, or `<object> missing\n`.
    blobs: dict[str, bytes] = {}
    position = 0
    for object_id in wanted:
        end = output.index(b"\n", position)
        header = output[position:end].split(b" ")
        if header[1] != b"blob":
            raise CacheDamagedError(f"git cat-file: {object_id} is {header[1].decode()}")
        start, position = end + 1, end + 1 + int(header[2]) + 1
        blobs[object_id] = output[start : position - 1]
    return blobs

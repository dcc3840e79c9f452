"""Reading the content of many objects through one process."""

from collections.abc import Iterable
from tempfile import TemporaryFile

from troth_statestore.git._cache import CacheDamagedError, must
from troth_statestore.git._command import GitCommand

__all__ = ["read_blobs"]


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

"""A disk that fills up: run as a program in a mount namespace of its own, it tells what happened.

Usage: unshare --map-root-user --mount python -m support.drill_disk FOLDER cache|remote|both
"""

import json
import random
import subprocess
import sys
from pathlib import Path

from support.repositories import RECORDS, Remote

from troth.errors import TrothError
from troth_statestore import ChangeSet
from troth_statestore.git import GitSettings, GitStore

__all__: list[str] = []

_LARGE = random.Random(1).randbytes(2_000_000)  # noqa: S311  (what does not compress)


def _change(key: str, content: bytes) -> ChangeSet:
    return ChangeSet(key, None, {f"{key}/f": content}, record=b"1", title=f"Update {key}")


def _tell(store: GitStore, remote: Remote, change: ChangeSet) -> None:
    try:
        [receipt] = store.commit([change])
        said = f"{receipt.outcome} {receipt.revision == remote.tip()}"
    except TrothError as error:
        said = f"{type(error).__name__} {error.reason}: {error.message}"
    print(json.dumps([said, remote.subjects(), sorted(remote.files(RECORDS))]), flush=True)  # noqa: T201


def _main(folder: Path, full: str) -> None:
    small = folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", small], check=True)
    remote = Remote.create((folder if full == "cache" else small) / "remote.git")
    cache = (folder if full == "remote" else small) / "cache"
    store = GitStore(str(remote.folder), settings=GitSettings(cache=cache, borrow=False))
    _tell(store, remote, _change("a", b"1"))
    _tell(store, remote, _change("large", _LARGE))
    _tell(store, remote, _change("b", b"1"))
    subprocess.run(["mount", "-o", "remount,size=20m", small], check=True)
    _tell(store, remote, _change("large", _LARGE))
    store.close()


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2])

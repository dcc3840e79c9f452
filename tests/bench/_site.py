"""A filled repository, a store on a copy of it, and the requests that are written to it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench._workload import change_set

from troth_statestore import ChangeSet, digest_bytes
from troth_statestore.git import GitSettings, GitStore, KeyFile, create_bare

__all__ = ["Shape", "Site", "copied", "fill", "megabytes", "site"]

# The git of the measured store trusts this; it is one of the variables that are left alone.
_TRUST = "GIT_SSL_CAINFO"


@dataclass(frozen=True, slots=True)
class Shape:
    """A repository, and how it is written to.

    Attributes:
        folder: where the repository lies, and what is made of it.
        live: requests in it.
        namespaces: of the requests.
        one_commit_a_flush: instead of one a request.
        signed: whether commits are signed, by an Ed25519 key.
        https: whether it is reached over HTTP with TLS on loopback, instead of by its path.
    """

    folder: str
    live: int
    namespaces: int
    one_commit_a_flush: bool = False
    signed: bool = False
    https: bool = False

    @property
    def name(self) -> str:
        """What tables call it."""
        where = "one namespace" if self.namespaces == 1 else f"{self.namespaces} namespaces"
        return ", ".join(
            [
                f"{self.live:,} live in {where}",
                *(["one commit a flush"] if self.one_commit_a_flush else []),
                *(["signed"] if self.signed else []),
                *(["over HTTPS"] if self.https else []),
            ]
        )

    @property
    def filled(self) -> Path:
        """The repository that `fill` makes."""
        return Path(self.folder) / "filled.git"


class Site:
    """A store that is open, on a repository of its own."""

    def __init__(self, shape: Shape, store: GitStore, remote: Path, cache: Path) -> None:
        self.shape = shape
        self.store = store
        self._remote = remote
        self._cache = cache
        self._bytes_before = megabytes(remote)
        self._versions: dict[int, int] = {}

    def change(self, number: int) -> ChangeSet:
        """Return the change set that brings a request to its next version."""
        now = self._versions.get(number, 0)
        self._versions[number] = now + 1
        record = change_set(number, self.shape.namespaces, now, None).record or b""
        return change_set(number, self.shape.namespaces, now + 1, digest_bytes(record))

    def disk(self) -> list[float]:
        """Return MB of the cache, and those by which the remote has grown."""
        return [megabytes(self._cache), megabytes(self._remote) - self._bytes_before]


def fill(shape: Shape) -> None:
    """Make the repository that sites are copies of, by one commit."""
    create_bare(shape.filled)
    changes = [change_set(number, shape.namespaces, 0, None) for number in range(shape.live)]
    settings = GitSettings(one_commit_a_flush=True)
    with closing(GitStore(str(shape.filled), settings=settings)) as store:
        store.commit(changes)


@contextmanager
def copied(shape: Shape) -> Iterator[Path]:
    """Yield a copy of the filled repository, so that each task meets the same."""
    with TemporaryDirectory(dir=shape.folder) as folder:
        remote = Path(folder) / "remote.git"
        shutil.copytree(shape.filled, remote)
        yield remote


@contextmanager
def site(shape: Shape) -> Iterator[Site]:
    """Open a store on a copy of the filled repository, and let it look at what is there."""
    with ExitStack() as stack:
        remote = stack.enter_context(copied(shape))
        cache = remote.with_name("cache")
        settings = GitSettings(
            cache=cache,
            one_commit_a_flush=shape.one_commit_a_flush,
            signing_key=KeyFile(_made_key(remote.with_name("key"))) if shape.signed else None,
        )
        url = stack.enter_context(_served(remote)) if shape.https else str(remote)
        store = stack.enter_context(closing(GitStore(url, settings=settings)))
        store.snapshot()
        yield Site(shape, store, remote, cache)


@contextmanager
def _served(remote: Path) -> Iterator[str]:
    """Serve a repository in a process of its own; yield its address."""
    command = [sys.executable, "-m", "bench._host", str(remote)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise AssertionError("a process without pipes")
        os.environ[_TRUST] = process.stdout.readline().strip()
        yield process.stdout.readline().strip()
        process.stdin.close()


def _made_key(file: Path) -> Path:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)]
    subprocess.run(command, check=True)
    return file


def megabytes(folder: Path) -> float:
    """Return the size of all files below a folder, in MB."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6

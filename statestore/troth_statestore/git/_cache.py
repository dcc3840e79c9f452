"""The repository of our own in which objects are fetched and made: bare, and worth nothing.

All that is in it can be had again from the remote, so what looks damaged is made anew.
"""

import fcntl
import shutil
from contextlib import ExitStack
from pathlib import Path

from troth.errors import Reason, StoreError, TransientError, shorten
from troth_statestore.git._access import Access
from troth_statestore.git._command import Finished, GitCommand
from troth_statestore.git._errors import sha256_refused
from troth_statestore.git._location import Location
from troth_statestore.git._scratch import scratch_folder
from troth_statestore.git._settings import GitSettings

__all__ = ["Cache", "CacheDamagedError", "must"]

# No hook, no helper, no gc behind our back. No fsync, since after a power failure the cache is made
# anew; no waiting for locks, since nobody else is here who could let go of them. Each import and
# fetch makes one pack, which appears whole or not at all, whenever we are killed.
_CONFIG = """\
[core]
\trepositoryformatversion = 0
\tbare = true
\thooksPath = /dev/null
\tlogAllRefUpdates = false
\tfsync = none
[gc]
\tauto = 0
[maintenance]
\tauto = false
[credential]
\thelper =
[repack]
\twriteBitmaps = false
[fastimport]
\tunpackLimit = 1
[fetch]
\tunpackLimit = 1
[http]
\tlowSpeedLimit = 1000
\tlowSpeedTime = 60
[advice]
\tpushUpdateRejected = false
"""


class CacheDamagedError(Exception):
    """A command that needs nothing but the cache failed."""


def must(finished: Finished) -> Finished:
    """Return a finished command that needs nothing but the cache.

    Raises:
        CacheDamagedError: it failed.
    """
    if finished.status != 0:
        raise CacheDamagedError(f"git {finished.command}: {shorten(finished.stderr)}")
    return finished


class Cache:
    """A bare repository for one store, used by one process at a time."""

    def __init__(self, location: Location, settings: GitSettings) -> None:
        self._location = location
        self._settings = settings
        self.is_empty = False
        self.borrows = False
        self._held = ExitStack()
        try:
            self.folder = self._hold_folder(settings.cache)
            self.repository = self.folder / "troth-cache.git"
            access = Access(location, settings.credentials, settings.ca_file)
            self.git = GitCommand(self.repository, settings.timeout, access)
            self._open()
        except BaseException:
            self.close()
            raise

    def rebuild(self) -> None:
        """Throw everything away and begin again."""
        shutil.rmtree(self.repository, ignore_errors=True)
        self._create()

    def close(self) -> None:
        """Let go of the folder, and remove it if it was made for this store alone."""
        self._held.close()

    def _hold_folder(self, given: Path | None) -> Path:
        if given is None:
            return scratch_folder(self._held)
        given.mkdir(parents=True, exist_ok=True)
        lock = self._held.enter_context((given / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            self._held.close()
            raise TransientError(
                Reason.STATE_STORE_BUSY,
                f"The cache {given} is in use by another process. Give each its own.",
            ) from exc
        return given.absolute()

    def _open(self) -> None:
        marker = self.repository / "troth-store"
        known = marker.read_bytes() if marker.is_file() else b""
        if known != self._identity() or self.git.run("rev-parse", "--git-dir").status != 0:
            self.rebuild()
            return
        try:
            self._configure()
            self._remove_unfinished()
        except OSError:  # something else stands where a file should be
            self.rebuild()

    def _remove_unfinished(self) -> None:
        """Remove what a git that was killed had begun; nobody is here to finish it."""
        packs = self.repository / "objects" / "pack"
        # Packs of fast-import, index-pack and pack-objects, then of repack; and locks, since an
        # import that meets one does not fail, but waits for it each time.
        locks = self.repository.rglob("*.lock")
        for left in (*packs.glob("tmp_*"), *packs.glob(".tmp-*"), *locks):
            left.unlink(missing_ok=True)

    def _identity(self) -> bytes:
        return f"{self._location.url}\nborrow={self._settings.borrow}\n".encode()

    def _create(self) -> None:
        made = GitCommand(None, self._settings.timeout).run(
            *("init", "--quiet", "--bare", "--template=", "--object-format=sha1"),
            str(self.repository),
        )
        if made.status != 0:
            raise StoreError(
                Reason.STATE_STORE_UNSUPPORTED,
                f"The cache of {self._location.description} cannot be made in {self.folder}: "
                f"{shorten(made.stderr)}",
            )
        self.is_empty = True
        self._configure()
        # Last, so that a repository without it was not finished.
        (self.repository / "troth-store").write_bytes(self._identity())

    def _configure(self) -> None:
        (self.repository / "config").write_text(_CONFIG)
        alternates = self.repository / "objects" / "info" / "alternates"
        alternates.unlink(missing_ok=True)
        objects = self._location.objects() if self._settings.borrow else None
        # The file has one path a line; a path that does not fit in is fetched from instead.
        self.borrows = objects is not None and str(objects).isprintable()
        if objects is not None and self.borrows:
            self._refuse_sha256(objects.parent)
            alternates.parent.mkdir(exist_ok=True)
            alternates.write_text(f"{objects}\n")

    def _refuse_sha256(self, git_dir: Path) -> None:
        # Ours is SHA-1: reading the other kind's objects in place would fail obscurely.
        format_ = GitCommand(git_dir, self._settings.timeout).run(
            "rev-parse", "--show-object-format"
        )
        if format_.text.strip() == "sha256":
            raise sha256_refused(self._location)

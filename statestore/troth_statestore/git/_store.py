"""The Git twin: the protocol's four methods around a `Writer`."""

import re
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

from troth.errors import InvalidInputError, Reason, StoreError
from troth_statestore._checks import check_together
from troth_statestore.git._cache import CacheDamagedError
from troth_statestore.git._flush import Target
from troth_statestore.git._history import GitHistory, Past
from troth_statestore.git._location import Location
from troth_statestore.git._remote import Branches
from troth_statestore.git._settings import GitSettings
from troth_statestore.git._snapshot import GitSnapshot
from troth_statestore.git._tls import why_not_trusted
from troth_statestore.git._writer import Writer
from troth_statestore.paths import why_unsafe
from troth_statestore.protocol import ChangeSet, Probe, Receipt

__all__ = ["GitStore"]

_Answer = TypeVar("_Answer")

# A full disk, in the words of git and of the system.
_FULL = re.compile(r"No space left on device|Out of diskspace|[Dd]isk quota exceeded")

# What `git check-ref-format` forbids in a branch, and what would be taken for an option.
_NO_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/.]|/\.|\.lock(/|$)|[/.]$|^@?$")

# A host that refuses for these reasons may do so for the login it was shown.
_ABOUT_LOGIN = frozenset(
    {Reason.HOST_NOT_TRUSTED, Reason.INVALID_CREDENTIALS, Reason.STATE_STORE_REFUSED}
)


class GitStore:
    """A `StateStore` in a Git repository: files on one branch, records on another beside it.

    Threads may share it. Its methods run git, so they take from milliseconds to as long as a host
    takes to answer.

    Args:
        url: https, ssh or scp-like address without a secret, or a path.
        branch: the branch that agents read; records lie on ``troth/records/<branch>``.
        path: folder of the repository below which everything lies, "" for its root.
        settings: how to go about it.

    Raises:
        InvalidInputError: an argument is wrong.
    """

    def __init__(
        self,
        url: str,
        branch: str = "main",
        path: str = "",
        settings: GitSettings | None = None,
    ) -> None:
        location = Location.parse(url)
        self._target = Target(location, Branches.of(_checked_branch(branch)), _checked_prefix(path))
        self._settings = settings or GitSettings()
        self._lock = Lock()
        self._writer: Writer | None = None
        self._closed = False

    def probe(self) -> Probe:
        """Ask whether the branches can be gone on from and pushed to; nothing is written there.

        What is new is fetched, since a branch that was set back shows in its commits alone.
        """
        tips, refusal = self._do(lambda writer: (writer.probe(), writer.why_no_push()))
        if isinstance(refusal, StoreError):
            refusal = self._saying_with_what(refusal)
        return Probe(str(self._target), tips.files, refusal)

    def snapshot(self) -> GitSnapshot:
        """Fetch and list the newest state."""
        return self._do(lambda writer: writer.snapshot(self._mend))

    def commit(self, changes: Sequence[ChangeSet]) -> Sequence[Receipt]:
        """Apply change sets by one push; one receipt each, in the order given."""
        check_together(changes)
        return self._do(lambda writer: writer.commit(changes)) if changes else []

    def history(self) -> GitHistory:
        """Return what the branches held before; it can be asked as long as the store is open."""

        def ask(work: Callable[[Past], _Answer], /) -> _Answer:
            return self._do(lambda writer: work(writer.past()))

        return GitHistory(ask)

    def close(self) -> None:
        """Remove the cache, unless its folder was given."""
        with self._lock:
            self._closed = True
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _mend(self) -> None:
        self._do(lambda writer: writer.mend())

    def _do(self, work: Callable[[Writer], _Answer]) -> _Answer:
        """Do `work` alone; once more with a new cache if the cache turns out to be damaged."""
        with self._lock:
            try:
                writer = self._opened()
                try:
                    return work(writer)
                except CacheDamagedError:
                    writer.begin_again()
                return work(writer)
            except StoreError as error:
                raise self._saying_with_what(error) from error
            except (CacheDamagedError, OSError) as exc:
                full = _FULL.search(str(exc)) is not None
                advice = "no space is left there" if full else "look at who owns its folder"
                raise StoreError(
                    Reason.STATE_STORE_UNREACHABLE,
                    f"State store {self._target} cannot be worked with from its cache; {advice}: "
                    f"{exc}",
                ) from exc

    def _saying_with_what(self, error: StoreError) -> StoreError:
        if error.reason is Reason.HOST_NOT_TRUSTED:
            why = why_not_trusted(self._target.location.url, self._settings.ca_file)
            if why is not None and why not in error.message:
                error = StoreError(error.reason, f"{error.message} The certificate: {why}.")
        credentials = self._settings.credentials
        if error.reason not in _ABOUT_LOGIN or not credentials or credentials.name in error.message:
            return error
        # Of the same class: what may be written in parts is told by it.
        return type(error)(error.reason, f"{error.message} It was tried with {credentials.name}.")

    def _opened(self) -> Writer:
        if self._closed:
            raise ValueError(f"the state store {self._target} was closed")
        if self._writer is None:
            self._writer = Writer(self._target, self._settings)
        return self._writer


def _checked_branch(branch: str) -> str:
    if (
        _NO_BRANCH.search(branch)
        or branch == "HEAD"
        or f"{branch}/".startswith(("troth/", "refs/"))
    ):
        raise InvalidInputError(
            Reason.INVALID_OBJECT,
            f"The branch {branch!r} cannot be a state store's: it is no name of a branch, or one "
            "that records are kept on.",
        )
    return branch


def _checked_prefix(path: str) -> str:
    prefix = path.strip("/")
    if prefix and (why := why_unsafe(prefix)):
        raise InvalidInputError(
            Reason.UNSAFE_PATH, f"The path {path!r} of a state store is not safe: {why}."
        )
    return prefix
